"""Square views of a real frame, resampled as a rotated camera would see them.

The cameras of a store have their optical axis in the middle of the picture, which a square cut out of the
side of a wide picture does not have. So squares are not cut out. For each, the camera is rotated until its
axis passes through the square's middle, and the picture is resampled. A rotation about the camera's centre
changes no line of sight: colours stay the same, normals are rotated, and depth is measured along the new
axis. The field of view is the widest that lies within the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.data.real.camera import Intrinsics

Numbers = NDArray[np.float64]

_ONE_SURFACE = 1.05  # largest ratio of neighbouring depths on one surface


@dataclass(frozen=True, slots=True, kw_only=True)
class SquareView:
    """A square view.

    Attributes:
        turn: float64 (3, 3), the view's axes in the frame's camera, one a column, both OpenCV: x right, y
            down, z ahead.
        tangent: tangent of half the field of view, horizontal and vertical.
    """

    turn: Numbers
    tangent: float

    @property
    def fov(self) -> float:
        """Field of view in radians, horizontal and vertical."""
        return float(2 * np.arctan(self.tangent))

    def rays(self, size: int, subpixels: int = 1) -> Tensor:
        """Compute the directions through the middles of (sub)pixels, in the view's axes.

        Returns:
            float64 (3, size * subpixels, size * subpixels), z is 1.
        """
        count = size * subpixels
        steps = ((torch.arange(count, dtype=torch.float64) + 0.5) / count * 2 - 1) * self.tangent
        across, down = steps.expand(count, count), steps[:, None].expand(count, count)
        return torch.stack([across, down, torch.ones_like(across)])

    def places(self, intrinsics: Intrinsics, size: int, subpixels: int = 1) -> Tensor:
        """Project directions into the frame: float64 (2, n, n), columns and rows in px."""
        x, y, z = torch.einsum("ij,jhw->ihw", torch.from_numpy(self.turn), self.rays(size, subpixels))
        return torch.stack([x / z * intrinsics.fx + intrinsics.cx, y / z * intrinsics.fy + intrinsics.cy])


def views_of(shape: tuple[int, ...], intrinsics: Intrinsics, count: int) -> list[SquareView]:
    """Compute views of squares that are spread along the longer side of a picture.

    Args:
        shape: (H, W) of the picture in px.
        intrinsics: intrinsics of its camera.
        count: number of views; a square picture has one.

    Returns:
        views from left to right, or from top to bottom.
    """
    height, width = shape
    side, rest = min(height, width), abs(width - height)
    starts = np.linspace(0, rest, count) if count > 1 and rest else [rest / 2]
    middles = [(start + (side - 1) / 2, (side - 1) / 2) for start in starts]
    places = middles if width >= height else [place[::-1] for place in middles]
    # Planes through the camera and the picture's borders; directions inside have positive products.
    left, top = (-0.5 - intrinsics.cx) / intrinsics.fx, (-0.5 - intrinsics.cy) / intrinsics.fy
    far, low = (width - 0.5 - intrinsics.cx) / intrinsics.fx, (height - 0.5 - intrinsics.cy) / intrinsics.fy
    planes = np.array([[1, 0, -left], [-1, 0, far], [0, 1, -top], [0, -1, low]])
    views = []
    for column, row in places:
        # The widest view around this position: panned, then tilted, not rolled.
        x, y = (column - intrinsics.cx) / intrinsics.fx, (row - intrinsics.cy) / intrinsics.fy
        ahead = np.array([x, y, 1.0]) / np.sqrt(x * x + y * y + 1)
        right = np.array([1.0, 0.0, -x]) / np.hypot(1, x)
        turn = np.stack([right, np.cross(ahead, right), ahead], axis=1)
        borders = planes @ turn
        tangent = float((borders[:, 2] / np.abs(borders[:, :2]).sum(1)).min())
        views.append(SquareView(turn=turn, tangent=tangent))
    return views


def resampled_picture(
    rgb: NDArray[np.uint8], view: SquareView, intrinsics: Intrinsics, size: int
) -> NDArray[np.uint8]:
    """Resample a picture for a view, bilinearly and averaged per pixel: uint8 (size, size, 3)."""
    focal = size / 2 / view.tangent
    fine = max(1, ceil(max(intrinsics.fx, intrinsics.fy) / focal - 1e-6))
    places = view.places(intrinsics, size, fine)
    height, width = rgb.shape[:2]
    grid = torch.stack([(places[0] + 0.5) / width * 2 - 1, (places[1] + 0.5) / height * 2 - 1], dim=-1)
    picture = torch.from_numpy(np.array(rgb)).movedim(-1, 0)[None].float()
    drawn = functional.grid_sample(
        picture, grid[None].float(), mode="bilinear", padding_mode="border", align_corners=False
    )
    return functional.avg_pool2d(drawn, fine)[0].movedim(0, -1).round().to(torch.uint8).numpy()


def resampled_depth(depth: NDArray[np.float32], places: Tensor) -> Tensor:
    """Resample depth, along the frame's own axis, at positions of its picture.

    Between four pixels of one surface the inverse of depth is interpolated bilinearly, which is exact for
    planes; elsewhere the nearest pixel is used, as there is no surface between an object and its background.

    Args:
        depth: float32 (H, W), metres, NaN where unknown.
        places: float64 (2, n, n), columns and rows in px.

    Returns:
        float64 (n, n), NaN where unknown.
    """
    height, width = depth.shape
    inverse = 1 / torch.from_numpy(depth).double()
    column, row = places[0].clamp(0, width - 1), places[1].clamp(0, height - 1)
    left, top = column.floor().clamp(max=max(width - 2, 0)), row.floor().clamp(max=max(height - 2, 0))
    right, down = column - left, row - top
    corners, shares = [], []
    for across, along in ((0, 0), (1, 0), (0, 1), (1, 1)):
        at = (top.long() + along).clamp(max=height - 1), (left.long() + across).clamp(max=width - 1)
        corners.append(inverse[at])
        shares.append((right if across else 1 - right) * (down if along else 1 - down))
    four = torch.stack(corners)
    mixed = (four * torch.stack(shares)).sum(0)
    joined = four.amax(0) <= _ONE_SURFACE * four.amin(0)  # false if one is NaN
    return 1 / torch.where(joined, mixed, nearest(inverse, places))


def nearest(values: Tensor, places: Tensor) -> Tensor:
    """Look up values (H, W) or (H, W, C) at the nearest pixels: (n, n) or (n, n, C)."""
    height, width = values.shape[:2]
    found: Tensor = values[
        places[1].round().long().clamp(0, height - 1), places[0].round().long().clamp(0, width - 1)
    ]
    return found
