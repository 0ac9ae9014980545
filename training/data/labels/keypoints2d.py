"""Blobs and corners of brightness: determinants of Hessians over scales (Bay et al., "SURF", 2008)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from training.data.labels.filters import grey, shrunk

_SMALLEST, _LARGEST, _SCALES = 1.0, 30.0, 10  # sigmas in px at 512 px, at equal steps
_LEAST = 1.0  # px; the boxes of a smaller sigma are no larger than a pixel
_BALANCE = 0.81  # weight of the mixed derivative, as boxes are not Gaussians


def keypoints2d(rgb: Tensor) -> Tensor:
    """Compute the greatest determinant of the Hessian over ten scales.

    Box filters on integral images, divided by their size, on brightness in [0, 1]: the values do not depend
    on the size of the picture, because the scales shrink with it (no sigma is below 1 px). Photographs have
    0.001 on average and up to 0.03.

    Args:
        rgb: float (F, H, W, 3), sRGB in [0, 1].

    Returns:
        float (F, H, W), 0 or more.
    """
    if rgb.device.type == "mps":  # MPS has no float64
        return keypoints2d(rgb.cpu()).to(rgb.device)
    side = rgb.shape[-2]
    sigmas = torch.linspace(_SMALLEST, _LARGEST, _SCALES).tolist()
    boxes = _Boxes(grey(rgb), max(shrunk(_LARGEST, side), _LEAST))
    best = rgb.new_zeros(rgb.shape[:-1])
    for sigma in sigmas:
        best = torch.maximum(best, _determinant(boxes, max(shrunk(sigma, side), _LEAST)))
    return best


def hessian_determinant(brightness: Tensor, sigma: float) -> Tensor:
    """Compute the determinant of the Hessian at one scale.

    Boxes are three lobes wide, and a lobe is the odd number of px nearest to sigma, so that boxes are centred
    on pixels and constant brightness gives no response. For such sigmas the result equals
    `hessian_matrix_det` of scikit-image except for its shift by one pixel; for other sigmas scikit-image
    responds to constant brightness.

    Args:
        brightness: float (F, H, W).
        sigma: px.

    Returns:
        float (F, H, W), of either sign.
    """
    return _determinant(_Boxes(brightness, sigma), sigma)


def _determinant(boxes: _Boxes, sigma: float) -> Tensor:
    """The determinant of one scale."""
    lobe = _lobe(sigma)
    long, short = 3 * lobe, 2 * lobe - 1
    half = long // 2
    across = boxes(1 - lobe, -half, short, long) - 3 * boxes(1 - lobe, -(lobe // 2), short, lobe)
    down = boxes(-half, 1 - lobe, long, short) - 3 * boxes(-(lobe // 2), 1 - lobe, lobe, short)
    rising = boxes(1, -lobe, lobe, lobe) + boxes(-lobe, 1, lobe, lobe)
    falling = boxes(-lobe, -lobe, lobe, lobe) + boxes(1, 1, lobe, lobe)
    mixed = rising - falling
    return ((across * down - _BALANCE * mixed * mixed) / long**4).float()


def _lobe(sigma: float) -> int:
    """The odd number nearest to sigma, 1 at least."""
    return max(1, 2 * round((sigma - 1) / 2) + 1)


class _Boxes:
    """Sums of brightness over boxes around every pixel, from one integral image.

    Border pixels are repeated beyond the picture, so that its borders give no response.

    Args:
        brightness: float (F, H, W).
        sigma: largest sigma of the boxes, px.
    """

    def __init__(self, brightness: Tensor, sigma: float) -> None:
        self._reach = 3 * _lobe(sigma) // 2 + 2
        self._rows, self._columns = brightness.shape[-2:]
        wide = functional.pad(brightness[:, None], (self._reach,) * 4, mode="replicate")[:, 0]
        # float64, as small differences of large sums matter.
        self._sums = wide.double().cumsum(-1).cumsum(-2)

    def __call__(self, row: int, column: int, rows: int, columns: int) -> Tensor:
        """Sum over `rows` x `columns` px; the first is `row` down and `column` right of the pixel."""
        top, left = row - 1, column - 1
        bottom, right = top + rows, left + columns
        return self._at(bottom, right) - self._at(top, right) - self._at(bottom, left) + self._at(top, left)

    def _at(self, row: int, column: int) -> Tensor:
        """The integral image, shifted."""
        top, left = row + self._reach, column + self._reach
        return self._sums[:, top : top + self._rows, left : left + self._columns]
