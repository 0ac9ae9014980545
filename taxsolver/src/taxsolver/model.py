"""The binary integer program of a plan. The only file that knows HiGHS.

    maximise   sum of weight_e x_e over transfers e
    subject to each target has exactly one transfer: sum of x_e over e -> t is 1
               a transfer needs its sources:         sum of x_e over e -> t that read s is at most y_s
               the budget:                           sum of cost_s y_s is at most the budget
               x, y binary

This is the program of section 3.4 of Zamir et al., CVPR 2018 (https://arxiv.org/abs/1804.08328), with the
rows of need written once per target and source instead of once per transfer. They imply the paper's rows and
leave the linear relaxation so tight that it is integral on every budget and order of the published tensors.
So the relaxation is solved first, warm from one budget to the next, and branch and bound runs only where a
`y` is fractional; `x` may stay continuous, for with binary `y` each target takes its heaviest transfer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np

from taxsolver.errors import TimeLimitError
from taxsolver.greedy import greedy_sources
from taxsolver.instance import BoolArray, FloatArray, Instance, IntArray

OPTIMAL, TIME_LIMIT = "optimal", "time_limit"

TIE = 1e-9  # objectives closer than this share of the largest weight are ties, broken towards the cheaper set
_SCALE = 1e3  # the largest weight in the program: HiGHS's least tolerance of 1e-10 is then far below a tie
_TOLERANCE = 1e-9
_INTEGRAL = 1e-6

_Status = highspy.HighsModelStatus


@dataclass(frozen=True, eq=False)
class Choice:
    """The best plan found for one budget.

    Attributes:
        chosen: bool (tasks,); required sources and those that a chosen transfer reads.
        transfers: int (targets,); rows of the instance.
        value: sum of the weights of the transfers.
        bound: proven upper bound of the value of any plan.
        status: `optimal` where the bound proves the value, else `time_limit`.
    """

    chosen: BoolArray
    transfers: IntArray
    value: float
    bound: float
    status: str


class PlanModel:
    """One instance in HiGHS, solved for one budget after another.

    Args:
        instance: transfers, weights and costs; dominated transfers are better dropped before.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._unit = (float(np.abs(instance.weight).max()) or 1.0) / _SCALE
        self._forbidden: list[IntArray] = []
        self._write(np.ones(len(instance.cost), dtype=bool))

    def forbid(self, chosen: BoolArray) -> None:
        """From now on refuse every plan whose sources include all of these."""
        columns = np.flatnonzero(chosen & ~self.instance.required)
        self._forbidden.append(columns)
        _forbid(self._relaxation, columns)

    def solve(self, budget: float, time_limit: float | None = None) -> Choice | None:
        """The best plan for a budget, or None where there is none.

        Args:
            budget: largest total cost of the sources.
            time_limit: seconds; None for no limit.

        Raises:
            TimeLimitError: the limit passed before any plan was found.
        """
        deadline = None if time_limit is None else time.perf_counter() + time_limit
        affordable = self.instance.cost <= budget * (1 + TIE)
        if (self.instance.required & ~affordable).any():
            return None
        if (affordable != self._affordable).any():
            self._write(affordable)
        self._set_budget(self._relaxation, budget)
        status = _run(self._relaxation, deadline)
        if status == _Status.kInfeasible:
            return None
        if status != _Status.kOptimal:
            return self._branch(budget, deadline, np.inf)
        values, bound = self._source_values(self._relaxation), self._relaxation.getObjectiveValue()
        if np.abs(values - values.round()).max() <= _INTEGRAL:
            choice = self._choice(values > 0.5, bound)
            if choice.status == OPTIMAL:  # else a `y` is fractional by less than the tolerance
                return choice
        return self._branch(budget, deadline, bound)

    def least_budget(self) -> float | None:
        """The cost of the cheapest plan, or None where no budget suffices."""
        objective = np.zeros(self._program.num_col_)
        objective[: len(self.instance.cost)] = -self.instance.cost / self._cost_unit
        highs = _highs(_program(self.instance, objective, self._cost_unit), integers=len(self.instance.cost))
        if _run(highs, None) != _Status.kOptimal:
            return None
        return float(self.instance.cost[self._source_values(highs) > 0.5].sum())

    def _write(self, affordable: BoolArray) -> None:
        """Write the program with all but the affordable sources fixed at 0.

        Left in, a source that costs far more than the budget would set the scale of the budget's row, and
        the costs of the others would drown in HiGHS's tolerances.
        """
        cost = np.where(affordable, self.instance.cost, 0.0)
        self._affordable = affordable
        self._cost_unit = float(cost.max()) or 1.0
        self._preference = TIE * _SCALE * cost / (float(cost.sum()) or 1.0)
        objective = np.concatenate([-self._preference, self.instance.weight / self._unit])
        self._program = _program(replace(self.instance, cost=cost), objective, self._cost_unit)
        upper = np.ones(self._program.num_col_)
        upper[: len(cost)] = affordable
        self._program.col_upper_ = upper
        self._relaxation = _highs(self._program)
        for columns in self._forbidden:
            _forbid(self._relaxation, columns)

    def _branch(self, budget: float, deadline: float | None, relaxed: float) -> Choice | None:
        """By branch and bound, from a quick plan; `relaxed` is the value of the relaxation."""
        highs = _highs(self._program, integers=len(self.instance.cost))
        for columns in self._forbidden:
            _forbid(highs, columns)
        self._set_budget(highs, budget)
        start = greedy_sources(self.instance, budget, self._forbidden)
        if start is not None:
            highs.setSolution(self._solution(start))
        status = _run(highs, deadline)
        if status == _Status.kInfeasible:
            return None
        info = highs.getInfo()
        if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
            start = self._source_values(highs) > 0.5
        if start is None:
            raise TimeLimitError("the time limit passed before any plan was found: allow more time")
        return self._choice(start, min(relaxed, info.mip_dual_bound))

    def _solution(self, chosen: BoolArray) -> highspy.HighsSolution:
        """A plan in the columns of the program, for HiGHS to start from."""
        transfers = self.instance.best_transfers(chosen)
        values = np.zeros(self._program.num_col_)
        values[: len(chosen)] = chosen
        if transfers is not None:
            values[len(chosen) + transfers] = 1.0
        solution = highspy.HighsSolution()
        solution.col_value = values.tolist()
        return solution

    def _choice(self, proposed: BoolArray, program_bound: float) -> Choice:
        """What proposed sources are worth, computed anew, and whether the bound proves it the best."""
        transfers = self.instance.best_transfers(self.instance.without_idle(proposed))
        if transfers is None:
            raise ArithmeticError("HiGHS proposed sources from which a target cannot be served")
        chosen = self.instance.used(transfers)
        value = float(self.instance.weight[transfers].sum())
        bound = (program_bound + float(self._preference[chosen].sum())) * self._unit
        bound = max(value, min(bound, self.instance.heaviest().sum()))
        if bound - value <= 2 * TIE * _SCALE * self._unit:
            return Choice(chosen, transfers, value, value, OPTIMAL)
        return Choice(chosen, transfers, value, bound, TIME_LIMIT)

    def _set_budget(self, highs: highspy.Highs, budget: float) -> None:
        highs.changeRowBounds(0, -highspy.kHighsInf, budget / self._cost_unit)

    def _source_values(self, highs: highspy.Highs) -> FloatArray:
        return np.array(highs.getSolution().col_value[: len(self.instance.cost)])


