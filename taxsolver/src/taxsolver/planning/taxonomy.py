"""A taxonomy: the sources to label, and the transfer that serves each target."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np

from taxsolver.planning.costs import exact_sum
from taxsolver.planning.instance import IntArray
from taxsolver.planning.model import Choice
from taxsolver.planning.problem import Problem
from taxsolver.planning.problem_file import plain_number, problem_to_dict
from taxsolver.tensors.affinity import Transfer


@dataclass(frozen=True)
class Taxonomy:
    """What `taxsolver.solve` returns.

    Attributes:
        problem: what was asked for.
        status: `optimal` where the bound proves the objective, `time_limit` where the time limit cut in
            before, `unproven` where the solver ended without a proof.
        objective: sum over targets of importance times the measure that was maximised.
        bound: proven upper bound of the objective of any plan.
        gap: (bound - objective) / |objective|; 0 where optimal.
        seconds: wall-clock time of the solution.
        sources: supervised tasks, in the tensor's order.
        transfers: one for each target, in the order of the targets.
        alternatives: where asked for, the next best taxonomies with other supervised sets, best first.
    """

    problem: Problem
    status: str
    objective: float
    bound: float
    gap: float
    seconds: float
    sources: tuple[str, ...]
    transfers: tuple[Transfer, ...]
    alternatives: tuple[Taxonomy, ...] = ()

    @classmethod
    def of(cls, problem: Problem, choice: Choice, rows: IntArray, seconds: float) -> Taxonomy:
        """The taxonomy of a choice.

        Args:
            problem: what was asked for.
            choice: what the program chose.
            rows: int (targets,); the chosen transfers as rows of the tensor.
            seconds: wall-clock time.
        """
        return cls(
            problem=problem,
            status=choice.status,
            objective=choice.value,
            bound=choice.bound,
            gap=_gap(choice.value, choice.bound),
            seconds=seconds,
            sources=tuple(problem.affinity.tasks[column] for column in np.flatnonzero(choice.chosen)),
            transfers=tuple(problem.affinity.transfer(row) for row in rows.tolist()),
        )

    def at_most(self, bound: float, status: str) -> Taxonomy:
        """The same plan with another proven bound, and no proof of its own."""
        bound = max(bound, self.objective)
        return replace(self, status=status, bound=bound, gap=_gap(self.objective, bound))

    @property
    def cost(self) -> float:
        """Total label cost of the sources, summed as decimals and rounded once."""
        return float(self.exact_cost)

    @cached_property
    def exact_cost(self) -> Decimal:
        """Total label cost of the sources, summed as decimals: never more than the decimal of the budget."""
        return exact_sum(self.problem.label_cost.get(task, 1.0) for task in self.sources)

    @property
    def gain(self) -> float:
        """Mean gain over the targets where it was measured."""
        return mean_measured([transfer.gain for transfer in self.transfers])

    @property
    def quality(self) -> float:
        """Mean quality over the targets where it was measured."""
        return mean_measured([transfer.quality for transfer in self.transfers])

    @property
    def labels(self) -> int | None:
        """Labelled images of the plan: of supervised tasks in full, of other transferred targets a few.

        Untrained sources (random projections) need none. None where a count that is needed is not known.
        """
        trained = {task for task in self.sources if task not in self.problem.affinity.untrained}
        transferred = {transfer.target for transfer in self.transfers if not transfer.full_supervision}
        needed = (
            (len(trained), self.problem.images_full),
            (len(transferred - trained), self.problem.images_transfer),
        )
        if any(count and images is None for count, images in needed):
            return None
        return sum(count * (images or 0) for count, images in needed)

    @property
    def labels_in_full(self) -> int | None:
        """Labelled images it takes to supervise every target in full; None where not known."""
        return (
            None if self.problem.images_full is None else len(self.problem.targets) * self.problem.images_full
        )

    @property
    def labels_saved(self) -> float | None:
        """Share of `labels_in_full` that the plan saves, below 0 where it labels more; None if not known."""
        if self.labels is None or self.labels_in_full is None:
            return None
        return 1 - self.labels / self.labels_in_full

    @property
    def extra_sources(self) -> tuple[str, ...]:
        """Supervised tasks that are not among the targets."""
        return tuple(task for task in self.sources if task not in self.problem.targets)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with the keys of the command's `--json`."""
        return {
            "affinity": self.problem.affinity.name,
            "targets": list(self.problem.targets),
            "budget": plain_number(self.problem.budget),
            "max_order": self.problem.max_order,
            "status": self.status,
            "objective": self.objective,
            "bound": self.bound if math.isfinite(self.bound) else None,
            "gap": self.gap if math.isfinite(self.gap) else None,
            "seconds": self.seconds,
            "labels": self.labels,
            "labels_saved": self.labels_saved,
            "sources": list(self.sources),
            "transfers": [transfer.to_dict() for transfer in self.transfers],
        }

    def to_json(self) -> str:
        """`to_dict` as JSON text, with the total cost and the problem, which `load_problem` reads."""
        asked = {"cost": plain_number(self.cost), "problem": problem_to_dict(self.problem)}
        return json.dumps({**self.to_dict(), **asked}, indent=2) + "\n"


def _gap(objective: float, bound: float) -> float:
    gap = bound - objective
    return gap / abs(objective) if gap and objective else gap


def mean_measured(values: list[float]) -> float:
    """Mean of what was measured; NaN where nothing was."""
    measured = [value for value in values if not math.isnan(value)]
    return sum(measured) / len(measured) if measured else math.nan
