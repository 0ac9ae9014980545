"""Rotations of real cameras in their rooms, from gravity and from the walls.

`rotations.csv` in a folder of frames has the columns `frame`, the name of a frame (leading zeros may be left
out), and `r00` to `r22`, a 3 x 3 matrix row by row, as the authors of NYU Depth v2 give it. Its axes are x,
depth and y of the picture: its third column, with the last two numbers exchanged, points down in the camera's
frame (x right, y down, z ahead). The error against the floors of `nyu_train` is 4.8 degrees, and 1.5 after
one rotation of all frames, as the accelerometer was not aligned with the camera; the error of the second
column is 5.5.

Gravity does not give the directions of walls. The axes of the room are the directions of most normals; with
them the vertical is 0.8 degrees from the normals of floors.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.errors import DataError

Numbers = NDArray[np.float64]

ROTATIONS = "rotations.csv"

_COLUMNS = tuple(f"r{row}{column}" for row in range(3) for column in range(3))
_OF_AN_AXIS = np.cos(np.radians(12))  # largest angle between an axis and the normals assigned to it
_UPRIGHT = np.sin(np.radians(15))  # tilt of surfaces that count as walls at first
_FARTHEST = np.cos(np.radians(10))  # largest angle between the room's vertical and gravity
_LEAST_ALL, _LEAST_ONE = (
    0.4,
    0.1,
)  # least shares of normals along any axis, and along the horizontal axes
_TURNS = 8
_STRIDE = 3  # px


def read_gravity(folder: Path) -> dict[str, Numbers]:
    """Read unit vectors that point up, OpenCV camera frame, by the frame's name without leading zeros.

    Raises:
        DataError: the file lacks a column, or a value is not a number.
    """
    path = folder / ROTATIONS
    if not path.is_file():
        return {}
    found = {}
    with path.open(encoding="utf-8", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), 2):
            try:
                turn = np.array([float(row[name]) for name in _COLUMNS]).reshape(3, 3)
                name = row["frame"]
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(
                    f"{path} line {line}: {error!r}: columns must be frame and r00 to r22"
                ) from error
            down = turn[[0, 2, 1], 2]
            length = float(np.linalg.norm(down))
            if not 0.9 < length < 1.1:
                raise DataError(f"{path} line {line}: r02, r12, r22 have length {length:.3g}, not 1")
            found[plain_name(name)] = -down / length
    return found


def plain_name(name: str) -> str:
    """Strip leading zeros from a frame's name."""
    return name.lstrip("0") or "0"


def room_axes(normals: NDArray[np.floating], reliable: NDArray[np.bool_], up: Numbers) -> Numbers | None:
    """Estimate the camera's rotation in its room, whose walls are at right angles.

    Args:
        normals: (H, W, 3), unit vectors, OpenCV camera frame.
        reliable: bool (H, W), the normals to use.
        up: (3,), up direction from gravity.

    Returns:
        float64 (3, 3), camera (OpenCV) to world: rows are the room's x, y and z, upwards, in the camera's
        frame, z within 10 degrees of `up`; x points to any of the four walls. None if the surfaces do not
        determine it.
    """
    seen = normals[::_STRIDE, ::_STRIDE][reliable[::_STRIDE, ::_STRIDE]].astype(np.float64)
    walls = seen[np.abs(seen @ up) < _UPRIGHT]
    if len(walls) == 0 or len(walls) < _LEAST_ONE * len(seen):
        return None
    # Directions of walls modulo 90 degrees: the most frequent degree, together with its neighbours.
    level = np.cross(up, [1.0, 0.0, 0.0]) if abs(up[0]) < 0.9 else np.cross(up, [0.0, 0.0, 1.0])
    level /= np.linalg.norm(level)
    across = np.cross(up, level)
    heading = np.degrees(np.arctan2(walls @ across, walls @ level)) % 90
    counts = np.bincount(heading.astype(int) % 90, minlength=90).astype(np.float64)
    counts = np.sum([np.roll(counts, shift) for shift in range(-4, 5)], axis=0)
    best = np.radians(float(np.argmax(counts)) + 0.5)
    first = np.cos(best) * level + np.sin(best) * across
    axes = np.stack([first, np.cross(up, first), up])
    for _ in range(_TURNS):
        along = seen @ axes.T
        nearest = np.abs(along).argmax(1)
        near = np.abs(along)[np.arange(len(seen)), nearest] > _OF_AN_AXIS
        signs = np.sign(along[np.arange(len(seen)), nearest])
        counted = seen[near] * signs[near, None]
        if len(counted) == 0:
            return None
        sums = np.stack([counted[nearest[near] == axis].sum(0) for axis in range(3)])
        # The nearest rotation: axes with few surfaces follow from the others.
        left, _, right = np.linalg.svd(sums + 1e-3 * len(seen) * axes)
        axes = left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right
    shares = np.bincount(nearest[near], minlength=3) / len(seen)
    if axes[2] @ up < _FARTHEST or shares.sum() < _LEAST_ALL or shares[:2].sum() < _LEAST_ONE:
        return None
    return axes


def up_of(gravity: Mapping[str, Numbers], name: str) -> Numbers | None:
    """Return the up direction of a frame; None if the folder does not have it."""
    return gravity.get(plain_name(name))
