"""Handlers of the plan's page: plans for the controls, and updates after a choice of tensor or preset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import gradio as gr

from taskbank_demo.errors import KNOWN
from taskbank_demo.planning.answer import answer_plan, answer_sweep
from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.planning.board import BoardRow, ask_of_board, board_html, read_rows
from taskbank_demo.planning.chain import answer_chain, read_budgets, show_chain
from taskbank_demo.planning.front import answer_front, show_front
from taskbank_demo.planning.money import MONEY, TASKS, Counting
from taskbank_demo.planning.presets import presets
from taskbank_demo.planning.result import show_plan, show_problem
from taskbank_demo.planning.rules import read_rules
from taskbank_demo.planning.stability import answer_stability, show_stability
from taskbank_demo.planning.sweep_view import show_sweep
from taskbank_demo.planning.tensors import TensorShelf, read_tensor
from taskbank_demo.services import Services
from taskbank_demo.uploads import check_upload, delete_upload
from taxsolver.errors import InvalidInputError
from taxsolver.planning.task_costs import IMAGES
from taxsolver.tensors.affinity import AffinityTensor
from taxsolver.tensors.store import available_affinities

ANY_ORDER = 0  # means no limit
AMOUNTS = {IMAGES: 500_000, MONEY: 15_000}  # the budget at first, by what it counts
# The budgets of the years at first, by what they count.
YEARS = {TASKS: "4, 8, 12", IMAGES: "300000, 600000, 1200000", MONEY: "10000, 15000, 25000"}
COLUMNS = (
    '<p class="tb-note">One row a transfer, with the columns <code>target</code>, <code>sources</code> '
    "(joined by <code>|</code>, or <code>self</code>) and at least one of <code>affinity</code>, "
    "<code>gain</code> and <code>quality</code>. The file is deleted as soon as it is read.</p>"
)
"""Note on the columns of a tensor of one's own."""
_STEPS = 6  # steps of the sweep up to the budget, and as many beyond


class PlanHandlers:
    """Handlers that show plans, or the reason why there is none.

    Args:
        shelf: tensors by name.
    """

    def __init__(self, shelf: TensorShelf) -> None:
        self._shelf = shelf

    def plan(self, affinity: str, *asked: Any) -> str:
        """Show the best plan."""
        try:
            ask = self._ask(affinity, *asked)
            return show_plan(answer_plan(ask, self._shelf.get(affinity), self._shelf.called(affinity)))
        except KNOWN as error:
            return show_problem(str(error))

    def sweep(self, affinity: str, *asked: Any) -> str:
        """Show the best plans of all budgets; empty if there is no plan."""
        try:
            ask = self._ask(affinity, *asked)
            tensor = self._shelf.get(affinity)
            orders = sorted({1, ask.max_order or int(tensor.order.max())})
            budgets: Sequence[float] = range(1, len(tensor.tasks) - len(tensor.untrained) + 1)
            budget = ask.budget or 0.0
            if ask.unit is not None:
                budgets = [round(step * budget / _STEPS, 2) for step in range(1, 2 * _STEPS + 1)]
            answer = answer_sweep(ask, tensor, self._shelf.called(affinity), budgets[:40], orders, seconds=6)
            return show_sweep(answer, budget)
        except KNOWN:
            return ""

    def front(self, looked_at: bool, goal: float | None, affinity: str, *asked: Any) -> Any:
        """Show the Pareto front of plans; the view is not updated while it is hidden."""
        if not looked_at:
            return gr.skip()
        try:
            ask, tensor = self._ask(affinity, *asked), self._shelf.get(affinity)
            ask = replace(ask, min_gain=goal or None)
            return show_front(answer_front(ask, tensor, self._shelf.called(affinity)))
        except KNOWN as error:
            return show_problem(str(error), "No front")

    def chain(self, looked_at: bool, budgets: str, affinity: str, *asked: Any) -> Any:
        """Show the best plans for rising budgets; the view is not updated while it is hidden."""
        if not looked_at:
            return gr.skip()
        try:
            ask, tensor = self._ask(affinity, *asked), self._shelf.get(affinity)
            return show_chain(answer_chain(ask, tensor, self._shelf.called(affinity), read_budgets(budgets)))
        except KNOWN as error:
            return show_problem(str(error), "No plans")

    def stability(self, looked_at: bool, noise: float, affinity: str, *asked: Any) -> Any:
        """Show plans in draws of the measurements; the view is not updated while it is hidden."""
        if not looked_at:
            return gr.skip()
        try:
            ask, tensor = self._ask(affinity, *asked), self._shelf.get(affinity)
            called = self._shelf.called(affinity)
            return show_stability(answer_stability(ask, tensor, called, noise or None))
        except KNOWN as error:
            return show_problem(str(error), "No draws")

    def counted(self, counts: str) -> tuple[Any, Any, Any, Any]:
        """Update the fields for the unit of the budget."""
        in_tasks = counts == TASKS
        return (
            gr.Slider(visible=in_tasks),
            gr.Column(visible=not in_tasks),
            gr.skip() if in_tasks else AMOUNTS[counts],
            YEARS[counts],
        )

    def _ask(
        self,
        affinity: str,
        budget: float,
        order: int,
        objective: str,
        rows: Any,
        counts: str = TASKS,
        unit: str = "",
        price: float | None = None,
        images_full: int | None = None,
        images_transfer: int | None = None,
        amount: float | None = None,
        rules: str = "",
        larger: str = "",
    ) -> PlanAsk:
        if counts != TASKS:
            if amount is None:
                raise InvalidInputError("the budget is empty: give a number")
            budget = amount
        counting = Counting(
            counts=counts,
            unit=unit,
            price=price,
            images_full=images_full,
            images_transfer=images_transfer,
        )
        return ask_of_board(
            read_rows(rows),
            self._shelf.get(affinity),
            counting,
            affinity=affinity,
            budget=int(budget) if float(budget).is_integer() else budget,
            max_order=None if order == ANY_ORDER else order,
            objective=objective,
            larger=larger or None,
            **read_rules(rules),
        )


