"""From a problem to its best taxonomies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile

from taxsolver.arguments import check_type
from taxsolver.errors import InfeasibleBudgetError, TimeLimitError
from taxsolver.planning.costs import written
from taxsolver.planning.model import OPTIMAL, PlanModel
from taxsolver.planning.problem import LARGEST, Objective, Problem, Weights, check_count, check_number
from taxsolver.planning.taxonomy import Taxonomy
from taxsolver.tensors.affinity import Names
from taxsolver.tensors.store import AffinityInput

_ROUNDING = 1e-12  # objectives that differ by a smaller share are equal but for rounding


def solve(
    affinity: AffinityInput,
    targets: Names = "all",
    budget: float = 1.0,
    *,
    max_order: int | None = 4,
    sources: Names | None = None,
    exclude: Names = (),
    require: Names = (),
    importance: Weights | None = None,
    label_cost: Weights | None = None,
    objective: str = Objective.AFFINITY,
    supervise_targets: bool | Names = True,
    k_best: int = 1,
    time_limit: float | None = None,
    images_full: int | None = None,
    images_transfer: int | None = None,
) -> Taxonomy:
    """The best taxonomy: which tasks to label in full, and which transfer serves each target.

    The optimum of the binary integer program of section 3.4 of Zamir et al., CVPR 2018
    (https://arxiv.org/abs/1804.08328). Ties go to the cheaper set of sources.

    Args:
        affinity: a tensor, or what `load_affinity` takes.
        targets: tasks to solve, as a list or with commas between; `all` for every target of the tensor.
        budget: largest total label cost of the supervised tasks, in (0, 1e6]; with the default costs the
            largest number of tasks that are labelled in full.
        max_order: largest number of sources of one transfer; None for no limit.
        sources: tasks that may be supervised; None for all but untrained ones (`random`), which are
            used only where named here or in `require`.
        exclude: tasks that may not be supervised.
        require: tasks that are supervised in any case.
        importance: weight of targets in the objective, in (0, 1e6]; 1 where not named. A dictionary, a
            Series of pandas, or pairs; `label_cost` likewise.
        label_cost: what supervising a task takes of the budget, in [0, 1e6]; 1 where not named.
        objective: `affinity` (the paper's), `normalised-affinity` (each target's best counts 1), `gain` or
            `quality`.
        supervise_targets: whether targets may be supervised: True or `all`, False or `none`, or those
            named. The others are novel tasks: they have no labels for more than a transfer, so they are no
            sources either.
        k_best: how many taxonomies with different supervised sets to find; all but the best become
            `Taxonomy.alternatives`. Sets that only add tasks to a set that is as good without them are left
            out, so there may be fewer.
        time_limit: seconds for everything; None for no limit. The best plan found by then is returned, with
            its bound and gap.
        images_full: labelled images of a supervised task; None for what the tensor states, if anything.
        images_transfer: labelled images of a transfer; None for what the tensor states, if anything.

    Raises:
        UnknownTaskError: a name is not known.
        InvalidInputError: a value is not allowed, two of them contradict each other, or a target cannot be
            served whatever the budget.
        InfeasibleBudgetError: no plan fits the budget; the error holds the least one.
        TimeLimitError: the time limit passed before any plan was found.
        SolverError: HiGHS failed.
    """
    problem = Problem.of(
        affinity,
        targets,
        budget,
        max_order=max_order,
        sources=sources,
        exclude=exclude,
        require=require,
        importance=importance,
        label_cost=label_cost,
        objective=objective,
        supervise_targets=supervise_targets,
        images_full=images_full,
        images_transfer=images_transfer,
    )
    return solve_problem(problem, k_best=k_best, time_limit=time_limit)


def solve_problem(problem: Problem, *, k_best: int = 1, time_limit: float | None = None) -> Taxonomy:
    """The best taxonomy of a problem, as `solve` does.

    Raises:
        InvalidInputError: `k_best` or `time_limit` is not allowed.
        InfeasibleBudgetError: no plan fits the budget; the error holds the least one.
        TimeLimitError: the time limit passed before any plan was found.
    """
    check_type(problem, Problem, "problem", "make one with Problem.of")
    check_count(k_best, "k_best")
    if time_limit is not None:
        check_number(time_limit, "time_limit", zero=False)
    found = list(_best(problem, k_best, time_limit))
    proven = sum(1 for _ in takewhile(lambda plan: plan.status == OPTIMAL, found))
    if proven < len(found):
        # A plan that is not proven may be followed by a better one, of which nothing more is known.
        rest = [plan.at_most(found[proven].bound, found[proven].status) for plan in found[proven:]]
        found[proven:] = sorted(rest, key=lambda plan: -plan.objective)
    for place in range(1, len(found)):
        plan, following = found[place - 1], found[place]
        if plan.objective < following.objective <= plan.objective + _ROUNDING * abs(plan.objective):
            # They tie: sums of quotients differ in the last digit.
            found[place] = replace(following, objective=plan.objective, bound=plan.bound, gap=plan.gap)
    return replace(found[0], alternatives=tuple(found[1:]))


@dataclass(frozen=True)
class OneMore:
    """What one more unit of budget buys.

    Attributes:
        budget: the larger budget.
        objective: the best objective there.
        increase: how much more that is.
        added: tasks that are supervised then and were not before.
        dropped: tasks that were supervised before and are not then.
    """

    budget: float
    objective: float
    increase: float
    added: tuple[str, ...]
    dropped: tuple[str, ...]


def one_more_unit(taxonomy: Taxonomy, *, unit: float = 1.0, time_limit: float | None = None) -> OneMore:
    """What the best taxonomy would be with a larger budget.

    Args:
        taxonomy: a solved problem.
        unit: how much larger the budget is to be.
        time_limit: seconds; None for no limit.

    Raises:
        InvalidInputError: `unit` is not in (0, 1e6].
        TimeLimitError: the time limit passed before any plan was found.
    """
    check_type(taxonomy, Taxonomy, "taxonomy", "solve returns one")
    check_number(unit, "unit", zero=False)
    larger = taxonomy.problem.with_budget(taxonomy.problem.budget + unit, largest=2 * LARGEST)
    next_best = solve_problem(larger, time_limit=time_limit)
    return OneMore(
        budget=larger.budget,
        objective=next_best.objective,
        increase=max(0.0, next_best.objective - taxonomy.objective),
        added=tuple(task for task in next_best.sources if task not in taxonomy.sources),
        dropped=tuple(task for task in taxonomy.sources if task not in next_best.sources),
    )


def infeasible(problem: Problem, least: float | None) -> InfeasibleBudgetError:
    """The error that says what the least budget is."""
    if least is None:
        message = "no plan serves all targets from the allowed sources, whatever the budget"
    else:
        message = (
            f"no plan fits a budget of {written(problem.budget)}: "
            f"the least that serves every target is {written(least)}; "
            "raise the budget, allow more sources, or ask for fewer targets"
        )
    return InfeasibleBudgetError(message, budget=problem.budget, least=least)


def _best(problem: Problem, count: int, time_limit: float | None) -> Iterator[Taxonomy]:
    """The best taxonomies with different supervised sets, best first."""
    start = time.perf_counter()
    instance, kept = problem.instance.without_dominated()
    model = PlanModel(instance)
    for number in range(count):
        spent = time.perf_counter() - start
        left = None if time_limit is None else time_limit - spent
        try:
            choice = model.solve(problem.budget, left)
        except TimeLimitError:
            if number == 0:
                raise
            return
        if choice is None:
            if number == 0:
                raise infeasible(problem, model.least_budget())
            return
        rows = problem.transfers[kept][choice.transfers]
        yield Taxonomy.of(problem, choice, rows, time.perf_counter() - start)
        # Plans come in falling order, so any that only adds sources to this one adds nothing else.
        model.forbid(choice.chosen)
