"""Random numbers and choices that are equal on every machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import TypeVar

import numpy as np

T = TypeVar("T")

_BLOCK = 512
_NORMAL = NormalDist()


class Draw:
    """Random draws from one seed, all made from uniform numbers, which are drawn in blocks for speed."""

    __slots__ = ("_block", "_generator", "_next")

    def __init__(self, *seed: int) -> None:
        self._generator = np.random.default_rng(seed)
        self._block: list[float] = []
        self._next = _BLOCK

    def share(self) -> float:
        """Draw a number in [0, 1)."""
        if self._next == _BLOCK:
            self._block = self._generator.random(_BLOCK).tolist()
            self._next = 0
        self._next += 1
        return self._block[self._next - 1]

    def between(self, low: float, high: float) -> float:
        """Draw a number in [low, high)."""
        return low + (high - low) * self.share()

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.share() < probability

    def whole(self, low: int, high: int) -> int:
        """Draw a whole number from low to high, both included."""
        return low + int(self.share() * (high - low + 1))

    def number(self) -> int:
        """Draw a seed below 2^24."""
        return self.whole(0, 2**24 - 1)

    def normal(self, mean: float, sigma: float, low: float, high: float) -> float:
        """Draw from a normal distribution truncated to [low, high]."""
        below, above = _NORMAL.cdf((low - mean) / sigma), _NORMAL.cdf((high - mean) / sigma)
        share = min(max(self.between(below, above), 1e-9), 1 - 1e-9)
        return min(max(mean + sigma * _NORMAL.inv_cdf(share), low), high)

    def one_of(self, choices: Sequence[T]) -> T:
        """Draw one of the choices, with equal probabilities."""
        return choices[int(self.share() * len(choices))]

    def weighted(self, weights: Mapping[T, float]) -> T:
        """Draw a key with a probability proportional to its weight; the order of insertion matters."""
        left = self.share() * sum(weights.values())
        for choice, weight in weights.items():
            left -= weight
            if left < 0:
                return choice
        return next(reversed(list(weights)))

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """Return the elements in random order."""
        return sorted(things, key=lambda _: self.share())
