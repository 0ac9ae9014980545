"""A photograph in the Transfers tab: uploaded once, compared for every chosen transfer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from taskbank_demo.components import PhotographUpload
from taskbank_demo.errors import readable
from taskbank_demo.example_photos import copy_example, example_buttons
from taskbank_demo.live.results import empty_after_failure, heavy, quick
from taskbank_demo.pieces import note
from taskbank_demo.scripts import script
from taskbank_demo.services import Services
from taskbank_demo.transfers.files import save_comparison
from taskbank_demo.transfers.menu import TransferMenu
from taskbank_demo.transfers.pictures import comparison, waiting
from taskbank_demo.transfers.requests import on_photograph
from taskbank_demo.transfers.uploads import forget, keep_photograph

_NONE_YET = waiting("Every network of this comparison looks at the photograph that you upload.")
_WITH_DIALOG = (
    '${value}<dialog class="tr-dialog" aria-label="Picture at full size"><img alt="">'
    '<button type="button" class="tr-close">Close</button></dialog>'
)


def photograph_part(services: Services, menu: TransferMenu, chosen: gr.Dropdown) -> None:
    """Put the photograph's part on the page.

    Args:
        services: state that users share.
        menu: of the bank.
        chosen: component with the name of a transfer.
    """
    with gr.Row(elem_classes="tb-columns"):
        with gr.Column(elem_classes="tb-side", scale=0, min_width=320):
            photograph = PhotographUpload(
                label="Photograph",
                sources=["upload", "webcam", "clipboard"],
                height=280,
                elem_id="transfers-photo",
                elem_classes="tb-photo",
            )
            gr.HTML('<p class="tb-label">Or try one of these</p>')
            examples = gr.HTML(example_buttons(), js_on_load=script("examples"), elem_id="transfers-examples")
            minutes = services.settings.keep_seconds / 60
            gr.HTML(note(f"The upload is deleted when it is read, a smaller copy after {minutes:g} minutes."))
        with gr.Column(elem_classes="tb-main"):
            pictures = gr.HTML(
                _NONE_YET,
                html_template=_WITH_DIALOG,
                js_on_load=script("transfers"),
                elem_id="transfers-pictures",
            )
    kept = gr.State(
        "",
        time_to_live=services.settings.keep_seconds,
        delete_callback=lambda path: forget(services, path),
    )
    _wire(services, menu, chosen, photograph, examples, kept, pictures)


def _wire(
    services: Services,
    menu: TransferMenu,
    chosen: gr.Dropdown,
    photograph: gr.Image,
    examples: gr.HTML,
    kept: gr.State,
    pictures: gr.HTML,
) -> None:
    """Connect photographs and choices to the pictures."""

    @readable
    def on_upload(path: str | None, before: str) -> Iterator[tuple[Any, ...]]:
        forget(services, before)
        yield gr.skip(), "", _NONE_YET  # stays if the photograph is rejected
        copy = keep_photograph(services, path) if path else ""
        yield copy or None, copy, gr.skip()

    @readable
    def on_example(before: str, event: gr.EventData) -> tuple[str, str]:
        copy = copy_example(services, event._data.get("name"))
        forget(services, before)
        return copy, copy

    @readable
    def on_clear(before: str) -> tuple[str, str]:
        forget(services, before)
        return "", _NONE_YET

    @readable
    def on_choice(path: str, name: str) -> str:
        if not path:
            return _NONE_YET
        shown = on_photograph(services, menu.named(name), path)
        return comparison(shown, save_comparison(shown, services.new_folder()))

    slow = heavy(services) | {"show_progress": "minimal"}
    uploaded = photograph.input(on_upload, [photograph, kept], [photograph, kept, pictures], **quick())
    taken = examples.choose(on_example, kept, [photograph, kept], **quick())
    photograph.clear(on_clear, kept, [kept, pictures], **quick())
    empty_after_failure(uploaded, photograph)
    uploaded.success(on_choice, [kept, chosen], pictures, **slow)
    taken.success(on_choice, [kept, chosen], pictures, **slow)
    chosen.change(on_choice, [kept, chosen], pictures, trigger_mode="always_last", **slow)
