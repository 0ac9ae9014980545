"""Best taxonomies for all budgets and orders."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Unpack

from taxsolver.arguments import check_count, check_number, number_list
from taxsolver.errors import InvalidInputError, TimeLimitError
from taxsolver.planning.options import PlanOptions
from taxsolver.planning.problem import Problem
from taxsolver.planning.taxonomy import Taxonomy
from taxsolver.programs.choice import OPTIMAL, TIME_LIMIT
from taxsolver.programs.costs import decimal
from taxsolver.programs.plan_model import PlanModel
from taxsolver.tensors.affinity import Names
from taxsolver.tensors.store import AffinityInput, load_affinity

BUDGETS = range(1, 27)
ORDERS = range(1, 5)
INFEASIBLE = "infeasible"


@dataclass(frozen=True)
class SweepRow:
    """The best taxonomy of one budget and order.

    Attributes:
        budget: largest total label cost.
        max_order: largest number of sources of one transfer.
        taxonomy: the plan; None where none fits the budget, or none was found within the time limit.
        without: the status of a row without a plan: `infeasible` if none fits the budget, `time_limit` if
            none was found in time.
        unit: what the budget counts, as in `Problem`.
    """

    budget: float
    max_order: int
    taxonomy: Taxonomy | None
    without: str = INFEASIBLE
    unit: str | None = None

    @property
    def status(self) -> str:
        """The status of the plan, `optimal`, `time_limit` or `unproven`, or that of a row without one."""
        return self.taxonomy.status if self.taxonomy else self.without

    @property
    def objective(self) -> float:
        """Sum over targets of importance times measure; NaN without a plan."""
        return self.taxonomy.objective if self.taxonomy else math.nan

    @property
    def gain(self) -> float:
        """Mean gain over the targets, in [0, 1]; NaN without a plan."""
        return self.taxonomy.gain if self.taxonomy else math.nan

    @property
    def quality(self) -> float:
        """Mean quality over the targets, in [0, 1]; NaN without a plan."""
        return self.taxonomy.quality if self.taxonomy else math.nan

    @property
    def sources(self) -> tuple[str, ...]:
        """Supervised tasks; empty without a plan."""
        return self.taxonomy.sources if self.taxonomy else ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with None in place of NaN."""
        measures = {"objective": self.objective, "gain": self.gain, "quality": self.quality}
        counted: dict[str, Any] = {}
        if self.unit is not None:
            counted = {"unit": self.unit, "cost": self.taxonomy.cost if self.taxonomy else None}
        return {
            "budget": self.budget,
            "max_order": self.max_order,
            **{name: None if math.isnan(value) else value for name, value in measures.items()},
            "sources": list(self.sources),
            "status": self.status,
            **counted,
        }


def sweep(
    affinity: AffinityInput,
    budgets: float | Iterable[float] = BUDGETS,
    orders: int | Iterable[int] = ORDERS,
    *,
    targets: Names = "all",
    time_limit: float | None = None,
    **options: Unpack[PlanOptions],
) -> list[SweepRow]:
    """Find the best taxonomy of every budget and order, proven optimal unless its status says otherwise.

    Args:
        affinity: a tensor, or what `load_affinity` takes.
        budgets: largest total costs; a number is a list of one, as it is for `orders`.
        orders: largest numbers of sources of one transfer.
        targets: tasks to solve.
        time_limit: seconds for each instance; None for no limit.
        options: the other parameters of `Problem.of`, as for `solve`; a sweep takes no `min_gain`.

    Returns:
        Rows in the order of `orders`, then of `budgets`; a row has no plan if none fits its budget.

    Raises:
        UnknownTaskError: a name is not known.
        InvalidInputError: a value is not allowed, or a target cannot be served with any budget.
        SolverError: HiGHS failed.

    Examples:
        >>> import taxsolver
        >>> rows = taxsolver.sweep("taskonomy-16k", budgets=[1, 2], orders=4)
        >>> [(row.budget, row.sources) for row in rows]
        [(1, ('denoising',)), (2, ('denoising', 'edge_texture'))]
    """
    tensor = load_affinity(affinity)
    listed, ordered = number_list(budgets, "budgets"), number_list(orders, "orders")
    if not listed or not ordered:
        raise InvalidInputError("a sweep needs at least one budget and one order")
    for order in ordered:
        check_count(order, "max_order")
    if time_limit is not None:
        check_number(time_limit, "time_limit", zero=False)
    first = Problem.of(tensor, targets, listed[0], max_order=ordered[0], **options)
    if first.unit is not None and budgets is BUDGETS:
        raise InvalidInputError(
            f"the budgets 1 to 26 count tasks, and these costs count {first.unit or 'money'}: give budgets"
        )
    for budget in listed:
        check_number(budget, "budget", zero=False, largest=first.largest_budget)
    proven: list[Taxonomy] = []
    rows = {}
    for max_order in sorted(set(ordered), reverse=True):
        problem = replace(first, max_order=int(max_order))
        problem.instance  # noqa: B018 - computed here once, for all budgets
        problems = [problem.with_budget(budget) for budget in sorted(set(listed), reverse=True)]
        for row in _solve_falling(problems, proven, time_limit):
            rows[max_order, row.budget] = row
    return [rows[max_order, budget] for max_order in ordered for budget in listed]


def _solve_falling(
    problems: list[Problem], proven: list[Taxonomy], time_limit: float | None
) -> Iterator[SweepRow]:
    """Yield rows for problems that differ in their budget only, the largest budget first.

    The relaxation of one budget is a warm start for the next, and a better one if budgets fall: all 104
    instances of the published 16k tensor took 46 ms with falling budgets and 76 ms with rising ones.

    Args:
        problems: budgets falling.
        proven: optimal plans of larger orders or budgets; those found here are added.
        time_limit: seconds for each.
    """
    instance, kept = problems[0].instance.without_dominated()
    model = PlanModel(instance)
    for problem in problems:
        start, budget = time.perf_counter(), problem.budget or 0.0  # every problem of a sweep has a budget
        # An optimal plan of a larger order or budget that is still allowed is optimal here too.
        known = (
            plan
            for plan in proven
            if (plan.problem.budget or 0) >= budget
            and plan.exact_cost <= decimal(budget)
            and all(transfer.order <= (problem.max_order or 0) for transfer in plan.transfers)
        )
        taxonomy, without = next(known, None), INFEASIBLE
        if taxonomy is not None:
            taxonomy = replace(taxonomy, problem=problem, seconds=0.0)
        else:
            try:
                choice = model.solve(budget, time_limit)
            except TimeLimitError:
                choice, without = None, TIME_LIMIT
            if choice is not None:
                seconds = time.perf_counter() - start
                taxonomy = Taxonomy.of(problem, choice, kept[choice.transfers], seconds)
        if taxonomy is not None and taxonomy.status == OPTIMAL:
            proven.append(taxonomy)
        order = problem.max_order or len(problem.affinity.tasks)
        yield SweepRow(budget, order, taxonomy, without, problem.unit)
