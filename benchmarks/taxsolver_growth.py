"""Benchmark the planner by number of tasks: time and gap on random tensors of up to 100,000 transfers.

    python -m benchmarks.taxsolver_growth [--time-limit 60] [--largest 400]

Two kinds of tensor, both with the source sets of the paper: every single source, and pairs, triples and
quadruples of the best ones. `steep`: tasks are points in space, a source helps a target the more the closer
it is, and affinities are shares as from AHP, spread over four orders of magnitude as the published ones are.
`flat`: every affinity is drawn evenly from [0, 1]: nothing stands out, the worst case for any solver.
"""

from __future__ import annotations

import argparse
import time
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from training.arguments import ScriptParser

from taxsolver import AffinityTensor, solve
from taxsolver.errors import TimeLimitError

SIZES = (25, 50, 100, 200, 400)
MOST_SINGLE = 214  # single sources of one target: 400 tasks have 100,000 transfers then
DIMENSIONS, STEEPNESS, NOISE, MORE_SOURCES, OWN_LABELS = 6, 4.0, 0.3, 0.2, 2.0


def random_tensor(num_tasks: int, kind: str, seed: int = 0) -> AffinityTensor:
    """A tensor of `num_tasks` tasks, all of them targets, with orders 1 to 4."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(num_tasks, DIMENSIONS)) / np.sqrt(DIMENSIONS)
    closeness = -STEEPNESS * np.linalg.norm(points[:, None] - points[None, :], axis=2)
    parts = [target_transfers(task, closeness[task], kind, rng) for task in range(num_tasks)]
    sources, affinity = (np.concatenate(column) for column in zip(*parts, strict=True))
    sizes = [len(part[1]) for part in parts]
    target = np.repeat(np.arange(num_tasks, dtype=np.int32), sizes)
    names = tuple(f"task{number}" for number in range(num_tasks))
    nothing = np.full(len(affinity), np.nan)
    return AffinityTensor(
        name=f"{kind}-{num_tasks}",
        tasks=names,
        targets=names,
        sources=sources,
        target=target,
        affinity=affinity,
        gain=nothing,
        quality=nothing,
        full_supervision=sources.sum(axis=1) == sources[np.arange(len(target)), target],
    )


def target_transfers(
    task: int, closeness: NDArray[np.float64], kind: str, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Sources and affinities of the transfers of one target; the last one is its full supervision."""
    others = [int(source) for source in np.argsort(-closeness) if source != task]
    sets: list[tuple[int, ...]] = [(source,) for source in others[:MOST_SINGLE]]
    for best, order in ((5, 2), (5, 3), (6, 4)):  # section 3.2 of the paper: sets of the best five, or six
        sets += combinations(others[:best], order)
    members = np.zeros((len(sets) + 1, len(closeness)), dtype=bool)
    for row, chosen in enumerate([*sets, (task,)]):
        members[row, list(chosen)] = True
    if kind == "flat":
        return members, rng.random(len(members))
    score = np.where(members, closeness, -np.inf).max(axis=1) + MORE_SOURCES * (members.sum(axis=1) - 1)
    score += NOISE * rng.normal(size=len(score))
    score[-1] = score[:-1].max() + OWN_LABELS
    weights = np.exp(score)
    return members, weights / weights.sum()


def main() -> None:
    """Print the table."""
    parser = ScriptParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time-limit", type=float, default=60, help="seconds for each plan")
    parser.add_argument("--largest", type=int, default=max(SIZES), help="largest number of tasks")
    options = parser.parse_args()
    table = Table(
        title=f"plans of random tensors, budget a fifth of the tasks, at most {options.time_limit:g} s"
    )
    for column in ("tensor", "transfers", "seconds", "status", "objective", "bound", "gap"):
        table.add_column(column, justify="left" if column in ("tensor", "status") else "right")
    for kind in ("steep", "flat"):
        for size in (size for size in SIZES if size <= options.largest):
            tensor = random_tensor(size, kind)
            start = time.perf_counter()
            try:
                plan = solve(tensor, budget=max(1, size // 5), time_limit=options.time_limit)
            except TimeLimitError:
                table.add_row(
                    tensor.name, f"{len(tensor):,}", f"{time.perf_counter() - start:.2f}", "no plan"
                )
                continue
            seconds = f"{time.perf_counter() - start:.2f}"
            measures = (f"{plan.objective:.4f}", f"{plan.bound:.4f}", f"{plan.gap:.2%}")
            table.add_row(tensor.name, f"{len(tensor):,}", seconds, plan.status, *measures)
    Console().print(table)


if __name__ == "__main__":
    main()
