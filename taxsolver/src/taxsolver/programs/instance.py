"""Numeric instance of a planning problem: transfers, their weights, and the costs of sources."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taxsolver.programs.costs import Costs

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

_PAIRS_AT_ONCE = 1 << 22
_LARGEST_COMPARED = 20_000  # sets of one target; with more, comparing all pairs costs more than it saves
_LARGEST_COPIED = 1 << 28  # entries of `sources`; of more, a copy would take more memory than it saves


@dataclass(frozen=True, eq=False)
class Instance:
    """Choose sources within a budget, and one transfer for each target that reads chosen sources only.

    Attributes:
        sources: bool (transfers, tasks); the sources of each transfer. The first task of a group (`together`)
            represents the whole group.
        target: int (transfers,) in 0..num_targets-1.
        weight: float64 (transfers,), finite; contribution of a transfer to the objective, which is maximised.
        cost: (tasks,), not negative; cost of a source: floats that stand for their decimals, or fractions
            (dtype object).
        required: bool (tasks,); sources of every plan.
        num_targets: number of targets.
        fixed: cost of every plan in addition to its sources.
        at_most: pairs of int (tasks,), not negative, and a number: its sum over the chosen sources is at most
            the number.
        part_of: pairs of sources; the labels of the first are a part of those of the second.
    """

    sources: BoolArray
    target: IntArray
    weight: FloatArray
    cost: NDArray[Any]
    required: BoolArray
    num_targets: int
    fixed: Fraction = Fraction(0)
    at_most: tuple[tuple[int, IntArray], ...] = ()
    part_of: tuple[tuple[int, int], ...] = ()

    @cached_property
    def costs(self) -> Costs:
        """The costs as whole numbers, for exact sums and comparisons with a budget."""
        return Costs.of(self.cost, self.fixed)

    @cached_property
    def members(self) -> IntArray:
        """int (transfers, largest order): sources of each transfer, rising, then the number of tasks."""
        transfers, tasks = self.sources.shape
        # One flat search: sums of rows would take several times the memory of a large array.
        row, column = np.divmod(np.flatnonzero(self.sources), tasks)
        order = np.bincount(row, minlength=transfers)
        place = np.arange(len(row)) - np.repeat(np.cumsum(order) - order, order)
        members = np.full((transfers, int(order.max(initial=0))), tasks)
        members[row, place] = column
        return members

    def allows(self, chosen: BoolArray) -> bool:
        """Return True if bool (tasks,) satisfies every row of `at_most`."""
        return all(int(counted[chosen].sum()) <= most for most, counted in self.at_most)

    def served_by(self, chosen: BoolArray) -> BoolArray:
        """Mark the transfers that read chosen sources only: bool (transfers,)."""
        return np.asarray(np.append(chosen, True)[self.members].all(axis=1))

    def best_transfers(self, chosen: BoolArray) -> IntArray | None:
        """Find the heaviest transfer of each target from chosen sources: int (targets,).

        Ties go to fewer sources, then to the first. None if a target has no transfer.
        """
        rows = np.flatnonzero(self.served_by(chosen))
        order = (self.members[rows] < len(self.cost)).sum(axis=1)
        ranked = rows[np.lexsort((rows, order, -self.weight[rows], self.target[rows]))]
        targets, first = np.unique(self.target[ranked], return_index=True)
        return ranked[first] if len(targets) == self.num_targets else None

    def heaviest(self) -> FloatArray:
        """float64 (targets,): the largest weight of each target, regardless of costs."""
        heaviest = np.full(self.num_targets, -np.inf)
        np.maximum.at(heaviest, self.target, self.weight)
        return heaviest

    def used(self, transfers: IntArray) -> BoolArray:
        """Mark required sources and those that the transfers read: bool (tasks,)."""
        return self.required | self.sources[transfers].any(axis=0)

    def without_idle(self, chosen: BoolArray) -> BoolArray:
        """Drop free sources that no target needs for its best transfer: bool (tasks,).

        The preference for the cheaper set does not drop them, as they cost nothing.
        """
        kept = chosen.copy()
        for task in np.flatnonzero(chosen & ~self.required & (self.cost == 0)):
            kept[task] = False
            with_it, without = (self.best_transfers(choice) for choice in (chosen, kept))
            if without is None or with_it is None or self.weight[without].sum() < self.weight[with_it].sum():
                kept[task] = True
        return kept

    def without_parts(self, chosen: BoolArray) -> BoolArray:
        """Drop sources whose labels are a part of those of another chosen one: bool (tasks,)."""
        kept = chosen.copy()
        for part, whole in self.part_of:
            kept[part] &= not chosen[whole]
        return kept

    def keeping(self, chosen: BoolArray) -> Instance:
        """Return the problem of a later period, in which these sources, bool (tasks,), are there already.

        A source whose labels include those of another one that is there costs only the rest. Costs are exact
        fractions wherever there are such pairs.
        """
        required, cost = self.without_parts(chosen), self.cost.copy()
        for part, whole in self.part_of:
            if required[part]:
                cost[whole] -= cost[part]
        return replace(self, required=required, cost=cost)

    def without_dominated(self) -> tuple[Instance, IntArray]:
        """Return the problem without dominated transfers, and the rows that were kept.

        A transfer is dominated if another one of the same target reads a subset of its sources and has at
        least its weight: any plan that uses it is no worse, and costs no more, with the other one.
        """
        everything = np.arange(len(self.weight))
        if self.sources.size > _LARGEST_COPIED:
            return self, everything
        order = (self.members < len(self.cost)).sum(axis=1)
        keep = np.ones(len(self.weight), dtype=bool)
        # Transfers from one source are dominated by heavier ones from it, and by those without any.
        simple = everything[order <= 1]
        source = self.members[simple].min(axis=1, initial=len(self.cost))
        ranked = np.lexsort((simple, -self.weight[simple], source, self.target[simple]))
        place = self.target[simple] * (len(self.cost) + 1) + source
        keep[simple] = False
        keep[simple[ranked[np.unique(place[ranked], return_index=True)[1]]]] = True
        heaviest = np.full((self.num_targets, len(self.cost) + 1), -np.inf)
        np.maximum.at(heaviest, (self.target[simple], source), self.weight[simple])
        keep[(order == 1) & (self.weight <= heaviest[self.target, -1])] = False
        several = everything[order > 1]
        alone = heaviest[self.target[several, None], self.members[several]].max(axis=1, initial=-np.inf)
        keep[several] = self.weight[several] > np.maximum(alone, heaviest[self.target[several], -1])
        several = several[keep[several]]
        several = several[np.argsort(self.target[several], kind="stable")]
        parts = np.split(several, np.flatnonzero(np.diff(self.target[several])) + 1)
        for rows in parts:
            if 1 < len(rows) <= _LARGEST_COMPARED:
                keep[rows] = ~_dominated(self.sources[rows], self.weight[rows])
        kept = np.flatnonzero(keep)
        return self.rows(kept), kept

    def rows(self, kept: IntArray) -> Instance:
        """Return the problem with these transfers only."""
        return replace(self, sources=self.sources[kept], target=self.target[kept], weight=self.weight[kept])


def _dominated(sources: BoolArray, weight: FloatArray) -> BoolArray:
    """Mark dominated transfers of one target, bool (transfers,); of two equal ones the later is dominated."""
    # Sorted so that a transfer comes after those that dominate it: heavier, then fewer sources, then earlier.
    ranked = np.lexsort((np.arange(len(weight)), sources.sum(axis=1), -weight))
    inside = sources[ranked].astype(np.float32)
    dominated = np.zeros(len(weight), dtype=bool)
    step = max(1, _PAIRS_AT_ONCE // max(1, len(weight)))
    for start in range(0, len(weight), step):
        block = inside[start : start + step]
        missing = inside[: start + len(block)] @ (1 - block).T  # sources of the one that the other lacks
        earlier = np.arange(len(missing))[:, None] < np.arange(start, start + len(block))[None, :]
        dominated[start : start + len(block)] = ((missing == 0) & earlier).any(axis=0)
    result = np.empty_like(dominated)
    result[ranked] = dominated
    return result
