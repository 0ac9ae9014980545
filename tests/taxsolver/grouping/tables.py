"""Tables of losses for tests: a toy by hand, random ones, ties; and every choice of a small one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from taxsolver.grouping import LossTable

# Within 1 only `all` serves: 10. Within 1.5, `b` and `small`: 4 + 3 = 7. Within 2, `a` and `b`: 2 + 4 = 6.
TOY = """\
split,network,cost,a,b
validation,a,1,2,
validation,b,1,,4
validation,small,0.5,3,
validation,all,1,5,5
test,a,1,2.5,
test,b,1,,4.5
test,small,0.5,2.25,
test,all,1,6,4.25
"""


def random_table(seed: int, *, levels: int | None = None, networks: int = 7, tasks: int = 3) -> LossTable:
    """A small table; with `levels`, losses that often tie."""
    rng = np.random.default_rng(seed)
    predicts = rng.random((networks, tasks)) < 0.5
    predicts[rng.integers(networks)] = True
    predicts[np.arange(networks), rng.integers(tasks, size=networks)] = True

    def losses() -> np.ndarray:
        drawn = rng.random(predicts.shape)
        return np.where(predicts, drawn if levels is None else np.round(drawn * levels) / levels, np.nan)

    return LossTable(
        name=f"random-{seed}",
        tasks=tuple(f"task{number}" for number in range(tasks)),
        networks=tuple(f"network{number}" for number in range(networks)),
        cost=rng.choice([0.1, 0.2, 0.3, 0.5, 1.0], networks),
        validation=losses(),
        test=losses(),
        validation_early=losses(),
    )


def tied(*networks: tuple[float, Sequence[float]]) -> LossTable:
    """A table of networks given by cost and losses; -1 for not predicted."""
    losses = np.array([row for _, row in networks])
    return LossTable(
        name="tied",
        tasks=tuple("abcdefghijklmn"[: losses.shape[1]]),
        networks=tuple(f"n{number}" for number in range(len(networks))),
        cost=np.array([cost for cost, _ in networks]),
        validation=np.where(losses < 0, np.nan, losses),
    )


def every_choice(table: LossTable, losses: np.ndarray, budget: float) -> Iterator[tuple[Any, ...]]:
    """(total loss, cost, predictions, indices) of every set within the budget that serves all tasks."""
    for size in range(1, len(table.networks) + 1):
        for chosen in combinations(range(len(table.networks)), size):
            rows = list(chosen)
            cost = round(float(table.cost[rows].sum()), 9)
            if cost <= budget + 1e-9 and (~np.isnan(losses[rows])).any(axis=0).all():
                total = float(np.nanmin(losses[rows], axis=0).sum())
                yield total, cost, int(table.num_predicted[rows].sum()), chosen


def preferred(choices: list[tuple[Any, ...]], sign: float = 1.0) -> tuple[int, ...] | None:
    """The best total, and of those within a tie the cheapest, the one with fewest predictions, the first."""
    if not choices:
        return None
    best = min(sign * total for total, *_ in choices)
    ties = [choice[1:] for choice in choices if sign * choice[0] <= best + 1e-9]
    chosen: tuple[int, ...] = min(ties)[-1]
    return chosen


def uses_budget(table: LossTable, chosen: tuple[int, ...], budget: float) -> bool:
    """Tell whether no other network fits into the rest of the budget."""
    left = budget - table.cost[list(chosen)].sum() + 1e-9
    return all(table.cost[other] > left for other in range(len(table.cost)) if other not in chosen)
