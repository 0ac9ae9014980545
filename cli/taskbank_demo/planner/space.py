"""The space of tasks: tree, map and matrix of the chosen tensor."""

from __future__ import annotations

import gradio as gr

from taskbank_demo.errors import KNOWN, readable
from taskbank_demo.planner.plan import QUIETLY
from taskbank_demo.planning.result import show_problem
from taskbank_demo.planning.space import VIEWS, show_space
from taskbank_demo.planning.tensors import TensorShelf


def space_part(shelf: TensorShelf, affinity: gr.Dropdown, opened: gr.Tab) -> None:
    """Put the pictures on the page.

    Args:
        shelf: tensors by name.
        affinity: the choice of the tensor.
        opened: the tab; the first picture is drawn when it is first opened.
    """

    @readable
    def on_view(name: str, view: str) -> str:
        try:
            return show_space(shelf.get(name), view if view in VIEWS else "tree")
        except KNOWN as error:
            return show_problem(str(error), "No picture")

    choices = [(view.name, key) for key, view in VIEWS.items()]
    view = gr.Radio(choices, value="tree", label="Picture", elem_classes="pl-views")
    shown = gr.HTML('<p class="tb-note">Drawing ...</p>', apply_default_css=False)
    told = {**QUIETLY, "show_progress": "minimal"}
    gr.on([opened.select, view.change, affinity.change], on_view, [affinity, view], shown, **told)
