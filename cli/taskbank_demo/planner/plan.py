"""The plan: controls, and a result that updates after every change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import gradio as gr
from gradio.events import Dependency

from taskbank_demo.components import FileUpload
from taskbank_demo.errors import KNOWN, readable
from taskbank_demo.planning.answer import answer_plan, answer_sweep
from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.planning.board import BoardRow, ask_of_board, board_html, read_rows
from taskbank_demo.planning.chain import answer_chain, read_budgets, show_chain
from taskbank_demo.planning.front import answer_front, show_front
from taskbank_demo.planning.money import COUNTS, MONEY, TASKS, Counting
from taskbank_demo.planning.presets import presets
from taskbank_demo.planning.result import show_plan, show_problem
from taskbank_demo.planning.rules import read_rules
from taskbank_demo.planning.stability import answer_stability, show_stability
from taskbank_demo.planning.sweep_view import show_sweep
from taskbank_demo.planning.tensors import SUFFIXES, TensorShelf, read_tensor
from taskbank_demo.scripts import script
from taskbank_demo.services import Services
from taskbank_demo.uploads import check_upload, delete_upload
from taxsolver.errors import InvalidInputError
from taxsolver.planning.objective import Objective
from taxsolver.planning.task_costs import IMAGES
from taxsolver.tensors.affinity import AffinityTensor
from taxsolver.tensors.store import DEFAULT_AFFINITY, available_affinities

QUIETLY: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "hidden",
    "concurrency_id": "planner",
    "concurrency_limit": 4,
}
"""Options of this tab's events: hidden from the API, without a spinner, four at a time."""