def _program(instance: Instance, objective: FloatArray, cost_unit: float) -> highspy.HighsLp:
    """Columns: y of every task, x of every transfer. Rows: budget, targets, needs."""
    transfers, tasks = instance.sources.shape
    needing, needed = np.nonzero(instance.sources)
    needs, need = np.unique(instance.target[needing] * tasks + needed, return_inverse=True)
    first_need = 1 + instance.num_targets
    everyone, number = np.arange(tasks), np.arange(len(needs))
    rows = np.concatenate([np.zeros(tasks), 1 + instance.target, first_need + need, first_need + number])
    columns = np.concatenate([everyone, tasks + np.arange(transfers), tasks + needing, needs % tasks])
    values = np.concatenate(
        [instance.cost / cost_unit, np.ones(transfers + len(needing)), -np.ones(len(needs))]
    )
    num_rows = first_need + len(needs)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = tasks + transfers, num_rows
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = objective
    lp.col_lower_ = np.concatenate([instance.required.astype(float), np.zeros(transfers)])
    lp.col_upper_ = np.ones(tasks + transfers)
    one_each, infinite = np.ones(instance.num_targets), highspy.kHighsInf
    lp.row_lower_ = np.concatenate([[-infinite], one_each, np.full(len(needs), -infinite)])
    lp.row_upper_ = np.concatenate([[infinite], one_each, np.zeros(len(needs))])
    by_row = np.argsort(rows, kind="stable")
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(np.bincount(rows.astype(int), minlength=num_rows))])
    lp.a_matrix_.index_ = columns[by_row]
    lp.a_matrix_.value_ = values[by_row]
    return lp


