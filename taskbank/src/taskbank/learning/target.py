"""Targets of networks for a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """The targets of a batch.

    Attributes:
        values: depends on the kind of task: maps float (B, C, H, W); whitened numbers float (B, numbers),
            poses 1-2, 1-3 and 2-3 for egomotion; class numbers int64 (B,), or (B, H, W) per pixel;
            probabilities float (B, classes); colours int64 (B, 10, h, w), numbers of the nearest bins; points
            of segmentations int64 (B, 300, 3): row, column, segment.
        weight: float, weight of each entry, 0 where the label is unknown: (B, 1, H, W) of maps, (B, H, W) of
            classes and colours per pixel, (B, 300) of points, (B,) of numbers and of classes per image; None
            if all weights are equal.
        shares: for colours, float (B, 10, h, w), probabilities of the bins in `values`; None for other tasks.
    """

    values: Tensor
    weight: Tensor | None = None
    shares: Tensor | None = None


def joined(targets: Sequence[Target]) -> Target:
    """Concatenate the targets of several batches of a task."""
    weights = [target.weight for target in targets if target.weight is not None]
    shares = [target.shares for target in targets if target.shares is not None]
    if len(weights) not in {0, len(targets)}:
        raise ValueError("some of the targets have weights, others have none")
    return Target(
        values=torch.cat([target.values for target in targets]),
        weight=torch.cat(weights) if weights else None,
        shares=torch.cat(shares) if shares else None,
    )