_ANY_ORDER = 0  # means no limit
_STEPS = 6  # steps of the sweep up to the budget, and as many beyond
_AMOUNTS = {IMAGES: 500_000, MONEY: 15_000}
_YEARS = {TASKS: "4, 8, 12", IMAGES: "300000, 600000, 1200000", MONEY: "10000, 15000, 25000"}
_ORDERS = [("1", 1), ("2", 2), ("3", 3), ("4", 4), ("any", _ANY_ORDER)]
_OBJECTIVES = [
    ("Affinity, as in the paper", Objective.AFFINITY.value),
    ("Affinity, each target's best counts 1", Objective.NORMALISED_AFFINITY.value),
    ("Gain over training from scratch", Objective.GAIN.value),
    ("Quality against full supervision", Objective.QUALITY.value),
]
_BESIDE: dict[str, Any] = {**QUIETLY, "concurrency_id": "planner-curves", "trigger_mode": "always_last"}
_SLOWLY: dict[str, Any] = {
    **QUIETLY,
    "show_progress": "minimal",
    "concurrency_id": "planner-slow",
    "concurrency_limit": 2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """Controls of the form that asks for a plan.

    Attributes:
        affinity: choice of the tensor.
        upload: upload of the visitor's own tensor.
        said: message about the upload: accepted or rejected.
        preset: example requests to start from.
        budget: largest total label cost, where the budget counts tasks.
        counts: tasks, images or money.
        unit: name of the currency.
        price: of one labelled image.
        images_full: labelled images of a task in full.
        images_transfer: labelled images of a transfer.
        amount: the budget in images or money.
        money: the column of the fields for images and money.
        order: largest number of sources of one transfer.
        objective: the measure to maximise.
        board: settings of the tasks.
        rules: lines that say what is labelled together, apart, or how many of some tasks at most.
        larger: tensor with larger transfers, which may be bought instead.
    """

    affinity: gr.Dropdown
    upload: gr.File
    said: gr.HTML
    preset: gr.Dropdown
    budget: gr.Slider
    counts: gr.Radio
    unit: gr.Textbox
    price: gr.Number
    images_full: gr.Number
    images_transfer: gr.Number
    amount: gr.Number
    money: gr.Column
    order: gr.Radio
    objective: gr.Dropdown
    board: gr.HTML
    rules: gr.Textbox
    larger: gr.Dropdown

    @property
    def asking(self) -> list[Any]:  # gradio adds events of components when their classes are created
        """Return the components of a request, in the order of the parameters of `PlanHandlers.plan`."""
        return [
            *(self.affinity, self.budget, self.order, self.objective, self.board, self.counts),
            *(self.unit, self.price, self.images_full, self.images_transfer, self.amount),
            *(self.rules, self.larger),
        ]


def plan_part(services: Services, shelf: TensorShelf) -> gr.Dropdown:
    """Put controls and result on the page; return the choice of the tensor, for other parts of the tab."""
    shown = PlanHandlers(shelf)
    with gr.Row(elem_classes="tb-columns"):
        with gr.Column(scale=0, min_width=328, elem_classes="tb-side pl-side"):
            controls = _controls(shelf)
        with gr.Column(min_width=300, elem_classes="tb-main"), gr.Tabs(elem_classes="tb-subtabs"):
            asked = tuple(one.value for one in controls.asking)
            with gr.Tab("One budget"):
                result = gr.HTML(
                    shown.plan(*asked), js_on_load=script("planner_result"), apply_default_css=False
                )
                curves = gr.HTML(shown.sweep(*asked), apply_default_css=False)
            with gr.Tab("Every cost") as costs:
                goal = gr.Number(
                    0.8,
                    label="Wanted mean gain: the share of images on which training from scratch is beaten",
                    minimum=0,
                    maximum=1,
                    step=0.01,
                )
                every_cost = gr.HTML(_WAIT, js_on_load=script("planner_result"), apply_default_css=False)
            with gr.Tab("Over years") as years:
                budgets = gr.Textbox(
                    _YEARS[TASKS], label="Budgets of the years: all that is labelled until then", max_lines=1
                )
                chain = gr.HTML(_WAIT, js_on_load=script("planner_result"), apply_default_css=False)
            with gr.Tab("How sure") as sureness:
                noise = gr.Slider(
                    0,
                    0.3,
                    value=0.05,
                    step=0.01,
                    label="Noise on every measurement; 0: the tensor's own draws",
                )
                sure = gr.HTML(_WAIT, js_on_load=script("planner_result"), apply_default_css=False)
    # Fields that are typed: their change events would fire repeatedly while they are hidden.
    typed = (
        *(controls.unit, controls.price, controls.images_full, controls.images_transfer, controls.amount),
        *(controls.rules, controls.larger),
    )
    changed = [one.change for one in (controls.budget, controls.order, controls.objective, controls.board)]
    changed += [one.input for one in typed]
    answered: list[Any] = [
        gr.on(changed, readable(shown.plan), controls.asking, result, trigger_mode="always_last", **QUIETLY),
        _follow(services, shelf, controls).then(readable(shown.plan), controls.asking, result, **QUIETLY),
        controls.counts.change(
            readable(shown.counted),
            controls.counts,
            [controls.budget, controls.money, controls.amount, budgets],
            **QUIETLY,
        ).then(readable(shown.plan), controls.asking, result, **QUIETLY),
    ]
    answered = [one.then(readable(shown.sweep), controls.asking, curves, **_BESIDE) for one in answered]
    # The other results take seconds, so they are computed only while they are visible. They follow the
    # plan, not the controls, as the board's change events never end with several handlers.
    views: tuple[tuple[Any, Any, Callable[..., Any], gr.HTML], ...] = (
        (costs, goal, shown.front, every_cost),
        (years, budgets, shown.chain, chain),
        (sureness, noise, shown.stability, sure),
    )
    for tab, field, answer, view in views:
        looked_at = gr.State(False)
        inputs = [looked_at, field, *controls.asking]
        tab.select(lambda: True, None, looked_at, **QUIETLY).then(readable(answer), inputs, view, **_SLOWLY)
        field.change(readable(answer), inputs, view, trigger_mode="always_last", **_SLOWLY)
        answered = [one.then(readable(answer), inputs, view, **_SLOWLY) for one in answered]
    return controls.affinity


def _controls(shelf: TensorShelf) -> Controls:
    tensor = shelf.get(DEFAULT_AFFINITY)
    first = next(iter(presets(tensor).values()))
    affinity = gr.Dropdown(list(available_affinities()), value=DEFAULT_AFFINITY, label="Affinity tensor")
    with gr.Accordion("A tensor of your own", open=False):
        upload = FileUpload(label="CSV or safetensors", file_types=list(SUFFIXES), height=120)
        said = gr.HTML(_COLUMNS, apply_default_css=False)
    preset = gr.Dropdown(list(presets(tensor)), value=first.name, label="Start from")
    counts = gr.Radio(
        [(words, name) for name, words in COUNTS.items()],
        value=TASKS,
        label="The budget counts",
        elem_classes="pl-compact",
    )
    budget = gr.Slider(1, _most(tensor), value=first.budget, step=1, label="Supervision budget")
    usual = Counting()
    with gr.Column(visible=False) as money:
        amount = gr.Number(_AMOUNTS[MONEY], label="Budget", minimum=0)
        with gr.Row():
            unit = gr.Textbox(usual.unit, label="Currency", max_lines=1, min_width=90)
            price = gr.Number(usual.price, label="Price of an image", minimum=0, min_width=120)
        with gr.Row():
            images_full = gr.Number(
                usual.images_full, label="Images in full", minimum=1, precision=0, min_width=120
            )
            images_transfer = gr.Number(
                usual.images_transfer, label="Images of a transfer", minimum=1, precision=0, min_width=120
            )
        gr.HTML(_MONEY, apply_default_css=False)
    order = gr.Radio(_ORDERS, value=4, label="Sources of one transfer, at most", elem_classes="pl-compact")
    objective = gr.Dropdown(_OBJECTIVES, value=_OBJECTIVES[0][1], label="Maximise")
    board = gr.HTML(
        [asdict(row) for row in first.rows],
        html_template="${markup}",
        js_on_load=script("planner_board"),
        markup=board_html(tensor, first.rows),
        apply_default_css=False,
    )
    with gr.Accordion("Rules and two sizes of transfer", open=False):
        rules = gr.Textbox(
            label="Rules, one a line",
            placeholder="together: normals, reshading\napart: depth, curvature\n"
            "at most 2: edge_texture, keypoints2d, keypoints3d",
            lines=3,
            max_lines=8,
        )
        larger = gr.Dropdown(
            [("one size", ""), *((name, name) for name in available_affinities())],
            value="",
            label="Larger transfers may be bought from",
        )
    return Controls(
        affinity=affinity,
        upload=upload,
        said=said,
        preset=preset,
        budget=budget,
        counts=counts,
        unit=unit,
        price=price,
        images_full=images_full,
        images_transfer=images_transfer,
        amount=amount,
        money=money,
        order=order,
        objective=objective,
        board=board,
        rules=rules,
        larger=larger,
    )


def _follow(services: Services, shelf: TensorShelf, controls: Controls) -> Dependency:
    """Connect uploads to the tensor, and the tensor and presets to the other controls."""
    choose = Choosing(services, shelf)
    own = gr.State([], time_to_live=services.settings.keep_seconds)
    taken = [controls.affinity, own, controls.upload, controls.said]
    controls.upload.upload(readable(choose.upload), [controls.upload, own], taken, **QUIETLY)
    filled = [controls.budget, controls.board]
    controls.preset.input(readable(choose.preset), [controls.affinity, controls.preset], filled, **QUIETLY)
    changed: Dependency = controls.affinity.change(
        readable(choose.tensor), controls.affinity, [controls.preset, *filled], **QUIETLY
    )
    return changed


_WAIT = '<p class="tb-note">Planning ...</p>'
_MONEY = (
    '<p class="tb-note">In money a task whose cost on the board is 4 costs four times the price an image. '
    "Own %: labels that are there already.</p>"
)
_COLUMNS = (
    '<p class="tb-note">One row a transfer, with the columns <code>target</code>, <code>sources</code> '
    "(joined by <code>|</code>, or <code>self</code>) and at least one of <code>affinity</code>, "
    "<code>gain</code> and <code>quality</code>. The file is deleted as soon as it is read.</p>"
)


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
        """The plans that no other one beats; the view stays as it is while nobody looks at it."""
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
            gr.skip() if in_tasks else _AMOUNTS[counts],
            _YEARS[counts],
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
            max_order=None if order == _ANY_ORDER else order,
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
            gr.Slider(maximum=_most(tensor), value=first.budget),
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
        return gr.Dropdown(choices=choices, value=listed[-1][1]), listed, None, _COLUMNS


def _board(tensor: AffinityTensor, rows: Sequence[BoardRow]) -> Any:
    return gr.HTML(value=[asdict(row) for row in rows], markup=board_html(tensor, rows))


def _most(tensor: AffinityTensor) -> int:
    """Return the largest budget of the slider, with room for label costs above 1."""
    return max(2, round(1.5 * (len(tensor.tasks) - len(tensor.untrained))))
