"""The plan: controls beside the answer, which follows every change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from taskbank_demo.components import FileUpload
from taskbank_demo.errors import KNOWN, readable
from taskbank_demo.planning.answer import answer_plan, answer_sweep
from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.planning.board import BoardRow, ask_of_board, board_html, read_rows
from taskbank_demo.planning.presets import presets
from taskbank_demo.planning.result import show_plan, show_problem
from taskbank_demo.planning.sweep_view import show_sweep
from taskbank_demo.planning.tensors import SUFFIXES, TensorShelf, read_tensor
from taskbank_demo.scripts import script
from taskbank_demo.services import Services
from taskbank_demo.uploads import check_upload, delete_upload
from taxsolver.errors import InvalidInputError
from taxsolver.planning.objective import Objective
from taxsolver.tensors.affinity import AffinityTensor
from taxsolver.tensors.store import DEFAULT_AFFINITY, available_affinities

QUIETLY: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "hidden",
    "concurrency_id": "planner",
    "concurrency_limit": 4,
}
"""Options of this tab's events: hidden from the API, without a spinner, four at a time."""

_ANY_ORDER = 0  # stands for no limit
_ORDERS = [("1", 1), ("2", 2), ("3", 3), ("4", 4), ("any", _ANY_ORDER)]
_OBJECTIVES = [
    ("Affinity, as in the paper", Objective.AFFINITY.value),
    ("Affinity, each target's best counts 1", Objective.NORMALISED_AFFINITY.value),
    ("Gain over training from scratch", Objective.GAIN.value),
    ("Quality against full supervision", Objective.QUALITY.value),
]
_BESIDE: dict[str, Any] = {**QUIETLY, "concurrency_id": "planner-curves", "trigger_mode": "always_last"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """Controls of the form that asks for a plan.

    Attributes:
        affinity: choice of the tensor.
        upload: upload of the visitor's own tensor.
        said: message about the upload: accepted or rejected.
        preset: example requests to start from.
        budget: largest total label cost.
        order: largest number of sources of one transfer.
        objective: the measure to maximise.
        board: settings of the tasks.
    """

    affinity: gr.Dropdown
    upload: gr.File
    said: gr.HTML
    preset: gr.Dropdown
    budget: gr.Slider
    order: gr.Radio
    objective: gr.Dropdown
    board: gr.HTML

    @property
    def asking(self) -> list[gr.components.Component]:
        """Return the components of a request, in the order of the parameters of `Showing.plan`."""
        return [self.affinity, self.budget, self.order, self.objective, self.board]


def plan_part(services: Services, shelf: TensorShelf) -> gr.Dropdown:
    """Put controls and answer on the page; the choice of the tensor, for whoever else shows it."""
    shown = Showing(shelf)
    with gr.Row(elem_classes="tb-columns"):
        with gr.Column(scale=0, min_width=328, elem_classes="tb-side pl-side"):
            controls = _controls(shelf)
        with gr.Column(min_width=300, elem_classes="tb-main"):
            asked = tuple(one.value for one in controls.asking)
            result = gr.HTML(shown.plan(*asked), js_on_load=script("planner_result"), apply_default_css=False)
            curves = gr.HTML(shown.sweep(*asked), apply_default_css=False)
    changes = [one.change for one in (controls.budget, controls.order, controls.objective, controls.board)]
    gr.on(changes, readable(shown.plan), controls.asking, result, trigger_mode="always_last", **QUIETLY).then(
        readable(shown.sweep), controls.asking, curves, **_BESIDE
    )
    _follow(services, shelf, controls).then(readable(shown.plan), controls.asking, result, **QUIETLY).then(
        readable(shown.sweep), controls.asking, curves, **_BESIDE
    )
    return controls.affinity


def _controls(shelf: TensorShelf) -> Controls:
    tensor = shelf.get(DEFAULT_AFFINITY)
    first = next(iter(presets(tensor).values()))
    affinity = gr.Dropdown(list(available_affinities()), value=DEFAULT_AFFINITY, label="Affinity tensor")
    with gr.Accordion("A tensor of your own", open=False):
        upload = FileUpload(label="CSV or safetensors", file_types=list(SUFFIXES), height=120)
        said = gr.HTML(_COLUMNS, apply_default_css=False)
    preset = gr.Dropdown(list(presets(tensor)), value=first.name, label="Start from")
    budget = gr.Slider(1, _most(tensor), value=first.budget, step=1, label="Supervision budget")
    order = gr.Radio(_ORDERS, value=4, label="Sources of one transfer, at most", elem_classes="pl-compact")
    objective = gr.Dropdown(_OBJECTIVES, value=_OBJECTIVES[0][1], label="Maximise")
    board = gr.HTML(
        [asdict(row) for row in first.rows],
        html_template="${markup}",
        js_on_load=script("planner_board"),
        markup=board_html(tensor, first.rows),
        apply_default_css=False,
    )
    return Controls(
        affinity=affinity,
        upload=upload,
        said=said,
        preset=preset,
        budget=budget,
        order=order,
        objective=objective,
        board=board,
    )


def _follow(services: Services, shelf: TensorShelf, controls: Controls) -> Dependency:
    """Uploads change the tensor, the tensor and presets change the other controls."""
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


_COLUMNS = (
    '<p class="tb-note">One row a transfer, with the columns <code>target</code>, <code>sources</code> '
    "(joined by <code>|</code>, or <code>self</code>) and at least one of <code>affinity</code>, "
    "<code>gain</code> and <code>quality</code>. The file is deleted as soon as it is read.</p>"
)


class Showing:
    """Handlers that show plans, or the reason why there is none.

    Args:
        shelf: tensors by name.
    """

    def __init__(self, shelf: TensorShelf) -> None:
        self._shelf = shelf

    def plan(self, affinity: str, budget: float, order: int, objective: str, rows: Any) -> str:
        """The best plan."""
        try:
            ask = self._ask(affinity, budget, order, objective, rows)
            return show_plan(answer_plan(ask, self._shelf.get(affinity), self._shelf.called(affinity)))
        except KNOWN as error:
            return show_problem(str(error))

    def sweep(self, affinity: str, budget: float, order: int, objective: str, rows: Any) -> str:
        """The best plans of all budgets; nothing where there is no plan anyway."""
        try:
            ask = self._ask(affinity, budget, order, objective, rows)
            tensor = self._shelf.get(affinity)
            orders = sorted({1, order or int(tensor.order.max())})
            budgets = range(1, len(tensor.tasks) - len(tensor.untrained) + 1)
            answer = answer_sweep(ask, tensor, self._shelf.called(affinity), budgets[:40], orders, seconds=6)
            return show_sweep(answer, budget)
        except KNOWN:
            return ""

    def _ask(self, affinity: str, budget: float, order: int, objective: str, rows: Any) -> PlanAsk:
        return ask_of_board(
            read_rows(rows),
            self._shelf.get(affinity),
            affinity=affinity,
            budget=int(budget) if float(budget).is_integer() else budget,
            max_order=None if order == _ANY_ORDER else order,
            objective=objective,
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
        """Presets, budgets and board of another tensor."""
        tensor = self._shelf.get(affinity)
        found = presets(tensor)
        first = next(iter(found.values()))
        return (
            gr.Dropdown(choices=list(found), value=first.name),
            gr.Slider(maximum=_most(tensor), value=first.budget),
            _board(tensor, first.rows),
        )

    def preset(self, affinity: str, name: str) -> tuple[Any, Any]:
        """Budget and board of a preset."""
        tensor = self._shelf.get(affinity)
        chosen = presets(tensor).get(name)
        if chosen is None:
            raise InvalidInputError(f"unknown preset {name[:80]!r}")
        return gr.Slider(value=chosen.budget), _board(tensor, chosen.rows)

    def upload(self, path: str | None, own: list[tuple[str, str]]) -> tuple[Any, Any, None, str]:
        """The choices with an uploaded tensor, which is chosen; or why it was not taken."""
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
    """The largest budget on the slider: room for label costs above 1."""
    return max(2, round(1.5 * (len(tensor.tasks) - len(tensor.untrained))))
