"""Normals from measured depth: planes fitted to the points around each pixel.

Depth cameras give no normals. A plane is fitted to the back-projected points of a window; where the points
are too far from it, at edges and on clutter, there is no reliable normal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.data.real.camera import Intrinsics

WINDOW = 13 / 320
"""Side of the window as a share of the picture's shorter side."""

LEAST_FACING = 0.17
"""Least cosine of the angle between normal and line of sight, 80 degrees. Filled or smoothed depth has false
slopes between an object and its background, nearly parallel to the line of sight."""

MOMENTS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""Pairs of coordinates whose products give the covariance matrix."""

_RESIDUAL = 0.006  # share of the depth


@dataclass(frozen=True, slots=True, kw_only=True)
class Planes:
    """Planes around the pixels of a frame.

    Attributes:
        normals: float32 (H, W, 3), unit vectors in the OpenCV camera frame, facing the camera.
        depth: float32 (H, W), metres along the optical axis at which a pixel's ray meets its plane.
        reliable: bool (H, W), all points of the window are known and lie close enough to the plane.
    """

    normals: NDArray[np.float32]
    depth: NDArray[np.float32]
    reliable: NDArray[np.bool_]


def window_of(shape: tuple[int, ...]) -> int:
    """Return the side in px of the window for pictures of shape (H, W): odd, at least 3, 11 for 256 px."""
    return max(3, 2 * round((WINDOW * min(shape[:2]) - 1) / 2) + 1)


def fit_planes(
    depth: NDArray[np.float32],
    intrinsics: Intrinsics,
    window: int | None = None,
    residual: float = _RESIDUAL,
) -> Planes:
    """Fit a plane to the points of the square window around each pixel.

    Args:
        depth: float32 (H, W), metres along the optical axis, NaN where unknown.
        intrinsics: intrinsics of the camera.
        window: side of the window in px, odd; None for `window_of` the picture.
        residual: largest distance of the points from the plane (root mean square) over the depth.
    """
    side = window_of(depth.shape) if window is None else window
    known = torch.from_numpy(np.isfinite(depth))
    points = intrinsics.points(torch.from_numpy(depth).double().nan_to_num(0))
    mean = _mean_over_window(points, side)
    products = _mean_over_window(torch.stack([points[i] * points[j] for i, j in MOMENTS]), side)
    spread = products - torch.stack([mean[i] * mean[j] for i, j in MOMENTS])
    least, vectors = least_axis(spread)
    offset = (vectors * mean).sum(0)
    vectors = torch.where(offset > 0, -vectors, vectors)
    rays = intrinsics.rays(*depth.shape)
    # A ray beyond the horizon of its plane meets nothing: such depths are large and not reliable.
    slant = (vectors * rays).sum(0).clamp(max=-1e-6)
    whole = _mean_over_window(known[None].double(), side)[0] > 1 - 1e-9
    close = least.clamp(min=0).sqrt() < residual * points[2]
    return Planes(
        normals=vectors.movedim(0, -1).float().numpy(),
        depth=(-offset.abs() / slant).float().numpy(),
        reliable=(whole & close).numpy(),
    )


def _mean_over_window(maps: Tensor, window: int) -> Tensor:
    """Box mean (C, H, W) over the pixels of a window that lie in the picture."""
    # First rows, then columns: the mean of means is exact, as all rows of a window have equally many pixels.
    for size in ((1, window), (window, 1)):
        pad = (size[0] // 2, size[1] // 2)
        maps = functional.avg_pool2d(maps[None], size, stride=1, padding=pad, count_include_pad=False)[0]
    return maps


def least_axis(spread: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the least eigenvalues and their unit eigenvectors of symmetric 3 x 3 matrices.

    The closed form (Smith, "Eigenvalues of a symmetric 3 x 3 matrix", 1961) is twenty times as fast as `eigh`
    on many small matrices.

    Args:
        spread: float64 (6, H, W): xx, yy, zz, xy, xz, yz.

    Returns:
        eigenvalues (H, W) and eigenvectors (3, H, W); (0, 0, 1) for zero matrices.
    """
    xx, yy, zz, xy, xz, yz = spread
    middle = (xx + yy + zz) / 3
    a, b, c = xx - middle, yy - middle, zz - middle
    size = ((a * a + b * b + c * c + 2 * (xy * xy + xz * xz + yz * yz)) / 6).sqrt().clamp(min=1e-30)
    determinant = a * (b * c - yz * yz) - xy * (xy * c - yz * xz) + xz * (xy * yz - b * xz)
    angle = (determinant / (2 * size**3)).clamp(-1, 1).arccos() / 3
    least = middle + 2 * size * (angle + 2 * math.pi / 3).cos()
    rows = [
        torch.stack([xx - least, xy, xz]),
        torch.stack([xy, yy - least, yz]),
        torch.stack([xz, yz, zz - least]),
    ]
    # The eigenvector is orthogonal to all rows; the longest of their cross products is the most accurate.
    best = torch.zeros_like(rows[0])
    longest = torch.zeros_like(least)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        across = torch.linalg.cross(rows[one], rows[other], dim=0)
        length = across.square().sum(0).sqrt()
        best, longest = torch.where(length > longest, across, best), torch.maximum(length, longest)
    best[2] = torch.where(longest > 0, best[2], 1.0)
    return least, best / longest.where(longest > 0, torch.ones_like(longest))
