"""Smoothing of noisy maps by averaging neighbours on the same surface."""

from __future__ import annotations

import torch
from torch import Tensor

PATTERN = ((-2, 0.125), (-1, 0.25), (0, 0.25), (1, 0.25), (2, 0.125))
"""Steps and weights along a row; each position of a pattern of four has a total weight of a quarter."""

WIDER = ((-4, 0.25), (0, 0.5), (4, 0.25))
"""Steps and weights for a second pass over averaged neighbours."""


def smooth_on_surfaces(
    values: Tensor,
    position: Tensor,
    normal: Tensor,
    distance: Tensor,
    *,
    taps: tuple[tuple[int, float], ...] = PATTERN,
) -> Tensor:
    """Average the neighbours that lie on the plane through the central pixel.

    Args:
        values: float32 (F, H, W, C).
        position: float32 (F, H, W, 3), metres.
        normal: float32 (F, H, W, 3), unit.
        distance: float32 (F, H, W), metres from the eye.
        taps: steps in px and their weights, along rows and then along columns.
    """
    slack = 0.004 + 0.006 * distance  # largest distance from the plane
    for axis in (1, 2):
        total, weights = torch.zeros_like(values), torch.zeros_like(slack)
        for step, share in taps:
            away = shifted(position, step, axis) - position
            off = (
                away[..., 0] * normal[..., 0] + away[..., 1] * normal[..., 1] + away[..., 2] * normal[..., 2]
            )
            other = shifted(normal, step, axis)
            same = (
                other[..., 0] * normal[..., 0]
                + other[..., 1] * normal[..., 1]
                + other[..., 2] * normal[..., 2]
            )
            weight = share * ((off.abs() < slack) & (same > 0.9)).float()
            total += weight[..., None] * shifted(values, step, axis)
            weights += weight
        values = total / weights[..., None]
    return values


def shifted(values: Tensor, step: int, axis: int) -> Tensor:
    """Return the neighbours `step` px along an axis; border pixels are repeated."""
    if step == 0:
        return values
    size = values.shape[axis]
    return values.index_select(axis, (torch.arange(size, device=values.device) + step).clamp(0, size - 1))
