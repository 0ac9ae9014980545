"""The plan on the page: controls, and a result that updates after every change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from taskbank_demo.components import FileUpload
from taskbank_demo.errors import readable
from taskbank_demo.planner.plan_handlers import (
    AMOUNTS,
    ANY_ORDER,
    COLUMNS,
    YEARS,
    Choosing,
    PlanHandlers,
    most_budget,
)
from taskbank_demo.planning.board import board_html
from taskbank_demo.planning.money import COUNTS, MONEY, TASKS, Counting
from taskbank_demo.planning.presets import presets
from taskbank_demo.planning.tensors import SUFFIXES, TensorShelf
from taskbank_demo.scripts import script
from taskbank_demo.services import Services
from taxsolver.planning.objective import Objective
from taxsolver.tensors.store import DEFAULT_AFFINITY, available_affinities

QUIETLY: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "hidden",
    "concurrency_id": "planner",
    "concurrency_limit": 4,
}
"""Options of this tab's events: hidden from the API, without a spinner, four at a time."""

_ORDERS = [("1", 1), ("2", 2), ("3", 3), ("4", 4), ("any", ANY_ORDER)]
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
        rules: rules on tasks to label together, apart, or at most some of them, one per line.
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
                    YEARS[TASKS], label="Budgets of the years: all that is labelled until then", max_lines=1
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
        said = gr.HTML(COLUMNS, apply_default_css=False)
    preset = gr.Dropdown(list(presets(tensor)), value=first.name, label="Start from")
    counts = gr.Radio(
        [(words, name) for name, words in COUNTS.items()],
        value=TASKS,
        label="The budget counts",
        elem_classes="pl-compact",
    )
    budget = gr.Slider(1, most_budget(tensor), value=first.budget, step=1, label="Supervision budget")
    usual = Counting()
    with gr.Column(visible=False) as money:
        amount = gr.Number(AMOUNTS[MONEY], label="Budget", minimum=0)
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
