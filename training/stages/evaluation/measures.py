"""Base of measures, which accumulate predictions and truths and return named numbers."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]


class Measure(Protocol):
    """A measure of one task over many images."""

    def add(self, predicted: NDArray, truth: NDArray) -> None:  # type: ignore[type-arg]
        """Add one prediction in the task's unit; NaN in either is ignored."""

    def result(self) -> dict[str, float]:
        """Return name -> value; empty if nothing was measured."""


class Mean:
    """Running mean of numbers or arrays; NaN is ignored."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._count = 0

    def add(self, values: FloatArray | float) -> None:
        """Add numbers."""
        finite = np.asarray(values, dtype=np.float64)
        finite = finite[np.isfinite(finite)]
        self._sum += float(finite.sum())
        self._count += finite.size

    @property
    def value(self) -> float:
        """The mean; NaN without numbers."""
        return self._sum / self._count if self._count else float("nan")

    def __bool__(self) -> bool:
        return self._count > 0


class Histogram:
    """Histogram for medians and shares of more numbers than fit into memory.

    Args:
        highest: larger values are counted in the last bin.
        step: width of a bin; quantiles are exact to half of it, shares exactly at its multiples.
    """

    def __init__(self, highest: float, step: float) -> None:
        self._step = step
        self._counts = np.zeros(round(highest / step), dtype=np.int64)

    def add(self, values: FloatArray) -> None:
        """Add non-negative numbers; NaN is ignored."""
        finite = values[np.isfinite(values)]
        # A number on an edge belongs to the bin above it, even if division rounds down.
        bins = np.floor(finite / self._step + 1e-6).astype(np.int64)
        self._counts += np.bincount(bins.clip(0, len(self._counts) - 1), minlength=len(self._counts))

    def median(self) -> float:
        """Return the middle of the bin that holds the median; NaN without numbers."""
        total = self._counts.sum()
        if not total:
            return float("nan")
        return float((np.searchsorted(np.cumsum(self._counts), total / 2) + 0.5) * self._step)

    def share_under(self, limit: float) -> float:
        """Return the share of numbers below a multiple of the step; NaN without numbers."""
        total = self._counts.sum()
        return float(self._counts[: round(limit / self._step)].sum() / total) if total else float("nan")