class Choosing:
    """Handlers that update the page when a tensor or a preset is chosen.

    Args:
        services: limits of uploads.
        shelf: tensors by name.
    """

    def __init__(self, services: Services, shelf: TensorShelf) -> None:
        self._services = services
        self._shelf = shelf

    def tensor(self, affinity: str) -> tuple[Any, Any, Any]:
        """Return presets, budgets and board of another tensor."""
        tensor = self._shelf.get(affinity)
        found = presets(tensor)
        first = next(iter(found.values()))
        return (
            gr.Dropdown(choices=list(found), value=first.name),
            gr.Slider(maximum=most_budget(tensor), value=first.budget),
            _board(tensor, first.rows),
        )

    def preset(self, affinity: str, name: str) -> tuple[Any, Any]:
        """Return budget and board of a preset."""
        tensor = self._shelf.get(affinity)
        chosen = presets(tensor).get(name)
        if chosen is None:
            raise InvalidInputError(f"unknown preset {name[:80]!r}")
        return gr.Slider(value=chosen.budget), _board(tensor, chosen.rows)

    def upload(self, path: str | None, own: list[tuple[str, str]]) -> tuple[Any, Any, None, str]:
        """Add an uploaded tensor to the choices and choose it, or return the reason why it was rejected."""
        settings, folder = self._services.settings, self._services.folder
        try:
            found = check_upload(path, settings, folder)
            tensor = read_tensor(found)
        except KNOWN as error:
            return gr.skip(), own, None, show_problem(str(error), "Not taken")
        finally:
            delete_upload(path, folder)
        listed = [*own, (found.name, self._shelf.put(tensor, found.name))][-8:]
        choices = [*((name, name) for name in available_affinities()), *listed]
        return gr.Dropdown(choices=choices, value=listed[-1][1]), listed, None, COLUMNS


def _board(tensor: AffinityTensor, rows: Sequence[BoardRow]) -> Any:
    return gr.HTML(value=[asdict(row) for row in rows], markup=board_html(tensor, rows))


def most_budget(tensor: AffinityTensor) -> int:
    """Return the largest budget of the slider, with room for label costs above 1."""
    return max(2, round(1.5 * (len(tensor.tasks) - len(tensor.untrained))))
