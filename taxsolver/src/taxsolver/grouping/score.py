"""Losses of chosen networks, vectorised over many choices."""

from __future__ import annotations

import numpy as np

from taxsolver.grouping.table import BoolArray, FloatArray, IntArray


def picked_networks(losses: FloatArray, chosen: BoolArray) -> IntArray:
    """Find the network of least loss for each task in each choice: int (choices, tasks); ties take the first.

    Args:
        losses: float64 (networks, tasks); NaN where not predicted.
        chosen: bool (choices, networks); each has a network for every task.
    """
    picked = np.empty((len(chosen), losses.shape[1]), dtype=np.intp)
    for task, column in enumerate(losses.T):
        able = np.flatnonzero(~np.isnan(column))
        picked[:, task] = able[np.where(chosen[:, able], column[able], np.inf).argmin(axis=1)]
    return picked


def least_losses(losses: FloatArray, chosen: BoolArray) -> FloatArray:
    """Compute the least loss of each task in each choice: float64 (choices, tasks); NaN without any loss.

    Args:
        losses: float64 (networks, tasks); NaN where not predicted.
        chosen: bool (choices, networks); each has a network for every task.
    """
    if np.isnan(losses).all():
        return np.full((len(chosen), losses.shape[1]), np.nan)
    least: FloatArray = losses[picked_networks(losses, chosen), np.arange(losses.shape[1])]
    return least
