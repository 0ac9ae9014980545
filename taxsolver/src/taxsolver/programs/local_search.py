"""Local search for plans: exchange one chosen source for another until that improves nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from taxsolver.programs.instance import BoolArray, FloatArray, Instance, IntArray
from taxsolver.programs.readouts import Readouts

_LEAST_SINGLES = 40  # transfers from one source that are looked at for each target
_RARE = 12  # times the number of tasks over that of affordable tasks: as many are looked at if that is more
_BETTER = 1e-12  # share of the largest weight by which an exchange has to improve a plan


class LocalSearch:
    """Search by exchanges, the interchange heuristic of Teitz and Bart (Operations Research 1968).

    Only the heaviest transfers of each target count, so that a value may be too low; it is never too high.

    Args:
        instance: costs, required sources and rows of `at_most`.
        readouts: its transfers by target.
        limit: largest total amount of the chosen sources.
        forbidden: sets of tasks that must not all be chosen.
    """

    def __init__(
        self, instance: Instance, readouts: Readouts, limit: int, forbidden: Sequence[IntArray] = ()
    ) -> None:
        self._instance, self._limit, self._forbidden = instance, limit, forbidden
        tasks, targets = readouts.num_tasks, readouts.num_targets
        self._amounts, self._tasks = instance.costs.amounts, tasks
        affordable = limit * tasks // max(1, int(self._amounts.sum()))
        depth = max(_LEAST_SINGLES, _RARE * tasks // max(1, affordable))
        source, weight = readouts.source[:, :depth], readouts.weight[:, :depth]
        place, column = np.nonzero(source < tasks)
        alone = np.full((len(place), readouts.sets.shape[1]), tasks)
        alone[:, 0] = source[place, column]
        # One row without sources for each target holds its least value.
        nothing = np.full((targets, alone.shape[1]), tasks)
        target = np.concatenate([np.arange(targets), place, readouts.set_target])
        order = np.argsort(target, kind="stable")
        self._target = target[order]
        self._members = np.concatenate([nothing, alone, readouts.sets])[order]
        self._weight = np.concatenate([readouts.base, weight[place, column], readouts.set_weight])[order]
        self._first = np.searchsorted(self._target, np.arange(targets))
        self._better = _BETTER * float(np.abs(self._weight).max(initial=0.0))
        row, member = np.nonzero(self._members < tasks)
        read = self._members[row, member]
        self._readers = np.split(
            row[np.argsort(read, kind="stable")], np.cumsum(np.bincount(read, minlength=tasks))[:-1]
        )

    def fill(self, priority: FloatArray) -> BoolArray:
        """Choose sources by falling priority as long as they are affordable and allowed: bool (tasks,)."""
        chosen = self._instance.required.copy()
        left = self._limit - int(self._amounts[chosen].sum())
        for task in np.argsort(-priority, kind="stable").tolist():
            if not chosen[task] and self._amounts[task] <= left and self._allowed(chosen)[task]:
                chosen[task] = True
                left -= int(self._amounts[task])
        return chosen

    def greedy(self) -> BoolArray:
        """Add the source that helps most, one after another: bool (tasks,)."""
        chosen = self._instance.required.copy()
        return self._extend(chosen, self._missing(chosen))

    def improve(self, chosen: BoolArray) -> BoolArray:
        """Exchange sources until no exchange of one for another improves the plan: bool (tasks,)."""
        chosen, missing = chosen.copy(), self._missing(chosen)
        best = float(self._served(missing).sum())
        turn = np.flatnonzero(chosen & ~self._instance.required).tolist()
        failed = 0
        while turn and failed < len(turn):
            out = turn.pop(0)
            failed += 1
            chosen[out] = False
            missing[self._readers[out]] += 1
            served = self._served(missing)
            gain = self._gains(chosen, missing, served)
            into = int(gain.argmax())
            value = float(served.sum()) + max(0.0, float(gain[into]))
            if value <= best + self._better or into == out:
                into = out
            else:
                best, failed = value, 0
            chosen[into] = True
            missing[self._readers[into]] -= 1
            turn.append(into)
        return self._extend(chosen, missing)

    def _extend(self, chosen: BoolArray, missing: IntArray) -> BoolArray:
        """Add sources that help as long as they are affordable."""
        while True:
            gain = self._gains(chosen, missing, self._served(missing))
            into = int(gain.argmax())
            if not gain[into] > self._better:
                return chosen
            chosen[into] = True
            missing[self._readers[into]] -= 1

    def _missing(self, chosen: BoolArray) -> IntArray:
        """Count the sources of each row that are not chosen."""
        missing: IntArray = (~np.append(chosen, True)[self._members]).sum(axis=1)
        return missing

    def _served(self, missing: IntArray) -> FloatArray:
        """float64 (targets,): the largest weight of each target."""
        return np.maximum.reduceat(np.where(missing == 0, self._weight, -np.inf), self._first)

    def _gains(self, chosen: BoolArray, missing: IntArray, served: FloatArray) -> FloatArray:
        """float64 (tasks,): what each further source adds; minus infinity if it may not be added."""
        row = np.flatnonzero((missing == 1) & (self._weight > served[self._target]))
        members = self._members[row]
        absent = ~np.append(chosen, True)[members]
        source = members[np.arange(len(row)), absent.argmax(axis=1)]
        heaviest = np.zeros((len(served), self._tasks))
        np.maximum.at(heaviest, (self._target[row], source), self._weight[row] - served[self._target[row]])
        gains: FloatArray = heaviest.sum(axis=0)
        left = self._limit - int(self._amounts[chosen].sum())
        gains[~self._allowed(chosen) | (self._amounts > left).astype(bool) | chosen] = -np.inf
        return gains

    def _allowed(self, chosen: BoolArray) -> BoolArray:
        """Mark the sources that may be added by `at_most` and the forbidden sets."""
        allowed = np.ones(self._tasks, dtype=bool)
        for most, counted in self._instance.at_most:
            allowed &= counted <= most - int(counted[chosen].sum())
        for group in self._forbidden:
            left = group[~chosen[group]]
            if len(left) == 1:
                allowed[left] = False
        return allowed
