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

Large instances, whose relaxations are rarely integral, are solved by `BranchAndCut`, which needs far fewer
columns; the program above remains for what that does not prove.

HiGHS meets rows within a tolerance, so it only proposes sources. Their cost is summed in whole numbers
(`Costs`), their objective is computed again, and a proposal that costs too much is cut off by a row that it
clearly violates. An answer counts as proven only if HiGHS ended with kOptimal.
"""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from taxsolver.errors import SolverError, TimeLimitError
from taxsolver.programs.branch_and_cut import BranchAndCut
from taxsolver.programs.choice import OPTIMAL, ROUNDS, SCALE, TIE, TIME_LIMIT, UNPROVEN, Choice
from taxsolver.programs.costs import exact_sum
from taxsolver.programs.cut_program import CutProgram
from taxsolver.programs.greedy import greedy_sources
from taxsolver.programs.highs import NO_PLAN, RESOLVED, Solver, Status, plan_program
from taxsolver.programs.instance import BoolArray, Instance, IntArray
from taxsolver.programs.local_search import LocalSearch
from taxsolver.programs.readouts import Readouts
from taxsolver.programs.rows import (
    INTEGRAL,
    Row,
    at_most_rows,
    budget_rows,
    not_all,
    other_than,
    serving_rows,
)

LARGE = 2_000  # number of transfers from which cuts save time
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
        self._readouts: Readouts | None = None
        # The two programs are written when they are needed: most instances need only one.
        self._whole: Solver | None = None
        self._cut_program: CutProgram | None = None
        self._write(np.ones(len(instance.cost), dtype=bool))

    def forbid(self, chosen: BoolArray) -> None:
        """Exclude every plan whose sources include all of these."""
        columns = np.flatnonzero(chosen & ~self.instance.required)
        self._forbidden.append(columns)
        self._add(not_all(columns))

    def solve(self, budget: float | Fraction, time_limit: float | None = None) -> Choice | None:
        """Find the best plan for a budget, the cheapest of ties; None if there is no plan.

        Args:
            budget: largest total cost, including `fixed`; costs are summed as decimals.
            time_limit: seconds; None for no limit.

        Raises:
            TimeLimitError: the limit passed before any plan was found, or before it was proven that there is
                none.
            SolverError: HiGHS failed.
        """
        deadline = None if time_limit is None else time.perf_counter() + time_limit
        costs = self.instance.costs
        limit = costs.limit(budget)
        best = self._best(limit, deadline)
        if best is not None:
            return self._cheaper(best, deadline) if best.status == OPTIMAL else best
        # HiGHS may be wrong about infeasibility; the cheapest plan decides.
        cheapest = None if self._forbidden else self._least(deadline)
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
        unresolved = self._is_large or self._strength < RESOLVED * self._preferred_costs
        while unresolved and costs.total(best.chosen) > 0:
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
        if self._is_large:
            try:
                return self._cut(limit, deadline, floor)
            except SolverError:
                pass  # the whole program decides
        self._set_bounds(self._relaxation, limit)
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
        highs, best = self._program_with(limit, floor), None
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
        plan = self._quick(limit)
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

    def _program_with(self, limit: int, floor: float) -> Solver:
        """The program of branch and bound."""
        highs = Solver(self._program, integers=len(self.instance.cost))
        self._set_bounds(highs, limit)
        highs.add(*self._rows())
        if floor > -np.inf:
            columns = np.arange(len(self.instance.cost), len(self.instance.cost) + len(self.instance.weight))
            lower = floor / self._unit - TIE * SCALE
            highs.add(Row(columns, self.instance.weight / self._unit, lower, np.inf))
        return highs

    def _quick(self, limit: int) -> Choice | None:
        """Evaluate the plan of the greedy search; None if it finds none."""
        quick = greedy_sources(self.instance, self.instance.costs.exact(limit), self._forbidden)
        return None if quick is None else self._worked_out(quick)

    def _cut(self, limit: int, deadline: float | None, floor: float) -> Choice | None:
        """Solve by the cuts of `CutProgram`, which a large instance needs; as `_best` otherwise.

        Raises:
            TimeLimitError: the deadline passed before any plan was found.
            SolverError: HiGHS failed, or nothing is proven.
        """
        instance, costs = self.instance, self.instance.costs
        affordable = (costs.amounts <= limit).astype(float)
        program, first = self._cut_program, self._cut_program is None
        if program is None:
            readouts = self._readouts = self._readouts or Readouts.of(instance)
            if not np.isfinite(readouts.base).all():
                return None  # a target has no transfer
            program = CutProgram(readouts, self._unit, self._preference, self._cost_row, self._rows())
            self._cut_program = program
        program.set_budget(limit, self._row_unit)
        if first:
            share = min(1.0, limit / max(1, int(costs.amounts.sum())))
            for guess in (share, share / 2):
                program.prepare(np.full(len(affordable), guess))

        def evaluate(chosen: BoolArray) -> Choice | None:
            plan = self._worked_out(chosen) if self._is_allowed(chosen) else None
            if plan is None:
                program.add(*serving_rows(instance, chosen))
            elif not self._affords(plan, limit):
                plan = None
            return plan

        search = LocalSearch(instance, program.readouts, limit, self._forbidden)
        enough = floor / self._unit - self._strength - TIE * SCALE
        tree = BranchAndCut(program, search, evaluate, self._own, enough)
        found = tree.run(instance.required.astype(float), affordable, deadline)
        best = found.best
        if found.proven:
            return None if best is None else best.proven()
        if best is None and floor == -np.inf:
            best = self._quick(limit)
        if best is None:
            raise TimeLimitError("the time limit passed before any plan was found: allow more time")
        return replace(best, bound=max(best.value, self._largest_value(found.bound)), status=TIME_LIMIT)

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
        self._add(*rows)
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

    def _write(self, affordable: BoolArray) -> None:
        """Write the program with the costs of the affordable sources."""
        costs, required = self.instance.costs, self.instance.required
        self._row_unit = self._largest_amount(affordable)
        amounts = np.where(affordable, costs.amounts, 0)
        preferred = np.where(required, 0, amounts)  # required sources are in all plans
        self._preferred_costs = int(preferred.sum())
        self._preference = self._strength * (preferred / (self._preferred_costs or 1)).astype(float)
        self._cost_row = (amounts / self._row_unit).astype(float)
        self._whole = self._cut_program = None

    @property
    def _is_large(self) -> bool:
        """True if the whole program would be slow: then cuts come first."""
        return len(self.instance.weight) >= LARGE and bool(self.instance.weight.any())

    @property
    def _relaxation(self) -> Solver:
        """The relaxation of the whole program."""
        if self._whole is None:
            self._whole = Solver(self._program)
            self._whole.add(*self._rows())
        return self._whole

    @property
    def _program(self) -> Any:
        """The whole program."""
        objective = np.concatenate([-self._preference, self.instance.weight / self._unit])
        return plan_program(self.instance, objective, self._cost_row)

    def _add(self, *rows: Row) -> None:
        """Add rows of y to the programs that are written."""
        for program in (self._whole, self._cut_program):
            if program is not None:
                program.add(*rows)

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
