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

HiGHS keeps rows to a tolerance, so it only proposes sources. What they cost is summed in whole numbers
(`Costs`), what they are worth is worked out anew, and a proposal that is too dear is cut off by a row that it
breaks clearly. An answer counts as proven only where HiGHS ended with kOptimal.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from threading import Thread
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from taxsolver.errors import SolverError, TimeLimitError
from taxsolver.planning.costs import exact_sum
from taxsolver.planning.greedy import greedy_sources
from taxsolver.planning.instance import BoolArray, FloatArray, Instance, IntArray

OPTIMAL, TIME_LIMIT, UNPROVEN = "optimal", "time_limit", "unproven"

TIE = 1e-9  # objectives closer than this share of the largest weight are ties, broken towards the cheaper set
_SCALE = 1e3  # the largest weight in the program: HiGHS's least tolerance of 1e-10 is then far below a tie
_TOLERANCE = 1e-9
_INTEGRAL = 1e-6
_LEAST_SHARE = 1e-5  # of the dearest: less in a row of costs misleads HiGHS's presolve; the exact sum decides
_CLEAR = 1e-4  # a proposal that is too dear breaks the row that cuts it off by this share of its right side
_SEEN = 1e-6  # of the dearest source: HiGHS sees which of two sets costs less where it is by more
_RESOLVED = 4e-9  # HiGHS finds the better of two plans where their objectives differ by more
_SAME_SCALE = 1000  # a factor between the dearest source and the unit of the budget's row
_SMALLEST = 1.1e-9  # HiGHS drops smaller entries of a row, with a warning
_TRIES = 2
_JUMP = "mip_heuristic_run_feasibility_jump"
_LARGEST_BEATEN = 1 << 30  # comparisons of the transfers of one target
_ROUNDS = 100  # proposals of one search that may turn out to be less than HiGHS took them for

_Status = highspy.HighsModelStatus
_NO_PLAN = (_Status.kInfeasible, _Status.kUnboundedOrInfeasible)  # for every column has bounds


