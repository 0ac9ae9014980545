"""Answers found the slow and certain way, and random tensors to find them for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from taxsolver.planning.problem import Problem
from taxsolver.programs.instance import Instance
from taxsolver.tensors.affinity import AffinityTensor


def random_tensor(
    seed: int, tasks: int = 6, targets: int = 4, largest_order: int = 3, *, levels: int | None = None
) -> AffinityTensor:
    """A tensor with about half of all possible transfers; with `levels`, measures that often tie."""
    rng = np.random.default_rng(seed)
    names = tuple(f"task{number}" for number in range(tasks))
    rows: list[tuple[tuple[int, ...], int, bool]] = []
    for target in range(targets):
        rows.append(((target,), target, True))
        for order in range(1, largest_order + 1):
            sets = list(combinations(range(tasks), order))
            rows += [(chosen, target, False) for chosen in sets if order == 1 or rng.random() < 0.5]
    sources = np.zeros((len(rows), tasks), dtype=bool)
    for number, (chosen, _, _) in enumerate(rows):
        sources[number, list(chosen)] = True

    def measure() -> np.ndarray:
        values = rng.random(len(rows))
        return values if levels is None else np.round(values * levels) / levels

    return AffinityTensor(
        name=f"random-{seed}",
        tasks=names,
        targets=names[:targets],
        sources=sources,
        target=np.array([target for _, target, _ in rows], dtype=np.int32),
        affinity=measure(),
        gain=measure(),
        quality=measure(),
        full_supervision=np.array([full for _, _, full in rows]),
    )


def every_plan(problem: Problem) -> Iterator[tuple[float, float, frozenset[str]]]:
    """Objective, label cost and sources of the best plan of every set of sources within the budget."""
    instance, tasks = problem.instance, problem.affinity.tasks
    allowed = [task for task in problem.sources if task not in problem.require]
    for size in range(len(allowed) + 1):
        for chosen in combinations(allowed, size):
            wanted = np.isin(tasks, [*chosen, *problem.require])
            if instance.cost[wanted].sum() > (problem.budget or 0) + 1e-9:
                continue
            best = [_heaviest(instance, target, wanted) for target in range(instance.num_targets)]
            if None in best:
                continue
            rows = [row for row in best if row is not None]
            used = instance.required | instance.sources[rows].any(axis=0)
            names = frozenset(task for task, use in zip(tasks, used, strict=True) if use)
            yield float(instance.weight[rows].sum()), float(instance.cost[used].sum()), names


def best_sets(problem: Problem, count: int) -> list[tuple[float, float]]:
    """Objective and cost of the best plans with different supervised sets, best first, ties cheapest first.

    A set that only adds tasks to one that is as good is left out: those tasks would serve nothing.
    """
    plans = {names: (round(objective, 9), cost) for objective, cost, names in every_plan(problem)}

    def adds_nothing(names: frozenset[str], objective: float) -> bool:
        return any(fewer < names and plans[fewer][0] >= objective for fewer in plans)

    worthy = [plan for names, plan in plans.items() if not adds_nothing(names, plan[0])]
    return sorted(worthy, key=lambda plan: (-plan[0], plan[1]))[:count]


def _heaviest(instance: Instance, target: int, wanted: np.ndarray) -> int | None:
    rows = [
        row
        for row in np.flatnonzero(instance.target == target).tolist()
        if not (instance.sources[row] & ~wanted).any()
    ]
    return max(rows, key=lambda row: (instance.weight[row], -instance.sources[row].sum()), default=None)
