"""Exact tie-breaking among equally good choices."""

from __future__ import annotations

import numpy as np

from taxsolver.errors import SolverError
from taxsolver.grouping.table import BoolArray, FloatArray, IntArray
from taxsolver.programs.plan_program import PlanProgram

TIE = 1e-9  # losses closer than this are ties; for losses beyond 1, closer than this share of the largest
_BLOCK = 12  # networks whose order is decided in one program: their weights 2^11 .. 1 are exact there


def tie(losses: FloatArray) -> float:
    """Return the largest difference between total losses that counts as a tie."""
    return TIE * max(1.0, float(np.nanmax(np.abs(losses))))


def preferred(program: PlanProgram, num_predicted: IntArray, deadline: float | None = None) -> BoolArray:
    """Find the cheapest choice that the program allows; ties go to the fewest predictions.

    Further ties go to the first in table order: the choice whose sorted indices are lexicographically least.

    Args:
        program: its rows must allow only the equally good choices, at least one.
        num_predicted: int (networks,); tasks that each network predicts.
        deadline: time of `time.perf_counter`; None for no limit.

    Returns:
        bool (networks,).

    Raises:
        TimeLimitError: the deadline passed before the choice was found.
        SolverError: HiGHS failed.
    """
    if program.cheapest(deadline) is None:
        raise SolverError("HiGHS lost the choices that it had found")
    chosen = _least(program, num_predicted.astype(float), deadline)
    # All choices left cost the same: if none of them lacks one of these networks, this is the only one.
    other = program.best(program.on_sources(-chosen.astype(float)), deadline)
    if other is not None and other[chosen].all():
        return chosen
    for start in range(0, len(num_predicted), _BLOCK):
        spelled = np.zeros(len(num_predicted))
        block = spelled[start : start + _BLOCK]
        block[:] = -(2.0 ** np.arange(len(block))[::-1])
        chosen = _least(program, spelled, deadline)
    return chosen


def _least(program: PlanProgram, amount: FloatArray, deadline: float | None) -> BoolArray:
    """Find a choice with the least total of whole numbers, and restrict the program to that total."""
    chosen = program.best(program.on_sources(-amount), deadline)
    if chosen is None:
        raise SolverError("HiGHS lost the choices that it had found")
    program.add_row(np.arange(len(amount)), amount, upper=float(amount[chosen].sum()) + 0.5)
    return chosen
