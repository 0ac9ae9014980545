"""Writing of depth as a point cloud: binary PLY, which every mesh viewer opens."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from taskbank.atomic_files import whole_file
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
_DIGITS = 12  # of the number of points, which is known at the end only
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


def unproject(
    depth: Prediction, fov: float | None = None, middle: float | None = None
) -> NDArray[np.float32]:
    """Compute the points in space of a depth map's pixels.

    The camera is a pinhole with square pixels, its axis through the middle of the photograph.

    Args:
        depth: of a depth task, in the photograph's frame or the network's.
        fov: horizontal field of view of the photograph in degrees, as for `focal_length`.
        middle: row of the camera's axis, in px from the top of the view; None for the middle of the view. A
            strip of a photograph has it elsewhere.

    Returns:
        float32 (H, W, 3), metres in the OpenCV camera frame: +x right, +y down, +z ahead; NaN where depth is
        unknown.

    Raises:
        InvalidInputError: the prediction is not a depth map.
    """
    if depth.kind is not OutputKind.DEPTH:
        raise InvalidInputError(f"{depth.task} gives {depth.kind}: a point cloud needs depth")
    view = depth.views[0]
    # Columns and rows of the map's pixels, in px of the photograph from its upper left corner.
    rows, columns = depth.array.shape
    x = np.arange(columns, dtype=np.float64) + 0.5
    y = np.arange(rows, dtype=np.float64) + 0.5
    if depth.frame is not Frame.INPUT:
        box = depth.box
        x = box.left + x * (box.right - box.left) / columns
        y = box.top + y * (box.bottom - box.top) / rows
    focal = focal_length(view, fov)
    rays = np.empty((*depth.array.shape, 3))
    rays[..., 0] = (x - view.width / 2) / focal
    rays[..., 1] = ((y - (view.height / 2 if middle is None else middle)) / focal)[:, None]
    rays[..., 2] = 1
    if depth.task == "depth_euclidean":
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    points: NDArray[np.float32] = (rays * depth.array[..., None]).astype(np.float32)
    return points


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
    view = depth.views[0]
    with cloud_stream(path, view, fov=fov, axes=axes) as cloud:
        cloud.write(depth, preprocessed, normals=normals)


class CloudStream:
    """A PLY file that is written in strips of rows. Made by `cloud_stream`."""

    def __init__(self, file: BinaryIO, view: View, fov: float | None, axes: Axes) -> None:
        self._file = file
        self._view = view
        self._fov = fov
        self._axes = axes
        self._fields: list[tuple[str, str]] = []
        self._count = 0
        self._told = ""

    def write(
        self,
        depth: Prediction,
        preprocessed: Preprocessed,
        *,
        normals: Prediction | None = None,
        start: int = 0,
    ) -> None:
        """Append the points of a strip of the photograph, or of all of it.

        Args:
            depth: of a depth task, for the strip.
            preprocessed: the network's input, with the strip as its photograph.
            normals: of the strip, in the same frame; given for all strips or for none.
            start: the strip's first row.
        """
        places = unproject(depth, self._fov, self._view.height / 2 - start)
        known = np.isfinite(depth.array)
        turned = np.array([1, 1, 1] if self._axes is Axes.OPENCV else [1, -1, -1], np.float32)
        columns = [(_PLACE, places[known] * turned)]
        if normals is not None:
            if normals.kind is not OutputKind.NORMALS or normals.array.shape[:2] != depth.array.shape:
                raise InvalidInputError(
                    f"{normals.task} does not hold a normal for each pixel of {depth.task}"
                )
            opengl = NORMAL_AXES[Axes.OPENGL] == normals.convention
            directions = normals.array[known] * np.array([1, -1, -1] if opengl else [1, 1, 1])
            columns.append((_DIRECTION, np.nan_to_num(directions).astype(np.float32) * turned))
        if depth.frame is Frame.INPUT:
            colours = preprocessed.photo.as_bytes()
        else:
            image = preprocessed.for_task(find_task(depth.task)).square
            colours = ((image + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
        columns.append((_COLOUR, colours[known]))
        fields = [field for names, _ in columns for field in names]
        vertices = np.empty(int(known.sum()), dtype=fields)
        for names, values in columns:
            for number, (name, _) in enumerate(names):
                vertices[name] = values[:, number]
        if not self._fields:
            self._fields, self._told = fields, _told(depth)
            self._file.write(self._header())
        self._file.write(vertices.tobytes())
        self._count += len(vertices)

    def end(self) -> None:
        """Write the number of points into the header."""
        self._file.seek(0)
        self._file.write(self._header())

    def _header(self) -> bytes:
        """Return the header: fields, their types, and the camera in comments; always of the same length."""
        view, fov = self._view, self._fov
        count = str(self._count)
        lines = [
            "ply",
            "format binary_little_endian 1.0",
            f"comment camera frame: {_AXES[self._axes]}, camera at 0 0 0, metres",
            f"comment {self._told}",
            f"comment photograph {view.width} x {view.height} px, focal length {focal_length(view, fov):.6g} "
            f"px, the network saw {square_fov(view, fov):.4g} degrees across" + " " * (_DIGITS - len(count)),
            f"element vertex {count}",
            *(f"property {_NAMES[kind]} {name}" for name, kind in self._fields),
            "end_header",
        ]
        return ("\n".join(lines) + "\n").encode("ascii")


@contextmanager
def cloud_stream(
    path: Path, view: View, *, fov: float | None = None, axes: Axes = Axes.OPENCV
) -> Iterator[CloudStream]:
    """Open a stream of points to a PLY file, which appears if the block ends without an error.

    Args:
        path: of the PLY file; its folder is created.
        view: of the whole photograph.
        fov: horizontal field of view of the photograph in degrees, as for `focal_length`.
        axes: as for `save_point_cloud`.

    Raises:
        OutputError: the file cannot be written.
    """
    with whole_file(path) as partial, partial.open("wb") as file:
        stream = CloudStream(file, view, fov, axes)
        yield stream
        stream.end()


def _told(depth: Prediction) -> str:
    """Describe the origin of the depth."""
    bank = " ".join(depth.bank.encode("ascii", "replace").decode().split())  # one line, for the header
    return f"{depth.task} by taskbank, bank {bank} {depth.bank_digest[:16]}"
