"""Measure whether representations and outputs depend on the image."""

from __future__ import annotations

import torch
from torch import Tensor

from taskbank.errors import InvalidInputError

_MOVED = 0.01  # of the representation's root mean square; smaller differences are rounding
_LEAST_MOVED = 0.05  # share of cells at which a channel must differ to count as alive


def dead_channels(codes: Tensor) -> Tensor:
    """Mark the channels of a representation that are the same for all images.

    A channel is alive if it differs from its median over images at 5 % of cells or more, by more than 1 % of
    the root mean square of the whole representation. This does not depend on the scale of representations.

    Args:
        codes: float (N, C, h, w) of N different images.

    Returns:
        bool (C,).

    Raises:
        InvalidInputError: there are fewer than two images.
    """
    if len(codes) < 2:
        raise InvalidInputError(f"{len(codes)} image(s): two different ones are needed, better ten")
    codes = codes.float()
    moved = (codes - codes.median(0).values).abs() > _MOVED * codes.square().mean().sqrt()
    return moved.float().mean((0, 2, 3)) < _LEAST_MOVED


class OutputVariation:
    """The standard deviation of outputs over inputs, relative to their root mean square.

    Outputs are added batch by batch. The value is 0 for a network with the same output for every input, and
    about 1 for one with unrelated outputs.
    """

    def __init__(self) -> None:
        self._count = 0
        self._sum = torch.zeros(())
        self._squares = torch.zeros(())

    def add(self, outputs: Tensor) -> None:
        """Add outputs (B, ...), all of one shape."""
        exact = outputs.double()
        self._count += len(exact)
        self._sum = self._sum + exact.sum(0)
        self._squares = self._squares + exact.square().sum(0)

    @property
    def value(self) -> float:
        """Compute the relative standard deviation; 0 if all outputs are 0.

        Raises:
            InvalidInputError: there were fewer than two outputs.
        """
        if self._count < 2:
            raise InvalidInputError(f"{self._count} output(s): two are needed, better ten")
        squares = self._squares / self._count
        # Rounding can make the variance of equal numbers slightly negative.
        variance = (squares - (self._sum / self._count).square()).clamp(min=0)
        variance = variance.where(variance > 1e-12 * squares, 0.0)
        size = squares.mean()
        return float((variance.mean() / size).sqrt()) if size > 0 else 0.0
