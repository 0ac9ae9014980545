"""Rays through the middles of pixels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from taskbank.geometry import rotation
from training.rooms.scene import Cameras


def camera_rays(cameras: Cameras, size: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
    """Return the origins and directions of the rays of square pictures.

    A pixel at (row, column) looks along R (x, y, -1) with x = (column + 0.5 - size / 2) / f and
    y = -(row + 0.5 - size / 2) / f, f = size / 2 / tan(fov / 2).

    Args:
        cameras: C views.
        size: side of the pictures in px.
        device: device of the rays.

    Returns:
        Origins float32 (C, 3) in metres and unit directions float32 (C, size, size, 3), world frame.
    """
    turns = np.stack([rotation(angles) for angles in cameras.angles])
    steps = (np.arange(size) + 0.5 - size / 2) / (size / 2)
    slopes = np.tan(cameras.fov / 2)[:, None, None]
    x, y = np.broadcast_arrays(slopes * steps[None, None, :], -slopes * steps[None, :, None])
    local = np.stack([x, y, -np.ones_like(x)], axis=-1)
    local /= np.linalg.norm(local, axis=-1, keepdims=True)
    world = np.einsum("cij,crkj->crki", turns, local)
    return _float32(cameras.location, device), _float32(world, device)


def _float32(numbers: np.ndarray, device: torch.device | str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(numbers, dtype=np.float32)).to(device)
