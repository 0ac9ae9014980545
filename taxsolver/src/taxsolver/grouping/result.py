"""Grouping: the networks to run, and the losses of the tasks."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from taxsolver.grouping.table import LossTable
from taxsolver.programs.costs import exact_sum

OPTIMAL, SAMPLED, UNSAMPLED, INFEASIBLE = "optimal", "sampled", "unsampled", "infeasible"
TIME_LIMIT = "time_limit"


@dataclass(frozen=True, eq=False)
class Grouping:
    """Result of `taxsolver.grouping.group`.

    Attributes:
        table: the networks chosen from.
        method: method of choosing.
        budget: largest total cost.
        status: `optimal` if the choice is proven for the method's own losses, `time_limit` if the time limit
            passed before the proof, `sampled` for a mean over random draws, `unsampled` if valid choices
            exist but random draws find too few of them, `infeasible` if no choice of the method fits the
            budget.
        chosen: the chosen networks as rising indices into `table.networks`; empty unless the status
            is `optimal` or `time_limit`.
        assigned: for each task the index of its network, by the losses used for choosing; empty likewise.
        validation_loss: sum over tasks of the least validation loss among the chosen networks.
        test_loss: the same on the test split, as the authors score: each task takes the network of least test
            loss.
        assigned_test_loss: sum over tasks of the test loss of the network in `assigned`; no decision uses the
            test split.
        least_budget: if infeasible, the least budget for which the method has a choice, or None if no budget
            suffices; None if feasible.
        draws: number of random draws; 0 for the other methods.
        bound: lower bound of the total loss used for choosing, if the time limit passed; NaN otherwise.

    Losses are NaN if infeasible or unsampled; test losses also if the table has no test split.
    """

    table: LossTable
    method: str
    budget: float
    status: str
    chosen: tuple[int, ...] = ()
    assigned: tuple[int, ...] = ()
    validation_loss: float = math.nan
    test_loss: float = math.nan
    assigned_test_loss: float = math.nan
    least_budget: float | None = None
    draws: int = 0
    bound: float = math.nan

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of the chosen networks, in table order."""
        return tuple(self.table.networks[network] for network in self.chosen)

    @property
    def cost(self) -> float:
        """Total cost of the chosen networks, in units of one standard network, summed as decimals."""
        return float(exact_sum(self.table.cost[list(self.chosen)].tolist()))

    @property
    def serves(self) -> dict[str, tuple[str, ...]]:
        """Chosen network -> the tasks assigned to it; empty for a network that only fills the budget."""
        return {
            self.table.networks[network]: tuple(
                task
                for task, picked in zip(self.table.tasks, self.assigned, strict=True)
                if picked == network
            )
            for network in self.chosen
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with the keys of the command's `--json` and None in place of NaN."""
        return {
            "setting": self.table.setting,
            "method": self.method,
            "budget": self.budget,
            "networks": list(self.networks),
            "untrained": [name for name in self.networks if name in self.table.untrained],
            "validation_loss": _number(self.validation_loss),
            "test_loss": _number(self.test_loss),
            "assigned_test_loss": _number(self.assigned_test_loss),
            "status": self.status,
            "bound": _number(self.bound),
        }

    def to_json(self) -> str:
        """Return `to_dict` as indented JSON text."""
        return json.dumps(self.to_dict(), indent=2) + "\n"


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
