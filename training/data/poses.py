"""Labels that are a few numbers: camera poses, room layouts, vanishing points.

All are computed from `CAMERA` records (`training.data.frames`), vectorised, in float64, and not whitened.
Conventions are those of the original targets (https://github.com/StanfordVL/taskonomy, `load_ops.py`) and of
`taskbank.geometry`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from taskbank.geometry import Numbers, euler_angles, rotation

Records = NDArray[np.void]

_DIGITS = 9  # digits that are compared, so that rounding does not decide the orientation of a room
_QUARTERS = np.array(
    [[[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, -1, 0], [1, 0, 0], [0, 0, 1]],
     [[-1, 0, 0], [0, -1, 0], [0, 0, 1]], [[0, 1, 0], [-1, 0, 0], [0, 0, 1]]],
    dtype=np.float64,
)  # fmt: skip
"""Rotations of the world about z by 0, 90, 180 and 270 degrees."""


def relative_poses(first: Records, second: Records) -> Numbers:
    """Compute the poses of cameras relative to others.

    Args:
        first: `CAMERA` records of any shape.
        second: `CAMERA` records of the same shape.

    Returns:
        (..., 6): angles of R2^T R1 in radians, and R2^T (l1 - l2) in metres, for rotations R (camera to
        world) and locations l.
    """
    back = np.swapaxes(rotation(second["angles"]), -1, -2)
    turn = back @ rotation(first["angles"])
    shift = back @ (first["location"] - second["location"])[..., None]
    return np.concatenate([euler_angles(turn), shift[..., 0]], axis=-1)


def egomotions(first: Records, second: Records, third: Records) -> Numbers:
    """Compute the poses of cameras 1 to 2 and 2 to 3, (..., 12); `geometry.compose` gives that of 1 to 3."""
    return np.concatenate([relative_poses(first, second), relative_poses(second, third)], axis=-1)


def room_layouts(cameras: Records) -> Numbers:
    """Compute the boxes of rooms as seen by cameras.

    The room's frame is the world, rotated about z by multiples of 90 degrees so that the camera's heading is
    within 45 degrees of +x. Of two equally good rotations the smaller is used.

    Args:
        cameras: `CAMERA` records of any shape.

    Returns:
        (..., 9), the `layout` of `taskbank.geometry.box_corners`: centre in the camera frame in metres,
        angles of the camera's rotation in the room's frame in radians, edges along the room's axes in metres;
        NaN where the box is unknown.
    """
    turn = rotation(cameras["angles"])
    ahead = -(_QUARTERS @ turn[..., None, :, :])[..., 0, 2]
    quarter = np.argmax(ahead.round(_DIGITS), axis=-1)
    low, high = cameras["box"][..., 0, :], cameras["box"][..., 1, :]
    off = (low + high) / 2 - cameras["location"]
    centre = np.swapaxes(turn, -1, -2) @ off[..., None]
    room = _QUARTERS[quarter]
    edges = np.abs(room) @ (high - low)[..., None]
    angles = np.where(np.isnan(off), np.nan, euler_angles(room @ turn))
    return np.concatenate([centre[..., 0], angles, edges[..., 0]], axis=-1)


def vanishing_points(cameras: Records) -> Numbers:
    """Compute the directions of the room's axes in camera frames.

    The world is rotated about z by multiples of 90 degrees so that the camera looks between +x and +y: the
    sum of the angles between its direction and those axes is least. For a camera that looks along an axis
    there are two such rotations; the one with x ahead is used.

    Args:
        cameras: `CAMERA` records of any shape.

    Returns:
        (..., 9): unit vectors along x, y and z, one after another; +x right, +y up, looking along -z.
    """
    turned = _QUARTERS @ rotation(cameras["angles"])[..., None, :, :]
    ahead = -turned[..., 2]
    between = np.arccos(np.clip(ahead[..., :2], -1, 1)).sum(-1).round(_DIGITS)
    best = between == between.min(axis=-1, keepdims=True)
    quarter = np.argmax(np.where(best, ahead[..., 0].round(_DIGITS), -np.inf), axis=-1)
    # Rows of a rotation are the world's axes in the camera's frame.
    chosen = np.take_along_axis(turned, quarter[..., None, None, None], axis=-3)
    return chosen.reshape(*quarter.shape, 9)


def box_from_point_info(ranges: Mapping[str, Sequence[float]]) -> Numbers:
    """Read the room's box in world axes from `bounding_box_ranges` of a point file of the dataset.

    The files name the box's sides by swapped axes: what they call x is the world's y and the other way round.

    Args:
        ranges: `x`, `y` and `z`, each two numbers in metres.

    Returns:
        (2, 3), least and greatest corner, as in `CAMERA`.

    Raises:
        KeyError: a side is missing.
    """
    return np.sort(np.array([ranges["y"], ranges["x"], ranges["z"]], dtype=np.float64).T, axis=0)
