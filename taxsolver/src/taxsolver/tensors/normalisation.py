"""Named mappings of negative or unbounded measures to [0, 1], the range that tensors hold."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from taxsolver.errors import InvalidInputError
from taxsolver.tensors.names import normalise as plain

FloatArray = NDArray[np.float64]


class Normalisation(StrEnum):
    """Mapping of a measure to [0, 1].

    `min-max`: linear for each target; its least value becomes 0 and its largest 1. `rank`: for each target
    the share of its other transfers that one is better than; a tie counts half. `logistic`: 1 / (1 +
    exp(-x)), the same for all targets; 0 becomes 0.5.
    """

    MIN_MAX = "min-max"
    RANK = "rank"
    LOGISTIC = "logistic"

    @classmethod
    def named(cls, name: str) -> Normalisation:
        """Return the normalisation of that name.

        Raises:
            InvalidInputError: no normalisation has that name.
        """
        wanted = plain(str(name)).replace("_", "-")
        if wanted in tuple(cls):
            return cls(wanted)
        raise InvalidInputError(f"unknown normalisation {name!r}: choose one of {', '.join(cls)}")


def normalised(values: FloatArray, target: NDArray[np.integer], how: Normalisation) -> FloatArray:
    """Map a measure to [0, 1].

    Args:
        values: float64 (transfers,), finite, or NaN where not measured.
        target: int (transfers,); the target of each transfer.
        how: the normalisation.

    Returns:
        float64 (transfers,) in [0, 1]; NaN in the same places. The only value of a target becomes 1 by
        `min-max` and `rank`, as do equal values by `min-max`.
    """
    if how is Normalisation.LOGISTIC:
        return np.asarray(0.5 * (1 + np.tanh(values / 2)), dtype=np.float64)
    result = np.full(len(values), np.nan)
    for one in np.unique(target):
        rows = np.flatnonzero((target == one) & ~np.isnan(values))
        if len(rows):
            result[rows] = _OF_ONE_TARGET[how](values[rows])
    return result


def _min_max(values: FloatArray) -> FloatArray:
    least, largest = values.min(), values.max()
    if least == largest:
        return np.ones(len(values))
    # Large values are halved first, as their difference may exceed the largest float; small ones are not, as
    # half of the smallest float is 0.
    scale = 0.5 if max(-least, largest) > 1 else 1.0
    shares = (values * scale - least * scale) / (largest * scale - least * scale)
    return np.asarray(np.clip(shares, 0, 1), dtype=np.float64)


def _rank(values: FloatArray) -> FloatArray:
    if len(values) == 1:
        return np.ones(1)
    ranked = np.sort(values)
    below = np.searchsorted(ranked, values, side="left")
    equal = np.searchsorted(ranked, values, side="right") - below - 1
    return np.asarray((below + 0.5 * equal) / (len(values) - 1), dtype=np.float64)


_OF_ONE_TARGET: dict[Normalisation, Callable[[FloatArray], FloatArray]] = {
    Normalisation.MIN_MAX: _min_max,
    Normalisation.RANK: _rank,
}
