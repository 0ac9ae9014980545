"""Writing of depth as a point cloud: binary PLY, which every mesh viewer opens."""

from __future__ import annotations

import math
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from taskbank.atomic_files import write_whole
from taskbank.errors import InvalidInputError
from taskbank.images.framing import View
from taskbank.inference.decode import NORMAL_AXES
from taskbank.inference.preprocess import Preprocessed
from taskbank.inference.results import Prediction
from taskbank.options import DEFAULT_FOV, Axes, Fit, Frame
from taskbank.tasks.kinds import OutputKind
from taskbank.tasks.registry import find_task

_PLACE = [("x", "<f4"), ("y", "<f4"), ("z", "<f4")]
_DIRECTION = [("nx", "<f4"), ("ny", "<f4"), ("nz", "<f4")]
_COLOUR = [("red", "u1"), ("green", "u1"), ("blue", "u1")]
_AXES = {
    Axes.OPENCV: "+x right, +y down, +z ahead (OpenCV)",
    Axes.OPENGL: "+x right, +y up, +z towards the viewer (OpenGL)",
}
_NAMES = {"<f4": "float", "u1": "uchar"}


def focal_length(view: View, fov: float | None = None) -> float:
    """Compute the focal length of a photograph's camera, in px of the photograph.

    Args:
        view: of the photograph.
        fov: its horizontal field of view in degrees. With None, the networks' square is assumed to have the
            75 degrees of the training images, whatever its part of the photograph; for a whole photograph
            this is the middle square, as for a crop.
    """
    if fov is None:
        box = view.box
        side = box.right - box.left
        if view.fit is Fit.WHOLE:
            side = min(side, box.bottom - box.top)
        return side / (2 * math.tan(math.radians(DEFAULT_FOV) / 2))
    return view.width / (2 * math.tan(math.radians(fov) / 2))


def square_fov(view: View, fov: float | None = None) -> float:
    """Compute the horizontal field of view of the networks' input, in degrees.

    Args:
        view: of the photograph.
        fov: of the photograph in degrees, as for `focal_length`.
    """
    half = (view.box.right - view.box.left) / 2
    return 2 * math.degrees(math.atan(half / focal_length(view, fov)))


def unproject(depth: Prediction, fov: float | None = None) -> NDArray[np.float32]:
    """Compute the points in space of a depth map's pixels.

    The camera is a pinhole with square pixels, its axis through the middle of the photograph.

    Args:
        depth: of a depth task, in the photograph's frame or the network's.
        fov: horizontal field of view of the photograph in degrees, as for `focal_length`.

    Returns:
        float32 (H, W, 3), metres in the OpenCV camera frame: +x right, +y down, +z ahead; NaN where depth is
        unknown.

    Raises:
        InvalidInputError: the prediction is not a depth map.
    """
    if depth.kind is not OutputKind.DEPTH:
        raise InvalidInputError(f"{depth.task} gives {depth.kind}: a point cloud needs depth")
    view = depth.views[0]
    x, y = _places(depth)
    focal = focal_length(view, fov)
    rays = np.empty((*depth.array.shape, 3))
    rays[..., 0] = (x - view.width / 2) / focal
    rays[..., 1] = ((y - view.height / 2) / focal)[:, None]
    rays[..., 2] = 1
    if depth.task == "depth_euclidean":
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    points: NDArray[np.float32] = (rays * depth.array[..., None]).astype(np.float32)
    return points


def _places(depth: Prediction) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return columns and rows of a map's pixels in px of the photograph, from its upper left corner."""
    rows, columns = depth.array.shape
    x = np.arange(columns, dtype=np.float64) + 0.5
    y = np.arange(rows, dtype=np.float64) + 0.5
    if depth.frame is Frame.INPUT:
        return x, y
    box = depth.box
    return (
        box.left + x * (box.right - box.left) / columns,
        box.top + y * (box.bottom - box.top) / rows,
    )


def save_point_cloud(
    path: Path,
    depth: Prediction,
    preprocessed: Preprocessed,
    *,
    fov: float | None = None,
    normals: Prediction | None = None,
    axes: Axes = Axes.OPENCV,
) -> None:
    """Write the points of a depth map with their colours, atomically. Unknown pixels are left out.

    Args:
        path: of the PLY file.
        depth: of a depth task.
        preprocessed: the network's input.
        fov: horizontal field of view of the photograph in degrees, as for `focal_length`.
        normals: of the same image in the same frame; a point without one has (0, 0, 0).
        axes: OPENCV (+y down, +z ahead), or OPENGL (+y up, +z towards the viewer), as Blender, MeshLab and
            most mesh viewers expect.

    Raises:
        InvalidInputError: the predictions do not match each other, or are not depth and normals.
        OutputError: the file cannot be written.
    """
    places = unproject(depth, fov)
    known = np.isfinite(depth.array)
    turned = np.array([1, 1, 1] if axes is Axes.OPENCV else [1, -1, -1], np.float32)
    columns = [(_PLACE, places[known] * turned)]
    if normals is not None:
        columns.append((_DIRECTION, _directions(normals, depth)[known] * turned))
    columns.append((_COLOUR, _colours(depth, preprocessed)[known]))
    fields = [field for names, _ in columns for field in names]
    vertices = np.empty(int(known.sum()), dtype=fields)
    for names, values in columns:
        for number, (name, _) in enumerate(names):
            vertices[name] = values[:, number]
    header = _header(fields, len(vertices), depth, fov, axes)

    def write(file: BinaryIO) -> None:
        file.write(header.encode("ascii"))
        file.write(vertices.tobytes())

    write_whole(path, write)


def _directions(normals: Prediction, depth: Prediction) -> NDArray[np.float32]:
    """Return normals in the frame of the points."""
    if normals.kind is not OutputKind.NORMALS or normals.array.shape[:2] != depth.array.shape:
        raise InvalidInputError(f"{normals.task} does not hold a normal for each pixel of {depth.task}")
    opengl = NORMAL_AXES[Axes.OPENGL] == normals.convention
    turned = normals.array * np.array([1, -1, -1]) if opengl else normals.array
    directions: NDArray[np.float32] = np.nan_to_num(turned).astype(np.float32)
    return directions


def _colours(depth: Prediction, preprocessed: Preprocessed) -> NDArray[np.uint8]:
    """Return the photo's colours at a map's pixels: (H, W, 3)."""
    if depth.frame is Frame.INPUT:
        return preprocessed.photo.as_bytes()
    image = preprocessed.for_task(find_task(depth.task)).square
    shown: NDArray[np.uint8] = ((image + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return shown


def _header(
    fields: list[tuple[str, str]], count: int, depth: Prediction, fov: float | None, axes: Axes
) -> str:
    """Return the header of a PLY file: its fields, their types, and the camera in comments."""
    view = depth.views[0]
    lines = [
        "ply",
        "format binary_little_endian 1.0",
        f"comment camera frame: {_AXES[axes]}, camera at 0 0 0, metres",
        f"comment {depth.task} by taskbank, bank {_ascii(depth.bank)} {depth.bank_digest[:16]}",
        f"comment photograph {view.width} x {view.height} px, focal length {focal_length(view, fov):.6g} px, "
        f"the network saw {square_fov(view, fov):.4g} degrees across",
        f"element vertex {count}",
        *(f"property {_NAMES[kind]} {name}" for name, kind in fields),
        "end_header",
    ]
    return "\n".join(lines) + "\n"


def _ascii(words: str) -> str:
    """Convert text to one line of ASCII, for the header."""
    return " ".join(words.encode("ascii", "replace").decode().split())
