"""Task grouping: the choice of tasks to train together in one network, for a budget of inference time."""

from __future__ import annotations

from typing import Any

import gradio as gr

from taskbank_demo.components import FileUpload
from taskbank_demo.errors import KNOWN, readable
from taskbank_demo.pieces import text
from taskbank_demo.planner.plan import QUIETLY
from taskbank_demo.planning.command import PAIRWISE_FILE
from taskbank_demo.planning.group_view import show_curves, show_group
from taskbank_demo.planning.grouping import (
    METHODS,
    SETTING_NAMES,
    TableShelf,
    answer_group,
    answer_untrained,
    default_curves,
    effects_from_text,
    read_table,
)
from taskbank_demo.planning.result import show_problem
from taskbank_demo.scripts import script
from taskbank_demo.services import Services
from taskbank_demo.uploads import check_upload, delete_upload
from taxsolver.grouping import Method

_PUBLISHED = [(name, str(number)) for number, name in SETTING_NAMES.items()]
_EFFECTS = (
    '<p class="tb-note">A square matrix: the task that helps down, the one helped across, in any unit, as '
    "gradient affinities. Without one, the pairs of the table are taken.</p>"
)
_COLUMNS = (
    '<p class="tb-note">Columns: <code>split</code> (validation, test or validation_early), '
    "<code>network</code>, <code>cost</code>, and one of losses for each task, "
    "empty where a network does not predict it.</p>"
)


def grouping_part(services: Services, opened: gr.Tab) -> None:
    """Put controls and answer on the page.

    Args:
        services: limits of uploads.
        opened: the tab; the curves are drawn when it is first opened.
    """
    choose = Choosing(services)
    with gr.Row(elem_classes="tb-columns"):
        with gr.Column(scale=0, min_width=328, elem_classes="tb-side pl-side"):
            table = gr.Dropdown(_PUBLISHED, value="1", label="Table of networks")
            with gr.Accordion("A table of your own", open=False):
                upload = FileUpload(label="CSV", file_types=[".csv"], height=120)
                said = gr.HTML(_COLUMNS, apply_default_css=False)
            with gr.Accordion("Groups that nobody has trained", open=False):
                predict = gr.Checkbox(False, label="Predict them from what the table holds")
                pairs = FileUpload(label="Effects of pairs, CSV", file_types=[".csv"], height=120)
                read = gr.HTML(_EFFECTS, apply_default_css=False)
            budget = gr.Slider(1, 5, value=2.5, step=0.5, label="Inference budget, in standard networks")
            method = gr.Radio(
                [(name, key) for key, name in METHODS.items()],
                value=Method.OPTIMAL.value,
                label="How to choose",
            )
        with gr.Column(min_width=300, elem_classes="tb-main"):
            result = gr.HTML(
                choose.group("1", 2.5, Method.OPTIMAL.value),
                js_on_load=script("planner_result"),
                apply_default_css=False,
            )
            curves = gr.HTML('<p class="tb-note">Drawing the curves ...</p>', apply_default_css=False)
    effects = gr.State("", time_to_live=services.settings.keep_seconds)
    gr.on(
        [table.change, budget.change, method.change, predict.change, effects.change],
        readable(choose.group),
        [table, budget, method, predict, effects],
        result,
        trigger_mode="always_last",
        **QUIETLY,
    )
    gr.on(
        [opened.select, table.change, budget.change],
        readable(choose.curves),
        [table, budget],
        curves,
        trigger_mode="always_last",
        **QUIETLY,
    )
    own = gr.State([], time_to_live=services.settings.keep_seconds)
    upload.upload(readable(choose.upload), [upload, own], [table, own, upload, said], **QUIETLY)
    pairs.upload(readable(choose.pairs), [pairs, table], [effects, pairs, read], **QUIETLY)


class Choosing:
    """Handlers that show the results for the chosen table, budget and method.

    Args:
        services: limits of uploads.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._shelf = TableShelf()

    def group(self, name: str, budget: float, method: str, predict: bool = False, effects: str = "") -> str:
        """Show the networks to run."""
        try:
            table, file = self._shelf.get(name)
            if predict:
                known = effects_from_text(effects, table, PAIRWISE_FILE) if effects else None
                return show_group(answer_untrained(table, known, budget, file))
            return show_group(answer_group(table, method, budget, file))
        except KNOWN as error:
            return show_problem(str(error), "No choice")

    def curves(self, name: str, budget: float) -> str:
        """Show the losses for every budget."""
        try:
            return show_curves(default_curves(self._shelf.get(name)[0]), budget)
        except KNOWN as error:
            return show_problem(str(error), "No choice")

    def pairs(self, path: str | None, name: str) -> tuple[Any, None, str]:
        """Return the text of uploaded effects, or the reason why they were rejected."""
        settings, folder = self._services.settings, self._services.folder
        try:
            found = check_upload(path, settings, folder)
            content = found.read_bytes()
            effects_from_text(content, self._shelf.get(name)[0], found.name)
        except KNOWN as error:
            return gr.skip(), None, show_problem(str(error), "Not taken")
        finally:
            delete_upload(path, folder)
        return content.decode("utf-8", "replace"), None, f'<p class="tb-note">{text(found.name)} is used.</p>'

    def upload(self, path: str | None, own: list[tuple[str, str]]) -> tuple[Any, Any, None, str]:
        """Add an uploaded table to the choices and choose it, or return the reason why it was rejected."""
        settings, folder = self._services.settings, self._services.folder
        try:
            found = check_upload(path, settings, folder)
            table = read_table(found)
        except KNOWN as error:
            return gr.skip(), own, None, show_problem(str(error), "Not taken")
        finally:
            delete_upload(path, folder)
        listed = [*own, (found.name, self._shelf.put(table, found.name))][-8:]
        return gr.Dropdown(choices=[*_PUBLISHED, *listed], value=listed[-1][1]), listed, None, _COLUMNS
