"""Integer program of plans for rising budgets; each keeps the sources of the one before."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from taxsolver.errors import SolverError
from taxsolver.programs.choice import OPTIMAL, ROUNDS, SCALE, TIE, TIME_LIMIT, UNPROVEN, Choice
from taxsolver.programs.costs import exact_sum
from taxsolver.programs.highs import NO_PLAN, Solver, Status, plan_program
from taxsolver.programs.instance import BoolArray, Instance
from taxsolver.programs.rows import LEAST_SHARE, Row, at_most_rows, budget_rows, other_than

_LARGEST = 1_000_000  # transfers in all periods up to which the program fits into a few gigabytes


class ChainProgram:
    """One program of the plans for rising budgets; each keeps the sources of the one before.

        maximise   sum of the objectives of all periods
        subject to the rows of a plan for every period, each with its own budget
                   y_sp is at most y_s(p+1): what is supervised stays so; where the labels of s are a part
                   of those of u, it is at most y_s(p+1) + y_u(p+1)

    With binary `y` each target takes its heaviest transfer in each period, so `x` may stay continuous. As in
    `PlanModel`, HiGHS proposes sources, whose cost and objective are then computed exactly.

    Args:
        instance: transfers, weights and costs, the same in every period.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._unit = (float(np.abs(instance.weight).max()) or 1.0) / SCALE

    def worked_out(self, proposed: Sequence[BoolArray]) -> list[Choice] | None:
        """Evaluate proposed sources: an unproven choice for each period; None if a target is not served."""
        chain, kept = [], self.instance.required
        for sources in proposed:
            held = self.instance.without_parts(sources | kept)
            transfers = self.instance.best_transfers(self.instance.without_idle(held))
            if transfers is None:
                return None
            kept = (kept & held) | self.instance.used(transfers)
            value = float(exact_sum(self.instance.weight[transfers].tolist()))
            chain.append(Choice(kept, transfers, value, value, UNPROVEN))
        return chain

    def solve(
        self,
        budgets: Sequence[float],
        starts: Sequence[Sequence[BoolArray]],
        most: float,
        deadline: float | None = None,
    ) -> tuple[list[Choice], float, str]:
        """Find the best chain, a bound of the sum of its objectives, and its status.

        Args:
            budgets: largest total costs, rising.
            starts: chains within the budgets, each as the sources of every period; the best of them is
                returned if none is better.
            most: upper bound of the sum of the objectives of any chain.
            deadline: time of `time.perf_counter`; None for no limit.

        Raises:
            SolverError: HiGHS failed, or no start serves every target.
        """
        known = [chain for chain in map(self.worked_out, starts) if chain is not None]
        if not known:
            raise SolverError("no chain to start from serves every target")
        best = max(known, key=self._value)
        ties = 3 * TIE * SCALE * self._unit * len(budgets)
        if most - self._value(best) <= ties:
            return best, self._value(best), OPTIMAL
        late = deadline is not None and time.perf_counter() >= deadline
        if late or len(budgets) * len(self.instance.weight) > _LARGEST:
            return best, most, TIME_LIMIT if late else UNPROVEN
        instance, periods, tasks = self.instance, len(budgets), len(self.instance.cost)
        costs = instance.costs
        limits = [costs.limit(budget) for budget in budgets]
        highs = self._program(limits)
        bound, status = np.inf, Status.kUnknown
        for number in range(ROUNDS):
            status = highs.run(deadline)
            if status in NO_PLAN and number:  # except for choices that were evaluated before
                return best, self._value(best), OPTIMAL
            if not highs.has_solution:
                break
            bound = min(bound, highs.bound(status))
            values = highs.values(0, periods * tasks)
            proposed = (values > 0.5).reshape(periods, tasks)
            chain = self.worked_out(list(proposed))
            dear = (
                []
                if chain is None
                else [
                    (period, one.chosen)
                    for period, one in enumerate(chain)
                    if costs.total(one.chosen) > limits[period]
                ]
            )
            for period, chosen in dear:
                for row in budget_rows(costs.amounts, chosen, limits[period]):
                    highs.add(replace(row, columns=row.columns + period * tasks))
            if chain is not None and not dear and self._value(chain) > self._value(best):
                best = chain
            if status != Status.kOptimal:
                break
            # The preference for cheaper sets changes the objective by at most one tie per period.
            if bound * self._unit - self._value(best) <= ties:
                return best, self._value(best), OPTIMAL
            if not dear:
                highs.add(other_than(proposed.ravel()))
        least = max(self._value(best), min(most, bound * self._unit + TIE * SCALE * self._unit * periods))
        return best, least, TIME_LIMIT if status == Status.kTimeLimit else UNPROVEN

    def _value(self, chain: Sequence[Choice]) -> float:
        return math.fsum(one.value for one in chain)

    def _program(self, limits: Sequence[int]) -> Solver:
        """The program of all periods side by side: y of every period and task, then x likewise."""
        instance, periods, tasks = self.instance, len(limits), len(self.instance.cost)
        amounts = instance.costs.amounts
        share = (amounts / (int(amounts.sum()) or 1)).astype(float)
        objective = [np.tile(-TIE * SCALE * share, periods), np.tile(instance.weight / self._unit, periods)]
        affordable = [(amounts <= limit).astype(float) for limit in limits]
        upper = np.concatenate([*affordable, np.ones(periods * len(instance.weight))])
        program = plan_program(
            instance, np.concatenate(objective), np.zeros(periods * tasks), upper, periods=periods
        )
        highs = Solver(program, integers=periods * tasks)
        for period, limit in enumerate(limits):
            first = period * tasks
            able = np.flatnonzero((amounts <= limit).astype(bool) & (amounts > 0).astype(bool))
            if len(able):
                unit = int(amounts[able].max())
                values = (amounts[able] / unit).astype(float)
                values[values < LEAST_SHARE] = 0.0  # the exact sum decides
                highs.add(Row(first + able, values, -np.inf, limit / unit))
            for row in at_most_rows(instance):
                highs.add(replace(row, columns=first + row.columns))
            if period:
                wholes = dict(instance.part_of)
                for task in range(tasks):
                    later = [first + task, *([first + wholes[task]] if task in wholes else [])]
                    values = np.array([1.0, *(-1.0 for _ in later)])
                    highs.add(Row(np.array([first - tasks + task, *later]), values, -np.inf, 0.0))
        return highs