@dataclass(frozen=True, eq=False)
class Choice:
    """The best plan found for one budget.

    Attributes:
        chosen: bool (tasks,); required sources and those that a chosen transfer reads.
        transfers: int (targets,); rows of the instance.
        value: sum of the weights of the transfers, as decimals, rounded once.
        bound: proven upper bound of the value of any plan.
        status: `optimal` where the bound proves the value, `time_limit` where the time limit cut in before,
            `unproven` where HiGHS ended without a proof.
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
        largest = float(np.abs(instance.weight).max())
        self._unit = (largest or 1.0) / _SCALE
        self._strength = TIE * _SCALE if largest else _SCALE  # of the preference for cheaper sets
        self._forbidden: list[IntArray] = []
        self._cuts: list[tuple[int, list[_Row]]] = []  # rows that hold for limits up to a number
        self._cheapest: list[Choice | None] = []  # once it was asked for
        self._write(np.ones(len(instance.cost), dtype=bool))

    def forbid(self, chosen: BoolArray) -> None:
        """Exclude every plan whose sources include all of these."""
        columns = np.flatnonzero(chosen & ~self.instance.required)
        self._forbidden.append(columns)
        _add(self._relaxation, _not_all(columns))

    def solve(self, budget: float | Fraction, time_limit: float | None = None) -> Choice | None:
        """The best plan for a budget, or None where there is none; of plans that tie, the cheapest.

        Args:
            budget: largest total cost, with what every plan takes; costs are summed as decimals.
            time_limit: seconds; None for no limit.

        Raises:
            TimeLimitError: the limit passed before any plan was found.
            SolverError: HiGHS failed.
        """
        deadline = None if time_limit is None else time.perf_counter() + time_limit
        costs = self.instance.costs
        limit = costs.limit(budget)
        best = self._best(limit, deadline)
        if best is not None:
            return self._cheaper(best, deadline) if best.status == OPTIMAL else best
        # HiGHS may be wrong about that too: the cheapest plan is the better witness.
        cheapest = None if self._forbidden else self._least()
        if cheapest is None or costs.total(cheapest) > limit:
            return None
        plan = self._worked_out(cheapest)
        return plan and replace(plan, bound=float(self.instance.heaviest().sum()))

    def least_budget(self) -> float | None:
        """The cost of the cheapest plan, or None where no budget suffices.

        Raises:
            SolverError: HiGHS failed.
        """
        cheapest, costs = self._least(), self.instance.costs
        return None if cheapest is None else costs.number(costs.total(cheapest))

    def cheapest(self, time_limit: float | None = None) -> BoolArray | None:
        """Bool (tasks,): sources of the least total cost that serve every target; None where there are none.

        Args:
            time_limit: seconds; None for no limit.

        Raises:
            TimeLimitError: the limit passed before the least cost was proven.
            SolverError: HiGHS failed.
        """
        return self._least(None if time_limit is None else time.perf_counter() + time_limit)

    def _least(self, deadline: float | None = None) -> BoolArray | None:
        """The sources of the cheapest plan: with weights of 0 all tie, and ties go to the cheaper set."""
        if not self._cheapest:
            worthless = replace(self.instance, weight=np.zeros(len(self.instance.weight)))
            model = PlanModel(worthless.without_dominated()[0])
            choice = model._best(int(self.instance.costs.amounts.sum()), deadline)
            cheapest = None if choice is None else model._cheaper(choice, deadline)
            if deadline is not None and time.perf_counter() >= deadline:
                raise TimeLimitError(
                    "the time limit passed before the least cost was proven: allow more time"
                )
            self._cheapest.append(cheapest)
        return None if self._cheapest[0] is None else self._cheapest[0].chosen

    def _cheaper(self, best: Choice, deadline: float | None) -> Choice:
        """The cheapest of the plans that tie with a proven one.

        The objective prefers cheaper sets, but not more finely than HiGHS resolves it. So plans are looked
        for that cost at least one unit less, until there is none.
        """
        costs, floor = self.instance.costs, best.value - TIE * _SCALE * self._unit
        while self._strength < _RESOLVED * self._preferred_costs and costs.total(best.chosen) > 0:
            try:
                other = self._best(costs.total(best.chosen) - 1, deadline, floor)
            except TimeLimitError:
                break
            if other is None or other.value < floor:
                break
            best = _proven(other)
        return best

    def _best(self, limit: int, deadline: float | None, floor: float = -np.inf) -> Choice | None:
        """The best plan within an exact limit; None where there is none, or none that is worth `floor`."""
        if self.instance.costs.total(self.instance.required) > limit:
            return None
        self._set_limit(limit)
        proposals: set[bytes] = set()
        while True:
            status = _run(self._relaxation, deadline)
            solved = status == _Status.kOptimal
            bound = self._relaxation.getObjectiveValue() if solved else np.inf
            if status in _NO_PLAN or self._largest_value(bound) < floor:
                return None
            values = self._source_values(self._relaxation)
            integral = solved and np.abs(values - values.round()).max() <= _INTEGRAL
            plan = self._worked_out(values > 0.5) if integral else None
            if plan is not None and self._affords(plan, limit):
                if self._is_proof(plan, bound):
                    return _proven(plan)
                plan = None  # a `y` is fractional by less than the tolerance
            if plan is None or plan.chosen.tobytes() in proposals:
                return self._branch(limit, deadline, bound, floor)
            proposals.add(plan.chosen.tobytes())

    def _branch(self, limit: int, deadline: float | None, relaxed: float, floor: float) -> Choice | None:
        """Solve by branch and bound; `relaxed` is the objective of the relaxation."""
        highs = _highs(self._program, integers=len(self.instance.cost))
        self._set_bounds(highs, limit)
        _add(highs, *self._rows())
        if floor > -np.inf:
            columns = np.arange(len(self.instance.cost), self._program.num_col_)
            lower = floor / self._unit - TIE * _SCALE
            _add(highs, _Row(columns, self.instance.weight / self._unit, lower, np.inf))
        best: Choice | None = None
        bound, status = relaxed, _Status.kUnknown
        for _ in range(_ROUNDS):
            status = _run(highs, deadline)
            if status in _NO_PLAN:  # but for those that were looked at before
                return None if best is None else _proven(best)
            info = highs.getInfo()
            if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
                break
            bound = min(relaxed, _dual_bound(info, status))
            proposed = self._source_values(highs) > 0.5
            plan = self._worked_out(proposed)
            if plan is not None and not self._affords(plan, limit):
                _add(highs, *self._cuts[-1][1])
            elif plan is not None and (best is None or plan.value > best.value):
                best = plan
            if status != _Status.kOptimal:
                break
            if best is not None and self._is_proof(best, bound):
                return _proven(best)
            _add(highs, _other_than(proposed))  # it is worth less than HiGHS took it for, or too dear
        best = self._or_quick(best, limit)
        if best is None and status == _Status.kTimeLimit:
            raise TimeLimitError("the time limit passed before any plan was found: allow more time")
        if best is None:
            raise SolverError(f"HiGHS ended with {status.name} and without a plan")
        if self._is_proof(best, relaxed):
            return _proven(best)
        ended = TIME_LIMIT if status == _Status.kTimeLimit else UNPROVEN
        return replace(best, bound=max(best.value, self._largest_value(bound)), status=ended)

    def _or_quick(self, best: Choice | None, limit: int) -> Choice | None:
        """A plan, or one found quickly where that is better or there is none."""
        quick = greedy_sources(self.instance, self.instance.costs.exact(limit), self._forbidden)
        plan = None if quick is None else self._worked_out(quick)
        return plan if plan is not None and (best is None or plan.value > best.value) else best

    def _worked_out(self, proposed: BoolArray) -> Choice | None:
        """Evaluate proposed sources, without a proof; None where they do not serve every target."""
        transfers = self.instance.best_transfers(self.instance.without_idle(proposed))
        if transfers is None:
            return None
        value = float(exact_sum(self.instance.weight[transfers].tolist()))
        return Choice(self.instance.used(transfers), transfers, value, np.inf, UNPROVEN)

    def _affords(self, plan: Choice, limit: int) -> bool:
        """Check that a plan costs no more than the limit; if it costs more, cut it off."""
        if self.instance.costs.total(plan.chosen) <= limit:
            return True
        rows = _budget_rows(self.instance.costs.amounts, plan.chosen, limit)
        self._cuts.append((limit, rows))
        _add(self._relaxation, *rows)
        return False

    def _is_proof(self, plan: Choice, bound: float) -> bool:
        """True if a bound of the program's objective leaves no better plan, but for ties."""
        own = plan.value / self._unit - float(self._preference[plan.chosen].sum())
        return bound - own <= 2 * TIE * _SCALE

    def _largest_value(self, bound: float) -> float:
        """Bound the value of any plan by a bound of the program's objective."""
        return min(float(self.instance.heaviest().sum()), (bound + self._strength) * self._unit)

    def _set_limit(self, limit: int) -> None:
        """Set the budget's row, in a unit in which the dearest affordable source is about 1.

        Left in, a source that costs far more than the budget would set the scale of the budget's row, and
        the costs of the others would drown in HiGHS's tolerances.
        """
        affordable = (self.instance.costs.amounts <= limit).astype(bool)
        largest = self._largest_amount(affordable)
        fits = largest <= self._row_unit <= largest * _SAME_SCALE
        if not fits or any(valid < limit for valid, _ in self._cuts):
            self._cuts = [(valid, rows) for valid, rows in self._cuts if valid >= limit]
            self._write(affordable)
        self._set_bounds(self._relaxation, limit)

    def _write(self, affordable: BoolArray) -> None:
        """Write the program with the costs of the affordable sources."""
        costs, required = self.instance.costs, self.instance.required
        self._row_unit = self._largest_amount(affordable)
        amounts = np.where(affordable, costs.amounts, 0)
        preferred = np.where(required, 0, amounts)  # all plans have the required ones
        self._preferred_costs = int(preferred.sum())
        self._preference = self._strength * (preferred / (self._preferred_costs or 1)).astype(float)
        objective = np.concatenate([-self._preference, self.instance.weight / self._unit])
        self._program = _program(self.instance, objective, (amounts / self._row_unit).astype(float))
        self._relaxation = _highs(self._program)
        _add(self._relaxation, *self._rows())

    def _rows(self) -> list[_Row]:
        """Rows beside those of the program: sets that are forbidden, and sets that are too dear."""
        return [
            *_at_most_rows(self.instance),
            *(_not_all(columns) for columns in self._forbidden),
            *(row for _, rows in self._cuts for row in rows),
        ]

    def _largest_amount(self, affordable: BoolArray) -> int:
        amounts = self.instance.costs.amounts[affordable]
        return int(amounts.max()) or 1 if len(amounts) else 1

    def _set_bounds(self, highs: highspy.Highs, limit: int) -> None:
        _set_budget(highs, limit, self._row_unit)
        upper = (self.instance.costs.amounts <= limit).astype(float)
        everyone = np.arange(len(upper), dtype=np.int32)
        lower = self.instance.required.astype(float)
        _check(highs.changeColsBounds(len(upper), everyone, lower, upper), "changeColsBounds")

    def _source_values(self, highs: highspy.Highs) -> FloatArray:
        return np.array(highs.getSolution().col_value[: len(self.instance.cost)])


