"""Folders of real frames whose geometry is known: rays of a pinhole camera meet planes and spheres."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from training.data.real.camera import Intrinsics
from training.data.real.folder import RealFolder

CAMERA = Intrinsics(fx=70, fy=71, cx=40.5, cy=31)
HEIGHT, WIDTH = 64, 84

Numbers = NDArray[np.float64]


def rays(camera: Intrinsics = CAMERA, height: int = HEIGHT, width: int = WIDTH) -> Numbers:
    """Directions (H, W, 3) whose z is 1."""
    rows, columns = np.mgrid[:height, :width]
    flat = [(columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy, np.ones((height, width))]
    return np.stack(flat, axis=-1)


def plane(normal: object, distance: float, towards: Numbers | None = None) -> Numbers:
    """Depth of the plane whose points p have normal . p = -distance; infinite where rays miss it."""
    unit = np.array(normal, float) / np.linalg.norm(np.array(normal, float))
    slant = (rays() if towards is None else towards) @ unit
    return np.where(slant < 0, -distance / np.minimum(slant, -1e-9), np.inf)


def sphere(centre: object, radius: float) -> Numbers:
    """Depth of a sphere; infinite where rays miss it."""
    middle, towards = np.array(centre, float), rays()
    square, along = (towards**2).sum(-1), towards @ middle
    inside = along**2 - square * (middle @ middle - radius**2)
    return np.where(inside > 0, (along - np.sqrt(np.maximum(inside, 0))) / square, np.inf)


def write_frame(
    folder: Path,
    name: str,
    depth: Numbers,
    *,
    labels: NDArray[np.uint8] | None = None,
    rgb: NDArray[np.uint8] | None = None,
) -> None:
    """One frame's files; NaN depth is unknown."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = np.random.default_rng(len(name)).integers(0, 255, (*depth.shape, 3)) if rgb is None else rgb
    Image.fromarray(shown.astype(np.uint8)).save(folder / f"{name}_rgb.png")
    millimetres = np.nan_to_num(depth * 1000, nan=0.0).round().astype(np.uint16)
    Image.fromarray(millimetres).save(folder / f"{name}_depth.png")
    if labels is not None:
        Image.fromarray(labels).save(folder / f"{name}_label.png")


def write_camera(folder: Path, camera: Intrinsics = CAMERA) -> None:
    """`camera.json`."""
    numbers = {"fx": camera.fx, "fy": camera.fy, "cx": camera.cx, "cy": camera.cy}
    (folder / "camera.json").write_text(json.dumps(numbers))


def write_rotations(folder: Path, turns: dict[str, Numbers]) -> None:
    """`rotations.csv` of matrices whose third column, y and z exchanged, points down."""
    header = "frame,image," + ",".join(f"r{i}{j}" for i in range(3) for j in range(3))
    lines = [
        f"{name},{place}," + ",".join(map(str, turn.ravel()))
        for place, (name, turn) in enumerate(turns.items())
    ]
    (folder / "rotations.csv").write_text("\n".join([header, *lines]) + "\n")


def room_folder(folder: Path) -> RealFolder:
    """Two frames of a room with a wall ahead, a wall on the right and a floor, level camera."""
    wall, floor, side = plane((0, 0, -1), 2.4), plane((0, -1, 0), 1.0), plane((-1, 0, 0), 0.9)
    depth = np.minimum(np.minimum(wall, floor), side)
    labels = np.where(depth == floor, 1, 0).astype(np.uint8)
    labels[:6, :6] = 3
    for name in ("000", "001"):
        write_frame(folder, name, depth, labels=labels)
    write_camera(folder)
    write_rotations(folder, {"0": np.eye(3)})
    return RealFolder(folder, CAMERA)
