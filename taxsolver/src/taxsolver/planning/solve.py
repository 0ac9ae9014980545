"""Solving a problem for its best taxonomies."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import takewhile
from typing import Unpack

import numpy as np

from taxsolver.arguments import check_count, check_number, check_type
from taxsolver.errors import InfeasibleBudgetError, InvalidInputError, TimeLimitError
from taxsolver.planning.options import PlanOptions
from taxsolver.planning.problem import Problem
from taxsolver.planning.taxonomy import Taxonomy
from taxsolver.programs.choice import OPTIMAL, Choice
from taxsolver.programs.costs import decimal, exact_decimal, exact_sum, written
from taxsolver.programs.instance import BoolArray
from taxsolver.programs.plan_model import PlanModel
from taxsolver.programs.plan_program import PlanProgram
from taxsolver.tensors.affinity import Names
from taxsolver.tensors.store import AffinityInput

_SLACK = 1e-6  # share of a sum of gains: HiGHS meets rows within a tolerance only, the exact sum decides
_ROUNDING = 1e-12  # objectives that differ by a smaller share are equal up to rounding


def solve(
    affinity: AffinityInput,
    targets: Names = "all",
    budget: float | None = None,
    *,
    max_order: int | None = 4,
    k_best: int = 1,
    time_limit: float | None = None,
    **options: Unpack[PlanOptions],
) -> Taxonomy:
    """Find the best taxonomy: the tasks to label in full, and the transfer that serves each target.

    The result is the optimum of the binary integer program of section 3.4 of Zamir et al., CVPR 2018
    (https://arxiv.org/abs/1804.08328). Ties go to the cheaper set of sources. With `min_gain`, or with
    `min_quality` and no budget, the result is the best of the cheapest taxonomies that reach the goal.

    Args:
        affinity: a tensor, or what `load_affinity` takes.
        targets: tasks to solve, as a list or with commas between; `all` for every target of the tensor.
        budget: largest total cost; by default the number of tasks that are labelled in full.
        max_order: largest number of sources of one transfer; None for no limit.
        k_best: number of taxonomies with different supervised sets to find; all but the best become
            `Taxonomy.alternatives`. Sets that only add tasks to a set that is as good without them are left
            out, so there may be fewer.
        time_limit: seconds in total; None for no limit. The best plan found by then is returned, with its
            bound and gap.
        options: the other parameters of `Problem.of`, where they are described: sources, exclude, require,
            importance, label_cost, objective, supervise_targets, images_full, images_transfer, costs, owned,
            unit, together, apart, at_most, min_gain, min_quality.

    Raises:
        UnknownTaskError: a name is not known.
        InvalidInputError: a value is not allowed, two of them contradict each other, or a target cannot be
            served with any budget.
        InfeasibleBudgetError: no plan fits the budget; the error holds the least budget.
        TimeLimitError: the time limit passed before any plan was found.
        SolverError: HiGHS failed.

    Examples:
        >>> import taxsolver
        >>> plan = taxsolver.solve("taskonomy-16k", targets="normals,depth,reshading", budget=2)
        >>> plan.status, plan.sources
        ('optimal', ('depth_zbuffer', 'normal'))
    """
    problem = Problem.of(affinity, targets, budget, max_order=max_order, **options)
    return solve_problem(problem, k_best=k_best, time_limit=time_limit)


def solve_problem(problem: Problem, *, k_best: int = 1, time_limit: float | None = None) -> Taxonomy:
    """Find the best taxonomy of a problem, as `solve` does.

    Raises:
        InvalidInputError: `k_best` or `time_limit` is not allowed.
        InfeasibleBudgetError: no plan fits the budget; the error holds the least budget.
        TimeLimitError: the time limit passed before any plan was found.

    Examples:
        >>> import taxsolver
        >>> problem = taxsolver.Problem.of("taskonomy-16k", targets="normals,depth", budget=1)
        >>> taxsolver.solve_problem(problem).sources
        ('normal',)
    """
    check_type(problem, Problem, "problem", "make one with Problem.of")
    check_count(k_best, "k_best")
    if time_limit is not None:
        check_number(time_limit, "time_limit", zero=False)
    if problem.budget is None:
        cheap = list(_cheapest(problem, k_best, time_limit))
        return replace(cheap[0], alternatives=tuple(cheap[1:]), k_best=k_best)
    found = list(_best(problem, problem.budget, k_best, time_limit))
    proven = sum(1 for _ in takewhile(lambda plan: plan.status == OPTIMAL, found))
    if proven < len(found):
        # A later plan may be better than an unproven one; then no more is known about it.
        rest = [plan.at_most(found[proven].bound, found[proven].status) for plan in found[proven:]]
        found[proven:] = sorted(rest, key=lambda plan: -plan.objective)
    for place in range(1, len(found)):
        plan, following = found[place - 1], found[place]
        if plan.objective < following.objective <= plan.objective + _ROUNDING * abs(plan.objective):
            # The plans tie: their sums of quotients differ in the last digit only.
            found[place] = replace(following, objective=plan.objective, bound=plan.bound, gap=plan.gap)
    return replace(found[0], alternatives=tuple(found[1:]), k_best=k_best)


@dataclass(frozen=True)
class OneMore:
    """Best plan with a larger budget, compared with the plan before.

    Attributes:
        budget: the larger budget.
        objective: the best objective for that budget.
        increase: increase of the objective.
        added: tasks that are supervised with the larger budget only.
        dropped: tasks that are supervised with the smaller budget only.
    """

    budget: float
    objective: float
    increase: float
    added: tuple[str, ...]
    dropped: tuple[str, ...]


def one_more_unit(
    taxonomy: Taxonomy, *, unit: float | None = None, time_limit: float | None = None
) -> OneMore:
    """Solve the problem again with a larger budget.

    Args:
        taxonomy: a solved problem with a budget.
        unit: increase of the budget; None for 1, or for a tenth of a budget in money or images.
        time_limit: seconds; None for no limit.

    Raises:
        InvalidInputError: `unit` is not in (0, 1e6], in money or images not in (0, 1e12], or the problem has
            no budget.
        TimeLimitError: the time limit passed before any plan was found.

    Examples:
        >>> import taxsolver
        >>> plan = taxsolver.solve("taskonomy-16k", targets="normals,depth,reshading", budget=2)
        >>> taxsolver.one_more_unit(plan).added
        ('reshading',)
    """
    check_type(taxonomy, Taxonomy, "taxonomy", "solve returns one")
    problem = taxonomy.problem
    if problem.budget is None:
        raise InvalidInputError("the cheapest plan has no budget that could be larger: give one")
    if unit is None:
        unit = 1.0 if problem.unit is None else float(exact_decimal(Fraction(decimal(problem.budget)) / 10))
    check_number(unit, "unit", zero=False, largest=problem.largest_budget)
    budget = float(exact_sum([problem.budget, unit]))  # as decimals: 0.36 + 1 is 1.36
    next_best = solve_problem(
        problem.with_budget(budget, largest=2 * problem.largest_budget), time_limit=time_limit
    )
    return OneMore(
        budget=budget,
        objective=next_best.objective,
        increase=max(0.0, next_best.objective - taxonomy.objective),
        added=tuple(task for task in next_best.sources if task not in taxonomy.sources),
        dropped=tuple(task for task in taxonomy.sources if task not in next_best.sources),
    )


def infeasible(problem: Problem, least: float | None) -> InfeasibleBudgetError:
    """Return the error that states the least budget."""
    budget, unit = problem.budget or 0.0, f" {problem.unit}" if problem.unit else ""
    if least is None:
        message = "no plan serves all targets from the allowed sources, whatever the budget"
        if problem.at_most or problem.together:
            message += ": allow more of the tasks that together, apart and at_most name"
    else:
        message = (
            f"no plan fits a budget of {written(budget)}{unit}: "
            f"the least that serves every target is {written(least)}{unit}; "
            "raise the budget, allow more sources, or ask for fewer targets"
        )
    return InfeasibleBudgetError(message, budget=budget, least=least)


def _cheapest(problem: Problem, count: int, time_limit: float | None) -> Iterator[Taxonomy]:
    """Yield the cheapest taxonomies with different supervised sets that reach the goals of a problem.

    Of equal costs the better one comes first. Sets that only add tasks to an earlier one are left out, as
    they cost at least as much.
    """
    start = time.perf_counter()
    deadline = None if time_limit is None else start + time_limit
    instance, kept = problem.instance.without_dominated()
    model = PlanModel(instance)
    everything = instance.costs.exact(int(instance.costs.amounts.sum()))
    goal = None
    if problem.min_gain is not None:
        goal = Fraction(decimal(problem.min_gain)) * instance.num_targets

    def reaches(chosen: BoolArray) -> bool:
        best = instance.best_transfers(chosen)
        if best is None or goal is None:
            return best is not None
        return Fraction(exact_sum(instance.weight[best].tolist())) >= goal

    earlier: list[BoolArray] = []
    for number in range(count):
        try:
            if goal is None and not number:
                least = model.cheapest(time_limit)
            else:
                # HiGHS proposes choices that are cheap and good enough within its tolerance; proposals that
                # fail the exact test are cut off.
                program = PlanProgram(instance, everything, reaches, monotone=True)
                if goal is not None:
                    columns = program.num_tasks + np.arange(len(instance.weight))
                    program.add_row(columns, instance.weight, lower=float(goal) - _SLACK)
                for chosen in earlier:
                    others = np.flatnonzero(chosen & ~instance.required)
                    program.add_row(others, np.ones(len(others)), upper=len(others) - 1.0)
                least = program.cheapest(deadline)
            if least is None:
                if number == 0:
                    raise _unreached(problem, model, time_limit)
                return
            # Find the best plan of that cost.
            limit = instance.costs.exact(instance.costs.total(least))
            left = None if deadline is None else max(0.0, deadline - time.perf_counter())
            choice = model.solve(limit, left)
        except TimeLimitError:
            if number == 0:
                raise
            return
        if choice is None or not reaches(choice.chosen):
            rows = instance.best_transfers(least)  # the plan ties with the best, but does not reach the goal
            if rows is None:
                raise infeasible(problem, None)
            value = float(exact_sum(instance.weight[rows].tolist()))
            choice = Choice(instance.used(rows), rows, value, value, OPTIMAL)
        yield Taxonomy.of(problem, choice, kept[choice.transfers], time.perf_counter() - start)
        earlier.append(problem.supervised(choice.chosen))
        model.forbid(earlier[-1])


def _unreached(problem: Problem, model: PlanModel, time_limit: float | None) -> InfeasibleBudgetError:
    """Return the error that states how far the goals of a problem are out of reach."""
    instance = model.instance
    if problem.min_gain is None or model.cheapest(time_limit) is None:
        return infeasible(problem, None)
    best = model.solve(instance.costs.exact(int(instance.costs.amounts.sum())))
    most = math.nan if best is None else best.value / instance.num_targets
    return InfeasibleBudgetError(
        f"no plan has a mean gain of {written(problem.min_gain)}: the largest from the allowed sources "
        f"is {most:.6g}; ask for less, allow more sources or a larger order",
        budget=0.0,
        least=None,
    )


def _best(problem: Problem, budget: float, count: int, time_limit: float | None) -> Iterator[Taxonomy]:
    """The best taxonomies with different supervised sets, best first."""
    start = time.perf_counter()
    instance, kept = problem.instance.without_dominated()
    model = PlanModel(instance)
    for number in range(count):
        spent = time.perf_counter() - start
        left = None if time_limit is None else time_limit - spent
        try:
            choice = model.solve(budget, left)
        except TimeLimitError:
            if number == 0:
                raise
            return
        if choice is None:
            if number == 0:
                raise infeasible(problem, model.least_budget())
            return
        yield Taxonomy.of(problem, choice, kept[choice.transfers], time.perf_counter() - start)
        # Plans come in falling order, so a later plan that only adds sources to this one is no better.
        model.forbid(problem.supervised(choice.chosen))
