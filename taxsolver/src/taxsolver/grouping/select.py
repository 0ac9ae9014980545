"""Choice of networks to run under a budget of inference time."""

from __future__ import annotations

import math
import time
from enum import StrEnum

import numpy as np

from taxsolver.arguments import check_count, check_number, check_seed
from taxsolver.errors import InvalidInputError, TimeLimitError
from taxsolver.grouping.approximations import early_losses, higher_order_losses
from taxsolver.grouping.exact import Least, Pool
from taxsolver.grouping.fillings import random_fillings
from taxsolver.grouping.result import INFEASIBLE, OPTIMAL, SAMPLED, TIME_LIMIT, UNSAMPLED, Grouping
from taxsolver.grouping.score import least_losses, picked_networks
from taxsolver.grouping.table import BoolArray, FloatArray, LossTable
from taxsolver.grouping.table_csv import TableInput, as_table
from taxsolver.grouping.ties import tie
from taxsolver.planning.options import Weights
from taxsolver.programs.costs import decimal
from taxsolver.tensors.names import normalise

DRAWS, MOST_DRAWS = 10_000, 10_000_000


class Method(StrEnum):
    """Method of choosing networks."""

    OPTIMAL = "optimal"
    HOA = "hoa"
    ESA = "esa"
    ALL_IN_ONE = "all-in-one"
    INDEPENDENT = "independent"
    RANDOM = "random"
    WORST = "worst"

    @classmethod
    def named(cls, name: str) -> Method:
        """Return the method of that name.

        Raises:
            InvalidInputError: no method has that name.
        """
        wanted = normalise(str(name)).replace("_", "-")
        if wanted in tuple(cls):
            return cls(wanted)
        raise InvalidInputError(f"unknown method {name!r}: choose one of {', '.join(cls)}")


def group(
    table: TableInput,
    method: str,
    budget: float,
    *,
    weights: Weights | None = None,
    seed: int = 0,
    draws: int = DRAWS,
    time_limit: float | None = None,
) -> Grouping:
    """Choose the networks to run so that every task is predicted within a budget.

    Networks are chosen by validation losses and scored by test losses, as in Standley et al., ICML 2020
    (https://arxiv.org/abs/1905.07553). Every task takes the best network of the choice. Total losses closer
    than 1e-9 are ties, which are broken by cost, then by the number of predictions, then by table order.

    Args:
        table: trained networks with their costs and losses; or what `as_table` takes.
        method: one of
            `optimal`: the least total validation loss, proven.
            `hoa`: likewise, with networks of three or more tasks predicted from pairs.
            `esa`: likewise, with losses early in the training.
            `all-in-one`: the one network for all tasks with the least total validation loss.
            `independent`: one network of its own for every task, with the least total validation loss.
            `random`: the mean over random fillings of the budget, drawn as by the authors. With 200,000
            draws it agrees with their 36 published points, means of a million, to 0.00002 (root mean square;
            at most 0.00006), which is the sampling error; with the default 10,000 to 0.00008. Their scores
            are `test_loss`.
            `worst`: the largest total validation loss among all choices that serve every task and leave no
            room for another network, proven. If the test losses choose as well as score, this rule gives the
            authors' curve in all 36 points; if the validation losses choose, 32 of the 36 are equal and the
            others are lower by up to 0.001.
        budget: largest total cost, in units of one standard network, in (0, 1e6]; costs are summed as
            decimals, and no choice costs more.
        weights: task -> factor of its losses, in (0, 1e6]; 1 by default. All losses of the result include it.
        seed: seed of the random draws, at least 0.
        draws: number of random fillings that are averaged, at least 1.
        time_limit: seconds; None for no limit. Random fillings drawn until then are averaged.

    Returns:
        The grouping; its status is `infeasible` if no choice of the method fits the budget, and `unsampled`
        if fewer than one in 5,000 random fillings serves every task.

    Raises:
        InvalidInputError: a value is not allowed, or the table has no early losses for `esa`.
        TimeLimitError: the time limit passed before any choice was found, for `worst` before it was proven.
        SolverError: HiGHS failed, or ended without a proof.
    """
    start = time.perf_counter()
    table, chosen_method = as_table(table).weighted(weights), Method.named(method)
    check_number(budget, "budget", zero=False)
    check_seed(seed)
    check_count(draws, "draws")
    if draws > MOST_DRAWS:
        raise InvalidInputError(f"draws is {draws}, expected at most {MOST_DRAWS:,}")
    if time_limit is not None:
        check_number(time_limit, "time_limit", zero=False)
    deadline = None if time_limit is None else start + time_limit
    pool = Pool(table, _selection_losses(table, chosen_method))
    if chosen_method is Method.RANDOM:
        return _random(pool, budget, draws, seed, deadline)
    found: Least | None
    if chosen_method is Method.ALL_IN_ONE:
        found = _certain(_best_single(pool, budget))
    elif chosen_method is Method.WORST:
        found = _certain(pool.worst_filling(budget, deadline))
    else:
        found = pool.least(budget, deadline)
    if found is None:
        least = pool.least_budget()
        if chosen_method is Method.ALL_IN_ONE:
            able = ~np.isnan(pool.losses).any(axis=1)
            least = float(table.cost[able].min()) if able.any() else None
        return Grouping(table, chosen_method.value, budget, INFEASIBLE, least_budget=least)
    chosen = found.chosen
    losses = np.where(chosen[:, None] & ~np.isnan(pool.losses), pool.losses, np.inf)
    assigned = [_preferred_row(pool, column) for column in losses.T]
    return Grouping(
        table,
        chosen_method.value,
        budget,
        found.status,
        chosen=tuple(int(network) for network in np.flatnonzero(chosen)),
        assigned=tuple(assigned),
        validation_loss=float(least_losses(table.validation, chosen[None]).sum()),
        test_loss=float(least_losses(table.scored, chosen[None]).sum()),
        assigned_test_loss=float(table.scored[assigned, range(len(table.tasks))].sum()),
        bound=found.bound if found.status == TIME_LIMIT else math.nan,
    )


