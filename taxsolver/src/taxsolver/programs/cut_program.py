"""Relaxation of a plan with one column for the value of each target, bounded by cuts added as needed.

    maximise   sum of v_t over targets t, less the preference for cheaper sets
    subject to the budget and other rows of y
               v_t at most  p + sum of max(0, weight_st - p) r_st + sum of (weight_e - p) z_e,
                            for every weight p of a transfer to t from one source (cuts)
               sum of z_e over sets e of t that contain s is at most y_s, where r_st is y_s less that sum
               sum of z_e over sets e of t is at most 1

Transfers from one source have no column: for given y and z the best of them are a fractional knapsack, whose
dual solutions are the cuts. This is Benders' decomposition of the program in `plan_model`, with its bound, as
Fischetti, Ljubić and Sinnl (Management Science 2017) use it for facility location, and Duran-Mateluna, Alès
and Elloumi (European Journal of Operational Research 2023) for the p-median problem. Transfers from several
sources do have a column z, which is generated once it may raise the objective.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from taxsolver.errors import SolverError
from taxsolver.programs.highs import NO_PLAN, Solution, Solver, Status, bare_program
from taxsolver.programs.instance import BoolArray, FloatArray, IntArray
from taxsolver.programs.readouts import Readouts
from taxsolver.programs.rows import Row

FINE, COARSE = 1e-9, 1e-6  # violation of a cut that counts, where y is integral and elsewhere
_PRICED = 1e-9  # gain of a column that counts
_ZERO = 1e-9
_DROPPED = 2e-9  # HiGHS drops smaller entries
_LOOSE = 1e-3  # slack of a cut that is dropped
_NO_COLUMNS = np.zeros(0, dtype=np.intp)
_FEW = 0.25  # share of targets with a violated cut from which on columns are not generated yet


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Relaxation of a node.

    Attributes:
        bound: upper bound of the program's objective for every plan of the node.
        values: float64 (tasks,); y.
        fall: float64 (tasks,); least fall of the bound if a y that is 0 becomes 1, or minus the least fall if
            a y that is 1 becomes 0.
        finished: False if the deadline passed; the bound is valid all the same.
    """

    bound: float
    values: FloatArray
    fall: FloatArray
    finished: bool = True


