"""Significance of a plan: its gain and quality against random feasible taxonomies.

As in section 4.3 of Zamir et al., CVPR 2018 (https://arxiv.org/abs/1804.08328).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np

from taxsolver.analysis.sampling import BudgetSampler
from taxsolver.arguments import check_count, check_seed
from taxsolver.errors import InfeasibleBudgetError, InvalidInputError
from taxsolver.planning.amounts import amount
from taxsolver.planning.options import PlanOptions
from taxsolver.planning.problem import Problem
from taxsolver.planning.sweep import BUDGETS, ORDERS, SweepRow, sweep
from taxsolver.programs.choice import OPTIMAL
from taxsolver.programs.costs import written
from taxsolver.programs.instance import Instance, IntArray
from taxsolver.tensors.affinity import BoolArray, FloatArray, Names
from taxsolver.tensors.store import AffinityInput

PERCENTILES = (5, 50, 95)
SAMPLES, MOST_SAMPLES = 1000, 1_000_000
_DRAWS_PER_SAMPLE = 1000  # draws per sample before feasible sets count as too rare
_NUMBERS_AT_ONCE = 1 << 22

Band = tuple[float, float, float]
_NO_BAND = (math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class SignificanceRow:
    """One plan compared with random ones.

    Attributes:
        budget: largest total label cost.
        max_order: largest number of sources of one transfer.
        gain: mean gain of the plan over its targets, in [0, 1]; NaN without a plan.
        quality: mean quality of the plan; NaN without a plan.
        random_gain: 5th, 50th and 95th percentile of the mean gain of random taxonomies; NaN without one.
        random_quality: the same of the mean quality.
        status: as in `SweepRow`; says whether the plan is proven optimal.
    """

    budget: float
    max_order: int
    gain: float
    quality: float
    random_gain: Band
    random_quality: Band
    status: str = OPTIMAL

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with None in place of NaN."""
        return {
            "budget": self.budget,
            "max_order": self.max_order,
            "gain": _number(self.gain),
            "quality": _number(self.quality),
            "random_gain": [_number(value) for value in self.random_gain],
            "random_quality": [_number(value) for value in self.random_quality],
            "status": self.status,
        }


def significance(
    affinity: AffinityInput,
    budgets: float | Iterable[float] = BUDGETS,
    orders: int | Iterable[int] = ORDERS,
    *,
    targets: Names = "all",
    samples: int = SAMPLES,
    seed: int = 0,
    **options: Unpack[PlanOptions],
) -> list[SignificanceRow]:
    """Compare the best taxonomy of every budget and order with random ones that use the whole budget.

    For a random taxonomy, a source set is drawn uniformly among those that use the whole budget (no further
    allowed source fits) and serve every target; then one feasible transfer is drawn uniformly for each
    target, full supervision included.

    Args:
        affinity: a tensor, or what `load_affinity` takes.
        budgets: largest total label costs.
        orders: largest numbers of sources of one transfer.
        targets: tasks to solve.
        samples: number of random taxonomies for each budget and order.
        seed: seed of the draws; a row depends on the seed, not on the other rows that are asked for.
        options: as for `sweep`.

    Raises:
        UnknownTaskError: a name is not known.
        InvalidInputError: a value is not allowed, or random feasible sets are too rare to be drawn.

    Examples:
        >>> import taxsolver
        >>> row = taxsolver.significance("taskonomy-16k", budgets=5, orders=4, samples=50)[0]
        >>> row.gain > row.random_gain[-1]  # better than 95 % of random plans
        True
    """
    _check_draws(samples, seed)
    rows = sweep(affinity, budgets, orders, targets=targets, **options)
    return list(compare_with_random(rows, samples=samples, seed=seed))


def compare_with_random(
    rows: Iterable[SweepRow], *, samples: int = SAMPLES, seed: int = 0
) -> Iterator[SignificanceRow]:
    """Yield the rows of a sweep with percentiles of random taxonomies, each as soon as it is ready.

    Args:
        rows: what `sweep` found.
        samples: as for `significance`.
        seed: as for `significance`.

    Raises:
        InvalidInputError: a value is not allowed, or random feasible sets are too rare to be drawn.
    """
    _check_draws(samples, seed)
    return (_beside_random(row, samples, seed) for row in rows)


def _check_draws(samples: int, seed: int) -> None:
    check_count(samples, "samples")
    if samples > MOST_SAMPLES:
        raise InvalidInputError(f"samples is {samples}, expected at most {MOST_SAMPLES:,}")
    check_seed(seed)


