"""Benchmark all 104 budgets and orders of the 16k tensor: ours against the paper's rows in three solvers.

    python -m benchmarks.taxsolver_sweep [--rounds 3] [--quick]

Every solver gets the same transfers and has to prove its answer; the objectives must agree to 1e-6.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import product

from rich.console import Console
from rich.table import Table
from training.arguments import ScriptParser

from benchmarks.cp_sat import solve_all
from benchmarks.rivals import solve_highs, solve_scipy
from taxsolver import load_affinity, sweep
from taxsolver.planning.problem import Problem
from taxsolver.programs.instance import Instance

BUDGETS, ORDERS = range(1, 27), range(1, 5)
AGREE = 1e-6
RIVALS: dict[str, Callable[[list[tuple[Instance, int]]], list[tuple[float, float]]]] = {
    "paper's rows, HiGHS": lambda instances: one_by_one(solve_highs, instances),
    "paper's rows, scipy.optimize.milp": lambda instances: one_by_one(solve_scipy, instances),
    "OR-tools CP-SAT": lambda instances: solve_all(
        [(instance.sources, instance.target, instance.weight, budget) for instance, budget in instances]
    ),
}


def one_by_one(
    solve: Callable[[Instance, float], float], instances: list[tuple[Instance, int]]
) -> list[tuple[float, float]]:
    """Objective and seconds of each instance."""
    answers = []
    for instance, budget in instances:
        start = time.perf_counter()
        objective = solve(instance, budget)
        answers.append((objective, time.perf_counter() - start))
    return answers


def time_ours(rounds: int) -> tuple[float, float, dict[tuple[int, int], float]]:
    """Median seconds of the whole `sweep` call and of its solutions alone, and the objectives."""
    tensor = load_affinity("taskonomy-16k")
    whole, solving = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        rows = sweep(tensor, BUDGETS, ORDERS)
        whole.append(time.perf_counter() - start)
        solving.append(sum(row.taxonomy.seconds for row in rows if row.taxonomy))
    unproven = [row for row in rows if row.taxonomy is None or row.taxonomy.status != "optimal"]
    if unproven:
        raise ArithmeticError(f"{len(unproven)} of {len(rows)} plans are not proven optimal")
    objectives = {(row.max_order, int(row.budget)): row.objective for row in rows}
    return sorted(whole)[rounds // 2], sorted(solving)[rounds // 2], objectives


def time_rival(name: str, expected: dict[tuple[int, int], float]) -> float:
    """Seconds for all instances, after checking every objective."""
    tensor = load_affinity("taskonomy-16k")
    asked = list(product(ORDERS, BUDGETS))
    instances = [
        (Problem.of(tensor, "all", budget, max_order=order).instance, budget) for order, budget in asked
    ]
    answers = RIVALS[name](instances)
    for (order, budget), (objective, _) in zip(asked, answers, strict=True):
        if abs(objective - expected[order, budget]) > AGREE:
            raise ArithmeticError(
                f"order {order}, budget {budget}: {objective} against {expected[order, budget]}"
            )
    return sum(seconds for _, seconds in answers)


def main() -> None:
    """Print the table."""
    parser = ScriptParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="sweeps of ours; the median counts")
    parser.add_argument("--quick", action="store_true", help="only the first rival")
    options = parser.parse_args()
    whole, solving, objectives = time_ours(options.rounds)
    table = Table(title=f"{len(objectives)} plans of taskonomy-16k, each proven optimal")
    for column in ("", "seconds", "times ours"):
        table.add_column(column, justify="right" if column else "left")
    table.add_row("taxsolver, whole sweep call", f"{whole:.3f}", "1")
    table.add_row("  of that, solving", f"{solving:.3f}", f"{solving / whole:.2f}")
    for name in list(RIVALS)[: 1 if options.quick else None]:
        seconds = time_rival(name, objectives)
        table.add_row(name, f"{seconds:.1f}", f"{seconds / whole:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
