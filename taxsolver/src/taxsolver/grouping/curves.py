"""Curves and matrices of a table of networks: losses over budgets, and effects of tasks on each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from taxsolver.arguments import name_tuple, number_list, shown
from taxsolver.errors import InvalidInputError, TimeLimitError
from taxsolver.grouping.approximations import pair_networks
from taxsolver.grouping.result import TIME_LIMIT, Grouping
from taxsolver.grouping.select import DRAWS, Method, group
from taxsolver.grouping.table import SPLITS, FloatArray, LossTable
from taxsolver.grouping.table_csv import TableInput, as_table

BUDGETS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0)


def budget_curves(
    table: TableInput,
    budgets: float | Iterable[float] = BUDGETS,
    methods: str | Iterable[str] | None = None,
    seed: int = 0,
    *,
    draws: int = DRAWS,
    time_limit: float | None = None,
) -> list[Grouping]:
    """Compute the grouping of every method and budget, as plotted in https://arxiv.org/abs/1905.07553.

    Args:
        table: trained networks with their costs and losses.
        budgets: largest total costs.
        methods: as for `group`; None for all that the table has losses for.
        seed: seed of the random draws.
        draws: number of random fillings that are averaged for each budget.
        time_limit: seconds for each choice; None for no limit.

    Returns:
        Groupings in the order of `methods`, then of `budgets`; infeasible ones, and those for which the time
        limit passed without a choice, are included.

    Raises:
        InvalidInputError: as for `group`, or there is no budget or no method.
    """
    table, listed = as_table(table), number_list(budgets, "budgets")
    if methods is None:
        methods = [
            method for method in Method if method is not Method.ESA or table.validation_early is not None
        ]
    chosen = name_tuple([methods] if isinstance(methods, str) else methods, "methods")
    if not listed or not chosen:
        raise InvalidInputError("curves need at least one budget and one method")
    rows = []
    for method in chosen:
        for budget in listed:
            try:
                rows.append(group(table, method, budget, seed=seed, draws=draws, time_limit=time_limit))
            except TimeLimitError:
                rows.append(Grouping(table, Method.named(method).value, budget, TIME_LIMIT))
    return rows


@dataclass(frozen=True)
class TaskCountRow:
    """Networks for a given number of tasks, compared with single-task networks of the same cost.

    Attributes:
        num_tasks: number of tasks that the networks predict.
        num_networks: number of networks that were compared.
        change: mean over the networks of their change, in %; positive where they do better.
        least: smallest change of a network, in %.
        most: largest change of a network, in %.
    """

    num_tasks: int
    num_networks: int
    change: float
    least: float
    most: float


def task_count_rows(table: TableInput, split: str | None = None) -> list[TaskCountRow]:
    """Compare performance by the number of tasks that a network predicts.

    The change of a network is the mean over its tasks of (single - loss) / |single|, in %, where `single` is
    the loss of the best single-task network of the same cost. The definition follows the comparisons at equal
    inference cost of https://arxiv.org/abs/1905.07553, whose exact averaging is not known to us.

    Args:
        table: trained networks.
        split: the losses that are compared; None for `test`, or `validation` where there is no test split.

    Returns:
        Rows by rising number of tasks; networks without a single-task network to compare with are left out,
        as are numbers of tasks without any network left.

    Raises:
        InvalidInputError: the split is not known, or the table does not have it.
    """
    table = as_table(table)
    change = relative_change(table, split)
    compared = np.flatnonzero((~np.isnan(change)).any(axis=1))
    means = {int(network): float(np.nanmean(change[network])) for network in compared}
    rows = []
    for count in np.unique(table.num_predicted[compared]):
        values = [mean for network, mean in means.items() if table.num_predicted[network] == count]
        rows.append(TaskCountRow(int(count), len(values), float(np.mean(values)), min(values), max(values)))
    return rows


@dataclass(frozen=True, eq=False)
class PairMatrix:
    """Change of each task when one network learns it together with each other task.

    Attributes:
        name: name of the table.
        tasks: rows and columns.
        split: the losses that were compared.
        change: float64 (tasks, tasks), in %; [i, j] is the change of task j by learning it with task i,
            positive where i helps j. NaN on the diagonal and where there is nothing to compare.
    """

    name: str
    tasks: tuple[str, ...]
    split: str
    change: FloatArray


def pair_matrix(table: TableInput, split: str | None = None) -> PairMatrix:
    """Compute the change of each task in each pair network against its single-task network of the same cost.

    The change is (single - loss) / |single| in %, as in `task_count_rows`; its mean if there are several pair
    networks for the same two tasks.

    Raises:
        InvalidInputError: the split is not known, or the table does not have it.
    """
    table = as_table(table)
    measured = relative_change(table, split)
    change = np.full((len(table.tasks), len(table.tasks)), np.nan)
    for one in range(len(table.tasks)):
        for other in range(len(table.tasks)):
            values = measured[pair_networks(table, one, other), other] if one != other else np.empty(0)
            if (~np.isnan(values)).any():
                change[one, other] = np.nanmean(values)
    return PairMatrix(table.name, table.tasks, split_of(table, split), change)


def relative_change(table: TableInput, split: str | None = None) -> FloatArray:
    """Compare each network's losses with those of a single-task network of the same cost.

    Returns:
        float64 (networks, tasks), in %; positive is better. NaN where a network does not predict a task,
        where no single-task network has the same cost, or where the single-task network has a loss of 0.

    Raises:
        InvalidInputError: the split is not known, or the table does not have it.
    """
    table = as_table(table)
    losses = np.asarray(table.losses(split_of(table, split)))
    change = np.full_like(losses, np.nan)
    alone = table.num_predicted == 1
    for network, task in np.argwhere(~np.isnan(losses)):
        rivals = losses[alone & table.predicts[:, task] & (table.cost == table.cost[network]), task]
        single = np.nanmin(rivals) if (~np.isnan(rivals)).any() else 0.0
        if single != 0:
            change[network, task] = 100 * (single - losses[network, task]) / abs(single)
    return change


def split_of(table: LossTable, split: str | None) -> str:
    """Check a split; None means `test`, or `validation` if there is no test split.

    Raises:
        InvalidInputError: the split is not known, or the table does not have it.
    """
    if split is not None and not isinstance(split, str):
        raise InvalidInputError(f"split is {shown(split)}, expected one of {', '.join(SPLITS)}, or None")
    wanted = split or ("validation" if table.test is None else "test")
    if table.losses(wanted) is None:
        raise InvalidInputError(f"loss table {table.name!r} has no split {wanted}: use validation")
    return wanted
