"""Random-selection baseline: random networks that fill a budget."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taxsolver.grouping.table import BoolArray, LossTable

_AT_ONCE = 1 << 20  # largest number of networks times fillings in memory
_PATIENCE, _RAREST = 50_000, 5_000  # after 50,000 draws, fewer than one valid filling in 5,000 is too rare


def random_fillings(table: LossTable, budget: float, draws: int, seed: int) -> Iterator[BoolArray]:
    """Draw fillings that serve every task, and yield them in blocks of bool (fillings, networks).

    Networks are visited in a random order, and each one that still fits is added. A filling that leaves a
    task without a network is discarded and drawn again, as the authors do (main.cpp of
    https://github.com/tstandley/taskgrouping). So the fillings are not equally likely.

    Args:
        table: the networks.
        budget: largest total cost; costs are summed as decimals.
        draws: number of fillings in total; there are fewer where hardly any filling serves every task.
        seed: the same seed gives the same fillings.
    """
    rng = np.random.default_rng(seed)
    amounts, limit = table.costs.amounts, table.costs.limit(budget)
    affordable = np.flatnonzero(amounts <= limit)
    block = max(1, _AT_ONCE // max(1, len(affordable)))
    found = tried = 0
    while found < draws and (tried < _PATIENCE or found * _RAREST >= tried):
        chosen = np.zeros((block, len(table.networks)), dtype=bool)
        # Add networks that still fit in a random order.
        costs = amounts[affordable]
        visits = np.argsort(rng.random((block, len(costs))), axis=1)
        filled = np.zeros(visits.shape, dtype=bool)
        room = np.full(block, limit, dtype=costs.dtype)
        rows = np.arange(block)
        for candidate in visits.T:
            fits = costs[candidate] <= room
            filled[rows, candidate] = fits
            room -= np.where(fits, costs[candidate], 0)
            if room.max() < costs.min():
                break
        chosen[:, affordable] = filled
        tried += block
        predictions = chosen.astype(np.float32) @ table.predicts.astype(np.float32)
        serving = chosen[(predictions > 0).all(axis=1)][: draws - found]
        found += len(serving)
        yield serving