def _highs(program: highspy.HighsLp, integers: int = 0) -> highspy.Highs:
    """A HiGHS of its own for the program, with the first `integers` columns integer."""
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    options: dict[str, Any] = {
        "output_flag": False,
        "threads": 1,  # one answer whatever the machine, and no pool to start for a problem of milliseconds
        "primal_feasibility_tolerance": _TOLERANCE,
        "dual_feasibility_tolerance": 1e-10,
    }
    if integers:
        options |= {"mip_rel_gap": 0.0, "mip_abs_gap": 0.0, "mip_feasibility_tolerance": _TOLERANCE}
    else:
        # Presolve would throw the warm start away; entries are 1 and -1, so that scaling has nothing to do.
        options |= {"solver": "simplex", "presolve": "off", "simplex_scale_strategy": 0}
    for option, value in options.items():
        highs.setOptionValue(option, value)
    highs.passModel(program)
    for column in range(integers):
        highs.changeColIntegrality(column, highspy.HighsVarType.kInteger)
    return highs


def _forbid(highs: highspy.Highs, columns: IntArray) -> None:
    count = len(columns)
    highs.addRow(-highspy.kHighsInf, count - 1.0, count, columns.astype(np.int32), np.ones(count))


def _run(highs: highspy.Highs, deadline: float | None) -> highspy.HighsModelStatus:
    if deadline is not None:  # HiGHS counts the seconds of all its runs together
        highs.setOptionValue("time_limit", highs.getRunTime() + max(0.0, deadline - time.perf_counter()))
    highs.run()
    return highs.getModelStatus()


class PlanProgram:
    """The program of an instance with rows and objectives of one's own, by branch and bound.

    For questions that `PlanModel` does not answer: which of the best plans is the first by further criteria,
    or what a plan is worth at the worst. Columns: y of every task, 0 or 1, then x of every transfer.

    HiGHS keeps rows to a tolerance only. Where that is too coarse, leave the rows some slack and let
    `accepts` decide: sources that it refuses are cut off one by one.

    Attributes:
        num_tasks: number of columns y.
        accepts: whether bool (tasks,) may be chosen, beyond what the rows say; may be replaced at any time.

    Args:
        instance: transfers and costs; the weights count only where an objective or a row names them.
        budget: largest total cost of the sources.
        accepts: the attribute.
    """

    def __init__(self, instance: Instance, budget: float, accepts: Callable[[BoolArray], bool]) -> None:
        self.num_tasks = len(instance.cost)
        self.accepts = accepts
        cost_unit = float(instance.cost.max()) or 1.0
        nothing = np.zeros(self.num_tasks + len(instance.weight))
        self._highs = _highs(_program(instance, nothing, cost_unit), integers=self.num_tasks)
        self._highs.changeRowBounds(0, -highspy.kHighsInf, budget / cost_unit)

    def add_row(
        self, columns: IntArray, values: FloatArray, *, lower: float = -np.inf, upper: float = np.inf
    ) -> None:
        """From now on keep the sum of values times columns between two bounds."""
        self._highs.addRow(lower, upper, len(columns), columns.astype(np.int32), values)

    def on_sources(self, amount: FloatArray) -> FloatArray:
        """float64 (tasks + transfers,): an objective that counts float64 (tasks,) for every chosen source."""
        return np.concatenate([amount, np.zeros(self._highs.getNumCol() - self.num_tasks)])

    def best(self, objective: FloatArray) -> BoolArray | None:
        """Bool (tasks,): the accepted sources of the largest objective; None where there are none.

        Args:
            objective: float64 (tasks + transfers,).
        """
        self._highs.changeColsCost(len(objective), np.arange(len(objective), dtype=np.int32), objective)
        while (status := _run(self._highs, None)) == _Status.kOptimal:
            chosen = np.array(self._highs.getSolution().col_value[: self.num_tasks]) > 0.5
            if self.accepts(chosen):
                return chosen
            others = np.where(chosen, -1.0, 1.0)  # at least one source must be another one
            self.add_row(np.arange(self.num_tasks), others, lower=1.0 - chosen.sum())
        if status != _Status.kInfeasible:
            raise ArithmeticError(f"HiGHS ended with {status}")
        return None
