"""Integer program of the plan that is best in the worst draws of its measurements."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from taxsolver.programs.choice import TIE, TIME_LIMIT, UNPROVEN, Choice
from taxsolver.programs.highs import Solver, Status, plan_program
from taxsolver.programs.instance import BoolArray, FloatArray, Instance, IntArray
from taxsolver.programs.rows import Row, at_most_rows, budget_rows

_LARGEST_BEATEN = 1 << 30  # largest number of comparisons of the transfers of one target
_LARGEST = 10_000_000  # weights in all draws up to which the program fits into a few gigabytes


class WorstProgram:
    """Program of sources and transfers that maximises the mean over the worst draws.

        maximise   eta - sum of z_d / worst
        subject to the rows of a plan, and for every draw d:  z_d >= eta - sum of weight_de x_e
                   x, y binary, z at least 0

    At the optimum, the objective is the mean of the `worst` smallest values among the draws: their
    conditional value at risk (Rockafellar and Uryasev, Journal of Risk 2000). The transfers are chosen before
    the draw is known, so `x` is binary here.

    Args:
        instance: transfers and costs; its weights are ignored.
        weights: float64 (draws, transfers); weight of each transfer in each draw.
        worst: number of worst draws in the mean, at least 1.
    """

    def __init__(self, instance: Instance, weights: FloatArray, worst: int) -> None:
        self.instance, self._weights, self._worst = instance, weights, worst
        self._unit = float(np.abs(weights).max()) or 1.0
        self._tasks, self._transfers = len(instance.cost), len(instance.weight)

    def value(self, transfers: IntArray) -> float:
        """Compute the mean of the worst draws for int (targets,) transfers."""
        values = sorted(math.fsum(draw) for draw in self._weights[:, transfers].tolist())
        return math.fsum(values[: self._worst]) / self._worst

    def solve(
        self, budget: float, start: Sequence[Choice], most: float = math.inf, deadline: float | None = None
    ) -> Choice:
        """Find the best choice for a budget.

        Args:
            budget: largest total cost, including `fixed`; costs are summed as decimals.
            start: choices within the budget, at least one; the best of them is returned if none is better.
            most: upper bound of the value of any choice.
            deadline: time of `time.perf_counter`; None for no limit.

        Raises:
            SolverError: HiGHS failed.
        """
        costs = self.instance.costs
        limit = costs.limit(budget)
        valued = [replace(one, value=self.value(one.transfers)) for one in start]
        best = max(valued, key=lambda one: one.value)
        ties = TIE * self._unit * self.instance.num_targets
        most = min(most, float(self._weights.mean(axis=0).max()) * self.instance.num_targets)
        if most - best.value <= ties:
            return best.proven()
        late = deadline is not None and time.perf_counter() >= deadline
        if late or self._weights.size > _LARGEST:
            return replace(best, bound=most, status=TIME_LIMIT if late else UNPROVEN)
        highs = self._program(limit)
        while True:
            status = highs.run(deadline)
            bound = highs.bound(status) * self._unit
            if not highs.has_solution:
                break
            solution = highs.values(self._tasks, self._tasks + self._transfers)
            # Take the transfer with the largest x of each target: x is 0 or 1 within the tolerance.
            ranked = np.lexsort((-solution, self.instance.target))
            transfers = ranked[np.unique(self.instance.target[ranked], return_index=True)[1]]
            chosen = self.instance.used(transfers)
            dear = costs.total(chosen) > limit
            if not dear:
                value = self.value(transfers)
                if value > best.value:
                    best = Choice(chosen, transfers, value, np.inf, UNPROVEN)
            if not dear or status != Status.kOptimal:
                break
            highs.add(*budget_rows(costs.amounts, chosen, limit))
        if status == Status.kOptimal and bound - best.value <= ties:
            return best.proven()
        ended = TIME_LIMIT if status == Status.kTimeLimit else UNPROVEN
        return replace(best, bound=max(best.value, min(bound, most)), status=ended)

    def _program(self, limit: int) -> Solver:
        costs, binary = self.instance.costs, self._tasks + self._transfers
        affordable = (costs.amounts <= limit).astype(bool)
        unit = int(costs.amounts[affordable].max(initial=0)) or 1
        amounts = np.where(affordable, costs.amounts, 0)
        upper = np.concatenate([affordable, ~self._beaten()]).astype(float)
        program = plan_program(self.instance, np.zeros(binary), (amounts / unit).astype(float), upper)
        highs = Solver(program, integers=binary)
        highs.set_budget(limit, unit)
        highs.add(*at_most_rows(self.instance))
        draws, largest = len(self._weights), float(self.instance.num_targets)
        highs.add_column(1.0, -largest, largest)
        for _ in range(draws):
            highs.add_column(-1.0 / self._worst, 0.0, 2 * largest)
        every = np.arange(self._tasks, binary)
        for draw, weight in enumerate(self._weights / self._unit):
            columns = np.concatenate([every, [binary, binary + 1 + draw]])
            highs.add(Row(columns, np.concatenate([weight, [-1.0, 1.0]]), 0.0, np.inf))
        return highs

    def _beaten(self) -> BoolArray:
        """Mark transfers, bool (transfers,), that another one with no other sources equals in every draw."""
        beaten = np.zeros(self._transfers, dtype=bool)
        for target in range(self.instance.num_targets):
            rows = np.flatnonzero(self.instance.target == target)
            if len(rows) * len(rows) * len(self._weights) > _LARGEST_BEATEN:
                continue
            inside, weights = self.instance.sources[rows].astype(np.float32), self._weights[:, rows]
            within = inside @ (1 - inside).T == 0  # sources of the one that the other lacks: none
            for place in range(len(rows)):
                better = within[:, place] & (weights >= weights[:, [place]]).all(axis=0)
                same = within[place] & (weights <= weights[:, [place]]).all(axis=0)
                beaten[rows[place]] = (better & ~(same & (np.arange(len(rows)) >= place))).any()
        return beaten