def _dual_bound(info: highspy.HighsInfo, status: highspy.HighsModelStatus) -> float:
    """Read the dual bound of branch and bound, in the unit of the program; infinity without one."""
    found, dual = float(info.objective_function_value), float(info.mip_dual_bound)
    if status == _Status.kOptimal:
        return max(dual, found)
    return dual if status == _Status.kTimeLimit and dual >= found else np.inf


def _proven(plan: Choice) -> Choice:
    return replace(plan, bound=plan.value, status=OPTIMAL)


@dataclass(frozen=True, eq=False)
class _Row:
    """A row of the program: the sum of values times columns lies between two bounds."""

    columns: IntArray
    values: FloatArray
    lower: float
    upper: float


def _at_most_rows(instance: Instance) -> list[_Row]:
    return [
        _Row(np.flatnonzero(counted), counted[counted > 0].astype(float), -np.inf, float(most))
        for most, counted in instance.at_most
    ]


def _not_all(columns: IntArray) -> _Row:
    """Return the row that excludes plans with all of these sources."""
    return _Row(columns, np.ones(len(columns)), -np.inf, len(columns) - 1.0)


def _other_than(chosen: BoolArray) -> _Row:
    """Return the row that excludes exactly this set of sources."""
    return _Row(np.arange(len(chosen)), np.where(chosen, -1.0, 1.0), 1.0 - chosen.sum(), np.inf)


