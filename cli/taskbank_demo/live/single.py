"""One photograph: its controls, its gallery, and a dialog for each result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from taskbank.tasks.registry import find_task
from taskbank_demo.components import PhotographUpload
from taskbank_demo.errors import readable
from taskbank_demo.example_photos import copy_example, example_buttons
from taskbank_demo.live.api import add_endpoint
from taskbank_demo.live.cards import gallery
from taskbank_demo.live.files import save_dataset
from taskbank_demo.live.predict import in_sections
from taskbank_demo.live.results import SOURCES, Results, empty_after_failure, heavy, place_results, quick
from taskbank_demo.live.run import run_steps
from taskbank_demo.live.store import find_shot, forget_shot
from taskbank_demo.pieces import download_link, missing_panel, note
from taskbank_demo.scripts import script
from taskbank_demo.services import Services


@dataclass(frozen=True, slots=True, eq=False)
class _Controls:
    """Widgets beside the gallery."""

    photo: gr.Image
    examples: gr.HTML
    tasks: gr.CheckboxGroup
    again: gr.Button


def single_part(services: Services) -> None:
    """Put controls and gallery on the page."""
    networks = services.need_networks()
    held = [name for _, names in in_sections(networks.predictable(1)) for name in names]
    if not held:
        gr.HTML(missing_panel("No such networks", "This bank holds no task that predicts from a photograph."))
        return
    with gr.Row(elem_classes="tb-columns"):
        with gr.Column(elem_classes="tb-side", scale=0, min_width=320):
            photo = PhotographUpload(
                label="Photograph",
                sources=SOURCES,
                height=280,
                placeholder="Drop a photograph here\nor click to choose one",
                elem_id="live-photo",
                elem_classes="tb-photo",
            )
            gr.HTML('<p class="tb-label">Or try one of these</p>')
            examples = gr.HTML(example_buttons(), js_on_load=script("examples"), elem_id="live-examples")
            with gr.Accordion("Choose tasks", open=False, elem_classes="tb-fold"):
                choices = [(find_task(name).label, name) for name in held]
                tasks = gr.CheckboxGroup(choices, value=list(held), label="Tasks", elem_id="live-tasks")
                again = gr.Button("Predict these", elem_id="live-again")
            gr.HTML(
                note(
                    "Maps cover the whole photograph; classes, rooms, directions and puzzles are read from "
                    "its middle square. An upload is deleted as soon as it is read."
                )
            )
            controls = _Controls(photo, examples, tasks, again)
        with gr.Column(elem_classes="tb-main"):
            results = place_results(services, held, "live")
            pack = gr.Button(
                "Download all as dataset files (zip)",
                visible=False,
                elem_id="live-zip",
                elem_classes="tb-action",
            )
    packed = gr.HTML(js_on_load=script("ready"), elem_id="live-packed")
    _wire_predicting(services, held, controls, results, pack)

    @readable
    def on_pack(token: str) -> str:
        shot = find_shot(services, token)
        return download_link(save_dataset(services, shot, shot.tasks))

    pack.click(on_pack, results.token, packed, **heavy(services))
    add_endpoint(services, "predict", [controls.photo], controls.tasks)


def _wire_predicting(
    services: Services, held: Sequence[str], controls: _Controls, results: Results, pack: gr.Button
) -> None:
    """Connect the upload of a photograph to the gallery."""

    @readable
    def on_input(path: str | None, wanted: list[str], before: str) -> Iterator[tuple[Any, ...]]:
        if path is None:  # the user cleared the input or switched its source
            yield (gr.skip(), *on_clear(before))
        else:
            yield from on_photo(path, wanted, before)

    @readable
    def on_photo(path: str | None, wanted: list[str], before: str) -> Iterator[tuple[Any, ...]]:
        photo: Any = None
        for step in run_steps(services, [path], wanted, before):
            # The upload is deleted; the page shows a copy of it.
            photo = gr.skip() if photo is not None else str(step.shot.photographs[0])
            yield (photo, gr.Button(visible=step.finished), *results.after(step))

    @readable
    def on_example(event: gr.EventData) -> str:
        return copy_example(services, event._data.get("name"))

    @readable
    def on_clear(before: str) -> tuple[Any, ...]:
        forget_shot(services, before)
        return gr.Button(visible=False), "", "", gallery(held, {})

    given = [controls.photo, controls.tasks, results.token]
    shown = [controls.photo, pack, results.token, results.status, results.cards]
    uploaded = controls.photo.input(on_input, given, shown, trigger_mode="always_last", **heavy(services))
    empty_after_failure(uploaded, controls.photo)
    controls.again.click(on_photo, given, shown, **heavy(services))
    chosen = controls.examples.choose(on_example, None, controls.photo, **quick())
    chosen.success(on_photo, given, shown, **heavy(services))
