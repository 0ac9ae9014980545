"""Branch and bound over the sources of a plan, with the relaxation of `CutProgram` at every node."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from taxsolver.errors import SolverError
from taxsolver.programs.choice import SCALE, TIE, Choice
from taxsolver.programs.cut_program import CutProgram, Relaxed, least_fall
from taxsolver.programs.instance import BoolArray, FloatArray, IntArray
from taxsolver.programs.local_search import LocalSearch

_STARTS = 8  # local searches from the relaxation of the root with noise
_NOISE = 0.5
_SEARCHED = 50  # nodes from one local search to the next
_PROBES, _PROBED = 8, 20  # tasks that are probed at a node, and looked at for it
_RELIABLE = 4  # branchings from which on their mean predicts the next
_ITERATIONS = 50  # of the simplex method in a probe
_FRACTIONAL = 1e-6
_MARGIN = 1e-3  # far above the sum of the tolerances of a relaxation
_TOLERANCE = 2 * TIE * SCALE  # bounds of the objective that are nearer to a plan than this prove it


@dataclass(frozen=True, eq=False)
class _Node:
    """Plans with y between bounds, none of which has an objective above a bound."""

    bound: float
    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True, eq=False)
class Outcome:
    """End of a search.

    Attributes:
        best: the best plan, if any.
        bound: upper bound of the objective of every plan.
        proven: True if no plan is better than the best by more than a tie, or with none, if there is no plan.
    """

    best: Choice | None
    bound: float
    proven: bool


class BranchAndCut:
    """Search for the plan of the largest objective.

    Branching follows pseudo-costs that probes make reliable (Achterberg, Koch and Martin, Operations Research
    Letters 2005).

    Args:
        program: relaxation with the budget set.
        search: local search with the same budget.
        evaluate: computes a plan from sources; None if they serve not every target, are not allowed or too
            dear, after rows that exclude them were added to the program.
        objective: objective of a plan in the program.
        enough: objective that a plan must exceed to be of interest.
    """

    def __init__(
        self,
        program: CutProgram,
        search: LocalSearch,
        evaluate: Callable[[BoolArray], Choice | None],
        objective: Callable[[Choice], float],
        enough: float = -np.inf,
    ) -> None:
        self._program, self._search = program, search
        self._evaluate, self._objective, self._enough = evaluate, objective, enough
        self._best: Choice | None = None
        self._rejected: set[bytes] = set()
        self._draws = np.random.default_rng(0)

    def run(self, lower: FloatArray, upper: FloatArray, deadline: float | None) -> Outcome:
        """Search the plans with float64 (tasks,) y between bounds.

        Raises:
            SolverError: HiGHS ended without an answer, or with a relaxation above the only plan of a node.
        """
        self._offer(self._search.improve(self._search.greedy()))
        root = self._program.relax(lower, upper, self._enough, deadline)
        if root is None:
            return Outcome(self._best, self._enough, proven=True)
        if not root.finished:
            return Outcome(self._best, root.bound, proven=False)
        for start in range(_STARTS):
            if _passed(deadline):
                break
            noise = _NOISE * self._draws.random(len(upper)) if start else 0.0
            self._offer(self._search.improve(self._search.fill(root.values + noise)))
        costs = _PseudoCosts(len(upper))
        open_nodes = [_Node(root.bound, lower, upper)]
        nodes = 0
        while open_nodes:
            node = open_nodes.pop()
            if node.bound <= self._enough:
                continue
            relaxed = None
            if not _passed(deadline):
                self._program.forget()
                relaxed = self._program.relax(node.lower, node.upper, self._enough, deadline)
                if relaxed is None:
                    continue
            if relaxed is None or not relaxed.finished:
                left = [node.bound, *(other.bound for other in open_nodes)]
                return Outcome(self._best, max(left), proven=False)
            nodes += 1
            open_nodes += self._branches(node, relaxed, costs, search=nodes % _SEARCHED == 0)
        return Outcome(self._best, self._enough, proven=True)

    def _branches(self, node: _Node, relaxed: Relaxed, costs: _PseudoCosts, *, search: bool) -> list[_Node]:
        """Split a node in two, the more promising one last; none if it holds no better plan."""
        values, lower, upper = relaxed.values, node.lower.copy(), node.upper.copy()
        if search:
            self._offer(self._search.improve(self._search.fill(values)))
        gap = relaxed.bound - self._enough + _MARGIN
        at_lower, at_upper = least_fall(relaxed, gap, lower, upper)
        upper[at_lower], lower[at_upper] = 0.0, 1.0
        free = lower < upper
        fraction = np.where(free, np.minimum(values, 1 - values), 0.0)
        if fraction.max(initial=0.0) > _FRACTIONAL:
            task = self._most_telling(relaxed, np.flatnonzero(fraction > _FRACTIONAL), costs)
        else:
            chosen = values > 0.5
            if not self._offer(chosen):
                # Rows that exclude this choice were added: the same node again.
                if chosen.tobytes() in self._rejected:
                    raise SolverError("HiGHS proposed excluded sources again: nothing is proven")
                self._rejected.add(chosen.tobytes())
                return [_Node(relaxed.bound, lower, upper)]
            if relaxed.bound <= self._enough:
                return []
            if not free.any():
                raise SolverError("HiGHS valued a plan too highly: nothing is proven")
            task = int(np.flatnonzero(free)[values[free].argmax()])
        without, with_it = upper.copy(), lower.copy()
        without[task], with_it[task] = 0.0, 1.0
        children = [_Node(relaxed.bound, lower, without), _Node(relaxed.bound, with_it, upper)]
        return children if values[task] > 0.5 else children[::-1]

    def _most_telling(self, relaxed: Relaxed, tasks: IntArray, costs: _PseudoCosts) -> int:
        """Choose the task whose two values lower the bound most."""
        values = relaxed.values
        ranked = tasks[np.argsort(-costs.score(values)[tasks], kind="stable")]
        unsure = [task for task in ranked[:_PROBED].tolist() if not costs.is_reliable(task)][:_PROBES]
        score = costs.score(values)
        for task in unsure:
            falls = [
                max(0.0, relaxed.bound - self._program.probe(task, value, _ITERATIONS))
                for value in (0.0, 1.0)
            ]
            costs.learn(task, values[task], falls)
            score[task] = _product(*np.minimum(falls, SCALE))
        return int(tasks[score[tasks].argmax()])

    def _offer(self, chosen: BoolArray) -> bool:
        """Evaluate sources, keep the plan if it is the best, and return False if they are no plan."""
        plan = self._evaluate(chosen)
        if plan is None:
            return False
        objective = self._objective(plan)
        if objective + _TOLERANCE > self._enough:
            self._best, self._enough = plan, objective + _TOLERANCE
        return True


class _PseudoCosts:
    """Mean fall of the bound per unit by which each y is rounded down (row 0) and up (row 1)."""

    def __init__(self, tasks: int) -> None:
        self._sum, self._count = np.zeros((2, tasks)), np.zeros((2, tasks))

    def learn(self, task: int, value: float, falls: list[float]) -> None:
        """Record the falls of the bound where y is 0 and 1; infinite ones tell nothing of others."""
        for row, (fall, distance) in enumerate(zip(falls, (value, 1 - value), strict=True)):
            if np.isfinite(fall):
                self._sum[row, task] += fall / distance
                self._count[row, task] += 1

    def is_reliable(self, task: int) -> bool:
        """Return True if enough is known about a task."""
        return bool(self._count[:, task].min() >= _RELIABLE)

    def score(self, values: FloatArray) -> FloatArray:
        """float64 (tasks,): product of the falls that are expected."""
        if not self._count.any():
            return np.minimum(values, 1 - values)
        everywhere = self._sum.sum(axis=1) / np.maximum(1, self._count.sum(axis=1))
        mean = np.where(self._count > 0, self._sum / np.maximum(1, self._count), everywhere[:, None])
        return np.asarray(_product(mean[0] * values, mean[1] * (1 - values)))


def _product(down: Any, up: Any) -> Any:
    """Product of two falls, neither of which counts as nothing."""
    return np.maximum(down, _FRACTIONAL) * np.maximum(up, _FRACTIONAL)


def _passed(deadline: float | None) -> bool:
    return deadline is not None and time.perf_counter() >= deadline
