"""Approximate losses for choosing networks before all of them are fully trained."""

from __future__ import annotations

import numpy as np

from taxsolver.errors import InvalidInputError
from taxsolver.grouping.table import FloatArray, IntArray, LossTable


def higher_order_losses(table: LossTable) -> FloatArray:
    """Predict losses of networks for three or more tasks from the pairs: HOA of Standley et al.

    The loss of a task in such a network is the mean of its validation losses in the pair networks of that
    task with each of the others (https://arxiv.org/abs/1905.07553). Networks for one or two tasks keep their
    measured losses.

    If a table holds several networks for the same pair, the one is used whose cost is nearest to that of the
    larger network; of equally near ones the cheaper, then the first. Pairs that the table lacks are left out
    of the mean; a task without any pair inside the network gets NaN, and the network cannot be chosen for it.

    Returns:
        float64 (networks, tasks); NaN where not predicted or not to be estimated.
    """
    losses = np.array(table.validation)
    for network in np.flatnonzero(table.num_predicted > 2):
        members = np.flatnonzero(table.predicts[network]).tolist()
        for task in members:
            pairs = [
                _pair(table, task, other, float(table.cost[network])) for other in members if other != task
            ]
            known = [table.validation[pair, task] for pair in pairs if pair is not None]
            losses[network, task] = np.mean(known) if known else np.nan
    return losses


def early_losses(table: LossTable) -> FloatArray:
    """Return the losses early in the training: ESA of Standley et al. (https://arxiv.org/abs/1905.07553).

    Returns:
        float64 (networks, tasks); rows of NaN for networks without early losses.

    Raises:
        InvalidInputError: the table has no early losses.
    """
    if table.validation_early is None:
        raise InvalidInputError(
            f"esa chooses by losses early in the training, and {table.name!r} has none: add lines of the "
            "split validation_early, or use another method"
        )
    return table.validation_early


def pair_networks(table: LossTable, one: int, other: int) -> IntArray:
    """Find the networks that predict these two tasks and nothing else: int (found,).

    Args:
        table: the networks.
        one: index of a task.
        other: index of another task.
    """
    both = table.predicts[:, one] & table.predicts[:, other]
    return np.flatnonzero(both & (table.num_predicted == 2))


def _pair(table: LossTable, one: int, other: int, cost: float) -> int | None:
    found = pair_networks(table, one, other)
    ranked = found[np.lexsort((found, table.cost[found], np.abs(table.cost[found] - cost)))]
    return int(ranked[0]) if len(ranked) else None
