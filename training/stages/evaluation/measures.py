"""Measures that take predictions and truths one by one and return named numbers in the end."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]


class Measure(Protocol):
    """A measure of one task over many images."""

    def add(self, predicted: NDArray, truth: NDArray) -> None:  # type: ignore[type-arg]
        """Take one prediction in, in the task's unit; NaN in either is not counted."""

    def result(self) -> dict[str, float]:
        """Name -> value; empty where nothing was measured."""


class Mean:
    """The mean of numbers that come one by one or in arrays; NaN is not counted."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._count = 0

    def add(self, values: FloatArray | float) -> None:
        """Take numbers in."""
        finite = np.asarray(values, dtype=np.float64)
        finite = finite[np.isfinite(finite)]
        self._sum += float(finite.sum())
        self._count += finite.size

    @property
    def value(self) -> float:
        """The mean; NaN of nothing."""
        return self._sum / self._count if self._count else float("nan")

    def __bool__(self) -> bool:
        return self._count > 0


class Histogram:
    """Numbers in bins: medians and shares of more numbers than memory holds.

    Args:
        highest: larger values are counted in the last bin.
        step: width of a bin; quantiles are exact to half of it, shares exactly at its multiples.
    """

    def __init__(self, highest: float, step: float) -> None:
        self._step = step
        self._counts = np.zeros(round(highest / step), dtype=np.int64)

    def add(self, values: FloatArray) -> None:
        """Take non-negative numbers in; NaN is not counted."""
        finite = values[np.isfinite(values)]
        # A number on an edge belongs to the bin above it, also where division rounds down.
        bins = np.floor(finite / self._step + 1e-6).astype(np.int64)
        self._counts += np.bincount(bins.clip(0, len(self._counts) - 1), minlength=len(self._counts))

    def median(self) -> float:
        """The middle of the bin that holds the median; NaN of nothing."""
        total = self._counts.sum()
        if not total:
            return float("nan")
        return float((np.searchsorted(np.cumsum(self._counts), total / 2) + 0.5) * self._step)

    def share_under(self, limit: float) -> float:
        """Share of numbers under a multiple of the step; NaN of nothing."""
        total = self._counts.sum()
        return float(self._counts[: round(limit / self._step)].sum() / total) if total else float("nan")