def _beside_random(row: SweepRow, samples: int, seed: int) -> SignificanceRow:
    bands = (_NO_BAND, _NO_BAND)
    if row.taxonomy is not None:
        problem = row.taxonomy.problem
        drawn = random_taxonomies(problem, samples, seed)
        bands = _band(problem.affinity.gain[drawn]), _band(problem.affinity.quality[drawn])
    return SignificanceRow(row.budget, row.max_order, row.gain, row.quality, *bands, row.status)


def random_taxonomies(problem: Problem, samples: int, seed: int) -> IntArray:
    """Draw random feasible taxonomies that use the whole budget.

    Args:
        problem: targets, allowed sources, budget and order.
        samples: number of taxonomies.
        seed: seed of the draws.

    Returns:
        int (samples, targets): rows of the tensor.

    Raises:
        InfeasibleBudgetError: the required sources alone exceed the budget.
        InvalidInputError: feasible sets are too rare to be drawn.
    """
    instance, budget = problem.instance, problem.budget
    if budget is None:
        raise InvalidInputError("random taxonomies use the whole budget, and the problem has none: give one")
    if problem.larger is not None:
        raise InvalidInputError("random taxonomies have transfers of one size: leave out larger")
    costs, tasks = instance.costs, problem.affinity.tasks
    rng = np.random.default_rng([seed, problem.max_order or 0, round(budget * 1000)])
    free = problem.affinity.mask(problem.sources) & ~instance.required
    if problem.together:  # of sources that are labelled together only the first is drawn, if all are allowed
        first = problem.representative
        outside = np.isin(first, first[~problem.affinity.mask(problem.sources)])
        free &= (first == np.arange(len(tasks))) & ~outside
    left = costs.limit(budget) - costs.total(instance.required)
    if left < 0:
        least = costs.number(costs.total(instance.required))
        raise InfeasibleBudgetError(
            f"the required sources cost {written(least)}, more than the budget of {written(budget)}",
            budget=budget,
            least=least,
        )
    sampler = BudgetSampler(instance.cost[free], left * costs.unit)
    batch = max(1, min(samples, _NUMBERS_AT_ONCE // len(instance.weight)))
    drawn = np.empty((0, instance.num_targets), dtype=np.intp)
    for _ in range(math.ceil(samples / batch) * _DRAWS_PER_SAMPLE):
        chosen = np.tile(instance.required, (batch, 1))
        chosen[:, free] = sampler.draw(batch, rng)
        chosen = chosen[[instance.allows(one) for one in chosen]] if instance.at_most else chosen
        drawn = np.concatenate([drawn, _random_transfers(instance, chosen, rng)])
        if len(drawn) >= samples:
            return np.asarray(problem.transfers[drawn[:samples]], dtype=np.intp)
    raise InvalidInputError(
        f"of {samples * _DRAWS_PER_SAMPLE:,} source sets that use a budget of {amount(budget)} only "
        f"{len(drawn)} serve all targets: raise the budget or ask for fewer samples"
    )


def _random_transfers(instance: Instance, chosen: BoolArray, rng: np.random.Generator) -> IntArray:
    """Draw one feasible transfer of each target, int (feasible, targets), for sets that serve all targets.

    Args:
        instance: the problem.
        chosen: bool (sets, tasks).
        rng: random number generator.
    """
    missing = instance.sources.astype(np.float32) @ (~chosen).astype(np.float32).T
    key = np.where(missing == 0, rng.random(missing.shape), -1.0)  # the largest draw is a uniform choice
    picked = np.empty((len(chosen), instance.num_targets), dtype=np.intp)
    served = np.ones(len(chosen), dtype=bool)
    for target in range(instance.num_targets):
        rows = np.flatnonzero(instance.target == target)
        picked[:, target] = rows[key[rows].argmax(axis=0)]
        served &= key[rows].max(axis=0) >= 0
    return picked[served]


def _band(values: FloatArray) -> Band:
    """Percentiles over samples of the mean over targets of float64 (samples, targets); ignores NaN."""
    measured = ~np.isnan(values)
    counted = measured.any(axis=1)
    if not counted.any():
        return _NO_BAND
    sums = np.where(measured, values, 0.0)[counted].sum(axis=1)
    low, middle, high = np.percentile(sums / measured[counted].sum(axis=1), PERCENTILES)
    return float(low), float(middle), float(high)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
