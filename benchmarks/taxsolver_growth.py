"""Benchmark the planner by number of tasks: time and gap on random tensors of up to a million transfers.

    python -m benchmarks.taxsolver_growth [--time-limit 60] [--largest 400] [--solvers taxsolver CP-SAT]

Two kinds of tensor, both with the source sets of the paper: every single source, and pairs, triples and
quadruples of the best ones. `steep`: tasks are points in space, a source helps a target the more the closer
it is, and affinities are shares as from AHP, spread over four orders of magnitude as the published ones are.
`flat`: every affinity is drawn evenly from [0, 1]: nothing stands out, the worst case for any solver.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import combinations, product
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from training.arguments import ScriptParser

from benchmarks.cp_sat import ask
from taxsolver import AffinityTensor, solve
from taxsolver.errors import TimeLimitError
from taxsolver.planning.problem import Problem
from taxsolver.programs import plan_model

SIZES = (25, 50, 100, 200, 400, 1000)
MOST_SINGLE = 214  # single sources of one target: 400 tasks have 100,000 transfers then
LARGEST, MOST_SINGLE_OF_LARGEST = 999, 964  # and 1,000 tasks have a million
DIMENSIONS, STEEPNESS, NOISE, MORE_SOURCES, OWN_LABELS = 6, 4.0, 0.3, 0.2, 2.0


def random_tensor(num_tasks: int, kind: str, seed: int = 0) -> AffinityTensor:
    """A tensor of `num_tasks` tasks, all of them targets, with orders 1 to 4."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(num_tasks, DIMENSIONS)) / np.sqrt(DIMENSIONS)
    closeness = -STEEPNESS * np.linalg.norm(points[:, None] - points[None, :], axis=2)
    each = len(target_transfers(0, closeness[0], kind, np.random.default_rng(seed))[1])
    # Written in place, for a million transfers of a thousand tasks take a gigabyte.
    sources = np.empty((num_tasks * each, num_tasks), dtype=bool)
    affinity = np.empty(num_tasks * each)
    for task in range(num_tasks):
        rows = slice(task * each, (task + 1) * each)
        sources[rows], affinity[rows] = target_transfers(task, closeness[task], kind, rng)
    target = np.repeat(np.arange(num_tasks, dtype=np.int32), each)
    full_supervision = np.arange(len(target)) % each == each - 1
    nothing = np.full(len(affinity), np.nan)
    for array in (sources, affinity, target, full_supervision, nothing):
        array.setflags(write=False)
    names = tuple(f"task{number}" for number in range(num_tasks))
    return AffinityTensor(
        name=f"{kind}-{num_tasks}",
        tasks=names,
        targets=names,
        sources=sources,
        target=target,
        affinity=affinity,
        gain=nothing,
        quality=nothing,
        full_supervision=full_supervision,
    )


def target_transfers(
    task: int, closeness: NDArray[np.float64], kind: str, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Sources and affinities of the transfers of one target; the last one is its full supervision."""
    others = [int(source) for source in np.argsort(-closeness) if source != task]
    single = MOST_SINGLE if len(others) < LARGEST else MOST_SINGLE_OF_LARGEST
    sets: list[tuple[int, ...]] = [(source,) for source in others[:single]]
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


@dataclass(frozen=True)
class Measured:
    """One plan: wall and processor seconds, objective, bound, and the largest memory of its process in GB."""

    transfers: int
    wall: float
    processor: float
    objective: float
    bound: float
    memory: float


def ours(tensor: AffinityTensor, budget: int, time_limit: float) -> tuple[float, float]:
    """Objective and bound of `solve`."""
    plan = solve(tensor, budget=budget, time_limit=time_limit)
    return plan.objective, plan.bound


def whole_program(tensor: AffinityTensor, budget: int, time_limit: float) -> tuple[float, float]:
    """Objective and bound of HiGHS's own branch and bound on the whole program, as for small tensors."""
    plan_model.LARGE = len(tensor) + 1
    return ours(tensor, budget, time_limit)


def cp_sat(tensor: AffinityTensor, budget: int, time_limit: float) -> tuple[float, float]:
    """Objective and bound of OR-tools CP-SAT on the transfers that are not dominated."""
    instance = Problem.of(tensor, budget=budget).instance.without_dominated()[0]
    asked = (instance.sources, instance.target, instance.weight, budget)
    objective, bound, _ = ask([asked], time_limit)[0]
    return objective, bound


SOLVERS = {"taxsolver": ours, "whole program": whole_program, "CP-SAT": cp_sat}


def measure(solver: str, kind: str, size: int, time_limit: float) -> Measured:
    """Measure one plan in this process."""
    tensor = random_tensor(size, kind)
    start, processor = time.perf_counter(), processor_seconds()
    try:
        objective, bound = SOLVERS[solver](tensor, max(1, size // 5), time_limit)
    except TimeLimitError:
        objective, bound = 0.0, np.inf
    usage = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = time.perf_counter() - start, processor_seconds() - processor
    return Measured(len(tensor), *seconds, objective, bound, max(usage) / 1e6)


def processor_seconds() -> float:
    """Processor seconds of this process and of those it waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def measured_apart(*asked: Any) -> Measured:
    """Measure one plan in a process of its own, for the sake of its memory."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measure, *asked).result()


def main() -> None:
    """Print the table."""
    parser = ScriptParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time-limit", type=float, default=60, help="seconds for each plan")
    parser.add_argument("--smallest", type=int, default=min(SIZES), help="smallest number of tasks")
    parser.add_argument("--largest", type=int, default=max(SIZES), help="largest number of tasks")
    parser.add_argument("--kinds", nargs="+", choices=("steep", "flat"), default=("steep", "flat"))
    parser.add_argument("--solvers", nargs="+", choices=tuple(SOLVERS), default=("taxsolver",))
    options = parser.parse_args()
    table = Table(
        title=f"plans of random tensors, budget a fifth of the tasks, at most {options.time_limit:g} s"
    )
    for column in ("tensor", "solver", "transfers", "seconds", "processor", "objective", "gap", "GB"):
        table.add_column(column, justify="left" if column in ("tensor", "solver") else "right")
    sizes = [size for size in SIZES if options.smallest <= size <= options.largest]
    for kind, size, solver in product(options.kinds, sizes, options.solvers):
        one = measured_apart(solver, kind, size, options.time_limit)
        gap = (one.bound - one.objective) / one.objective if one.objective else np.inf
        table.add_row(
            f"{kind}-{size}",
            solver,
            f"{one.transfers:,}",
            f"{one.wall:.2f}",
            f"{one.processor:.2f}",
            f"{one.objective:.4f}" if one.objective else "no plan",
            f"{gap:.2%}" if gap > 0 else "0, proven",
            f"{one.memory:.2f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
