"""JPEG compression of pictures, simulated on their device without a file.

The quantisation tables are those of ITU-T T.81, Annex K.1, scaled with quality as the reference
implementation does. Chroma has half the resolution. Sums have a fixed order, so that results do not depend on
the batch.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

_BLOCK = 8

_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99, 99, 99, 99, 99, 99, 99, 99),) * 4,
)


def through_jpeg(pictures: Tensor, quality: Tensor) -> Tensor:
    """Compress and decompress pictures as JPEG.

    Args:
        pictures: float32 (F, H, W, 3), sRGB in [0, 1].
        quality: float32 (F,), 1 to 100; 0 leaves the picture unchanged.

    Returns:
        float32 (F, H, W, 3) in [0, 1].
    """
    height, width = pictures.shape[1:3]
    # Pad to whole blocks by repeating the last row and column.
    rows, columns = (
        torch.arange(-(-side // (2 * _BLOCK)) * 2 * _BLOCK, device=pictures.device).clamp(max=side - 1)
        for side in (height, width)
    )
    whole = pictures.index_select(1, rows).index_select(2, columns)
    r, g, b = (255 * whole[..., i] for i in range(3))
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    blue, red = 0.564 * (b - luma), 0.713 * (r - luma)
    luma = _quantised(luma - 128, _table(_LUMINANCE, quality)) + 128
    coarse = _table(_CHROMINANCE, quality)
    blue, red = (  # colours have half the resolution
        (part[:, ::2, ::2] + part[:, 1::2, ::2] + part[:, ::2, 1::2] + part[:, 1::2, 1::2]) / 4
        for part in (blue, red)
    )
    blue, red = (
        _quantised(part, coarse).repeat_interleave(2, 1).repeat_interleave(2, 2) for part in (blue, red)
    )
    back = (luma + 1.403 * red, luma - 0.344 * blue - 0.714 * red, luma + 1.773 * blue)
    stored = (torch.stack(back, -1)[:, :height, :width] / 255).clamp(0, 1)
    return torch.where((quality > 0)[:, None, None, None], stored, pictures)


def _table(table: tuple[tuple[int, ...], ...], quality: Tensor) -> Tensor:
    """Steps of the coefficients: float32 (F, 1, 1, 8, 8)."""
    kept = quality.clamp(1, 100)
    scale = torch.where(kept < 50, 5000 / kept, 200 - 2 * kept)[:, None, None]
    base = torch.tensor(table, dtype=torch.float32, device=quality.device)
    return ((base * scale + 50) / 100).floor().clamp(1, 255)[:, None, None]


def _quantised(plane: Tensor, steps: Tensor) -> Tensor:
    """Round the coefficients of a plane (F, H, W), block by block."""
    frames, height, width = plane.shape
    blocks = plane.reshape(frames, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).transpose(2, 3)
    # The orthonormal cosine transform of eight numbers, one column per frequency.
    rows = [
        [math.sqrt((1 if k == 0 else 2) / 8) * math.cos(math.pi * (2 * n + 1) * k / 16) for k in range(8)]
        for n in range(8)
    ]
    basis = torch.tensor(rows, dtype=torch.float32, device=plane.device)
    coded = _times(_times(blocks, basis).transpose(-1, -2), basis).transpose(-1, -2)
    coded = (coded / steps).round() * steps
    back = _times(_times(coded, basis.T).transpose(-1, -2), basis.T).transpose(-1, -2)
    return back.transpose(2, 3).reshape(frames, height, width)


def _times(blocks: Tensor, matrix: Tensor) -> Tensor:
    """Compute blocks @ matrix, summed in a fixed order."""
    total = blocks[..., :1] * matrix[0]
    for row in range(1, _BLOCK):
        total = total + blocks[..., row : row + 1] * matrix[row]
    return total
