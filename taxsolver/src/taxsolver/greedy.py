"""A plan in a hurry: one source after another, each time the one that helps most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from taxsolver.instance import BoolArray, Instance, IntArray


def greedy_sources(instance: Instance, budget: float, forbidden: Sequence[IntArray] = ()) -> BoolArray | None:
    """Sources within the budget from which every target can be served, or None where this search finds none.

    Args:
        instance: the problem.
        budget: largest total cost of the sources.
        forbidden: sets of tasks that must not all be chosen.

    Returns:
        bool (tasks,).
    """
    chosen = instance.required.copy()
    worth = _worth(instance, chosen)
    while True:
        best, best_worth = None, worth
        for task in np.flatnonzero(~chosen & instance.sources.any(axis=0)):
            trial = chosen.copy()
            trial[task] = True
            if instance.cost[trial].sum() <= budget and not any(trial[group].all() for group in forbidden):
                trial_worth = _worth(instance, trial)
                if trial_worth > best_worth:
                    best, best_worth = trial, trial_worth
        if best is None:
            return chosen if instance.best_transfers(chosen) is not None else None
        chosen, worth = best, best_worth


def _worth(instance: Instance, chosen: BoolArray) -> tuple[int, float]:
    """Number of targets that can be served, then the sum of their best weights."""
    rows = np.flatnonzero(instance.served_by(chosen))
    heaviest = np.full(instance.num_targets, -np.inf)
    np.maximum.at(heaviest, instance.target[rows], instance.weight[rows])
    served = np.isfinite(heaviest)
    return int(served.sum()), float(heaviest[served].sum())
