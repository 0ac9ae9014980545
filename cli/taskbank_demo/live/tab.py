"""The Live tab: every task on one photograph, and tasks that compare two or three."""

from __future__ import annotations

import gradio as gr

from taskbank_demo.errors import without_folders
from taskbank_demo.live.single import single_part
from taskbank_demo.live.together import together_part
from taskbank_demo.pieces import intro, missing_panel
from taskbank_demo.services import Services

NO_BANK_HINTS = (
    "taskbank demo --bank FOLDER",
    "taskbank demo --bank hf://OWNER/NAME",
    "taskbank convert visualpriors FOLDER",
)


def live_tab(services: Services) -> None:
    """Put the tab on the page."""
    gr.HTML(
        intro(
            "Every task on one photograph",
            "Upload, paste or take a photograph. Each network of the bank looks at it on its own; click a "
            "result for full size, values and downloads.",
        )
    )
    if services.networks is None:
        gr.HTML(missing_panel("No networks to run", without_folders(services.no_bank), NO_BANK_HINTS))
        return
    with gr.Tabs(elem_classes="tb-subtabs"):
        with gr.Tab("One photograph"):
            single_part(services)
        with gr.Tab("Two or three"):
            together_part(services)
