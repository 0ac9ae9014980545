"""Pareto front of cost and objective: all plans that no other plan beats in both."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any, Unpack

from taxsolver.arguments import check_number
from taxsolver.errors import TimeLimitError
from taxsolver.planning.objective import Objective
from taxsolver.planning.options import BY_THE_GOAL, PlanOptions
from taxsolver.planning.problem import Problem
from taxsolver.planning.solve import infeasible
from taxsolver.planning.taxonomy import Taxonomy
from taxsolver.programs.choice import OPTIMAL
from taxsolver.programs.plan_model import PlanModel
from taxsolver.tensors.affinity import Names
from taxsolver.tensors.store import AffinityInput

_FREE = 1e-6  # budget of a plan that costs nothing, as budgets must be positive


def front(
    affinity: AffinityInput,
    targets: Names = "all",
    *,
    max_order: int | None = 4,
    time_limit: float | None = None,
    **options: Unpack[PlanOptions],
) -> list[Taxonomy]:
    """Find all plans that no other plan of the same or lower cost equals or beats, the cheapest first.

    Each is proven: it is the best of its cost, and every cheaper plan has a lower objective. Plans whose
    objectives differ by less than 1e-9 of the largest weight count as ties, of which the cheapest is taken.

    Args:
        affinity: a tensor, or what `load_affinity` takes.
        targets: tasks to solve.
        max_order: largest number of sources of one transfer; None for no limit.
        time_limit: seconds in total; None for no limit. When it passes, the cheapest plans are missing, and
            the last plan found may be unproven.
        options: the other parameters of `Problem.of`, but `min_gain`; the objective is by default the gain.

    Returns:
        Taxonomies; the budget of each is its cost.

    Raises:
        UnknownTaskError: a name is not known.
        InvalidInputError: a value is not allowed, or a target cannot be served with any budget.
        InfeasibleBudgetError: no plan serves every target.
        TimeLimitError: the time limit passed before any plan was found.
        SolverError: HiGHS failed.

    Examples:
        >>> import taxsolver
        >>> rows = taxsolver.front("taskonomy-16k", targets="normals,depth,reshading")
        >>> [row.sources for row in rows][:2]
        [('reshading',), ('depth_euclidean', 'normal')]
    """
    start = time.perf_counter()
    if time_limit is not None:
        check_number(time_limit, "time_limit", zero=False)
    named = options.get("objective", BY_THE_GOAL)
    if isinstance(named, str) and named == BY_THE_GOAL:
        options["objective"] = Objective.GAIN
    problem = Problem.of(affinity, targets, 1.0, max_order=max_order, **options)
    instance, kept = problem.instance.without_dominated()
    costs, model = instance.costs, PlanModel(instance)
    limit = int(costs.amounts.sum())
    plans: list[Taxonomy] = []
    while limit >= 0:
        begun = time.perf_counter()
        left = None if time_limit is None else time_limit - (begun - start)
        try:
            choice = model.solve(costs.exact(limit), left)
        except TimeLimitError:
            if not plans:
                raise
            break
        if choice is None:
            break
        # Budgets fall: the next plan must cost at least one unit less than this one.
        limit = costs.total(choice.chosen) - 1
        budget = max(_FREE, costs.number(costs.total(choice.chosen)))
        asked = problem.with_budget(budget, largest=float("inf"))
        seconds = time.perf_counter() - begun
        plans.append(Taxonomy.of(asked, choice, kept[choice.transfers], seconds))
        if choice.status != OPTIMAL:
            break
    if not plans:
        raise infeasible(problem, None)
    return plans[::-1]


def front_to_dict(plans: Sequence[Taxonomy]) -> dict[str, Any]:
    """Return a front as plain values for JSON: its unit, and one row a plan.

    Args:
        plans: what `front` returns.
    """
    return {"unit": plans[0].problem.unit, "plans": [front_row(plan) for plan in plans]}


def front_row(plan: Taxonomy) -> dict[str, Any]:
    """Return a plan of a front as one row of a table; measures that are unknown are None."""
    measures = {"objective": plan.objective, "gain": plan.gain, "quality": plan.quality}
    return {
        "cost": plan.cost,
        **{name: None if math.isnan(value) else value for name, value in measures.items()},
        "labels": plan.labels,
        "sources": list(plan.sources),
        "status": plan.status,
    }