def _budget_rows(amounts: NDArray[Any], chosen: BoolArray, limit: int) -> list[_Row]:
    """Rows that sets within the limit keep, and chosen sources that are dearer break by far.

    The budget's row itself may be broken by less than HiGHS's tolerance. With the dearest of the chosen, H,
    r = limit - cost(H) is left for all others:

        sum of cost_s / r y_s over s not in H is at most 1, unless one of H is left out

    where sources that cost more than r count 2. H is the smallest such set for which the excess is clear.
    The other row says that not all of the fewest sources may be chosen that are too dear together.
    """
    falling = np.flatnonzero(chosen)[np.argsort(-amounts[chosen], kind="stable")]
    fewest = int(np.argmax(np.cumsum(amounts[falling]) > limit)) + 1
    rows = [_not_all(falling[:fewest])]
    for size in range(fewest):
        head, left = falling[:size], limit - int(amounts[falling[:size]].sum())
        share = np.where(amounts > left, 2.0, (amounts / (left or 1)).astype(float))
        share[share < _LEAST_SHARE] = 0.0
        share[head] = 0.0
        room = 1.0 if left else 0.0
        if share[chosen].sum() >= room + _CLEAR:
            loose = float(share.sum())
            columns = np.concatenate([head, np.flatnonzero(share)])
            values = np.concatenate([np.full(size, loose), share[share > 0]])
            return [*rows, _Row(columns, values, -np.inf, room + _INTEGRAL + loose * size)]
    return rows


def _program(instance: Instance, objective: FloatArray, cost: FloatArray) -> highspy.HighsLp:
    """Columns: y of every task, x of every transfer. Rows: budget, targets, needs."""
    transfers, tasks = instance.sources.shape
    needing, needed = np.nonzero(instance.sources)
    needs, need = np.unique(instance.target[needing] * tasks + needed, return_inverse=True)
    first_need = 1 + instance.num_targets
    everyone, number = np.arange(tasks), np.arange(len(needs))
    rows = np.concatenate([np.zeros(tasks), 1 + instance.target, first_need + need, first_need + number])
    columns = np.concatenate([everyone, tasks + np.arange(transfers), tasks + needing, needs % tasks])
    values = np.concatenate(
        [np.where(cost < _LEAST_SHARE, 0.0, cost), np.ones(transfers + len(needing)), -np.ones(len(needs))]
    )
    rows, columns, values = rows[values != 0], columns[values != 0], values[values != 0]
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


class _Quiet(highspy.Highs):
    """HiGHS without a word on the standard output, its banner included."""

    def enableCallbacks(self) -> None:  # noqa: N802 - the name is HiGHS's
        """Since 1.16 part of the making of a `Highs`, which prints the banner unless told not to."""
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call] # highspy annotates only in part


