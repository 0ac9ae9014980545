"""Best and worst choices of networks for given losses, proven optimal within the time limit.

Networks are the sources of an `Instance`, and a network that predicts a task is a transfer of order one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taxsolver.errors import SolverError, TimeLimitError
from taxsolver.grouping.table import BoolArray, FloatArray, IntArray, LossTable
from taxsolver.grouping.ties import preferred, tie
from taxsolver.programs.choice import OPTIMAL, TIME_LIMIT, Choice
from taxsolver.programs.instance import Instance
from taxsolver.programs.plan_model import PlanModel
from taxsolver.programs.plan_program import PlanProgram

_SCALE = 1e3  # largest loss in the program, so that losses are resolved far beyond HiGHS's tolerance
_SLACK = 1e-6  # share of the largest loss by which HiGHS may miss a tie; ties are then checked exactly
_LOOSE = 1e-8  # share by which rows of "use the budget" are relaxed; the budget is then checked exactly
_MOST_TOTALS = 20_000


@dataclass(frozen=True, eq=False)
class Least:
    """A choice of little total loss.

    Attributes:
        chosen: bool (networks,).
        bound: lower bound of the total loss.
        status: `optimal`, or `time_limit` if time ran out before the choice and its preference over ties were
            proven.
    """

    chosen: BoolArray
    bound: float
    status: str


@dataclass(frozen=True, eq=False)
class Pool:
    """Networks that may be chosen, and the losses that are minimised.

    Attributes:
        table: all networks.
        losses: float64 (networks, tasks); NaN where a network may not be chosen for a task.
    """

    table: LossTable
    losses: FloatArray

    def least(self, budget: float, deadline: float | None = None) -> Least | None:
        """Find the choice of the least total loss; None if no choice serves every task.

        Every task takes the best network of the choice. Ties are broken as `preferred` does.

        Args:
            budget: largest total cost.
            deadline: time of `time.perf_counter`; None for no limit.

        Raises:
            TimeLimitError: the deadline passed before any choice was found.
            SolverError: HiGHS failed, or ended without a proof.
        """
        if not self._covers:
            return None
        model = PlanModel(self._instance(-1.0))
        choice = _proven(model.solve(budget, _seconds_left(deadline)))
        if choice is None:
            return None
        if choice.status == TIME_LIMIT:
            return Least(choice.chosen, -choice.bound, TIME_LIMIT)
        chosen, status = choice.chosen, OPTIMAL
        try:
            # If a second choice is as good, the rules of preference decide.
            model.forbid(chosen)
            second = _proven(model.solve(budget, _seconds_left(deadline)))
            if second is not None and second.status == TIME_LIMIT:
                status = TIME_LIMIT
            elif second is not None and second.bound >= choice.value - tie(self.losses):
                program = PlanProgram(self._instance(-1.0), budget, self._serves)
                chosen = self._preferred(program, max(choice.value, second.value), -1.0, deadline)
        except TimeLimitError:
            status = TIME_LIMIT
        return Least(chosen, -choice.value, status)

    def least_loss(self, budget: float) -> float | None:
        """Compute the least total loss of a choice; None if no choice serves every task.

        Raises:
            SolverError: HiGHS failed, or ended without a proof.
        """
        choice = _proven(PlanModel(self._instance(-1.0)).solve(budget)) if self._covers else None
        return None if choice is None else -choice.value

    def worst_filling(self, budget: float, deadline: float | None = None) -> BoolArray | None:
        """Find the choice of the largest total loss, bool (networks,), among those that use the budget.

        A choice uses the budget if no other network of the pool fits into the rest of it. Every task still
        takes the best network of the choice. None if no choice serves every task.

        Args:
            budget: largest total cost.
            deadline: time of `time.perf_counter`; None for no limit.

        Raises:
            TimeLimitError: the deadline passed before the worst choice was proven.
            SolverError: HiGHS failed, or ended without a proof.
        """
        if not self._covers:
            return None
        program = self._filling_program(budget, deadline)
        chosen = program.best(self._worth(program, 1.0), deadline)
        if chosen is None:
            return None
        return self._preferred(program, self.total(chosen), 1.0, deadline)

    def total(self, chosen: BoolArray) -> float:
        """Sum the least loss among the chosen networks over tasks."""
        return float(np.nanmin(self.losses[chosen], axis=0).sum())

    def least_budget(self) -> float | None:
        """Compute the cost of the cheapest choice that serves every task; None if no choice does."""
        return PlanModel(self._instance(-1.0)).least_budget() if self._covers else None

    def _serves(self, chosen: BoolArray) -> bool:
        return bool((~np.isnan(self.losses[chosen])).any(axis=0).all())

    def _fills(self, limit: int, chosen: BoolArray) -> bool:
        """True if a choice serves every task and leaves no room for another network of the pool."""
        costs = self.table.costs
        others = costs.amounts[~chosen & (~np.isnan(self.losses)).any(axis=1)]
        return self._serves(chosen) and bool((others > limit - costs.total(chosen)).all())

    @property
    def _covers(self) -> bool:
        return bool((~np.isnan(self.losses)).any(axis=0).all())

    @property
    def _pairs(self) -> tuple[IntArray, IntArray]:
        """int (transfers,) each: network and task of every loss."""
        network, task = np.nonzero(~np.isnan(self.losses))
        return network, task

    def _instance(self, sign: float) -> Instance:
        network, task = self._pairs
        sources = np.zeros((len(network), len(self.losses)), dtype=bool)
        sources[np.arange(len(network)), network] = True
        return Instance(
            sources=sources,
            target=task,
            weight=sign * self.losses[network, task],
            cost=self.table.cost,
            required=np.zeros(len(self.losses), dtype=bool),
            num_targets=self.losses.shape[1],
        )

    @property
    def _unit(self) -> float:
        return (float(np.nanmax(np.abs(self.losses))) or 1.0) / _SCALE

    def _worth(self, program: PlanProgram, sign: float) -> FloatArray:
        """float64 (columns,): the total loss, in the unit of the program."""
        return np.concatenate([np.zeros(program.num_tasks), sign * self.losses[self._pairs] / self._unit])

    def _preferred(
        self, program: PlanProgram, value: float, sign: float, deadline: float | None
    ) -> BoolArray:
        """Find the preferred choice among those whose total is `value` up to ties."""
        worth, least, fits = self._worth(program, sign), value - tie(self.losses), program.accepts
        program.add_row(np.arange(len(worth)), worth, lower=least / self._unit - _SLACK * _SCALE)
        program.accepts = lambda chosen: fits(chosen) and sign * self.total(chosen) >= least
        return preferred(program, self.table.num_predicted, deadline)

    def _filling_program(self, budget: float, deadline: float | None) -> PlanProgram:
        """Program of the choices that use the budget; each task takes the best network of the choice.

        It has as many entries as there are pairs of networks for the same task, so it may take long to write.
        """
        costs = self.table.costs
        limit = costs.limit(budget)
        program = PlanProgram(self._instance(1.0), budget, partial(self._fills, limit))
        network, task = self._pairs
        loss = self.losses[network, task]
        for transfer in range(len(loss)):
            if deadline is not None and time.perf_counter() >= deadline:
                raise TimeLimitError(
                    "the time limit passed before the worst choice was proven: allow more time"
                )
            # Where a network is chosen, its tasks take no network that is worse.
            worse = np.flatnonzero((task == task[transfer]) & (loss > loss[transfer]))
            columns = np.append(program.num_tasks + worse, network[transfer])
            program.add_row(columns, np.ones(len(columns)), upper=1.0)
        everyone = np.arange(len(self.losses))
        for candidate, needed in self._needed(np.unique(network), limit):
            values = (costs.amounts / needed).astype(float)
            values[candidate] = 1.0
            program.add_row(everyone, values, lower=1.0 - max(_LOOSE, 0.5 / needed))
        return program

    def _needed(self, candidates: IntArray, limit: int) -> Iterator[tuple[int, int]]:
        """Yield each network with the least total cost of the others that leaves no room for it.

        This is the least total cost of any networks above limit - cost. If there are too many totals to list,
        it is limit - cost plus one unit. Networks that never fit are skipped.
        """
        amounts = self.table.costs.amounts
        totals = _totals(amounts[candidates], limit)
        for candidate in candidates.tolist():
            needed = limit - int(amounts[candidate]) + 1
            if totals is not None:
                place = int(np.searchsorted(totals, needed))
                # Without such a total the network always fits, so no choice leaves it out.
                needed = int(totals[place]) if place < len(totals) else 2 * limit + 1
            if needed > amounts.min():  # otherwise every choice fulfils it
                yield candidate, needed


def _proven(choice: Choice | None) -> Choice | None:
    """Return a choice that is proven optimal or was stopped by the time limit.

    Raises:
        SolverError: the choice is neither.
    """
    if choice is not None and choice.status not in (OPTIMAL, TIME_LIMIT):
        raise SolverError(
            f"HiGHS ended without a proof: the best choice found has a total loss of {-choice.value:g}, "
            f"and {-choice.bound:g} is not ruled out"
        )
    return choice


def _seconds_left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.perf_counter())


def _totals(amounts: NDArray[Any], most: int) -> NDArray[Any] | None:
    """Distinct total amounts of sets of networks, rising; None if there are too many.

    Args:
        amounts: whole numbers (networks,), positive.
        most: largest total.
    """
    totals = np.zeros(1, dtype=amounts.dtype)
    for one in amounts:
        totals = np.unique(np.concatenate([totals, totals + one]))
        totals = totals[totals <= most]
        if len(totals) > _MOST_TOTALS:
            return None
    return totals