class CutProgram:
    """Relaxation of an instance, solved for one node after another; cuts and columns are kept.

    Args:
        readouts: transfers of the instance by target.
        unit: weight that counts 1 in the objective.
        preference: float64 (tasks,); subtracted from the objective for each chosen task.
        cost: float64 (tasks,); entries of the budget's row.
        rows: other rows of y.
    """

    def __init__(
        self, readouts: Readouts, unit: float, preference: FloatArray, cost: FloatArray, rows: Sequence[Row]
    ) -> None:
        self.readouts, self._unit = readouts, unit
        self._tasks, self._targets = readouts.num_tasks, readouts.num_targets
        most, none = readouts.heaviest / unit, np.zeros(self._tasks)
        self._solver = Solver(
            bare_program(
                np.concatenate([-preference, np.ones(self._targets)]),
                np.concatenate([none, readouts.base / unit]),
                np.concatenate([none + 1, most]),
            )
        )
        self._solver.add(Row(np.arange(self._tasks), cost, -np.inf, np.inf), *rows)
        self._cut_target = np.zeros(0, dtype=np.intp)
        self._cut_price = np.zeros(0)  # p of each cut
        self._cut_row = np.zeros(0, dtype=np.intp)
        self._columns = np.zeros(0, dtype=np.intp)  # sets with a column
        self._column_of = np.full(len(readouts.sets), -1)
        self._need_row = np.full((self._targets, self._tasks + 1), -1)
        self._one_row = np.full(self._targets, -1)
        self._kept_cuts = 0

    @property
    def size(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        return self._solver.num_rows, self._solver.num_columns

    def add(self, *rows: Row) -> None:
        """Add rows of y."""
        self._solver.add(*rows)

    def set_budget(self, limit: int, unit: int) -> None:
        """Set the right side of the budget's row."""
        self._solver.set_budget(limit, unit)

    def prepare(self, values: FloatArray) -> None:
        """Add the cuts that bound the values of the targets for float64 (tasks,) values of y."""
        self._separate(values, np.zeros(0), np.full(self._targets, np.inf), 0.0)

    def relax(
        self, lower: FloatArray, upper: FloatArray, enough: float, deadline: float | None
    ) -> Relaxed | None:
        """Solve the relaxation with y between bounds; None once no plan has an objective above `enough`.

        Raises:
            SolverError: HiGHS ended without an answer.
        """
        self._solver.set_bounds(lower, upper)
        least, tasks, everything = np.inf, self._tasks, self._tasks + self._targets
        while True:
            status = self._solver.run(deadline)
            if status in NO_PLAN:
                return None
            if status == Status.kTimeLimit:
                nothing = np.zeros(tasks)
                return Relaxed(least, nothing, nothing, finished=False)
            if status != Status.kOptimal:
                raise SolverError(f"HiGHS ended with {status.name}: nothing is proven")
            found = self._solver.solution()
            values, fall = found.values[:tasks], found.fall[:tasks]
            gains = self._gains(found, upper)
            rise, wanted, fall = self._rise(gains, values, fall, lower, upper)
            bound = self._solver.objective + rise
            least = min(least, bound)
            if least <= enough:
                return None
            padded = np.append(values, 1.0)
            useful = np.flatnonzero(gains > _PRICED)
            useful = useful[(padded[self.readouts.sets[useful]] > _ZERO).all(axis=1)]
            integral = np.minimum(values - lower, upper - values).max(initial=0.0) <= COARSE
            cuts = self._separate(
                values,
                found.values[everything:],
                found.values[tasks:everything],
                FINE if integral else COARSE,
            )
            if cuts > _FEW * self._targets:
                continue
            if not cuts and not len(useful):
                if not len(wanted):
                    return Relaxed(bound, values, fall)
                # The best of each target alone: most of the others are not needed then.
                ranked = wanted[np.lexsort((-gains[wanted], self.readouts.set_target[wanted]))]
                useful = ranked[np.unique(self.readouts.set_target[ranked], return_index=True)[1]]
            self._generate(useful)

    def probe(self, task: int, value: float, iterations: int) -> float:
        """Bound the objective of the last relaxation with y of a task fixed, as `Solver.probe` does."""
        return self._solver.probe(task, value, iterations)

    def forget(self) -> None:
        """Drop cuts that have slack in the last relaxation if they have become many."""
        if len(self._cut_row) <= 1.5 * self._kept_cuts + self._targets:
            return
        loose = self._solver.basic_rows()[self._cut_row]
        gone = self._cut_row[loose]
        if len(gone):
            before = np.zeros(self._solver.num_rows, dtype=np.intp)
            before[gone] = 1
            before = np.cumsum(before)
            self._solver.delete(np.sort(gone))
            kept = self._cut_row[~loose]
            self._cut_row = kept - before[kept]
            self._cut_target, self._cut_price = self._cut_target[~loose], self._cut_price[~loose]
            for rows in (self._need_row, self._one_row):
                rows[rows >= 0] -= before[rows[rows >= 0]]
        self._kept_cuts = len(self._cut_row)

    def _separate(self, values: FloatArray, sets: FloatArray, worth: FloatArray, clear: float) -> int:
        """Add the most violated cut of each target, and return how many there are."""
        readouts, each = self.readouts, np.arange(self._targets)
        left = np.append(np.maximum(values, 0.0), 0.0)[readouts.source]
        free: FloatArray = np.ones(self._targets)
        of_sets: FloatArray = np.zeros(self._targets)
        if len(sets):
            columns, share = self._columns, np.maximum(sets, 0.0)
            target = readouts.set_target[columns]
            read = np.zeros((self._targets, self._tasks + 1))
            np.add.at(read, (target[:, None], readouts.sets[columns]), share[:, None])
            left = np.maximum(0.0, left - read[each[:, None], readouts.source])
            left[readouts.source == self._tasks] = 0.0
            free = free - np.bincount(target, share, self._targets).astype(float)
            of_sets = np.bincount(target, share * readouts.set_weight[columns], self._targets).astype(float)
        reached = np.cumsum(left, axis=1) >= free[:, None]
        price = np.where(reached.any(axis=1), readouts.weight[each, reached.argmax(axis=1)], readouts.base)
        value = (
            price * free + (np.maximum(readouts.weight - price[:, None], 0.0) * left).sum(axis=1) + of_sets
        )
        violated = worth > value / self._unit + clear
        # HiGHS may violate a row within its tolerance: the same cut again would not help.
        same = price[self._cut_target] == self._cut_price
        violated[self._cut_target[same]] = False
        for one in np.flatnonzero(violated).tolist():
            self._cut(one, float(price[one]))
        return int(violated.sum())

    def _cut(self, target: int, price: float) -> None:
        """Add the cut of a target and a price."""
        readouts = self.readouts
        above = np.flatnonzero(readouts.weight[target] > price)
        columns = self._columns[readouts.set_target[self._columns] == target]
        entries = np.concatenate(
            [
                (readouts.weight[target, above] - price) / self._unit,
                self._worth(columns, np.full(len(columns), price)),
            ]
        )
        places = np.concatenate(
            [readouts.source[target, above], self._tasks + self._targets + self._column_of[columns]]
        )
        small = np.abs(entries) <= _DROPPED
        room = float(np.maximum(entries[small], 0.0).sum())
        row = Row(
            np.concatenate([[self._tasks + target], places[~small]]),
            np.concatenate([[1.0], -entries[~small]]),
            -np.inf,
            price / self._unit + room,
        )
        self._cut_row = np.append(self._cut_row, self._solver.num_rows)
        self._cut_target = np.append(self._cut_target, target)
        self._cut_price = np.append(self._cut_price, price)
        self._solver.add(row)

    def _worth(self, sets: IntArray, price: FloatArray) -> FloatArray:
        """Entries of sets in cuts of their targets, with the sign of the right side."""
        readouts = self.readouts
        alone = readouts.weight_of[readouts.set_target[sets, None], readouts.sets[sets]]
        lost = np.maximum(alone - price[:, None], 0.0)
        worth: FloatArray = (readouts.set_weight[sets] - price - lost.sum(axis=1)) / self._unit
        return worth

    def _gains(self, found: Solution, upper: FloatArray) -> FloatArray:
        """Reduced costs of the sets without a column, 0 or more: float64 (sets,)."""
        readouts = self.readouts
        gains = np.zeros(len(readouts.sets))
        if not len(gains):
            return gains
        price = found.price[self._cut_row]
        active = np.flatnonzero(price > 0)
        first, last = readouts.first_set[:-1], readouts.first_set[1:]
        target = self._cut_target[active]
        count = (last - first)[target]
        of_cut = np.repeat(np.arange(len(active)), count)
        sets = np.arange(len(of_cut)) - np.repeat(np.cumsum(count) - count, count) + first[target[of_cut]]
        worth = self._worth(sets, self._cut_price[active][of_cut])
        gains = np.bincount(sets, price[active][of_cut] * worth, len(gains)).astype(float)
        needs = np.column_stack(
            [
                self._need_row[readouts.set_target[:, None], readouts.sets],
                self._one_row[readouts.set_target],
            ]
        )
        gains -= np.where(needs >= 0, found.price[needs], 0.0).sum(axis=1)
        gains[self._columns] = 0.0
        gains[(np.append(upper, 1.0)[readouts.sets] == 0).any(axis=1)] = 0.0
        return np.maximum(gains, 0.0)

    def _rise(
        self, gains: FloatArray, values: FloatArray, fall: FloatArray, lower: FloatArray, upper: FloatArray
    ) -> tuple[float, IntArray, FloatArray]:
        """Bound how much the sets without a column would raise the objective.

        The rows of need of these sets are not in the program, so that their prices may be chosen: each set
        puts its gain on the source that loses most if it is chosen. A source whose y is 0 absorbs that much.

        Returns:
            The rise; the sets that cause it; `fall` less what is absorbed.
        """
        wanted = np.flatnonzero(gains > _PRICED)
        if not len(wanted):
            return 0.0, wanted, fall
        idle = values <= lower + _ZERO
        spare = np.where(idle, np.maximum(fall, 0.0), 0.0)
        members = self.readouts.sets[wanted]
        payer = members[np.arange(len(wanted)), np.append(spare, -1.0)[members].argmax(axis=1)]
        paid = np.zeros((self._targets, self._tasks))
        np.maximum.at(paid, (self.readouts.set_target[wanted], payer), gains[wanted])
        price = paid.sum(axis=0)
        beyond = np.maximum(0.0, price - spare)
        rise = np.where(idle, beyond * (upper - lower) + price * lower, price * upper)
        left = np.where(idle & (fall > 0), np.maximum(0.0, fall - price), np.where(price > 0, 0.0, fall))
        return math.fsum(rise.tolist()), wanted[rise[payer] > _PRICED], left

    def _generate(self, sets: IntArray) -> None:
        """Add the columns of sets, and their rows of need."""
        readouts = self.readouts
        for one in sets.tolist():
            target, members = int(readouts.set_target[one]), readouts.sets[one]
            members = members[members < self._tasks]
            for source in members[self._need_row[target, members] < 0].tolist():
                self._need_row[target, source] = self._solver.num_rows
                self._solver.add(Row(np.array([source]), np.array([-1.0]), -np.inf, 0.0))
            if self._one_row[target] < 0:
                self._one_row[target] = self._solver.num_rows
                self._solver.add(Row(_NO_COLUMNS, np.zeros(0), -np.inf, 1.0))
            cuts = np.flatnonzero(self._cut_target == target)
            worth = self._worth(np.full(len(cuts), one), self._cut_price[cuts])
            # Dropping a small entry that helps would cut off plans; one that hurts may be dropped.
            worth[(worth > 0) & (worth <= _DROPPED)] = _DROPPED
            kept = np.abs(worth) > _DROPPED / 2
            needs = np.append(self._need_row[target, members], self._one_row[target])
            rows = np.concatenate([self._cut_row[cuts[kept]], needs])
            entries = np.concatenate([-worth[kept], np.ones(len(needs))])
            self._solver.add_column(0.0, 0.0, 1.0, rows, entries)
            self._column_of[one] = len(self._columns)
            self._columns = np.append(self._columns, one)


def least_fall(
    relaxed: Relaxed, gap: float, lower: FloatArray, upper: FloatArray
) -> tuple[BoolArray, BoolArray]:
    """Mark tasks whose y is 0, and whose y is 1, in every plan less than `gap` below a bound."""
    free = lower < upper
    at_lower = free & (relaxed.values <= _ZERO) & (relaxed.fall > gap)
    at_upper = free & (relaxed.values >= 1 - _ZERO) & (-relaxed.fall > gap)
    return at_lower, at_upper