def _highs(program: highspy.HighsLp, integers: int = 0) -> highspy.Highs:
    """A HiGHS of its own for the program, with the first `integers` columns integer."""
    highs = _Quiet()  # type: ignore[no-untyped-call] # highspy annotates only in part
    options: dict[str, Any] = {
        "output_flag": False,
        "threads": 1,  # one answer whatever the machine, and no pool to start for a problem of milliseconds
        # It throws warm starts away, gains no time on these programs, and has called worse plans optimal:
        # with costs far apart, in 1.14.0 also without (https://github.com/ERGO-Code/HiGHS/issues/3073).
        "presolve": "off",
        "primal_feasibility_tolerance": _TOLERANCE,
        "dual_feasibility_tolerance": 1e-10,
    }
    if integers:
        options |= {"mip_rel_gap": 0.0, "mip_abs_gap": 0.0, "mip_feasibility_tolerance": _TOLERANCE}
        if highs.getOptionValue(_JUMP)[0] == highspy.HighsStatus.kOk:  # since 1.11
            options[_JUMP] = False  # it takes 20 ms, ten times as long as a whole search without it
    else:
        # Entries are 1 and -1, so that scaling has nothing to do.
        options |= {"solver": "simplex", "simplex_scale_strategy": 0}
    for option, value in options.items():
        _check(highs.setOptionValue(option, value), f"setOptionValue({option})")
    _check(highs.passModel(program), "passModel")
    for column in range(integers):
        kind = highspy.HighsVarType.kInteger
        _check(highs.changeColIntegrality(column, kind), "changeColIntegrality")
    return highs


def _add(highs: highspy.Highs, *rows: _Row) -> None:
    for row in rows:
        kept = np.abs(row.values) > _SMALLEST
        columns, values = row.columns[kept].astype(np.int32), row.values[kept]
        _check(highs.addRow(row.lower, row.upper, len(columns), columns, values), "addRow")


def _set_budget(highs: highspy.Highs, limit: int, unit: int) -> None:
    """Set the right side of the budget's row; its entries are rounded by less than HiGHS's tolerance.

    Any slack would make the relaxation fractional: half a unit more always has a use.
    """
    _check(highs.changeRowBounds(0, -np.inf, limit / unit), "changeRowBounds")


def _run(highs: highspy.Highs, deadline: float | None) -> highspy.HighsModelStatus:
    """Run HiGHS in a thread of its own, and say how it ended.

    HiGHS keeps its pool of workers for each thread that calls it, of the size that the first run asked for,
    and refuses every later run that asks for another one. In its own thread, this run neither meets the pool
    of anybody else's model nor leaves one behind; it takes 0.04 ms.

    Raises:
        SolverError: the run failed.
    """
    seconds = np.inf
    if deadline is not None:  # HiGHS counts the seconds of all its runs together
        seconds = highs.getRunTime() + max(0.0, deadline - time.perf_counter())
    _check(highs.setOptionValue("time_limit", seconds), "setOptionValue(time_limit)")
    ended = [highspy.HighsStatus.kError]
    for _ in range(_TRIES):
        thread = Thread(target=lambda: ended.append(highs.run()), name="taxsolver-highs", daemon=True)
        thread.start()
        thread.join()
        # A warning is how a time limit ends: the status of the model tells.
        if ended[-1] in (highspy.HighsStatus.kOk, highspy.HighsStatus.kWarning):
            return highs.getModelStatus()
        _check(highs.clearSolver(), "clearSolver")  # the basis of an earlier run may have misled this one
    raise _failure("run", ended[-1])


def _check(status: highspy.HighsStatus, call: str) -> None:
    """Refuse to go on where HiGHS did not do what it was told.

    Raises:
        SolverError: the message names the call.
    """
    if status != highspy.HighsStatus.kOk:
        raise _failure(call, status)


def _failure(call: str, status: highspy.HighsStatus) -> SolverError:
    version = _Quiet().version()  # type: ignore[no-untyped-call] # highspy annotates only in part
    return SolverError(f"HiGHS {version} answered {call} with {status.name}: nothing is solved")


