"""Unit of the page's budget: labelled tasks, labelled images, or money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from taxsolver.errors import InvalidInputError
from taxsolver.planning.task_costs import EVERY_OTHER, IMAGES

if TYPE_CHECKING:
    from taskbank_demo.planning.board import BoardRow

TASKS, MONEY = "tasks", "money"
COUNTS = {TASKS: "labelled tasks", IMAGES: "images", MONEY: "money"}
_LONGEST_UNIT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """Unit of the budget, and default costs of labels for tasks without costs on the board.

    Attributes:
        counts: `tasks`, `images` or `money`.
        unit: name of the currency.
        price: of one labelled image of a task whose cost on the board is 1.
        images_full: labelled images of a task in full.
        images_transfer: labelled images of a transfer.
    """

    counts: str = TASKS
    unit: str = "EUR"
    price: float | None = 0.05
    images_full: int | None = 120_000
    images_transfer: int | None = 1_000

    def __post_init__(self) -> None:
        if self.counts not in COUNTS:
            raise InvalidInputError(
                f"the budget counts {str(self.counts)[:40]!r}, expected one of {', '.join(COUNTS)}"
            )

    def asked(self, rows: Sequence[BoardRow]) -> dict[str, Any]:
        """Return the parameters of `PlanAsk` for the costs of labels.

        Args:
            rows: of the board: a task's cost is its label cost, or in money a factor of the price; the owned
                share is in percent.

        Raises:
            InvalidInputError: a number is missing, or the unit is too long.
        """
        owned = {row.task: float(Decimal(str(row.owned)) / 100) for row in rows if row.owned}
        if self.counts == TASKS:
            return {"label_cost": {row.task: row.cost for row in rows if row.cost != 1}, "owned": owned}
        images: dict[str, Any] = {"images_full": self.images_full, "images_transfer": self.images_transfer}
        given: dict[str, Any] = images if self.counts == IMAGES else images | {"price": self.price}
        for name, value in given.items():
            if value is None:
                raise InvalidInputError(f"{name.replace('_', ' ')}: give a number")
        if self.counts == IMAGES:
            return {**images, "unit": IMAGES, "owned": owned}
        unit = self.unit.strip()
        if not unit or len(unit) > _LONGEST_UNIT or unit.casefold() == IMAGES:
            raise InvalidInputError(f"the unit is {unit[:40]!r}, expected the name of a currency, as in EUR")
        costs: dict[str, dict[str, Any]] = {EVERY_OTHER: given}
        for row in rows:
            if row.cost != 1:
                price = float(Decimal(str(self.price)) * Decimal(str(row.cost)))
                costs[row.task] = {**given, "price": price}
        return {"unit": unit, "costs": costs, "owned": owned}
