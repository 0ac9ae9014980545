"""Integer program of a plan with custom rows and objectives."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from taxsolver.errors import SolverError, TimeLimitError
from taxsolver.programs.highs import NO_PLAN, SEEN, Solver, Status, plan_program
from taxsolver.programs.instance import BoolArray, FloatArray, Instance, IntArray
from taxsolver.programs.rows import Row, at_most_rows, budget_rows, other_than


class PlanProgram:
    """Program of an instance with custom rows and objectives, solved by branch and bound.

    It answers questions that `PlanModel` does not: the first of the best plans by further criteria, or the
    worst objective of a plan. Columns: y of every task, 0 or 1, then x of every transfer.

    HiGHS meets rows within a tolerance only. Costs are summed exactly; give other rows some slack and let
    `accepts` decide: sources that it rejects are cut off one by one, or with all their subsets.

    Attributes:
        num_tasks: number of columns y.
        accepts: function that returns True if bool (tasks,) may be chosen, in addition to the rows; may be
            replaced at any time.
        monotone: True if every superset of accepted sources is accepted; then all subsets of rejected sources
            are cut off.

    Args:
        instance: transfers and costs; the weights matter only if an objective or a row uses them.
        budget: largest total cost of the sources, summed as decimals.
        accepts: see the attribute.
        monotone: see the attribute.
    """

    def __init__(
        self,
        instance: Instance,
        budget: float | Fraction,
        accepts: Callable[[BoolArray], bool],
        *,
        monotone: bool = False,
    ) -> None:
        self.num_tasks = len(instance.cost)
        self.accepts = accepts
        self.monotone = monotone
        self._costs = instance.costs
        self._unit = self._costs.largest or 1
        nothing = np.zeros(self.num_tasks + len(instance.weight))
        cost = (self._costs.amounts / self._unit).astype(float)
        self._highs = Solver(plan_program(instance, nothing, cost), integers=self.num_tasks)
        self._highs.add(*at_most_rows(instance))
        self._set_limit(self._costs.limit(budget))

    def add_row(
        self, columns: IntArray, values: FloatArray, *, lower: float = -np.inf, upper: float = np.inf
    ) -> None:
        """Constrain the sum of values times columns to lie between two bounds."""
        self._highs.add(Row(columns, values, lower, upper))

    def on_sources(self, amount: FloatArray) -> FloatArray:
        """Return an objective, float64 (tasks + transfers,), that sums `amount` over the chosen sources."""
        return np.concatenate([amount, np.zeros(self._highs.num_columns - self.num_tasks)])

    def best(self, objective: FloatArray, deadline: float | None = None) -> BoolArray | None:
        """Find the accepted sources of the largest objective, bool (tasks,); None if there are none.

        Args:
            objective: float64 (tasks + transfers,).
            deadline: on the clock of `time.perf_counter`; None for none.

        Raises:
            TimeLimitError: the deadline passed before that.
            SolverError: HiGHS failed.
        """
        self._highs.set_objective(objective)
        while (status := self._highs.run(deadline)) == Status.kOptimal:
            chosen = self._highs.values(0, self.num_tasks) > 0.5
            if self._costs.total(chosen) > self._limit:
                self._highs.add(*budget_rows(self._costs.amounts, chosen, self._limit))
            elif self.accepts(chosen):
                return chosen
            elif self.monotone:
                outside = np.flatnonzero(~chosen)
                self._highs.add(Row(outside, np.ones(len(outside)), 1.0, np.inf))
                continue
            self._highs.add(other_than(chosen))
        if status == Status.kTimeLimit:
            raise TimeLimitError("the time limit passed before any plan was found: allow more time")
        if status not in NO_PLAN:
            raise SolverError(f"HiGHS ended with {status.name}: nothing is proven")
        return None

    def cheapest(self, deadline: float | None = None) -> BoolArray | None:
        """Find accepted sources of the least total cost, bool (tasks,); dearer ones are then excluded.

        Args:
            deadline: as for `best`.

        Raises:
            TimeLimitError: the deadline passed before that.
            SolverError: HiGHS failed.
        """
        least = self.on_sources(-(self._costs.amounts / self._unit).astype(float))
        found = self.best(least, deadline)
        if found is None:
            return None
        limit, rows = self._costs.total(found), self._highs.num_rows
        while SEEN * self._unit > 1 and limit > 0:  # a cheaper one may be within tolerance
            self._set_limit(limit - 1)
            cheaper = self.best(least, deadline)
            self._highs.delete_rows(rows)  # rows added since are not valid for `limit`
            if cheaper is None:
                break
            found, limit = cheaper, self._costs.total(cheaper)
        self._set_limit(limit)
        return found

    def _set_limit(self, limit: int) -> None:
        self._limit = limit
        self._highs.set_budget(limit, self._unit)