class PlanProgram:
    """The program of an instance with rows and objectives of one's own, by branch and bound.

    For questions that `PlanModel` does not answer: which of the best plans is the first by further criteria,
    or what a plan is worth at the worst. Columns: y of every task, 0 or 1, then x of every transfer.

    HiGHS keeps rows to a tolerance only. The costs are summed exactly; for other rows leave some slack and
    let `accepts` decide: sources that it refuses are cut off one by one, or with all their subsets.

    Attributes:
        num_tasks: number of columns y.
        accepts: whether bool (tasks,) may be chosen, beyond what the rows say; may be replaced at any time.
        monotone: whether all that contains accepted sources is accepted: subsets of refused ones are cut off.

    Args:
        instance: transfers and costs; the weights count only where an objective or a row names them.
        budget: largest total cost of the sources, their costs summed as decimals.
        accepts: the attribute.
        monotone: the attribute.
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
        self._highs = _highs(_program(instance, nothing, cost), integers=self.num_tasks)
        _add(self._highs, *_at_most_rows(instance))
        self._set_limit(self._costs.limit(budget))

    def add_row(
        self, columns: IntArray, values: FloatArray, *, lower: float = -np.inf, upper: float = np.inf
    ) -> None:
        """Constrain the sum of values times columns to lie between two bounds."""
        _add(self._highs, _Row(columns, values, lower, upper))

    def on_sources(self, amount: FloatArray) -> FloatArray:
        """float64 (tasks + transfers,): an objective that counts float64 (tasks,) for every chosen source."""
        return np.concatenate([amount, np.zeros(self._highs.getNumCol() - self.num_tasks)])

    def best(self, objective: FloatArray, deadline: float | None = None) -> BoolArray | None:
        """Bool (tasks,): the accepted sources of the largest objective; None where there are none.

        Args:
            objective: float64 (tasks + transfers,).
            deadline: on the clock of `time.perf_counter`; None for none.

        Raises:
            TimeLimitError: the deadline passed before that.
            SolverError: HiGHS failed.
        """
        columns = np.arange(len(objective), dtype=np.int32)
        _check(self._highs.changeColsCost(len(objective), columns, objective), "changeColsCost")
        while (status := _run(self._highs, deadline)) == _Status.kOptimal:
            chosen = np.array(self._highs.getSolution().col_value[: self.num_tasks]) > 0.5
            if self._costs.total(chosen) > self._limit:
                _add(self._highs, *_budget_rows(self._costs.amounts, chosen, self._limit))
            elif self.accepts(chosen):
                return chosen
            elif self.monotone:
                outside = np.flatnonzero(~chosen)
                _add(self._highs, _Row(outside, np.ones(len(outside)), 1.0, np.inf))
                continue
            _add(self._highs, _other_than(chosen))
        if status == _Status.kTimeLimit:
            raise TimeLimitError("the time limit passed before any plan was found: allow more time")
        if status not in _NO_PLAN:
            raise SolverError(f"HiGHS ended with {status.name}: nothing is proven")
        return None

    def cheapest(self, deadline: float | None = None) -> BoolArray | None:
        """Bool (tasks,): accepted sources of the least total cost; the program keeps no dearer ones.

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
        limit, rows = self._costs.total(found), self._highs.getNumRow()
        while _SEEN * self._unit > 1 and limit > 0:  # a cheaper one may be too near for HiGHS to see
            self._set_limit(limit - 1)
            cheaper = self.best(least, deadline)
            added = np.arange(rows, self._highs.getNumRow(), dtype=np.int32)  # they do not hold for `limit`
            _check(self._highs.deleteRows(len(added), added), "deleteRows")
            if cheaper is None:
                break
            found, limit = cheaper, self._costs.total(cheaper)
        self._set_limit(limit)
        return found

    def _set_limit(self, limit: int) -> None:
        self._limit = limit
        _set_budget(self._highs, limit, self._unit)


