"""Measure whether a representation tells images apart, and whether an output depends on them."""

from __future__ import annotations

import torch
from torch import Tensor

from taskbank.errors import InvalidInputError

_MOVED = 0.01  # of the representation's root mean square: less is rounding
_LEAST_MOVED = 0.05  # share of places at which a channel must move to count as alive


def dead_channels(codes: Tensor) -> Tensor:
    """Tell which channels of a representation are the same for all images.

    A channel is alive if it differs from its median over images at 5 % of places or more, by more than 1 % of
    the root mean square of the whole representation. Neither depends on the scale of representations.

    Args:
        codes: float (N, C, h, w) of N different images.

    Returns:
        bool (C,).

    Raises:
        InvalidInputError: there is one image only.
    """
    if len(codes) < 2:
        raise InvalidInputError(f"{len(codes)} image(s): two different ones are needed, better ten")
    codes = codes.float()
    moved = (codes - codes.median(0).values).abs() > _MOVED * codes.square().mean().sqrt()
    return moved.float().mean((0, 2, 3)) < _LEAST_MOVED


class OutputVariation:
    """The standard deviation of outputs over inputs, relative to their root mean square.

    Outputs are taken in batch by batch. It is 0 for a network that gives the same for everything, and about 1
    for one whose outputs have nothing in common.
    """

    def __init__(self) -> None:
        self._count = 0
        self._sum = torch.zeros(())
        self._squares = torch.zeros(())

    def add(self, outputs: Tensor) -> None:
        """Take in outputs (B, ...), all of one shape."""
        exact = outputs.double()
        self._count += len(exact)
        self._sum = self._sum + exact.sum(0)
        self._squares = self._squares + exact.square().sum(0)

    @property
    def value(self) -> float:
        """The share, 0 where all outputs are 0.

        Raises:
            InvalidInputError: there was one output only.
        """
        if self._count < 2:
            raise InvalidInputError(f"{self._count} output(s): two are needed, better ten")
        squares = self._squares / self._count
        # Differences of squares of the same number are rounding, a little below 0 at times.
        variance = (squares - (self._sum / self._count).square()).clamp(min=0)
        variance = variance.where(variance > 1e-12 * squares, 0.0)
        size = squares.mean()
        return float((variance.mean() / size).sqrt()) if size > 0 else 0.0
