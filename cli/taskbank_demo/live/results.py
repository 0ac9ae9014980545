"""Widgets that show results: progress, gallery, and the dialog of a card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr
from gradio.events import Dependency

from taskbank_demo.errors import readable
from taskbank_demo.live.cards import gallery
from taskbank_demo.live.detail import open_detail, value_at
from taskbank_demo.live.run import PageState
from taskbank_demo.live.store import forget_shot
from taskbank_demo.scripts import script
from taskbank_demo.services import Services

SOURCES: list[Literal["upload", "webcam", "clipboard"]] = ["upload", "webcam", "clipboard"]
"""Image sources."""


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """Widgets of one gallery.

    Attributes:
        token: name of the shown request.
        status: its progress.
        cards: the gallery.
    """

    token: gr.State
    status: gr.HTML
    cards: gr.HTML

    def after(self, step: PageState) -> tuple[str, str, str]:
        """Return the values of token, status and cards."""
        return step.shot.token, step.status, step.gallery


def quick() -> dict[str, Any]:
    """Return options of an event that does not wait in the queue and is not part of the API."""
    return {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}


def heavy(services: Services) -> dict[str, Any]:
    """Return options of an event that runs networks; all such events share one limit of concurrency."""
    return {
        "show_progress": "hidden",
        "api_visibility": "private",
        "concurrency_id": "networks",
        "concurrency_limit": services.settings.concurrency,
    }


def empty_after_failure(event: Dependency, field: gr.components.Component) -> None:
    """Empty a rejected upload in the browser, as a later server response could clear the next upload."""
    event.failure(None, None, field, js="() => null", **quick())


def place_results(services: Services, tasks: Sequence[str], name: str) -> Results:
    """Put the widgets on the page.

    Args:
        services: state that users share.
        tasks: canonical names of the tasks that are shown before the first request.
        name: prefix of the widgets' ids.
    """

    def forget(token: str) -> None:
        forget_shot(services, token)

    def value(asked: object) -> dict[str, str]:
        return value_at(services, asked)

    value.__name__ = "value_at"  # the name that the script calls

    @readable
    def on_open(shown: str, event: gr.EventData) -> str:
        return open_detail(services, shown, event._data.get("task"))

    token = gr.State("", time_to_live=services.settings.keep_seconds, delete_callback=forget)
    status = gr.HTML(elem_id=f"{name}-status")
    cards = gr.HTML(gallery(tasks, {}), js_on_load=script("cards"), elem_id=f"{name}-gallery")
    dialog = gr.HTML(js_on_load=script("detail"), server_functions=[value], elem_id=f"{name}-detail")
    cards.open(on_open, token, dialog, **quick())
    return Results(token, status, cards)
