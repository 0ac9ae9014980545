"""Results of the planner: the best plan, the gain of one more unit, a random baseline, and sweeps."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import suppress
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
_SECONDS = 10.0  # time limit of one plan; those of the shipped tensors take some hundredths
_LEAST_SECONDS = 0.02


class Result(Protocol):
    """Results of the planner that can be written as JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: the keys of the command's `--json`."""
        ...


Found = TypeVar("Found", bound=Result)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[Found]):
    """A result of the planner, and the command that computes the same.

    Attributes:
        ask: the request; the budget of a chain's request is ignored.
        found: a chain of plans, or plans in draws of the measurements.
        command: computes the same; empty if no command can.
        seconds: computing time.
    """

    ask: PlanAsk
    found: Found
    command: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: the keys of the command's `--json`, and more."""
        return {
            **self.found.to_dict(),
            "command": self.command,
            "costs_csv": costs_csv(self.ask),
            "milliseconds": round(1000 * self.seconds, 3),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAnswer:
    """A plan, with further facts about it.

    Attributes:
        ask: the request.
        taxonomy: the plan.
        more: the plan with one more unit of budget; None if unknown.
        band: random plans of the same budget; None if none can be drawn.
        no_band: reason why `band` is None.
        command: computes the same plan, with the costs in a file; empty if no command can.
        seconds: computing time of everything above.
    """

    ask: PlanAsk
    taxonomy: Taxonomy
    more: OneMore | None
    band: SignificanceRow | None
    no_band: str
    command: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: the keys of `taxsolver --json --one-more`, and more."""
        plan, more = self.taxonomy, None
        if self.more is not None:
            more = {
                "budget": self.more.budget,
                "objective": self.more.objective,
                "increase": self.more.increase,
                "added": list(self.more.added),
                "dropped": list(self.more.dropped),
            }
        return {
            **plan.to_dict(),
            "cost": plan.cost,
            "gain": _number(plan.gain),
            "quality": _number(plan.quality),
            "one_more": more,
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
    """Find the best plan.

    Args:
        ask: the request.
        tensor: the tensor that the request names.
        called: the tensor's name or file in a command.
        samples: number of random plans.
        time_limit: seconds for each solution.

    Raises:
        TaxSolverError: there is no plan; the message states the reason and what to change.
    """
    start = time.perf_counter()
    problem = ask.problem(tensor)
    taxonomy = solve_problem(problem, time_limit=time_limit)
    more, band, no_band = None, None, ""
    if taxonomy.status == "optimal":  # of an unproven plan, the gain of one more unit is not known
        with suppress(TaxSolverError):
            more = one_more_unit(taxonomy, time_limit=time_limit)
    row = SweepRow(problem.budget or 0.0, problem.max_order or len(problem.affinity.tasks), taxonomy)
    try:
        band = next(compare_with_random([row], samples=samples, seed=SEED))
    except InvalidInputError as error:
        no_band = str(error)
    try:
        command = plan_command(ask, tensor, called)
    except InvalidInputError:
        command = ""
    return PlanAnswer(
        ask=ask,
        taxonomy=taxonomy,
        more=more,
        band=band,
        no_band=no_band,
        command=command,
        seconds=time.perf_counter() - start,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepAnswer:
    """The best plans of several budgets and orders.

    Attributes:
        rows: in the order of `taxsolver.sweep`.
        command: computes the same rows; empty if no command can.
        seconds: computing time.
    """

    rows: tuple[SweepRow, ...]
    command: str
    seconds: float

    @property
    def proven(self) -> bool:
        """True if every plan is proven the best."""
        return all(row.taxonomy is None or row.taxonomy.status == "optimal" for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
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
    """Find the best plan of every budget and order; budget and order of the request are ignored.

    Args:
        ask: the request.
        tensor: the tensor that the request names.
        called: the tensor's name or file in a command.
        budgets: at most 64.
        orders: at most 8; at most 256 plans in all.
        seconds: time limit of all plans together; each has an equal share.

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


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
