"""Plans over several years: each keeps the labels of the one before."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import attrgetter
from typing import Any, Unpack

import numpy as np

from taxsolver.arguments import check_number, number_list
from taxsolver.errors import InvalidInputError, TimeLimitError
from taxsolver.planning.options import PlanOptions
from taxsolver.planning.problem import Problem
from taxsolver.planning.solve import infeasible
from taxsolver.planning.taxonomy import Taxonomy
from taxsolver.planning.time_shares import TimeShares
from taxsolver.programs.chain_program import ChainProgram
from taxsolver.programs.choice import OPTIMAL, Choice
from taxsolver.programs.instance import BoolArray, Instance
from taxsolver.programs.plan_model import PlanModel
from taxsolver.tensors.affinity import Names
from taxsolver.tensors.store import AffinityInput

_HARD = 100_000
"""Transfers in all periods above which the program is rarely proven: bounds of single plans are better."""


@dataclass(frozen=True)
class Chain:
    """Result of `taxsolver.chain`: three strategies for rising budgets.

    Attributes:
        best: the plans of all periods with the largest sum of objectives, where each plan keeps the sources
            of the one before.
        greedy: the best plan of the first budget, then for each budget the best that keeps those sources.
        free: the best plan of each budget by itself, which may drop sources of an earlier plan.
        status: of `best`, as in `Taxonomy`; the plans of `best` carry it too.
        bound: proven upper bound of the sum of the objectives of any such chain.
    """

    best: tuple[Taxonomy, ...]
    greedy: tuple[Taxonomy, ...]
    free: tuple[Taxonomy, ...]
    status: str
    bound: float

    @property
    def objective(self) -> float:
        """Sum of the objectives of the best chain."""
        return _total(self.best)

    @property
    def greedy_objective(self) -> float:
        """Sum of the objectives of the greedy chain."""
        return _total(self.greedy)

    @property
    def free_objective(self) -> float:
        """Sum of the objectives of the free plans."""
        return _total(self.free)

    @property
    def nesting_costs(self) -> float:
        """Sum of objectives of the free plans, less that of the best chain: the price of keeping sources."""
        return max(0.0, self.free_objective - self.objective)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "status": self.status,
            "objective": self.objective,
            "bound": self.bound if math.isfinite(self.bound) else None,
            "greedy_objective": self.greedy_objective,
            "free_objective": self.free_objective,
            "nesting_costs": self.nesting_costs,
            "periods": [
                {
                    "budget": best.problem.budget,
                    **{
                        name: {
                            "cost": plan.cost,
                            "objective": plan.objective,
                            "gain": None if math.isnan(plan.gain) else plan.gain,
                            "quality": None if math.isnan(plan.quality) else plan.quality,
                            "status": plan.status,
                            "sources": list(plan.sources),
                            "transfers": [transfer.to_dict() for transfer in plan.transfers],
                        }
                        for name, plan in (("best", best), ("greedy", greedy), ("free", free))
                    },
                }
                for best, greedy, free in zip(self.best, self.greedy, self.free, strict=True)
            ],
        }


def chain(
    affinity: AffinityInput,
    budgets: float | Iterable[float],
    *,
    targets: Names = "all",
    max_order: int | None = 4,
    time_limit: float | None = None,
    **options: Unpack[PlanOptions],
) -> Chain:
    """Find the best plans for budgets that rise from year to year; each keeps all earlier labels.

    Args:
        affinity: a tensor, or what `load_affinity` takes.
        budgets: largest total cost of everything that is labelled by the end of each period, rising.
        targets: tasks to solve, the same in every period.
        max_order: largest number of sources of one transfer; None for no limit.
        time_limit: seconds in total, shared by the plans of single periods and the program over all of them;
            None for no limit. The best chain found by then is returned, with its bound.
        options: the other parameters of `Problem.of`, except `min_gain`.

    Raises:
        UnknownTaskError: a name is not known.
        InvalidInputError: a value is not allowed, or the budgets do not rise.
        InfeasibleBudgetError: no plan fits the first budget.
        TimeLimitError: the time limit passed before any plan was found.
        SolverError: HiGHS failed.

    Examples:
        >>> import taxsolver
        >>> years = taxsolver.chain("taskonomy-16k", budgets=[2, 4], targets="normals,depth,reshading,layout")
        >>> [plan.sources for plan in years.best]
        [('depth_zbuffer', 'normal'), ('depth_zbuffer', 'normal', 'reshading', 'room_layout')]
    """
    listed = number_list(budgets, "budgets")
    if len(listed) < 2:
        raise InvalidInputError(f"budgets holds {len(listed)} numbers: give at least two, as in [2, 4, 6]")
    if time_limit is not None:
        check_number(time_limit, "time_limit", zero=False)
    first = Problem.of(affinity, targets, listed[0], max_order=max_order, **options)
    problems = [first.with_budget(budget) for budget in listed]
    for earlier, later in pairwise(listed):
        if not earlier < later:
            raise InvalidInputError(
                f"budgets has {later!r} after {earlier!r}: each is the total up to then, so let them rise"
            )
    instance, kept = first.instance.without_dominated()
    hard = len(listed) * len(instance.weight) > _HARD
    shares = TimeShares(time_limit, 3 * len(listed), share=1.0 if hard else 0.5)

    def taxonomy(problem: Problem, choice: Choice, seconds: float) -> Taxonomy:
        return Taxonomy.of(problem, choice, kept[choice.transfers], seconds)

    model = PlanModel(instance)
    free: list[Taxonomy] = []
    greedy: list[Taxonomy] = []
    alone: list[BoolArray] = []  # sources of `free`
    chosen: list[BoolArray] = []  # sources of `greedy`
    most, have = [], instance.required
    for problem, budget in zip(problems, listed, strict=True):
        start = time.perf_counter()
        choice = model.solve(budget, shares.next())
        if choice is None:
            raise infeasible(problem, model.least_budget())
        free.append(taxonomy(problem, choice, time.perf_counter() - start))
        alone.append(choice.chosen)
        most.append(choice.bound)
        start = time.perf_counter()
        following = PlanModel(instance.keeping(have)).solve(budget, shares.next())
        if following is None:  # the previous plan fits this budget too
            raise TimeLimitError("no plan was found that keeps what is there")
        have = following.chosen
        chosen.append(have)
        greedy.append(taxonomy(problem, following, time.perf_counter() - start))
    shrinking = _shrinking(instance, listed, alone[-1], shares)
    starts = [chosen] if shrinking is None else [chosen, shrinking]
    start = time.perf_counter()
    best, bound, status = ChainProgram(instance).solve(listed, starts, math.fsum(most), shares.deadline)
    seconds = time.perf_counter() - start
    plans = [
        taxonomy(problem, replace(choice, status=status), seconds)
        for problem, choice in zip(problems, best, strict=True)
    ]
    return Chain(
        best=tuple(plans),
        greedy=tuple(greedy),
        # A plan by itself that is not proven may be worse than that of a chain.
        free=tuple(
            max(
                plan,
                *(other.at_most(plan.bound, plan.status) for other in others),
                key=attrgetter("objective"),
            )
            for plan, *others in zip(free, plans, greedy, strict=True)
        ),
        status=status,
        bound=bound if status != OPTIMAL else math.fsum(choice.value for choice in best),
    )


def _shrinking(
    instance: Instance, budgets: Sequence[float], chosen: BoolArray, shares: TimeShares
) -> list[BoolArray] | None:
    """Find a chain that ends with these sources: for each earlier budget the best plan from among them.

    Returns:
        Sources of every period; None if some budget has no such plan.
    """
    found = [chosen]
    for budget in reversed(budgets[:-1]):
        rest = instance.rows(np.flatnonzero(instance.served_by(found[0])))
        try:
            choice = PlanModel(rest).solve(budget, shares.next())
        except TimeLimitError:
            return None
        if choice is None:
            return None
        found.insert(0, choice.chosen)
    return found


def _total(plans: Iterable[Taxonomy]) -> float:
    return math.fsum(plan.objective for plan in plans)