class WorstProgram:
    """Sources and one transfer for each target, so that the worst draws are best on average.

        maximise   eta - sum of z_d / worst
        subject to the rows of a plan, and for every draw d:  z_d >= eta - sum of weight_de x_e
                   x, y binary, z at least 0

    At the optimum it is the mean of the `worst` smallest values among the draws: their conditional value at
    risk (Rockafellar and Uryasev, Journal of Risk 2000). The transfers are chosen before the draw is known,
    so `x` is binary here.

    Args:
        instance: transfers and costs; its weights do not count.
        weights: float64 (draws, transfers); what each transfer is worth in each draw.
        worst: over how many of the worst draws the mean is taken, at least 1.
    """

    def __init__(self, instance: Instance, weights: FloatArray, worst: int) -> None:
        self.instance, self._weights, self._worst = instance, weights, worst
        self._unit = float(np.abs(weights).max()) or 1.0
        self._tasks, self._transfers = len(instance.cost), len(instance.weight)

    def value(self, transfers: IntArray) -> float:
        """The mean of the worst draws, for int (targets,) transfers."""
        values = sorted(math.fsum(draw) for draw in self._weights[:, transfers].tolist())
        return math.fsum(values[: self._worst]) / self._worst

    def solve(self, budget: float, start: Sequence[Choice], time_limit: float | None = None) -> Choice:
        """The best choice for a budget.

        Args:
            budget: largest total cost, with what every plan takes; costs are summed as decimals.
            start: choices within the budget, at least one; the best is the answer where none is better.
            time_limit: seconds; None for no limit.

        Raises:
            SolverError: HiGHS failed.
        """
        deadline = None if time_limit is None else time.perf_counter() + time_limit
        costs = self.instance.costs
        limit = costs.limit(budget)
        valued = [replace(one, value=self.value(one.transfers)) for one in start]
        best = max(valued, key=lambda one: one.value)
        highs = self._program(limit)
        while True:
            status = _run(highs, deadline)
            info = highs.getInfo()
            bound = _dual_bound(info, status) * self._unit
            if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
                break
            solution = np.array(highs.getSolution().col_value[self._tasks : self._tasks + self._transfers])
            # One transfer of each target, the largest x: they are 0 or 1 but for the tolerance.
            ranked = np.lexsort((-solution, self.instance.target))
            transfers = ranked[np.unique(self.instance.target[ranked], return_index=True)[1]]
            chosen = self.instance.used(transfers)
            dear = costs.total(chosen) > limit
            if not dear:
                value = self.value(transfers)
                if value > best.value:
                    best = Choice(chosen, transfers, value, np.inf, UNPROVEN)
            if not dear or status != _Status.kOptimal:
                break
            _add(highs, *_budget_rows(costs.amounts, chosen, limit))
        if status == _Status.kOptimal and bound - best.value <= TIE * self._unit * self.instance.num_targets:
            return _proven(best)
        ended = TIME_LIMIT if status == _Status.kTimeLimit else UNPROVEN
        most = float(self._weights.mean(axis=0).max()) * self.instance.num_targets
        return replace(best, bound=max(best.value, min(bound, most)), status=ended)

    def _program(self, limit: int) -> highspy.Highs:
        costs, binary = self.instance.costs, self._tasks + self._transfers
        affordable = (costs.amounts <= limit).astype(bool)
        unit = int(costs.amounts[affordable].max(initial=0)) or 1
        amounts = np.where(affordable, costs.amounts, 0)
        program = _program(self.instance, np.zeros(binary), (amounts / unit).astype(float))
        program.col_upper_ = np.concatenate([affordable, ~self._beaten()]).astype(float)
        highs = _highs(program, integers=binary)
        _set_budget(highs, limit, unit)
        _add(highs, *_at_most_rows(self.instance))
        draws, largest = len(self._weights), float(self.instance.num_targets)
        nothing = np.zeros(0)
        empty = nothing.astype(np.int32)
        _check(highs.addCol(1.0, -largest, largest, 0, empty, nothing), "addCol")
        for _ in range(draws):
            _check(highs.addCol(-1.0 / self._worst, 0.0, 2 * largest, 0, empty, nothing), "addCol")
        every = np.arange(self._tasks, binary)
        for draw, weight in enumerate(self._weights / self._unit):
            columns = np.concatenate([every, [binary, binary + 1 + draw]])
            _add(highs, _Row(columns, np.concatenate([weight, [-1.0, 1.0]]), 0.0, np.inf))
        return highs

    def _beaten(self) -> BoolArray:
        """Bool (transfers,): another one of the target, from no other sources, is as good in every draw."""
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


