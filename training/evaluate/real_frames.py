"""Real frames with measured depth, in one folder: for measuring, never for training.

Files are `NAME_rgb.jpg` or `.png`, `NAME_depth.png` (uint16 millimetres along the optical axis, 0 unknown)
and, where there is one, `NAME_label.png` (uint8, NYU40 class minus one, 39 and more unknown; the classes of
Gupta et al., CVPR 2013). All have one size and one camera.

Depth cameras give no normals: they are fitted. A plane goes through the back-projected points of a window,
and where the points lie too far from it, at edges and on clutter, there is no reliable normal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from training.errors import DataError

_WINDOW = 11  # px
_RESIDUAL = 0.006  # of the depth
_MILLIMETRES = 1000
_UNKNOWN_LABEL = 39


@dataclass(frozen=True, slots=True, kw_only=True)
class Intrinsics:
    """A pinhole camera.

    Attributes:
        fx: focal length in px along columns.
        fy: along rows.
        cx: column of the optical axis, in px from the middle of the first pixel.
        cy: row of it.
    """

    fx: float
    fy: float
    cx: float
    cy: float

    def points(self, depth: Tensor) -> Tensor:
        """Back-projected pixels.

        Args:
            depth: (H, W), metres along the optical axis.

        Returns:
            (3, H, W), metres, OpenCV camera frame: +x right, +y down, +z ahead.
        """
        rows = torch.arange(depth.shape[0], dtype=depth.dtype)[:, None]
        columns = torch.arange(depth.shape[1], dtype=depth.dtype)[None]
        x = (columns - self.cx) / self.fx * depth
        y = (rows - self.cy) / self.fy * depth
        return torch.stack([x, y, depth])


@dataclass(frozen=True)
class RealFrame:
    """One frame; what is derived is computed when it is asked for.

    Attributes:
        name: of its files, without ending.
        rgb: uint8 (H, W, 3).
        depth: float32 (H, W), metres along the optical axis, NaN where unknown.
        labels: uint8 (H, W), NYU40 class numbers from 1, 0 unknown; None where there is no file.
        intrinsics: of the camera.
    """

    name: str
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    labels: NDArray[np.uint8] | None
    intrinsics: Intrinsics

    @cached_property
    def _planes(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Normals and where they are reliable."""
        return fit_normals(self.depth, self.intrinsics)

    @property
    def normals(self) -> NDArray[np.float32]:
        """float32 (H, W, 3), OpenCV camera frame, facing the camera; NaN where they are not reliable."""
        vectors, reliable = self._planes
        return np.where(reliable[..., None], vectors, np.float32(np.nan))

    @property
    def distance(self) -> NDArray[np.float32]:
        """float32 (H, W), metres along the ray."""
        points = self.intrinsics.points(torch.from_numpy(self.depth))
        distance: NDArray[np.float32] = points.norm(dim=0).numpy()
        return distance


def fit_normals(
    depth: NDArray[np.float32],
    intrinsics: Intrinsics,
    window: int = _WINDOW,
    residual: float = _RESIDUAL,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Normals of planes fitted to the points of a square window.

    Args:
        depth: float32 (H, W), metres along the optical axis, NaN where unknown.
        intrinsics: of the camera.
        window: side of the window in px, odd.
        residual: largest distance of the points from the plane (root mean square) over the depth.

    Returns:
        float32 (H, W, 3) unit vectors in the OpenCV camera frame, facing the camera; and bool (H, W), where
        all points of the window are known and lie close enough to the plane.
    """
    known = torch.from_numpy(np.isfinite(depth))
    points = intrinsics.points(torch.from_numpy(depth).double().nan_to_num(0))
    mean, covariance = _window_moments(points, window)
    spread, directions = torch.linalg.eigh(covariance)
    vectors = directions[..., 0]
    away = (vectors * mean.permute(1, 2, 0)).sum(-1, keepdim=True) > 0
    vectors = torch.where(away, -vectors, vectors)
    whole = _mean_over_window(known[None].double(), window)[0] > 1 - 1e-9
    close = spread[..., 0].clamp(min=0).sqrt() < residual * points[2]
    return vectors.float().numpy(), (whole & close).numpy()


def _window_moments(points: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """Mean (3, H, W) and covariance (H, W, 3, 3) of the points around each pixel that are in the picture."""
    mean = _mean_over_window(points, window)
    products = torch.einsum("ihw,jhw->ijhw", points, points).reshape(9, *points.shape[1:])
    second = _mean_over_window(products, window).reshape(3, 3, *points.shape[1:])
    covariance = second - torch.einsum("ihw,jhw->ijhw", mean, mean)
    return mean, covariance.permute(2, 3, 0, 1)


def _mean_over_window(maps: Tensor, window: int) -> Tensor:
    """Box mean (C, H, W) over the pixels of a window that lie in the picture."""
    return functional.avg_pool2d(maps[None], window, stride=1, padding=window // 2, count_include_pad=False)[
        0
    ]


@dataclass(frozen=True, slots=True)
class RealFolder:
    """A folder of real frames.

    Attributes:
        root: the folder.
        intrinsics: of the camera that took them all.
    """

    root: Path
    intrinsics: Intrinsics

    def frames(self) -> Iterator[RealFrame]:
        """The frames, by name.

        Raises:
            DataError: there are none, or a file is missing or damaged.
        """
        pictures = sorted(path for end in ("jpg", "png") for path in self.root.glob(f"*_rgb.{end}"))
        if not pictures:
            raise DataError(f"no frames in {self.root}: files must be called NAME_rgb.jpg and NAME_depth.png")
        for picture in pictures:
            yield _frame(picture, self.intrinsics)


def _frame(picture: Path, intrinsics: Intrinsics) -> RealFrame:
    """One frame from its files."""
    name = picture.stem.removesuffix("_rgb")
    millimetres = _read(picture.with_name(f"{name}_depth.png")).astype(np.float32)
    labels = picture.with_name(f"{name}_label.png")
    return RealFrame(
        name=name,
        rgb=_read(picture),
        depth=np.where(millimetres > 0, millimetres / _MILLIMETRES, np.float32(np.nan)),
        labels=_labels(_read(labels)) if labels.exists() else None,
        intrinsics=intrinsics,
    )


def _labels(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Classes from 1, 0 unknown."""
    return np.where(codes < _UNKNOWN_LABEL, codes + 1, 0).astype(np.uint8)


def _read(path: Path) -> NDArray[np.uint8]:
    """A picture as it is coded.

    Raises:
        DataError: it is missing or damaged.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(image)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error}") from error
