"""Choice of the group to train next, among those whose losses are predicted."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from taxsolver.arguments import check_number, check_type
from taxsolver.grouping.exact import Pool
from taxsolver.grouping.select import group
from taxsolver.grouping.table import FloatArray, LossTable
from taxsolver.grouping.untrained import PredictedGroups


@dataclass(frozen=True)
class NextGroup:
    """The group to train next.

    Attributes:
        network: its name.
        expected: expected fall of the total loss by training this group: half the fall if its losses are
            better by one leave-one-out error, plus half that if they are worse.
        chosen: true if the present choice contains it.
        looked_at: number of groups that were compared.
        of: number of untrained groups.
    """

    network: str
    expected: float
    chosen: bool
    looked_at: int
    of: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "network": self.network,
            "expected": self.expected,
            "chosen": self.chosen,
            "looked_at": self.looked_at,
            "of": self.of,
        }


def next_group(
    predicted: PredictedGroups, budget: float, *, time_limit: float | None = None
) -> NextGroup | None:
    """Find the untrained group whose training would change the best choice most.

    For each untrained group the best choice is computed twice more: with all its losses better, and worse,
    than predicted by one leave-one-out error (if that is unknown, by `error_alone`). The value of training
    the group is the least total loss as predicted, less the mean of the two other least total losses.

    Args:
        predicted: what `predict_groups` returns.
        budget: largest total cost, as for `group`.
        time_limit: seconds, after which the best group compared so far is returned; None for no limit. Groups
            are compared in falling order of their possible improvement over single-task networks.

    Returns:
        None if no untrained group would change the best choice.

    Raises:
        InvalidInputError: a value is not allowed.
        SolverError: HiGHS failed, or ended without a proof.
    """
    check_type(predicted, PredictedGroups, "predicted", "call `predict_groups`")
    check_number(budget, "budget", zero=False)
    if time_limit is not None:
        check_number(time_limit, "time_limit", zero=False)
    start = time.perf_counter()
    table = predicted.table
    answer = group(table, "optimal", budget)
    if not answer.chosen:
        return None
    error = predicted.error_alone if math.isnan(predicted.error) else predicted.error
    shift = error * np.abs(predicted.alone)
    first = len(table.networks) - len(table.untrained)
    promise = np.nansum(table.validation - shift - predicted.alone, axis=1)
    places = sorted(range(first, len(table.networks)), key=lambda place: (promise[place], place))
    best: tuple[float, int] | None = None
    looked_at = 0
    for place in places:
        if time_limit is not None and time.perf_counter() - start >= time_limit:
            break
        looked_at += 1
        better = _shifted(table, place, -shift).least_loss(budget)
        # A network outside the choice does not enter it if its losses are worse.
        worse = answer.validation_loss
        if place in answer.chosen:
            worse = _shifted(table, place, shift).least_loss(budget) or worse
        if better is None:
            continue
        expected = answer.validation_loss - (better + worse) / 2
        if expected > 0 and (best is None or expected > best[0]):
            best = expected, place
    if best is None:
        return None
    return NextGroup(
        network=table.networks[best[1]],
        expected=best[0],
        chosen=best[1] in answer.chosen,
        looked_at=looked_at,
        of=len(places),
    )


def _shifted(table: LossTable, network: int, shift: FloatArray) -> Pool:
    """The networks of a table, with a shift added to all losses of one of them."""
    losses = np.array(table.validation)
    losses[network] += shift
    return Pool(replace(table, validation=losses), losses)
