"""A taxonomy: the sources to label, and the transfer that serves each target."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from taxsolver.planning.problem import Problem
from taxsolver.planning.problem_file import plain_number, problem_to_dict
from taxsolver.programs.choice import Choice
from taxsolver.programs.costs import exact_decimal, exact_sum
from taxsolver.programs.instance import IntArray
from taxsolver.tensors.affinity import Transfer


@dataclass(frozen=True)
class Purchase:
    """The labels of one task that a plan needs.

    Attributes:
        task: the task.
        full: true if labelled in full, false if labelled for a transfer.
        images: labelled images that are not owned; None if unknown.
        cost: cost of these labels, rounded once.
    """

    task: str
    full: bool
    images: float | None
    cost: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "task": self.task,
            "labels": "full" if self.full else "transfer",
            "images": self.images,
            "cost": self.cost,
        }


@dataclass(frozen=True)
class Taxonomy:
    """Result of `taxsolver.solve`: the supervised tasks and the transfer that serves each target.

    Attributes:
        problem: the problem that was solved.
        status: `optimal` if the bound proves the objective, `time_limit` if the time limit passed before the
            proof, `unproven` if the solver ended without a proof.
        objective: sum over targets of importance times the measure that was maximised.
        bound: proven upper bound of the objective of any plan.
        gap: (bound - objective) / |objective|; 0 where optimal.
        seconds: wall-clock time of the solution.
        sources: supervised tasks, in the tensor's order.
        transfers: one transfer for each target, in the order of the targets.
        large: targets whose transfer is one of `Problem.larger`, or in a chain, was one in an earlier period.
        alternatives: if asked for, the next best taxonomies with other supervised sets, best first; for a
            cheapest plan, the next cheapest.
        k_best: number of plans that were asked for, this one included.

    Examples:
        >>> import taxsolver
        >>> plan = taxsolver.solve("taskonomy-16k", "normals,depth,reshading", budget=2)
        >>> plan.status, plan.cost, plan.sources
        ('optimal', 2.0, ('depth_zbuffer', 'normal'))
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
    k_best: int = 1
    large: tuple[str, ...] = ()

    @classmethod
    def of(cls, problem: Problem, choice: Choice, rows: IntArray, seconds: float) -> Taxonomy:
        """Construct the taxonomy of a choice.

        Args:
            problem: the problem that was solved.
            choice: sources and transfers that the program chose.
            rows: int (targets,); the chosen transfers as rows of `Problem.transfers`.
            seconds: wall-clock time of the solution.
        """
        rows, chosen = problem.rows_of(rows, choice.chosen), problem.expanded(choice.chosen)
        kept = [False] * len(rows)
        if problem.larger is not None:
            kept = problem.instance.without_parts(choice.chosen)[len(problem.affinity.tasks) :].tolist()
        return cls(
            problem=problem,
            status=choice.status,
            objective=choice.value,
            bound=choice.bound,
            gap=_gap(choice.value, choice.bound),
            seconds=seconds,
            sources=tuple(problem.affinity.tasks[column] for column in np.flatnonzero(chosen)),
            transfers=tuple(problem.transfer(row) for row in rows.tolist()),
            large=tuple(
                task
                for task, row, large in zip(problem.targets, rows.tolist(), kept, strict=True)
                if large or row >= len(problem.affinity)
            ),
        )

    def at_most(self, bound: float, status: str) -> Taxonomy:
        """Return this plan with another proven bound and another status."""
        bound = max(bound, self.objective)
        return replace(self, status=status, bound=bound, gap=_gap(self.objective, bound))

    @property
    def cost(self) -> float:
        """Total cost of labels in full, or with a unit of all labels; summed as decimals, rounded once."""
        return float(self.exact_cost)

    @cached_property
    def exact_cost(self) -> Decimal:
        """Total cost, summed as decimals: never more than the decimal of the budget."""
        if self.problem.unit is None and not self.problem.costs:  # a faster way to the same result
            return exact_sum(self.problem.label_cost.get(task, 1.0) for task in self.sources)
        return exact_decimal(
            sum((self.problem.full_cost(task) for task in self.sources), Fraction(0))
            + sum((self.problem.transfer_cost(task) for task in self._transferred), Fraction(0))
            + sum(
                (self.problem.extra_cost(task) for task in self._transferred if task in self.large),
                Fraction(0),
            )
        )

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
        """Labelled images that the plan needs: in full for supervised tasks, few for other targets.

        Untrained sources (random projections) need none, and owned labels are not counted. None if a count is
        unknown.
        """
        full = [self.problem.images_to_label(task, full=True) for task in self._trained]
        for_transfers = [
            self.problem.images_to_label(task, full=False, large=task in self.large)
            for task in self._transferred
        ]
        return _whole([*full, *for_transfers])

    @property
    def purchases(self) -> tuple[Purchase, ...]:
        """The labels to buy: of supervised tasks in full, then of other transferred targets."""
        problem = self.problem
        wanted = [(task, True) for task in self._trained] + [(task, False) for task in self._transferred]
        bought = []
        for task, full in wanted:
            large = not full and task in self.large
            images = problem.images_to_label(task, full=full, large=large)
            cost = problem.full_cost(task) if full else problem.transfer_cost(task)
            cost += problem.extra_cost(task) if large else 0
            bought.append(
                Purchase(
                    task, full, None if images is None else plain_number(_rounded(images)), _rounded(cost)
                )
            )
        return tuple(bought)

    @property
    def _trained(self) -> list[str]:
        return [task for task in self.sources if task not in self.problem.affinity.untrained]

    @property
    def _transferred(self) -> list[str]:
        """Targets that need the labels of a transfer, without those labelled in full."""
        trained = set(self._trained)
        return [
            transfer.target
            for transfer in self.transfers
            if not transfer.full_supervision and transfer.target not in trained
        ]

    @property
    def labels_in_full(self) -> int | None:
        """Labelled images that supervising every target in full needs; None if unknown."""
        return _whole([self.problem.images_to_label(task, full=True) for task in self.problem.targets])

    @property
    def labels_saved(self) -> float | None:
        """Share of `labels_in_full` that the plan saves, below 0 if it labels more.

        None if unknown, or if nothing is left to label.
        """
        if self.labels is None or not self.labels_in_full:
            return None
        return 1 - self.labels / self.labels_in_full

    @property
    def extra_sources(self) -> tuple[str, ...]:
        """Supervised tasks that are not among the targets."""
        return tuple(task for task in self.sources if task not in self.problem.targets)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with the keys of the command's `--json`."""
        counted: dict[str, Any] = {}
        if self.problem.unit is not None:
            counted = {
                "unit": self.problem.unit,
                "cost": plain_number(self.cost),
                "purchases": [purchase.to_dict() for purchase in self.purchases],
            }
        if self.problem.larger is not None:
            counted["large"] = list(self.large)
        return {
            "affinity": self.problem.affinity.name,
            "targets": list(self.problem.targets),
            "budget": None if self.problem.budget is None else plain_number(self.problem.budget),
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
            **counted,
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON text, with the total cost, the problem, and any alternatives.

        `load_problem` reads the problem from it, and `load_k_best` the number of plans that were asked for.
        """
        asked: dict[str, Any] = {"cost": plain_number(self.cost)}
        if self.k_best > 1:
            asked["k_best"] = self.k_best
            asked["alternatives"] = [
                {**other.to_dict(), "cost": plain_number(other.cost)} for other in self.alternatives
            ]
        asked["problem"] = problem_to_dict(self.problem)
        return json.dumps({**self.to_dict(), **asked}, indent=2) + "\n"


def _whole(images: list[Fraction | None]) -> int | None:
    """The sum, rounded up once; None if a part is unknown."""
    known = [count for count in images if count is not None]
    return math.ceil(sum(known, Fraction(0))) if len(known) == len(images) else None


def _rounded(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


def _gap(objective: float, bound: float) -> float:
    gap = bound - objective
    return gap / abs(objective) if gap and objective else gap


def mean_measured(values: list[float]) -> float:
    """Return the mean without NaN; NaN if no value was measured."""
    measured = [value for value in values if not math.isnan(value)]
    return sum(measured) / len(measured) if measured else math.nan
