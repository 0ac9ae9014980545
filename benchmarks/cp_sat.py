"""Plans by OR-tools' CP-SAT, in a process of its own: OR-tools and highspy each bring a HiGHS that clash.

python -m benchmarks.cp_sat < pickled instances > pickled answers
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCALE = 1e9  # CP-SAT's weights are whole numbers: affinities in units of 1e-9

Bare = tuple[NDArray[np.bool_], NDArray[np.intp], NDArray[np.float64], int]


def solve_all(instances: list[Bare]) -> list[tuple[float, float]]:
    """Objective and seconds of each instance (sources, target, weight, budget), one after another."""
    answers = ask(instances, None)
    if any(bound > objective + 1e-6 for objective, bound, _ in answers):
        raise ArithmeticError("CP-SAT did not prove its answer")
    return [(objective, seconds) for objective, _, seconds in answers]


def ask(instances: list[Bare], time_limit: float | None) -> list[tuple[float, float, float]]:
    """Objective, bound and seconds of each instance; the objective is 0 where no plan was found in time."""
    command = [sys.executable, "-m", "benchmarks.cp_sat"]
    asked = pickle.dumps((instances, time_limit))
    done = subprocess.run(command, input=asked, stdout=subprocess.PIPE, check=True)
    answers: list[tuple[float, float, float]] = pickle.loads(done.stdout)
    return answers


def solve(instance: Bare, time_limit: float | None) -> tuple[float, float, float]:
    """Objective, bound and seconds of one instance."""
    from ortools.sat.python import cp_model  # before the clock starts

    start = time.perf_counter()
    sources, target, weight, budget = instance
    model = cp_model.CpModel()
    y: list[Any] = [model.new_bool_var("") for _ in range(sources.shape[1])]
    x: list[Any] = [model.new_bool_var("") for _ in weight]
    for one in np.unique(target):
        model.add_exactly_one(x[row] for row in np.flatnonzero(target == one))
    for row, needed in enumerate(sources):
        for source in np.flatnonzero(needed):
            model.add_implication(x[row], y[source])
    model.add(sum(y) <= budget)
    model.maximize(sum(round(value * SCALE) * one for value, one in zip(weight, x, strict=True)))
    solver = cp_model.CpSolver()
    if time_limit is not None:
        solver.parameters.max_time_in_seconds = max(0.0, time_limit - (time.perf_counter() - start))
    status = solver.solve(model)
    objective = 0.0
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        objective = float(sum(value for value, one in zip(weight, x, strict=True) if solver.value(one)))
    bound = objective if status == cp_model.OPTIMAL else solver.best_objective_bound / SCALE
    return objective, bound, time.perf_counter() - start


if __name__ == "__main__":
    asked, limit = pickle.load(sys.stdin.buffer)
    sys.stdout.buffer.write(pickle.dumps([solve(instance, limit) for instance in asked]))
