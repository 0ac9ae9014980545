"""Geometry of cameras and rooms: Euler angles, composition of poses, corners of rooms, projection.

Camera frames are those of the dataset's poses: +x right, +y up, the camera looks along -z. Angles are Euler
angles about static axes in the order x, y, z: R = Rz Ry Rx.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskbank.options import DEFAULT_FOV

Numbers: TypeAlias = NDArray[np.float64]

CAMERA_AXES = "camera: +x right, +y up, looking along -z"
"""Description of the camera frame, for results."""

BOX_EDGES = ((0, 1), (0, 2), (0, 4), (1, 3), (1, 5), (2, 3), (2, 6), (3, 7), (4, 5), (4, 6), (5, 7), (6, 7))
"""Pairs of corners of a box that are joined by an edge, as indexes into `box_corners`."""


def rotation(angles: ArrayLike) -> Numbers:
    """Convert Euler angles to rotation matrices.

    Args:
        angles: (..., 3), radians about static x, y and z.

    Returns:
        float64 (..., 3, 3).
    """
    given = np.asarray(angles, dtype=np.float64)
    sx, sy, sz = np.moveaxis(np.sin(given), -1, 0)
    cx, cy, cz = np.moveaxis(np.cos(given), -1, 0)
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def euler_angles(matrices: ArrayLike) -> Numbers:
    """Convert rotation matrices to Euler angles: the inverse of `rotation`, with |y| at most a quarter turn.

    Args:
        matrices: (..., 3, 3). Where the angle about y is a quarter turn, only the sum of the others is
            defined, and the one about z is given as 0.

    Returns:
        float64 (..., 3), radians.
    """
    m = np.asarray(matrices, dtype=np.float64)
    level = np.hypot(m[..., 0, 0], m[..., 1, 0])
    about_y = np.arctan2(-m[..., 2, 0], level)
    upright = level < 1e-9  # the camera's x axis
    about_x = np.where(
        upright, np.arctan2(-m[..., 1, 2], m[..., 1, 1]), np.arctan2(m[..., 2, 1], m[..., 2, 2])
    )
    about_z = np.where(upright, 0.0, np.arctan2(m[..., 1, 0], m[..., 0, 0]))
    return np.stack([about_x, about_y, about_z], axis=-1)


def compose(first: ArrayLike, second: ArrayLike) -> Numbers:
    """Compose the relative pose of cameras 1 and 3 from those of 1 and 2 and of 2 and 3.

    Args:
        first: (6,), angles of R2^T R1 in radians and R2^T (l1 - l2) in metres, for cameras with rotations R
            and locations l in the world.
        second: (6,), the same from 2 to 3.

    Returns:
        float64 (6,): angles of R3^T R1 and R3^T (l1 - l3).
    """
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    turn = rotation(two[:3])
    return np.concatenate([euler_angles(turn @ rotation(one[:3])), turn @ one[3:] + two[3:]])


def box_corners(layout: ArrayLike) -> Numbers:
    """Compute the corners of a room.

    Args:
        layout: (9,): centre in the camera frame in metres, angles of the camera's rotation in the room's
            frame in radians, edges along the room's x, y and z in metres.

    Returns:
        float64 (8, 3), metres in the camera frame. The bits of a corner's index give its side: 4 for x, 2 for
        y, 1 for z.
    """
    numbers = np.asarray(layout, dtype=np.float64)
    signs = np.array([[corner >> 2 & 1, corner >> 1 & 1, corner & 1] for corner in range(8)]) - 0.5
    corners: Numbers = numbers[:3] + (signs * numbers[6:]) @ rotation(numbers[3:6])
    return corners


def project(points: ArrayLike, fov: float = DEFAULT_FOV) -> Numbers:
    """Project points into a square picture, as shares of its side.

    Args:
        points: (..., 3), camera frame, in front of the camera (negative z).
        fov: horizontal and vertical field of view in degrees.

    Returns:
        float64 (..., 2): column and row, 0 to 1 from the top left corner; may lie outside.
    """
    given = np.asarray(points, dtype=np.float64)
    focal = 0.5 / np.tan(np.radians(fov) / 2)
    x, y, ahead = given[..., 0], given[..., 1], -given[..., 2]
    return np.stack([0.5 + focal * x / ahead, 0.5 - focal * y / ahead], axis=-1)
