"""Uniform sampling of source sets that use a whole budget."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taxsolver.errors import InvalidInputError
from taxsolver.programs.costs import Costs
from taxsolver.tensors.affinity import BoolArray, FloatArray

_MOST_SUMS = 200_000


@dataclass(frozen=True)
class _Subsets:
    """Subsets of some sources within the budget: distinct total costs, and number of subsets with each."""

    sums: NDArray[Any]  # whole numbers
    counts: FloatArray  # not integers: there may be more sets than fit into 64 bits

    def between(self, low: NDArray[Any], high: NDArray[Any]) -> FloatArray:
        """Number of subsets with a cost above `low` and at most `high`, elementwise."""
        below = np.concatenate([[0.0], np.cumsum(self.counts)])
        first, last = (np.searchsorted(self.sums, limit, side="right") for limit in (low, high))
        return np.asarray(below[last] - below[first], dtype=np.float64)

    def with_source(self, cost: int, budget: int) -> _Subsets:
        """Return these subsets, and each of them with one more source, within the budget."""
        sums = np.concatenate([self.sums, self.sums + cost])
        counts = np.concatenate([self.counts, self.counts])
        rising = np.argsort(sums, kind="stable")
        rising = rising[sums[rising] <= budget]
        sums, counts = sums[rising], counts[rising]
        first = np.flatnonzero(np.diff(sums, prepend=-1))
        if len(first) > _MOST_SUMS:
            raise InvalidInputError(
                f"the label costs have more than {_MOST_SUMS:,} different sums, too many to draw random "
                "taxonomies evenly: round the costs"
            )
        return _Subsets(sums[first], np.add.reduceat(counts, first))


class BudgetSampler:
    """Draws uniformly among the source sets to which no further source can be added within the budget.

    With equal costs these are all sets of one size. In general they are counted exactly: with the sources in
    rising order of cost, the first source that is left out sets a lower limit of the total cost, and the
    sources after it are free as long as the total lies between that limit and the budget.

    Args:
        cost: float64 (sources,), not negative.
        budget: largest total cost, not negative; costs are summed as decimals.

    Raises:
        InvalidInputError: the costs have too many different sums to count.
    """

    def __init__(self, cost: FloatArray, budget: float | Fraction) -> None:
        costs = Costs.of(cost)
        limit = costs.limit(budget)
        self._order = np.argsort(cost, kind="stable")
        self._cost = costs.amounts[self._order]
        nothing = np.zeros(1, dtype=self._cost.dtype)
        self._room = limit - np.concatenate([nothing, np.cumsum(self._cost)])  # what earlier sources leave
        after = [_Subsets(nothing, np.ones(1))]
        for one in self._cost[::-1]:
            after.append(after[-1].with_source(int(one), limit))
        self._after = after[::-1]  # entry i: subsets of the sources from position i on
        self._ways = np.array([self._with_first_gap(gap) for gap in range(len(cost) + 1)])

    def draw(self, samples: int, rng: np.random.Generator) -> BoolArray:
        """Draw independent sets, as bool (samples, sources).

        Args:
            samples: number of sets.
            rng: random number generator.
        """
        below = np.cumsum(self._ways)
        gap = np.searchsorted(below, rng.random(samples) * below[-1], side="right")
        high = self._room[gap]
        low = high - np.append(self._cost, 0)[gap]
        chosen = np.zeros((samples, len(self._cost)), dtype=bool)
        for position, cost in enumerate(self._cost):
            after = self._after[position + 1]
            without, with_it = after.between(low, high), after.between(low - cost, high - cost)
            taken = rng.random(samples) * (without + with_it) >= without
            chosen[:, position] = (position < gap) | ((position > gap) & taken)
            spent = ((position > gap) & taken).astype(self._cost.dtype) * cost
            low, high = low - spent, high - spent
        result = np.empty_like(chosen)
        result[:, self._order] = chosen
        return result

    def _with_first_gap(self, gap: int) -> float:
        """Number of sets with all sources before `gap`, in rising order of cost, but without source `gap`."""
        room = self._room[gap : gap + 1]
        if room[0] < 0:
            return 0.0
        if gap == len(self._cost):
            return 1.0
        return float(self._after[gap + 1].between(room - self._cost[gap], room)[0])
