"""Differentiable, batched composition of poses; `taskbank.geometry` has the same for one pose."""

from __future__ import annotations

import torch
from torch import Tensor

_LEVEL = 1e-6  # cosine of the angle about y below which the angles are degenerate (gimbal lock)


def rotation_matrices(angles: Tensor) -> Tensor:
    """Compute rotations of static-axes Euler angles x, y, z: float (B, 3), radians -> (B, 3, 3), Rz Ry Rx."""
    (sx, sy, sz), (cx, cy, cz) = angles.sin().unbind(1), angles.cos().unbind(1)
    rows = [
        torch.stack([cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx], dim=1),
        torch.stack([sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx], dim=1),
        torch.stack([-sy, cy * sx, cy * cx], dim=1),
    ]
    return torch.stack(rows, dim=1)


def euler_angles(matrices: Tensor) -> Tensor:
    """Compute angles of rotations, the inverse of `rotation_matrices`: float (B, 3, 3) -> (B, 3).

    If the angle about y is 90 degrees, the angle about z is 0, and gradients stay finite.
    """
    m = matrices
    square = m[:, 0, 0].square() + m[:, 1, 0].square()
    locked = square < _LEVEL**2
    level = square.clamp(min=_LEVEL**2).sqrt()
    one = torch.ones_like(square)
    zero = torch.zeros_like(square)
    about_x = torch.atan2(
        torch.where(locked, -m[:, 1, 2], m[:, 2, 1]), torch.where(locked, m[:, 1, 1], m[:, 2, 2])
    )
    about_y = torch.atan2(-m[:, 2, 0], level)
    about_z = torch.atan2(torch.where(locked, zero, m[:, 1, 0]), torch.where(locked, one, m[:, 0, 0]))
    return torch.stack([about_x, about_y, about_z], dim=1)


def compose_poses(first: Tensor, second: Tensor) -> Tensor:
    """Compute the pose of camera 1 to 3 from those of 1 to 2 and of 2 to 3.

    Args:
        first: float (B, 6), angles in radians and translation in metres.
        second: float (B, 6), likewise.

    Returns:
        float (B, 6), as `taskbank.geometry.compose`.
    """
    turn = rotation_matrices(second[:, :3])
    angles = euler_angles(turn @ rotation_matrices(first[:, :3]))
    moved = (turn @ first[:, 3:, None])[..., 0] + second[:, 3:]
    return torch.cat([angles, moved], dim=1)
