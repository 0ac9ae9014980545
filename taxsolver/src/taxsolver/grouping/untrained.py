"""Prediction of the losses of untrained networks from pairwise effects and a few trained networks.

The change of a task's loss in a group, relative to the network of its own, is predicted by ridge regression
on the mean effect that the other tasks of the group have on it, their number, and the task. Effects may be
inter-task affinities measured by gradients (Fifty et al., NeurIPS 2021, https://arxiv.org/abs/2109.04617),
in any unit, or changes measured in pairs, as the higher-order approximation of Standley et al. averages them
(ICML 2020, https://arxiv.org/abs/1905.07553). Leave-one-out over the trained groups estimates the error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from taxsolver.arguments import check_count, shown
from taxsolver.errors import InvalidInputError
from taxsolver.grouping.curves import pair_matrix
from taxsolver.grouping.table import FloatArray, LossTable
from taxsolver.grouping.table_csv import TableInput, as_table
from taxsolver.planning.options import Weights

MOST_GROUPS = 5_000
_PENALTIES = tuple((10.0 ** np.arange(-1.0, 3.1, 0.5)).tolist())
_SHARED = 3.0  # the ridge penalises columns of all tasks less than those of one task, by this factor squared
_MADE_FROM = 0.999  # correlation from which effects count as derived from the trained pairs themselves
_FEWEST = 3  # least number of trained groups: one is left out, and one column already explains a second


@dataclass(frozen=True, eq=False)
class PredictedGroups:
    """Trained networks, and every other group of tasks with predicted losses.

    Attributes:
        table: the trained networks with their validation losses, then the untrained ones.
        error: root mean square leave-one-out error over trained groups, of the change of a loss relative to
            the single-task network, as 0.1 for 10 %. NaN if no group can be left out; pairs are not left out
            if the effects were measured in them.
        error_alone: the same for the baseline that predicts no change.
        held_out: number of groups that were left out.
        penalty: ridge penalty, the one with the least error.
        alone: float64 (tasks,); the loss of each task's own network.
    """

    table: LossTable
    error: float
    error_alone: float
    held_out: int
    penalty: float
    alone: FloatArray

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "trained": len(self.table.networks) - len(self.table.untrained),
            "untrained": len(self.table.untrained),
            "leave_one_out_error": None if math.isnan(self.error) else self.error,
            "leave_one_out_error_if_alone": self.error_alone,
            "held_out": self.held_out,
            "penalty": self.penalty,
        }


def predict_groups(
    measured: TableInput,
    pairwise: FloatArray | None = None,
    *,
    weights: Weights | None = None,
    largest: int | None = None,
) -> PredictedGroups:
    """Predict the validation losses of every group of tasks that is not among the trained networks.

    The costs of untrained networks follow a straight line through the costs of the trained ones over their
    number of tasks. Of several networks for the same tasks, the most expensive is used.

    Args:
        measured: trained networks; or what `as_table` takes. They must include a single-task network for each
            task and at least three groups of two or more tasks.
        pairwise: float64 (tasks, tasks); [i, j] is the effect of task i on task j in any unit, NaN where not
            known. None for the changes in the trained pairs.
        weights: as for `group`.
        largest: largest number of tasks of an untrained group; None for all tasks.

    Raises:
        InvalidInputError: a value is not allowed, or too few networks were trained.
        FileFormatError: a file cannot be read.

    Examples:
        >>> from taxsolver.grouping import load_setting, predict_groups
        >>> len(predict_groups(load_setting(2)).table.untrained)  # all 26 groups are trained there
        0
    """
    table = as_table(measured).weighted(weights)
    num_tasks = len(table.tasks)
    if largest is not None:
        check_count(largest, "largest")
    most = min(largest or num_tasks, num_tasks)
    if sum(math.comb(num_tasks, size) for size in range(2, most + 1)) > MOST_GROUPS:
        raise InvalidInputError(
            f"{num_tasks} tasks have more than {MOST_GROUPS:,} groups of up to {most}: allow fewer tasks in "
            "one network"
        )
    # Tasks of a group -> its network; of several the most expensive, then the first.
    trained: dict[tuple[int, ...], int] = {}
    for network in np.argsort(-table.cost, kind="stable").tolist():
        trained.setdefault(tuple(np.flatnonzero(table.predicts[network]).tolist()), network)
    alone = _alone(table, trained)
    groups = [tasks for tasks in trained if len(tasks) > 1]
    effects = _effects(table, pairwise)

    # Regression data of the trained groups: effects on each task, and the relative change of its loss.
    features = [_features(tasks, effects) for tasks in groups]
    changes = [
        (table.validation[trained[tasks], list(tasks)] - alone[list(tasks)]) / np.abs(alone[list(tasks)])
        for tasks in groups
    ]
    usable = [place for place, rows in enumerate(features) if np.isfinite(rows).all()]
    held_out = usable
    if pairwise is None or _are_made_from(effects, groups, changes):
        # An effect reveals the loss of the pair that it was measured in, so that leaving out that pair is no
        # test.
        held_out = [place for place in usable if len(groups[place]) > 2]
    if len(usable) < _FEWEST:
        raise InvalidInputError(
            f"{len(usable)} trained groups of two or more tasks have known effects, expected at least "
            f"{_FEWEST}: train more, or give more pairwise affinities"
        )
    # The penalty is the one with the least leave-one-out error.
    rows = [features[place] for place in usable]
    values = [changes[place] for place in usable]
    error, penalty = math.nan, _PENALTIES[0]
    if held_out:
        left_out = [usable.index(place) for place in held_out]
        error, penalty = min((_left_out(rows, values, left_out, one), one) for one in _PENALTIES)
    fitted = _ridge(np.concatenate(rows), np.concatenate(values), penalty)

    untrained = [
        (tasks, _features(tasks, effects) @ fitted)
        for size in range(2, most + 1)
        for tasks in combinations(range(num_tasks), size)
        if tasks not in trained
    ]
    return PredictedGroups(
        table=_with_untrained(table, trained, alone, untrained),
        error=error,
        error_alone=math.sqrt(
            float(np.mean(np.concatenate([changes[place] for place in held_out or usable]) ** 2))
        ),
        held_out=len(held_out),
        penalty=penalty,
        alone=alone,
    )


def _effects(table: LossTable, pairwise: FloatArray | None) -> FloatArray:
    """Effects of tasks on each other, as given or else those of the trained pairs: float64 (tasks, tasks).

    They are scaled to a root mean square of 1, and NaN on the diagonal.
    """
    num_tasks = len(table.tasks)
    if pairwise is None:
        effects = pair_matrix(table, "validation").change
    else:
        try:
            effects = np.array(pairwise, dtype=float)
        except (TypeError, ValueError) as error:
            raise InvalidInputError(f"pairwise is {shown(pairwise)}, expected numbers") from error
        if effects.shape != (num_tasks, num_tasks):
            raise InvalidInputError(
                f"pairwise has shape {effects.shape}, expected a row and a column for each of {num_tasks} "
                "tasks"
            )
    effects[np.eye(num_tasks, dtype=bool)] = math.nan
    known = effects[np.isfinite(effects)]
    if not len(known):
        raise InvalidInputError(
            "no effect of one task on another is known: give pairwise affinities, or train pairs"
        )
    return effects / (math.sqrt(float(np.mean(known**2))) or 1.0)


def _alone(table: LossTable, trained: dict[tuple[int, ...], int]) -> FloatArray:
    """Loss of each single-task network, float64 (tasks,)."""
    alone = np.empty(len(table.tasks))
    for task, name in enumerate(table.tasks):
        network = trained.get((task,))
        if network is None:
            raise InvalidInputError(
                f"no trained network predicts {name} alone, which its changes are held against: train one"
            )
        alone[task] = table.validation[network, task]
        if alone[task] == 0:
            raise InvalidInputError(
                f"the network for {name} alone has a loss of 0, which no change can be held against"
            )
    return alone


def _features(tasks: Sequence[int], effects: FloatArray) -> FloatArray:
    """Regression features, float64 (tasks of the group, columns); NaN where no effect on a task is known."""
    num_tasks = len(effects)
    rows = np.zeros((len(tasks), 3 + 2 * num_tasks))
    for row, task in enumerate(tasks):
        on_task = effects[[other for other in tasks if other != task], task]
        on_task = on_task[np.isfinite(on_task)]
        mean = float(on_task.mean()) if len(on_task) else math.nan
        more = len(tasks) - 2.0  # others beyond the first
        rows[row, :3] = _SHARED * mean, _SHARED, _SHARED * more
        rows[row, 3 + 2 * task : 5 + 2 * task] = 1.0, more
    return rows


def _ridge(features: FloatArray, values: FloatArray, penalty: float) -> FloatArray:
    """Ridge regression: float64 (columns,) weights, in the unit of the values."""
    scale = math.sqrt(float(np.mean(values**2))) or 1.0
    squares = features.T @ features + penalty * np.eye(features.shape[1])
    return np.asarray(scale * np.linalg.solve(squares, features.T @ (values / scale)), dtype=np.float64)


def _left_out(
    features: Sequence[FloatArray], values: Sequence[FloatArray], held_out: Sequence[int], penalty: float
) -> float:
    """Root mean square error of held-out groups, each predicted from all others."""
    errors = []
    for left in held_out:
        others = [place for place in range(len(features)) if place != left]
        fitted = _ridge(
            np.concatenate([features[place] for place in others]),
            np.concatenate([values[place] for place in others]),
            penalty,
        )
        errors.append(features[left] @ fitted - values[left])
    return math.sqrt(float(np.mean(np.concatenate(errors) ** 2)))


def _are_made_from(
    effects: FloatArray, groups: Sequence[tuple[int, ...]], changes: Sequence[FloatArray]
) -> bool:
    """True if the effects are the changes measured in the trained pairs, in any unit."""
    pairs = [
        (effects[one, other], change)
        for tasks, both in zip(groups, changes, strict=True)
        if len(tasks) == 2
        for one, other, change in ((tasks[1], tasks[0], both[0]), (tasks[0], tasks[1], both[1]))
        if math.isfinite(effects[one, other])
    ]
    if len(pairs) < 4:
        return False
    given, measured = np.array(pairs).T
    if np.ptp(given) == 0 or np.ptp(measured) == 0:
        return False
    return abs(float(np.corrcoef(given, measured)[0, 1])) >= _MADE_FROM


def _with_untrained(
    table: LossTable,
    trained: dict[tuple[int, ...], int],
    alone: FloatArray,
    untrained: Sequence[tuple[tuple[int, ...], FloatArray]],
) -> LossTable:
    """Return the table with a row for each untrained group whose effects are known.

    Args:
        table: the trained networks.
        trained: tasks of a group -> its network.
        alone: float64 (tasks,); the loss of each task's own network.
        untrained: tasks of a group, and the predicted changes of their losses relative to `alone`, float64
            (tasks of the group,); NaN where no effect on a task is known.
    """
    losses, names, sizes = [], [], []
    least = np.nanmin(table.validation, axis=0)
    for group, changes in untrained:
        tasks = list(group)
        if not np.isfinite(changes).all():
            continue
        # Predictions are not negative if no measured loss is.
        kept = np.where(least[tasks] >= 0, np.maximum(changes, -1), changes)
        row = np.full(len(table.tasks), math.nan)
        row[tasks] = alone[tasks] + kept * np.abs(alone[tasks])
        name = "+".join(table.tasks[task] for task in tasks)
        while name in table.networks:
            name += " (untrained)"
        losses.append(row)
        names.append(name)
        sizes.append(len(tasks))

    # Costs follow a straight line over the number of tasks.
    known = np.array([len(tasks) for tasks in trained])
    cost = table.cost[list(trained.values())]
    slope = max(0.0, float(np.polyfit(known, cost, 1)[0])) if np.ptp(known) else 0.0
    line = cost.mean() + slope * (np.array(sizes, dtype=np.intp) - known.mean())
    # Remove rounding errors, which would make equal costs differ; costs must be positive.
    costs = np.maximum(np.round(line, 6), cost.min())
    return LossTable(
        name=table.name,
        tasks=table.tasks,
        networks=(*table.networks, *names),
        cost=np.concatenate([table.cost, costs]),
        validation=np.concatenate([table.validation, np.array(losses).reshape(-1, len(table.tasks))]),
        untrained=tuple(names),
    )
