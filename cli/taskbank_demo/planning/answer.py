"""The planner's answers: the best plan, what one more unit buys, what chance would reach, and sweeps."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.planning.command import costs_csv, plan_command, sweep_command
from taxsolver.analysis.significance import SignificanceRow, compare_with_random
from taxsolver.errors import InvalidInputError, TaxSolverError
from taxsolver.planning.solve import OneMore, one_more_unit, solve_problem
from taxsolver.planning.sweep import SweepRow, sweep
from taxsolver.planning.taxonomy import Taxonomy
from taxsolver.tensors.affinity import AffinityTensor

SAMPLES = 200
SEED = 0
MOST_BUDGETS, MOST_ORDERS, MOST_PLANS = 64, 8, 256
SWEEP_SECONDS = 60.0
_SECONDS = 10.0  # for one plan; those of the shipped tensors take some hundredths
_LEAST_SECONDS = 0.02


class Result(Protocol):
    """Results of the planner that can be written as JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: the keys of the command's `--json`."""
        ...


Found = TypeVar("Found", bound=Result)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[Found]):
    """A result of the planner, and the command that gives the same.

    Attributes:
        ask: what was asked for; of a chain, its own budget does not count.
        found: a chain of plans, or plans in draws of the measurements.
        command: that gives the same; empty where none can.
        seconds: that it took.
    """

    ask: PlanAsk
    found: Found
    command: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: the keys of the command's `--json`, and more."""
        return {
            **self.found.to_dict(),
            "command": self.command,
            "costs_csv": costs_csv(self.ask),
            "milliseconds": round(1000 * self.seconds, 3),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAnswer:
    """A plan, and what is worth knowing beside it.

    Attributes:
        ask: what was asked for.
        taxonomy: the plan.
        more: what one more unit of budget buys; None where that was not found out.
        band: random plans of the same budget; None where there are none to draw.
        no_band: why not.
        command: that gives the same plan, with the costs in a file; empty where none can.
        seconds: for everything above.
    """

    ask: PlanAsk
    taxonomy: Taxonomy
    more: OneMore | None
    band: SignificanceRow | None
    no_band: str
    command: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: the keys of `taxsolver --json --one-more`, and more."""
        plan = self.taxonomy
        return {
            **plan.to_dict(),
            "cost": plan.cost,
            "gain": _number(plan.gain),
            "quality": _number(plan.quality),
            "one_more": None if self.more is None else _one_more(self.more),
            "random": None if self.band is None else self.band.to_dict(),
            "command": self.command,
            "costs_csv": costs_csv(self.ask),
            "milliseconds": round(1000 * self.seconds, 3),
        }


def answer_plan(
    ask: PlanAsk,
    tensor: AffinityTensor,
    called: str,
    *,
    samples: int = SAMPLES,
    time_limit: float = _SECONDS,
) -> PlanAnswer:
    """The best plan.

    Args:
        ask: what is asked for.
        tensor: that it names.
        called: what the command calls it, a name or a file.
        samples: random plans that are drawn.
        time_limit: seconds for each solution.

    Raises:
        TaxSolverError: the question has no answer; the message says why and what would have.
    """
    start = time.perf_counter()
    taxonomy = solve_problem(ask.problem(tensor), time_limit=time_limit)
    more = _more(taxonomy, time_limit)
    band, no_band = _band(taxonomy, samples)
    return PlanAnswer(
        ask=ask,
        taxonomy=taxonomy,
        more=more,
        band=band,
        no_band=no_band,
        command=_command(ask, tensor, called),
        seconds=time.perf_counter() - start,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepAnswer:
    """The best plans of several budgets and orders.

    Attributes:
        rows: in the order of `taxsolver.sweep`.
        command: that gives the same rows; empty where none can.
        seconds: that it took.
    """

    rows: tuple[SweepRow, ...]
    command: str
    seconds: float

    @property
    def proven(self) -> bool:
        """Every plan is proven the best."""
        return all(row.taxonomy is None or row.taxonomy.status == "optimal" for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "rows": [row.to_dict() for row in self.rows],
            "proven": self.proven,
            "command": self.command,
            "milliseconds": round(1000 * self.seconds, 3),
        }


def answer_sweep(
    ask: PlanAsk,
    tensor: AffinityTensor,
    called: str,
    budgets: Sequence[float],
    orders: Sequence[int],
    *,
    seconds: float = SWEEP_SECONDS,
) -> SweepAnswer:
    """The best plan of every budget and order; budget and order of the question itself do not count.

    Args:
        ask: what is asked for.
        tensor: that it names.
        called: what the command calls it, a name or a file.
        budgets: at most 64.
        orders: at most 8; at most 256 plans in all.
        seconds: for all plans together; each has the same share of them.

    Raises:
        TaxSolverError: a value is not allowed, or a target cannot be served.
    """
    plans = len(budgets) * len(orders)
    if len(budgets) > MOST_BUDGETS or len(orders) > MOST_ORDERS or plans > MOST_PLANS:
        raise InvalidInputError(
            f"a sweep of {len(budgets)} budgets and {len(orders)} orders is too large: at most "
            f"{MOST_BUDGETS} and {MOST_ORDERS}, together {MOST_PLANS} plans, are taken here; the command "
            "taxsolver sweep has no such limit"
        )
    start = time.perf_counter()
    share = max(_LEAST_SECONDS, seconds / max(1, plans))
    rows = sweep(tensor, budgets, orders, targets=ask.solved, time_limit=share, **ask.options())
    try:
        command = sweep_command(ask, called, budgets, orders)
    except InvalidInputError:
        command = ""
    return SweepAnswer(rows=tuple(rows), command=command, seconds=time.perf_counter() - start)


def _more(taxonomy: Taxonomy, time_limit: float) -> OneMore | None:
    """Solve with one more unit of budget; None if the plan is not proven, or the solver fails."""
    if taxonomy.status != "optimal":
        return None
    try:
        return one_more_unit(taxonomy, time_limit=time_limit)
    except TaxSolverError:
        return None


def _band(taxonomy: Taxonomy, samples: int) -> tuple[SignificanceRow | None, str]:
    problem = taxonomy.problem
    row = SweepRow(problem.budget or 0.0, problem.max_order or len(problem.affinity.tasks), taxonomy)
    try:
        return next(compare_with_random([row], samples=samples, seed=SEED)), ""
    except InvalidInputError as error:
        return None, str(error)


def _command(ask: PlanAsk, tensor: AffinityTensor, called: str) -> str:
    try:
        return plan_command(ask, tensor, called)
    except InvalidInputError:
        return ""


def _one_more(more: OneMore) -> dict[str, Any]:
    return {
        "budget": more.budget,
        "objective": more.objective,
        "increase": more.increase,
        "added": list(more.added),
        "dropped": list(more.dropped),
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
