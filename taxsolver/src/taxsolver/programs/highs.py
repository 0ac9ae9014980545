"""Interface to HiGHS; the only module that imports highspy."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Thread
from typing import Any

import highspy
import numpy as np

from taxsolver.errors import SolverError
from taxsolver.programs.instance import BoolArray, FloatArray, Instance, IntArray
from taxsolver.programs.rows import LEAST_SHARE, Row

Status = highspy.HighsModelStatus
NO_PLAN = (Status.kInfeasible, Status.kUnboundedOrInfeasible)  # not unbounded, as every column has bounds

RESOLVED = 4e-9  # HiGHS finds the better of two plans if their objectives differ by more
SEEN = 1e-6  # share of the dearest source: HiGHS finds the cheaper of two sets if the difference is larger
_TOLERANCE = 1e-9
_SMALLEST = 1.1e-9  # HiGHS drops smaller entries of a row, with a warning
_TRIES = 2
_NO_ROWS, _NO_VALUES = np.zeros(0, dtype=np.intp), np.zeros(0)
_NO_LIMIT = (1 << 31) - 1
_JUMP = "mip_heuristic_run_feasibility_jump"


def plan_program(
    instance: Instance,
    objective: FloatArray,
    cost: FloatArray,
    upper: FloatArray | None = None,
    periods: int = 1,
) -> highspy.HighsLp:
    """Write the program of section 3.4 of the paper for HiGHS.

    Columns: y of every task, x of every transfer. Rows: the budget, one for each target, then one for each
    target and source, which says that the transfers of the target that read the source need it.

    Args:
        instance: transfers, targets and required sources; its weights and costs are ignored.
        objective: float64 (periods * (tasks + transfers),), maximised.
        cost: float64 (periods * tasks,), the entries of the budget's row.
        upper: float64, as `objective`; largest values of the columns, None for 1.
        periods: number of copies of the instance side by side: y of every period and task, then x likewise.
    """
    transfers, tasks = instance.sources.shape
    needing, place = np.nonzero(instance.members < tasks)
    needed, copies = instance.members[needing, place], np.arange(periods)[:, None]
    needing, needed = (needing + transfers * copies).ravel(), (needed + tasks * copies).ravel()
    target = (instance.target + instance.num_targets * copies).ravel()
    transfers, tasks, num_targets = transfers * periods, tasks * periods, instance.num_targets * periods
    needs, need = np.unique(target[needing] * tasks + needed, return_inverse=True)
    first_need = 1 + num_targets
    everyone, number = np.arange(tasks), np.arange(len(needs))
    rows = np.concatenate([np.zeros(tasks), 1 + target, first_need + need, first_need + number])
    columns = np.concatenate([everyone, tasks + np.arange(transfers), tasks + needing, needs % tasks])
    values = np.concatenate(
        [np.where(cost < LEAST_SHARE, 0.0, cost), np.ones(transfers + len(needing)), -np.ones(len(needs))]
    )
    rows, columns, values = rows[values != 0], columns[values != 0], values[values != 0]
    num_rows = first_need + len(needs)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = tasks + transfers, num_rows
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = objective
    lp.col_lower_ = np.concatenate([np.tile(instance.required, periods).astype(float), np.zeros(transfers)])
    lp.col_upper_ = np.ones(tasks + transfers) if upper is None else upper
    one_each, infinite = np.ones(num_targets), highspy.kHighsInf
    lp.row_lower_ = np.concatenate([[-infinite], one_each, np.full(len(needs), -infinite)])
    lp.row_upper_ = np.concatenate([[infinite], one_each, np.zeros(len(needs))])
    by_row = np.argsort(rows, kind="stable")
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(np.bincount(rows.astype(int), minlength=num_rows))])
    lp.a_matrix_.index_ = columns[by_row]
    lp.a_matrix_.value_ = values[by_row]
    return lp


def bare_program(objective: FloatArray, lower: FloatArray, upper: FloatArray) -> highspy.HighsLp:
    """Write a program, maximised, of columns within bounds and no rows."""
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(objective), 0
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = objective, lower, upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.zeros(1, dtype=np.int32)
    return lp


class Solver:
    """One program in a HiGHS of its own.

    Args:
        program: a program of `plan_program`.
        integers: number of leading columns that are integer; with 0 the simplex method solves it.

    Raises:
        SolverError: HiGHS rejected the program; every method raises it if HiGHS rejects a call.
    """

    def __init__(self, program: highspy.HighsLp, integers: int = 0) -> None:
        self._highs = _Quiet()  # type: ignore[no-untyped-call] # highspy annotates only in part
        options: dict[str, Any] = {
            "output_flag": False,
            "threads": 1,  # the same answer on every machine, and no thread pool for milliseconds of work
            # Presolve discards warm starts, saves no time on these programs, and has called worse plans
            # optimal: with costs far apart, in 1.14.0 also otherwise
            # (https://github.com/ERGO-Code/HiGHS/issues/3073).
            "presolve": "off",
            "primal_feasibility_tolerance": _TOLERANCE,
            "dual_feasibility_tolerance": 1e-10,
        }
        if integers:
            options |= {"mip_rel_gap": 0.0, "mip_abs_gap": 0.0, "mip_feasibility_tolerance": _TOLERANCE}
            if self._highs.getOptionValue(_JUMP)[0] == highspy.HighsStatus.kOk:  # since 1.11
                options[_JUMP] = False  # it takes 20 ms, ten times as long as a whole search without it
        else:
            # Entries are 1 and -1, so that scaling is not needed.
            options |= {"solver": "simplex", "simplex_scale_strategy": 0}
        for option, value in options.items():
            _check(self._highs.setOptionValue(option, value), f"setOptionValue({option})")
        _check(self._highs.passModel(program), "passModel")
        for column in range(integers):
            kind = highspy.HighsVarType.kInteger
            _check(self._highs.changeColIntegrality(column, kind), "changeColIntegrality")

    def add(self, *rows: Row) -> None:
        """Append rows."""
        for row in rows:
            kept = np.abs(row.values) > _SMALLEST
            columns, values = row.columns[kept].astype(np.int32), row.values[kept]
            _check(self._highs.addRow(row.lower, row.upper, len(columns), columns, values), "addRow")

    def delete_rows(self, first: int) -> None:
        """Delete all rows from index `first` on."""
        self.delete(np.arange(first, self.num_rows))

    def delete(self, rows: IntArray) -> None:
        """Delete rows, given in rising order; the indices of those behind them fall."""
        _check(self._highs.deleteRows(len(rows), rows.astype(np.int32)), "deleteRows")

    def add_column(
        self,
        objective: float,
        lower: float,
        upper: float,
        rows: IntArray = _NO_ROWS,
        values: FloatArray = _NO_VALUES,
    ) -> None:
        """Add a column with these entries in rows; with none of them, it is in no row yet."""
        entries = rows.astype(np.int32), values
        _check(self._highs.addCol(objective, lower, upper, len(rows), *entries), "addCol")

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return int(self._highs.getNumRow())

    @property
    def num_columns(self) -> int:
        """Number of columns."""
        return int(self._highs.getNumCol())

    def set_objective(self, objective: FloatArray) -> None:
        """Set the objective to maximise, float64 (columns,)."""
        columns = np.arange(len(objective), dtype=np.int32)
        _check(self._highs.changeColsCost(len(objective), columns, objective), "changeColsCost")

    def set_budget(self, limit: int, unit: int) -> None:
        """Set the right side of the budget's row; its entries are rounded by less than HiGHS's tolerance.

        No slack is added: the relaxation would use even half a unit, and become fractional.
        """
        _check(self._highs.changeRowBounds(0, -np.inf, limit / unit), "changeRowBounds")

    def set_bounds(self, lower: FloatArray, upper: FloatArray) -> None:
        """Set float64 (tasks,) bounds of every y."""
        columns = np.arange(len(upper), dtype=np.int32)
        _check(self._highs.changeColsBounds(len(upper), columns, lower, upper), "changeColsBounds")

    def run(self, deadline: float | None) -> highspy.HighsModelStatus:
        """Run HiGHS in a new thread, and return its model status.

        HiGHS keeps one pool of workers per calling thread, of the size of the first run, and rejects later
        runs that ask for another size. In a new thread, this run neither meets the pool of another model nor
        leaves one behind; the thread costs 0.04 ms.

        Args:
            deadline: time of `time.perf_counter`; None for no limit.

        Raises:
            SolverError: the run failed.
        """
        highs, seconds = self._highs, np.inf
        if deadline is not None:  # HiGHS adds up the seconds of all its runs
            seconds = highs.getRunTime() + max(0.0, deadline - time.perf_counter())
        _check(highs.setOptionValue("time_limit", seconds), "setOptionValue(time_limit)")
        ended = [highspy.HighsStatus.kError]
        for _ in range(_TRIES):
            thread = Thread(target=lambda: ended.append(highs.run()), name="taxsolver-highs", daemon=True)
            thread.start()
            thread.join()
            # A time limit ends with a warning; the model status gives the reason.
            if ended[-1] in (highspy.HighsStatus.kOk, highspy.HighsStatus.kWarning):
                return highs.getModelStatus()
            _check(highs.clearSolver(), "clearSolver")  # start again without the basis of an earlier run
        raise _failure("run", ended[-1])

    @property
    def has_solution(self) -> bool:
        """Return True if the last run found a feasible solution."""
        feasible = highspy.SolutionStatus.kSolutionStatusFeasible
        return bool(self._highs.getInfo().primal_solution_status == feasible)

    def values(self, first: int, last: int) -> FloatArray:
        """Return the values of these columns after the last run, float64 (last - first,)."""
        return np.array(self._highs.getSolution().col_value[first:last])

    def solution(self) -> Solution:
        """Return the values and duals of the last run of the simplex method."""
        solution = self._highs.getSolution()
        return Solution(
            values=np.array(solution.col_value),
            fall=-np.array(solution.col_dual),
            price=np.abs(np.array(solution.row_dual)),
        )

    def basic_rows(self) -> BoolArray:
        """Mark the rows that the last run of the simplex method left with slack: bool (rows,)."""
        basic = highspy.HighsBasisStatus.kBasic
        return np.array([status == basic for status in self._highs.getBasis().row_status], dtype=bool)

    def probe(self, column: int, value: float, iterations: int) -> float:
        """Estimate the objective with a 0-1 column fixed, by some iterations of the dual simplex method.

        The basis and the bounds are as before afterwards, the solution is not.

        Returns:
            The objective so far, in general above the final one; minus infinity if the program is infeasible.
        """
        highs, basis = self._highs, self._highs.getBasis()
        _check(highs.setOptionValue("simplex_iteration_limit", iterations), "setOptionValue(iterations)")
        _check(highs.changeColBounds(column, value, value), "changeColBounds")
        status = self.run(None)
        objective = -np.inf if status in NO_PLAN else self.objective
        _check(highs.setOptionValue("simplex_iteration_limit", _NO_LIMIT), "setOptionValue(iterations)")
        _check(highs.changeColBounds(column, 0.0, 1.0), "changeColBounds")
        _check(highs.setBasis(basis), "setBasis")
        return objective

    @property
    def objective(self) -> float:
        """Value of the objective after the last run."""
        return float(self._highs.getObjectiveValue())

    def bound(self, status: highspy.HighsModelStatus) -> float:
        """Return the bound of the objective that branch and bound proved; infinity without one."""
        info = self._highs.getInfo()
        found, dual = float(info.objective_function_value), float(info.mip_dual_bound)
        if status == Status.kOptimal:
            return max(dual, found)
        return dual if status == Status.kTimeLimit and dual >= found else np.inf


@dataclass(frozen=True, eq=False)
class Solution:
    """Answer of the simplex method to a program that is maximised.

    Attributes:
        values: float64 (columns,).
        fall: float64 (columns,); fall of the objective per unit that a column at its lower bound rises, or
            minus the fall per unit that a column at its upper bound falls; 0 for columns between them.
        price: float64 (rows,); rise of the objective per unit that the active bound of a row gives way.
    """

    values: FloatArray
    fall: FloatArray
    price: FloatArray


class _Quiet(highspy.Highs):
    """HiGHS without output, its banner included."""

    def enableCallbacks(self) -> None:  # noqa: N802 - the name is HiGHS's
        """Switch off output first: since 1.16, constructing a `Highs` calls this and prints the banner."""
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call] # highspy annotates only in part


def _check(status: highspy.HighsStatus, call: str) -> None:
    """Raise if a call to HiGHS failed.

    Raises:
        SolverError: the message names the call.
    """
    if status != highspy.HighsStatus.kOk:
        raise _failure(call, status)


def _failure(call: str, status: highspy.HighsStatus) -> SolverError:
    version = _Quiet().version()  # type: ignore[no-untyped-call] # highspy annotates only in part
    return SolverError(f"HiGHS {version} answered {call} with {status.name}: nothing is solved")