def _certain(chosen: BoolArray | None) -> Least | None:
    return None if chosen is None else Least(chosen, math.nan, OPTIMAL)


def _selection_losses(table: LossTable, method: Method) -> FloatArray:
    """Losses used for choosing, float64 (networks, tasks); NaN where a network may not be chosen."""
    if method is Method.HOA:
        return higher_order_losses(table)
    if method is Method.ESA:
        return early_losses(table)
    allowed = np.ones(len(table.networks), dtype=bool)
    if method is Method.ALL_IN_ONE:
        allowed = table.num_predicted == len(table.tasks)
    elif method is Method.INDEPENDENT:
        allowed = table.num_predicted == 1
    return np.where(allowed[:, None], table.validation, np.nan)


def _best_single(pool: Pool, budget: float) -> BoolArray | None:
    """Find the single network that serves all tasks best: bool (networks,)."""
    costs = pool.table.costs
    able = ~np.isnan(pool.losses).any(axis=1) & (costs.amounts <= costs.limit(budget))
    if not able.any():
        return None
    totals = np.where(able, pool.losses.sum(axis=1), np.inf)
    chosen = np.zeros(len(able), dtype=bool)
    chosen[_preferred_row(pool, totals)] = True
    return chosen


def _preferred_row(pool: Pool, losses: FloatArray) -> int:
    """Index of the network of least loss in float64 (networks,); ties are broken as between choices."""
    rows = np.flatnonzero(losses <= losses.min() + tie(pool.losses))
    order = np.lexsort((rows, pool.table.num_predicted[rows], pool.table.cost[rows]))
    return int(rows[order[0]])


def _random(pool: Pool, budget: float, draws: int, seed: int, deadline: float | None) -> Grouping:
    """Average over random fillings of the budget."""
    table = pool.table
    least = pool.least_budget()
    if least is None or decimal(least) > decimal(budget):
        return Grouping(table, Method.RANDOM.value, budget, INFEASIBLE, least_budget=least)
    sums, found = np.zeros(3), 0  # sums over fillings of the validation, test and assigned test loss
    columns = np.arange(len(table.tasks))
    for chosen in random_fillings(table, budget, draws, seed):
        picked = picked_networks(table.validation, chosen)
        sums += (
            table.validation[picked, columns].sum(),
            least_losses(table.scored, chosen).sum(),
            table.scored[picked, columns].sum(),
        )
        found += len(chosen)
        if deadline is not None and time.perf_counter() >= deadline and found < draws:
            if not found:
                raise TimeLimitError("the time limit passed before any choice was drawn: allow more time")
            draws = found
            break
    if found < draws:
        return Grouping(table, Method.RANDOM.value, budget, UNSAMPLED)
    validation, test, assigned = (float(value) for value in sums / draws)
    return Grouping(
        table,
        Method.RANDOM.value,
        budget,
        SAMPLED,
        validation_loss=validation,
        test_loss=test,
        assigned_test_loss=assigned,
        draws=draws,
    )
