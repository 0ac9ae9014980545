"""Two or three photographs of one place: tasks that compare them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from taskbank_demo.components import FileUpload, PhotographUpload
from taskbank_demo.errors import readable
from taskbank_demo.example_photos import copy_together
from taskbank_demo.live.api import add_endpoint
from taskbank_demo.live.results import SOURCES, heavy, place_results, quick
from taskbank_demo.live.run import run_steps
from taskbank_demo.pieces import missing_panel, note
from taskbank_demo.services import Services


def together_part(services: Services) -> None:
    """Put three photographs and their gallery on the page."""
    networks = services.need_networks()
    held = [*networks.predictable(2), *networks.predictable(3)]
    if not held:
        gr.HTML(missing_panel("No such networks", "This bank holds no task that compares photographs."))
        return
    with gr.Row(elem_classes="tb-columns"):
        with gr.Column(elem_classes="tb-side", scale=0, min_width=320):
            photos = [
                PhotographUpload(
                    label=f"Photograph {number}" + (" (may be left out)" if number == 3 else ""),
                    sources=SOURCES,
                    placeholder="Drop it here\nor click to choose",
                    height=180,
                    elem_id=f"together-photo-{number}",
                    elem_classes="tb-photo",
                )
                for number in (1, 2, 3)
            ]
            run = gr.Button("Compare", variant="primary", elem_id="together-run")
            example = gr.Button("Try an example", elem_id="together-example")
            gr.HTML(note("Two photographs are enough; the camera's way through three needs the third."))
        with gr.Column(elem_classes="tb-main"):
            results = place_results(services, held, "together")

    @readable
    def on_run(
        first: str | None, second: str | None, third: str | None, before: str
    ) -> Iterator[tuple[Any, ...]]:
        copies: list[Any] = []
        for step in run_steps(services, [first, second, third], None, before):
            made = [str(path) for path in step.shot.photographs]
            copies = [gr.skip()] * 3 if copies else [*made, *[None] * (3 - len(made))]
            yield (*copies, *results.after(step))

    @readable
    def on_example() -> list[str]:
        return copy_together(services)

    given = [*photos, results.token]
    shown = [*photos, results.token, results.status, results.cards]
    run.click(on_run, given, shown, **heavy(services))
    example.click(on_example, None, photos, **quick()).success(on_run, given, shown, **heavy(services))
    uploads = FileUpload(visible=False, file_count="multiple", label="Photographs, two or three")
    wanted = gr.CheckboxGroup(held, value=held, visible=False, label="Tasks")
    add_endpoint(services, "predict_together", [uploads], wanted)
