"""Stability of a plan under uncertain measurements.

A plan is computed for every draw of the measurements. The result holds the share of draws in which each task
is labelled, the loss of the estimate's plan against the best plan of each draw (its regret), and the single
plans that are best in the mean of the draws and in the mean of their worst tenth (conditional value at risk).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np

from taxsolver.arguments import check_count, check_number, check_seed
from taxsolver.errors import InvalidInputError, TimeLimitError
from taxsolver.planning.options import PlanOptions
from taxsolver.planning.problem import Problem
from taxsolver.planning.solve import solve_problem
from taxsolver.planning.taxonomy import Taxonomy
from taxsolver.planning.time_shares import TimeShares
from taxsolver.programs.choice import OPTIMAL, Choice
from taxsolver.programs.costs import exact_sum
from taxsolver.programs.instance import FloatArray, Instance, IntArray
from taxsolver.programs.plan_model import PlanModel
from taxsolver.programs.worst_program import WorstProgram
from taxsolver.tensors.affinity import Names
from taxsolver.tensors.store import AffinityInput

DRAWS, MOST_DRAWS = 100, 10_000
WORST = 0.1
_IMPORTANT = 10  # draws whose time the plan of the estimate, and that of the mean, may take
_STARTS = 100  # plans of draws that are tried as the best in the worst draws
_NINE_TENTHS = 3.2897072539029435  # standard deviations of a normal distribution from its 5 % to its 95 %


@dataclass(frozen=True, eq=False)
class StablePlan:
    """One plan evaluated in all draws.

    Attributes:
        name: `estimate`, the plan of the measurements as they are; `mean`, best in the mean of the draws;
            `worst`, best in the mean of the worst draws.
        taxonomy: its sources and transfers; objective, bound and gap refer to the criterion in `name`.
        mean: mean of the objective over the draws.
        worst: mean of the objective over the worst draws.
        regret: float64 (draws,), not negative: the objective of the best plan of each draw, less its own.
    """

    name: str
    taxonomy: Taxonomy
    mean: float
    worst: float
    regret: FloatArray

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "name": self.name,
            "sources": list(self.taxonomy.sources),
            "cost": self.taxonomy.cost,
            "mean": self.mean,
            "worst": self.worst,
            "mean_regret": float(self.regret.mean()),
            "largest_regret": float(self.regret.max()),
            "status": self.taxonomy.status,
            "bound": self.taxonomy.bound if math.isfinite(self.taxonomy.bound) else None,
            "transfers": [transfer.to_dict() for transfer in self.taxonomy.transfers],
        }


@dataclass(frozen=True, eq=False)
class Stability:
    """Result of `taxsolver.stability`.

    Attributes:
        draws: number of draws that were planned.
        origin: source of the draws: `draws` or `intervals` of the tensor, or `noise`.
        noise: standard deviation of the added noise; None where none was added.
        worst_share: share of the draws that counts as the worst.
        frequency: task -> share of the draws in whose best plan it is labelled in full; tasks that are never
            labelled are left out.
        plans: the plan of the estimate, the best in the mean, and the best in the worst draws.
        best: float64 (draws,), the objective of the best plan of each draw.
        proven: number of the draws whose best plan is proven optimal.
    """

    draws: int
    origin: str
    noise: float | None
    worst_share: float
    frequency: dict[str, float]
    plans: tuple[StablePlan, StablePlan, StablePlan]
    best: FloatArray
    proven: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "draws": self.draws,
            "origin": self.origin,
            "noise": self.noise,
            "worst_share": self.worst_share,
            "proven": self.proven,
            "frequency": self.frequency,
            "plans": [plan.to_dict() for plan in self.plans],
        }


def stability(
    affinity: AffinityInput,
    targets: Names = "all",
    budget: float | None = None,
    *,
    max_order: int | None = 4,
    draws: int = DRAWS,
    noise: float | None = None,
    worst: float = WORST,
    seed: int = 0,
    time_limit: float | None = None,
    **options: Unpack[PlanOptions],
) -> Stability:
    """Evaluate plans over draws of uncertain measurements, and find the plans that do best over all of them.

    Args:
        affinity: a tensor with draws or intervals of the measure that is maximised, or any with `noise`.
        targets: tasks to solve.
        budget: largest total cost; by default one task.
        max_order: largest number of sources of one transfer; None for no limit.
        draws: largest number of draws: the first of the tensor's draws, or draws from its intervals (each
            measurement independently, normally distributed) or from the noise.
        noise: standard deviation in (0, 1] of independent noise on each measurement, used in place of the
            tensor's draws and intervals; added to gains and qualities, which stay in [0, 1]; affinities,
            which span orders of magnitude, are multiplied by its exponential.
        worst: share of the draws that counts as the worst, in (0, 1].
        seed: seed of the draws.
        time_limit: seconds in total, of which up to half are for the plans of the draws; None for no limit.
            When it passes, plans may be unproven: `Stability.proven` counts the draws whose plans are proven,
            and regrets may be larger than returned if that is not all of them.
        options: the other parameters of `Problem.of`; there must be a budget.

    Raises:
        UnknownTaskError: a name is not known.
        InvalidInputError: a value is not allowed, or the tensor has neither draws nor intervals and no noise
            is given.
        InfeasibleBudgetError: no plan fits the budget.
        TimeLimitError: the time limit passed before any plan was found.
        SolverError: HiGHS failed.

    Examples:
        >>> import taxsolver
        >>> found = taxsolver.stability("taskonomy-16k", "normals,depth,reshading", 2, noise=0.05, draws=20)
        >>> found.frequency["normal"]  # share of the draws in which it is labelled
        1.0
    """
    check_count(draws, "draws")
    if draws > MOST_DRAWS:
        raise InvalidInputError(f"draws is {draws}, expected at most {MOST_DRAWS:,}")
    check_number(worst, "worst", zero=False, largest=1)
    check_seed(seed)
    if time_limit is not None:
        check_number(time_limit, "time_limit", zero=False)
    if noise is not None:
        check_number(noise, "noise", zero=False, largest=1)
        noise = float(noise)
    problem = Problem.of(affinity, targets, budget, max_order=max_order, **options)
    if problem.budget is None:
        raise InvalidInputError("stability compares plans of one budget: give a budget")
    if problem.larger is not None:
        raise InvalidInputError("stability draws the transfers of one tensor: leave out larger")
    # The best plan of every draw.
    values, origin = _drawn(problem, draws, noise, np.random.default_rng(seed))
    shares = TimeShares(time_limit, len(values) + 2 * _IMPORTANT)
    estimate = solve_problem(problem, time_limit=shares.next(_IMPORTANT))
    instance = problem.instance
    weights = np.array([problem.weights(one) for one in values])
    found = [_best(replace(instance, weight=weight), problem.budget, shares.next()) for weight in weights]
    bounds = np.sort([choice.bound for choice, _ in found])
    labelled = np.sum([problem.expanded(choice.chosen) for choice, _ in found], axis=0)
    # The best plan in the mean of the draws: the objective is linear, so its weights are the means.
    means = np.array([math.fsum(column) for column in weights.T.tolist()]) / len(weights)
    in_mean, mean_rows = _best(replace(instance, weight=means), problem.budget, shares.next(_IMPORTANT))
    # The best plan in the mean of the worst draws.
    place_of = {problem.affinity.transfer(row): place for place, row in enumerate(problem.transfers.tolist())}
    own = np.array([place_of[transfer] for transfer in estimate.transfers], dtype=np.intp)
    count = max(1, math.ceil(round(worst * len(weights), 9)))
    start = [
        Choice(instance.used(rows), rows, 0.0, 0.0, OPTIMAL)
        for rows in (own, mean_rows, *(rows for _, rows in found[:_STARTS]))
    ]
    judge = WorstProgram(instance, weights, count)
    # In no draw is a plan better than the best of it, nor in the mean of the worst draws than in that of all.
    most = min(in_mean.bound, math.fsum(bounds[:count]) / count)
    in_worst = judge.solve(problem.budget, start, most, shares.deadline)
    begun = time.perf_counter()

    def planned(choice: Choice, rows: IntArray) -> Taxonomy:
        return Taxonomy.of(problem, replace(choice, transfers=rows), rows, time.perf_counter() - begun)

    # All three plans in every draw.
    rows_of = {"estimate": own, "mean": mean_rows, "worst": in_worst.transfers}
    each = {
        name: np.array([float(exact_sum(weight[rows].tolist())) for weight in weights])
        for name, rows in rows_of.items()
    }
    # The best plan of a draw may be worse than these where it is not proven.
    best = np.maximum.reduce([np.array([choice.value for choice, _ in found]), *each.values()])

    def judged(name: str, taxonomy: Taxonomy) -> StablePlan:
        mean = math.fsum(each[name]) / len(weights)
        return StablePlan(name, taxonomy, mean, judge.value(rows_of[name]), best - each[name])

    return Stability(
        draws=len(weights),
        origin=origin,
        noise=noise,
        worst_share=worst,
        frequency={
            task: float(count) / len(weights)
            for task, count in zip(problem.affinity.tasks, labelled, strict=True)
            if count
        },
        plans=(
            judged("estimate", estimate),
            judged("mean", planned(in_mean, mean_rows)),
            judged("worst", planned(in_worst, in_worst.transfers)),
        ),
        best=best,
        proven=sum(choice.status == OPTIMAL for choice, _ in found),
    )


def _drawn(
    problem: Problem, draws: int, noise: float | None, rng: np.random.Generator
) -> tuple[FloatArray, str]:
    """Draw float64 (draws, transfers of the tensor) of the measure; also return the origin of the draws."""
    tensor, measure = problem.affinity, problem.measure
    values = np.asarray(getattr(tensor, measure), dtype=np.float64)
    shape = (draws, len(values))
    if noise is not None:
        added = noise * rng.standard_normal(shape)
        changed = values * np.exp(added) if measure == "affinity" else values + added
        return np.clip(changed, 0, 1), "noise"
    if measure in tensor.draws:
        return tensor.draws[measure][:draws], "draws"
    if measure in tensor.intervals:
        low, high = tensor.intervals[measure].T
        return np.clip(values + (high - low) / _NINE_TENTHS * rng.standard_normal(shape), 0, 1), "intervals"
    raise InvalidInputError(
        f"{tensor.name!r} has neither draws nor intervals of the {measure}, as tensors that were published "
        "as single numbers: give the size of a noise, `noise=0.05` or `--noise 0.05`"
    )


def _best(instance: Instance, budget: float, time_limit: float | None) -> tuple[Choice, IntArray]:
    """The best choice of an instance, and its transfers as rows of the instance."""
    smaller, kept = instance.without_dominated()
    choice = PlanModel(smaller).solve(budget, time_limit)
    if choice is None:  # the estimate has a plan, and feasibility does not depend on the weights
        raise TimeLimitError("no plan was found for a draw: allow more time")
    return choice, kept[choice.transfers]
