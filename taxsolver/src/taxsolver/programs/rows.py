"""Rows that are added to a program: excluded sets, groups, and budgets within HiGHS's tolerance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taxsolver.programs.instance import BoolArray, FloatArray, Instance, IntArray

LEAST_SHARE = 1e-5  # share of the dearest: smaller entries mislead HiGHS's presolve; the exact sum decides
INTEGRAL = 1e-6  # values nearer to a whole number count as whole
_CLEAR = 1e-4  # share of its right side by which a row is violated by the proposal it cuts off


@dataclass(frozen=True, eq=False)
class Row:
    """A row of a program: the sum of values times columns lies between two bounds."""

    columns: IntArray
    values: FloatArray
    lower: float
    upper: float


def at_most_rows(instance: Instance) -> list[Row]:
    """Return the rows of an instance that limit how many of some sources are chosen."""
    return [
        Row(np.flatnonzero(counted), counted[counted > 0].astype(float), -np.inf, float(most))
        for most, counted in instance.at_most
    ]


def not_all(columns: IntArray) -> Row:
    """Return the row that excludes plans with all of these sources."""
    return Row(columns, np.ones(len(columns)), -np.inf, len(columns) - 1.0)


def other_than(chosen: BoolArray) -> Row:
    """Return the row that excludes exactly this set of sources."""
    return Row(np.arange(len(chosen)), np.where(chosen, -1.0, 1.0), 1.0 - chosen.sum(), np.inf)


def budget_rows(amounts: NDArray[Any], chosen: BoolArray, limit: int) -> list[Row]:
    """Return rows that sets within the limit satisfy and that the chosen sources, which exceed it, violate.

    The budget's row itself may be violated by less than HiGHS's tolerance. With H, the dearest of the chosen,
    r = limit - cost(H) is left for all others:

        sum of cost_s / r y_s over s not in H is at most 1, unless one of H is left out

    where sources that cost more than r count 2. H is the smallest such set for which the excess is clear.
    The other row excludes the smallest set of chosen sources that together exceed the limit.
    """
    falling = np.flatnonzero(chosen)[np.argsort(-amounts[chosen], kind="stable")]
    fewest = int(np.argmax(np.cumsum(amounts[falling]) > limit)) + 1
    rows = [not_all(falling[:fewest])]
    for size in range(fewest):
        head, left = falling[:size], limit - int(amounts[falling[:size]].sum())
        share = np.where(amounts > left, 2.0, (amounts / (left or 1)).astype(float))
        share[share < LEAST_SHARE] = 0.0
        share[head] = 0.0
        room = 1.0 if left else 0.0
        if share[chosen].sum() >= room + _CLEAR:
            loose = float(share.sum())
            columns = np.concatenate([head, np.flatnonzero(share)])
            values = np.concatenate([np.full(size, loose), share[share > 0]])
            return [*rows, Row(columns, values, -np.inf, room + INTEGRAL + loose * size)]
    return rows


def serving_rows(instance: Instance, chosen: BoolArray) -> list[Row]:
    """Return rows that say that each target that the chosen sources do not serve needs another source.

    A transfer needs the first of its sources that is not chosen; one of those is chosen in every plan.
    """
    absent = ~np.append(chosen, True)[instance.members]
    served = np.zeros(instance.num_targets, dtype=bool)
    served[instance.target[~absent.any(axis=1)]] = True
    lacking = instance.members[np.arange(len(absent)), absent.argmax(axis=1)]
    needed = [np.unique(lacking[instance.target == target]) for target in np.flatnonzero(~served).tolist()]
    return [Row(columns, np.ones(len(columns)), 1.0, np.inf) for columns in needed]
