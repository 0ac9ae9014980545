"""Maps that are noisy pixel by pixel, averaged over neighbours on the same surface."""

from __future__ import annotations

import torch
from torch import Tensor

PATTERN = ((-2, 0.125), (-1, 0.25), (0, 0.25), (1, 0.25), (2, 0.125))
"""Steps and weights along a row: every place in a pattern of four counts a quarter."""

WIDER = ((-4, 0.25), (0, 0.5), (4, 0.25))
"""The same for neighbours that have been averaged already."""


def smooth_on_surfaces(
    values: Tensor,
    position: Tensor,
    normal: Tensor,
    distance: Tensor,
    *,
    taps: tuple[tuple[int, float], ...] = PATTERN,
) -> Tensor:
    """Averages over neighbours, of those that lie on the plane through the one in the middle.

    Args:
        values: float32 (F, H, W, C).
        position: float32 (F, H, W, 3), metres.
        normal: float32 (F, H, W, 3), unit.
        distance: float32 (F, H, W), metres from the eye.
        taps: steps in px and their weights, along rows and then along columns.
    """
    for axis in (1, 2):
        values = _along(values, position, normal, 0.004 + 0.006 * distance, axis, taps)
    return values


def _along(  # noqa: PLR0917 (maps and where to look)
    values: Tensor,
    position: Tensor,
    normal: Tensor,
    slack: Tensor,
    axis: int,
    taps: tuple[tuple[int, float], ...],
) -> Tensor:
    total, weights = torch.zeros_like(values), torch.zeros_like(slack)
    for step, share in taps:
        away = shifted(position, step, axis) - position
        off = away[..., 0] * normal[..., 0] + away[..., 1] * normal[..., 1] + away[..., 2] * normal[..., 2]
        other = shifted(normal, step, axis)
        same = (
            other[..., 0] * normal[..., 0] + other[..., 1] * normal[..., 1] + other[..., 2] * normal[..., 2]
        )
        weight = share * ((off.abs() < slack) & (same > 0.9)).float()
        total += weight[..., None] * shifted(values, step, axis)
        weights += weight
    return total / weights[..., None]


def shifted(values: Tensor, step: int, axis: int) -> Tensor:
    """The neighbours `step` px further along an axis; beyond the border, those on it."""
    if step == 0:
        return values
    size = values.shape[axis]
    return values.index_select(axis, (torch.arange(size, device=values.device) + step).clamp(0, size - 1))
