"""Soft targets of colour bins for colorization (Zhang, Isola and Efros, ECCV 2016)."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from taskbank.constants import colour_bins
from taskbank.images.colour import rgb_to_lab

_NEAREST = 10  # number of bins per colour
_SIGMA = 5.0  # standard deviation of their Gaussian weights, in units of Lab
_REACH = 110  # largest absolute value of a and b


def soft_bins(rgb: Tensor) -> tuple[Tensor, Tensor]:
    """Find the ten nearest bins of each pixel's colour, and the share of each.

    The nearest bins are looked up for the colour rounded to whole a and b; a tenth bin that is missed by the
    rounding would have had a share below 0.01. Shares are computed from the exact colour.

    Args:
        rgb: float (B, 3, h, w) in [0, 1].

    Returns:
        int64 (B, 10, h, w), the nearest bin of the rounded colour first, and float32 of the same shape,
        adding up to 1 over the second axis.
    """
    ab = rgb_to_lab(rgb)[:, 1:]
    rounded = (ab.round().long() + _REACH).clamp(0, 2 * _REACH)
    bins = _table().to(rgb.device)[rounded[:, 0], rounded[:, 1]].movedim(-1, 1)
    centres = torch.from_numpy(colour_bins().copy()).to(rgb.device)[bins].movedim(-1, 1)
    distance = ((centres - ab[:, :, None]) ** 2).sum(1)
    return bins, torch.softmax(distance / (-2 * _SIGMA**2), dim=1)


@cache
def _table() -> Tensor:
    """Numbers of the nearest bins of integer colours: int64 (221, 221, 10), a and b from -110."""
    axis = torch.arange(-_REACH, _REACH + 1, dtype=torch.float32)
    colours = torch.cartesian_prod(axis, axis)
    distance = torch.cdist(colours, torch.from_numpy(colour_bins().copy()))
    nearest = distance.topk(_NEAREST, largest=False).indices
    return nearest.reshape(len(axis), len(axis), _NEAREST)
