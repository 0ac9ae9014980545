"""Greedy search for a plan: add the source that helps most, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from taxsolver.programs.instance import BoolArray, Instance, IntArray


def greedy_sources(
    instance: Instance, budget: float | Fraction, forbidden: Sequence[IntArray] = ()
) -> BoolArray | None:
    """Find sources within the budget that serve every target; None if this search finds none.

    Args:
        instance: the problem.
        budget: largest total cost of the sources.
        forbidden: sets of tasks that must not all be chosen.

    Returns:
        bool (tasks,).
    """
    chosen, costs = instance.required.copy(), instance.costs
    limit = costs.limit(budget)
    missing = instance.sources[:, ~chosen].sum(axis=1)
    while True:
        allowed = ~chosen & (costs.amounts <= limit - costs.total(chosen))
        for group in forbidden:
            left = group[~chosen[group]]
            if len(left) == 1:
                allowed[left[0]] = False
        for most, counted in instance.at_most:
            allowed &= counted <= most - counted[chosen].sum()
        best = _most_helpful(instance, chosen, missing, allowed)
        if best is None:
            return chosen if instance.best_transfers(chosen) is not None else None
        chosen[best] = True
        missing = missing - instance.sources[:, best]


def _most_helpful(instance: Instance, chosen: BoolArray, missing: IntArray, allowed: BoolArray) -> int | None:
    """Find the source that serves most unserved targets, then adds most weight; None if none helps."""
    served = np.full(instance.num_targets, -np.inf)
    ready = missing == 0
    np.maximum.at(served, instance.target[ready], instance.weight[ready])
    rows = np.flatnonzero(missing == 1)
    source = (instance.sources[rows] & ~chosen).argmax(axis=1)
    rows, source = rows[allowed[source]], source[allowed[source]]
    if not len(rows):
        return None
    ranked = np.lexsort((-instance.weight[rows], instance.target[rows], source))
    pairs = source[ranked] * instance.num_targets + instance.target[rows][ranked]
    _, first = np.unique(pairs, return_index=True)  # the heaviest transfer of each source and target
    heaviest = ranked[first]
    source, weight = source[heaviest], instance.weight[rows][heaviest]
    before = served[instance.target[rows][heaviest]]
    unserved = np.isneginf(before)
    newly = np.bincount(source, weights=unserved)
    gained = np.where(unserved, weight, np.maximum(0.0, weight - np.where(unserved, 0.0, before)))
    worth = np.bincount(source, weights=gained)
    best = int(np.lexsort((worth, newly))[-1])
    return best if newly[best] > 0 or worth[best] > 0 else None
