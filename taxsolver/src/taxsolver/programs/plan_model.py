"""The binary integer program of a plan.

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

HiGHS meets rows within a tolerance, so it only proposes sources. Their cost is summed in whole numbers
(`Costs`), their objective is computed again, and a proposal that costs too much is cut off by a row that it
clearly violates. An answer counts as proven only if HiGHS ended with kOptimal.
"""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction

import numpy as np

from taxsolver.errors import SolverError, TimeLimitError
from taxsolver.programs.choice import OPTIMAL, ROUNDS, SCALE, TIE, TIME_LIMIT, UNPROVEN, Choice
from taxsolver.programs.costs import exact_sum
from taxsolver.programs.greedy import greedy_sources
from taxsolver.programs.highs import NO_PLAN, RESOLVED, Solver, Status, plan_program
from taxsolver.programs.instance import BoolArray, Instance, IntArray
from taxsolver.programs.rows import INTEGRAL, Row, at_most_rows, budget_rows, not_all, other_than

_LARGE = 2_000  # number of transfers from which a greedy first plan saves time
_MARGIN = 1e-4  # share of the program's objective: far above the sum of its tolerances, and above every tie
_SAME_SCALE = 1000  # largest accepted ratio of the dearest source and the unit of the budget's row


class PlanModel:
    """One instance in HiGHS, solved for one budget after another.

    Args:
        instance: transfers, weights and costs, preferably without dominated transfers.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        largest = float(np.abs(instance.weight).max())
        self._unit = (largest or 1.0) / SCALE
        self._strength = TIE * SCALE if largest else SCALE  # strength of the preference for cheaper sets
        self._forbidden: list[IntArray] = []
        self._cuts: list[tuple[int, list[Row]]] = []  # rows that are valid for limits up to a number
        self._cheapest: list[Choice | None] = []  # filled by the first call
        self._write(np.ones(len(instance.cost), dtype=bool))

    def forbid(self, chosen: BoolArray) -> None:
        """Exclude every plan whose sources include all of these."""
        columns = np.flatnonzero(chosen & ~self.instance.required)
        self._forbidden.append(columns)
        self._relaxation.add(not_all(columns))

    def solve(self, budget: float | Fraction, time_limit: float | None = None) -> Choice | None:
        """Find the best plan for a budget, the cheapest of ties; None if there is no plan.

        Args:
            budget: largest total cost, including `fixed`; costs are summed as decimals.
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
        # HiGHS may be wrong about infeasibility; the cheapest plan decides.
        cheapest = None if self._forbidden else self._least()
        if cheapest is None or costs.total(cheapest) > limit:
            return None
        plan = self._worked_out(cheapest)
        return plan and replace(plan, bound=float(self.instance.heaviest().sum()))

    def least_budget(self) -> float | None:
        """Compute the cost of the cheapest plan; None if no budget suffices.

        Raises:
            SolverError: HiGHS failed.
        """
        cheapest, costs = self._least(), self.instance.costs
        return None if cheapest is None else costs.number(costs.total(cheapest))

    def cheapest(self, time_limit: float | None = None) -> BoolArray | None:
        """Find the sources of least cost that serve every target, bool (tasks,); None if there are none.

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
        """Find the cheapest of the plans that tie with a proven one.

        The objective prefers cheaper sets only as finely as HiGHS resolves it. So the search continues for
        plans that cost at least one unit less, until there is none.
        """
        costs, floor = self.instance.costs, best.value - TIE * SCALE * self._unit
        while self._strength < RESOLVED * self._preferred_costs and costs.total(best.chosen) > 0:
            try:
                other = self._best(costs.total(best.chosen) - 1, deadline, floor)
            except TimeLimitError:
                break
            if other is None or other.value < floor:
                break
            best = other.proven()
        return best

    def _best(self, limit: int, deadline: float | None, floor: float = -np.inf) -> Choice | None:
        """Find the best plan within an exact limit; None if no plan exists or reaches `floor`."""
        if self.instance.costs.total(self.instance.required) > limit:
            return None
        self._set_limit(limit)
        proposals: set[bytes] = set()
        while True:
            status = self._relaxation.run(deadline)
            solved = status == Status.kOptimal
            bound = self._relaxation.objective if solved else np.inf
            if status in NO_PLAN or self._largest_value(bound) < floor:
                return None
            values = self._relaxation.values(0, len(self.instance.cost))
            integral = solved and np.abs(values - values.round()).max() <= INTEGRAL
            plan = self._worked_out(values > 0.5) if integral else None
            if plan is not None and self._affords(plan, limit):
                if self._is_proof(plan, bound):
                    return plan.proven()
                plan = None  # a `y` is fractional within the tolerance
            if plan is None or plan.chosen.tobytes() in proposals:
                return self._branch(limit, deadline, bound, floor)
            proposals.add(plan.chosen.tobytes())

    def _branch(self, limit: int, deadline: float | None, relaxed: float, floor: float) -> Choice | None:
        """Solve by branch and bound; `relaxed` is the objective of the relaxation."""
        highs, best = self._program_of(limit, relaxed, floor)
        bound, status = relaxed, Status.kUnknown
        for _ in range(ROUNDS):
            status = highs.run(deadline)
            if status in NO_PLAN:  # except for plans that were evaluated before
                return None if best is None else best.proven()
            if not highs.has_solution:
                break
            bound = min(relaxed, highs.bound(status))
            proposed = highs.values(0, len(self.instance.cost)) > 0.5
            plan = self._worked_out(proposed)
            if plan is not None and not self._affords(plan, limit):
                highs.add(*self._cuts[-1][1])
            elif plan is not None and (best is None or self._own(plan) > self._own(best)):
                best = plan
            if status != Status.kOptimal:
                break
            if best is not None and self._is_proof(best, bound):
                return best.proven()
            highs.add(other_than(proposed))  # its objective is lower than HiGHS's value, or it costs too much
        # HiGHS stopped early: the plan of the greedy search may be better, or the only one.
        quick = greedy_sources(self.instance, self.instance.costs.exact(limit), self._forbidden)
        plan = None if quick is None else self._worked_out(quick)
        if plan is not None and (best is None or plan.value > best.value):
            best = plan
        if best is None and status == Status.kTimeLimit:
            raise TimeLimitError("the time limit passed before any plan was found: allow more time")
        if best is None:
            raise SolverError(f"HiGHS ended with {status.name} and without a plan")
        if self._is_proof(best, relaxed):
            return best.proven()
        ended = TIME_LIMIT if status == Status.kTimeLimit else UNPROVEN
        return replace(best, bound=max(best.value, self._largest_value(bound)), status=ended)

    def _program_of(self, limit: int, relaxed: float, floor: float) -> tuple[Solver, Choice | None]:
        """The program of branch and bound, and an optional plan to start from."""
        if floor == -np.inf and len(self.instance.weight) >= _LARGE and np.isfinite(relaxed):
            started = self._without_hopeless(limit, relaxed)
            if started is not None:
                return started
        highs = Solver(self._program, integers=len(self.instance.cost))
        self._set_bounds(highs, limit)
        highs.add(*self._rows())
        if floor > -np.inf:
            columns = np.arange(len(self.instance.cost), len(self.instance.cost) + len(self.instance.weight))
            lower = floor / self._unit - TIE * SCALE
            highs.add(Row(columns, self.instance.weight / self._unit, lower, np.inf))
        return highs, None

    def _without_hopeless(self, limit: int, relaxed: float) -> tuple[Solver, Choice] | None:
        """Find a first plan and drop columns that no better plan uses; None if no first plan is found.

        A column that is 0 in the relaxation and would lower its objective below that of the plan is 0 in
        every better plan (reduced-cost fixing). Plans that tie with the first plan remain possible.
        """
        tasks = len(self.instance.cost)
        values, costs = self._relaxation.values(0, tasks), self.instance.costs
        chosen, left = self.instance.required.copy(), limit - costs.total(self.instance.required)
        for task in np.argsort(-values, kind="stable").tolist():  # highest value in the relaxation first
            if not chosen[task] and costs.amounts[task] <= left:
                chosen[task] = True
                if not self._is_allowed(chosen):
                    chosen[task] = False
                else:
                    left -= int(costs.amounts[task])
        quick = greedy_sources(self.instance, costs.exact(limit), self._forbidden)
        plans = [self._worked_out(one) for one in (chosen, quick) if one is not None]
        plan = max(
            (one for one in plans if one is not None and costs.total(one.chosen) <= limit),
            key=lambda one: one.value,
            default=None,
        )
        fall = self._relaxation.reduced_costs()
        if plan is None or not self._is_allowed(plan.chosen) or len(fall) != self._relaxation.num_columns:
            return None
        hopeless = fall > relaxed - self._own(plan) + _MARGIN
        kept = np.flatnonzero(~hopeless[tasks:])
        small = self.instance.rows(kept)
        objective = np.concatenate([-self._preference, small.weight / self._unit])
        highs = Solver(plan_program(small, objective, self._cost_row), integers=tasks)
        highs.set_budget(limit, self._row_unit)
        affordable = (costs.amounts <= limit).astype(bool) & ~hopeless[:tasks]
        highs.set_bounds(self.instance.required.astype(float), affordable.astype(float))
        read = np.zeros(len(kept))
        read[np.searchsorted(kept, plan.transfers)] = 1.0
        highs.add(*self._rows())
        highs.start_from(np.concatenate([plan.chosen.astype(float), read]))
        return highs, plan

    def _is_allowed(self, chosen: BoolArray) -> bool:
        """True if the sources satisfy every row of `at_most` and contain no forbidden set."""
        return self.instance.allows(chosen) and not any(chosen[group].all() for group in self._forbidden)

    def _worked_out(self, proposed: BoolArray) -> Choice | None:
        """Evaluate proposed sources, without a proof; None if they do not serve every target."""
        transfers = self.instance.best_transfers(self.instance.without_idle(proposed))
        if transfers is None:
            return None
        value = float(exact_sum(self.instance.weight[transfers].tolist()))
        return Choice(self.instance.used(transfers), transfers, value, np.inf, UNPROVEN)

    def _affords(self, plan: Choice, limit: int) -> bool:
        """Check that a plan costs no more than the limit; if it costs more, cut it off."""
        if self.instance.costs.total(plan.chosen) <= limit:
            return True
        rows = budget_rows(self.instance.costs.amounts, plan.chosen, limit)
        self._cuts.append((limit, rows))
        self._relaxation.add(*rows)
        return False

    def _is_proof(self, plan: Choice, bound: float) -> bool:
        """True if a bound of the program's objective rules out better plans, up to ties."""
        return bound - self._own(plan) <= 2 * TIE * SCALE

    def _own(self, plan: Choice) -> float:
        """Objective of the program for a plan: its value less the preference for cheaper sets."""
        return plan.value / self._unit - float(self._preference[plan.chosen].sum())

    def _largest_value(self, bound: float) -> float:
        """Bound the value of any plan by a bound of the program's objective."""
        return min(float(self.instance.heaviest().sum()), (bound + self._strength) * self._unit)

    def _set_limit(self, limit: int) -> None:
        """Set the budget's row, in a unit in which the dearest affordable source is about 1.

        A source that costs far more than the budget is left out: it would set the scale of the budget's row,
        and the other costs would be below HiGHS's tolerances.
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
        preferred = np.where(required, 0, amounts)  # required sources are in all plans
        self._preferred_costs = int(preferred.sum())
        self._preference = self._strength * (preferred / (self._preferred_costs or 1)).astype(float)
        objective = np.concatenate([-self._preference, self.instance.weight / self._unit])
        self._cost_row = (amounts / self._row_unit).astype(float)
        self._program = plan_program(self.instance, objective, self._cost_row)
        self._relaxation = Solver(self._program)
        self._relaxation.add(*self._rows())

    def _rows(self) -> list[Row]:
        """Rows added to the program: forbidden sets, and sets that cost too much."""
        return [
            *at_most_rows(self.instance),
            *(not_all(columns) for columns in self._forbidden),
            *(row for _, rows in self._cuts for row in rows),
        ]

    def _largest_amount(self, affordable: BoolArray) -> int:
        amounts = self.instance.costs.amounts[affordable]
        return int(amounts.max()) or 1 if len(amounts) else 1

    def _set_bounds(self, highs: Solver, limit: int) -> None:
        highs.set_budget(limit, self._row_unit)
        affordable = (self.instance.costs.amounts <= limit).astype(float)
        highs.set_bounds(self.instance.required.astype(float), affordable)