class ChainProgram:
    """Plans for rising budgets of which each keeps the sources of the one before, as one program.

        maximise   sum of the objectives of all periods
        subject to the rows of a plan for every period, each with its own budget
                   y_sp is at most y_s(p+1): what is supervised stays so

    With binary `y` each target takes its heaviest transfer in each period, so `x` may stay continuous. As in
    `PlanModel`, HiGHS proposes, and what its proposals cost and are worth is worked out exactly.

    Args:
        instance: transfers, weights and costs, the same in every period.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._unit = (float(np.abs(instance.weight).max()) or 1.0) / _SCALE

    def worked_out(self, proposed: Sequence[BoolArray]) -> list[Choice] | None:
        """The choice of each period from proposed sources, unproven; None where a target is not served."""
        chain, kept = [], self.instance.required
        for sources in proposed:
            transfers = self.instance.best_transfers(self.instance.without_idle(sources | kept))
            if transfers is None:
                return None
            kept = kept | self.instance.used(transfers)
            value = float(exact_sum(self.instance.weight[transfers].tolist()))
            chain.append(Choice(kept, transfers, value, value, UNPROVEN))
        return chain

    def solve(
        self, budgets: Sequence[float], start: Sequence[BoolArray], time_limit: float | None = None
    ) -> tuple[list[Choice], float, str]:
        """The best chain, the bound of the sum of its objectives, and its status.

        Args:
            budgets: largest total costs, rising.
            start: sources of each period of a chain within the budgets; the answer where none is better.
            time_limit: seconds; None for no limit.

        Raises:
            SolverError: HiGHS failed, or `start` serves not every target.
        """
        deadline = None if time_limit is None else time.perf_counter() + time_limit
        best = self.worked_out(start)
        if best is None:
            raise SolverError("the chain to start from serves not every target")
        instance, periods, tasks = self.instance, len(budgets), len(self.instance.cost)
        costs = instance.costs
        limits = [costs.limit(budget) for budget in budgets]
        highs = self._program(limits)
        bound, status = np.inf, _Status.kUnknown
        for _ in range(_ROUNDS):
            status = _run(highs, deadline)
            if status in _NO_PLAN:  # but for those that were looked at before
                return best, self._value(best), OPTIMAL
            info = highs.getInfo()
            if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
                break
            bound = min(bound, _dual_bound(info, status))
            values = np.array(highs.getSolution().col_value[: periods * tasks])
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
                for row in _budget_rows(costs.amounts, chosen, limits[period]):
                    _add(highs, replace(row, columns=row.columns + period * tasks))
            if chain is not None and not dear and self._value(chain) > self._value(best):
                best = chain
            if status != _Status.kOptimal:
                break
            # The preference for cheaper sets is worth at most one tie a period.
            if bound * self._unit - self._value(best) <= 3 * TIE * _SCALE * self._unit * periods:
                return best, self._value(best), OPTIMAL
            if not dear:
                _add(highs, _other_than(proposed.ravel()))
        most = periods * float(instance.heaviest().sum())
        least = max(self._value(best), min(most, bound * self._unit + TIE * _SCALE * self._unit * periods))
        return best, least, TIME_LIMIT if status == _Status.kTimeLimit else UNPROVEN

    def _value(self, chain: Sequence[Choice]) -> float:
        return math.fsum(one.value for one in chain)

    def _program(self, limits: Sequence[int]) -> highspy.Highs:
        """The program of all periods side by side: y of every period and task, then x likewise."""
        instance, periods = self.instance, len(limits)
        transfers, tasks = instance.sources.shape
        blocks = np.eye(periods, dtype=bool)
        whole = replace(
            instance,
            sources=np.kron(blocks, instance.sources),
            target=np.concatenate(
                [instance.target + period * instance.num_targets for period in range(periods)]
            ),
            weight=np.tile(instance.weight, periods),
            cost=np.tile(instance.cost, periods),
            required=np.tile(instance.required, periods),
            num_targets=periods * instance.num_targets,
            at_most=(),
        )
        amounts = instance.costs.amounts
        share = (amounts / (int(amounts.sum()) or 1)).astype(float)
        objective = np.concatenate([np.tile(-TIE * _SCALE * share, periods), whole.weight / self._unit])
        program = _program(whole, objective, np.zeros(periods * tasks))
        upper = np.concatenate([(amounts <= limit).astype(float) for limit in limits])
        program.col_upper_ = np.concatenate([upper, np.ones(periods * transfers)])
        highs = _highs(program, integers=periods * tasks)
        for period, limit in enumerate(limits):
            first = period * tasks
            affordable = np.flatnonzero((amounts <= limit).astype(bool) & (amounts > 0).astype(bool))
            if len(affordable):
                unit = int(amounts[affordable].max())
                values = (amounts[affordable] / unit).astype(float)
                values[values < _LEAST_SHARE] = 0.0  # the exact sum decides
                _add(highs, _Row(first + affordable, values, -np.inf, limit / unit))
            for row in _at_most_rows(instance):
                _add(highs, replace(row, columns=first + row.columns))
            if period:
                for task in range(tasks):
                    columns = np.array([first - tasks + task, first + task])
                    _add(highs, _Row(columns, np.array([1.0, -1.0]), -np.inf, 0.0))
        return highs
