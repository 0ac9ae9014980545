"""The API of the Transfers tab: `/transfers`, `/transfer` and `/transfer_video`, which are stable names."""

from __future__ import annotations

from collections import deque
from typing import Any

import gradio as gr

from taskbank.errors import InvalidInputError
from taskbank.tasks.registry import TASKS
from taskbank_demo.components import PhotographUpload, VideoUpload
from taskbank_demo.errors import readable
from taskbank_demo.live.results import heavy
from taskbank_demo.services import Services
from taskbank_demo.transfers.files import save_comparison
from taskbank_demo.transfers.requests import (
    comparison_facts,
    menu_of,
    missing_facts,
    on_photograph,
    on_video,
    record_of,
    standing_of,
    tensor_of,
)
from taskbank_demo.uploads import delete_upload

_CHOICES = list(TASKS)


def transfers_api(services: Services) -> None:
    """Add the endpoints to the page, where they are not visible."""

    @readable
    def list_transfers() -> dict[str, Any]:
        menu = menu_of(services)
        listed: dict[str, list[list[str]]] = {}
        for choice in menu.choices:
            listed.setdefault(choice.target, []).append(list(choice.sources))
        return {"bank": menu.bank, "tensor": tensor_of(services), "transfers": listed}

    @readable
    def transfer(photograph: str | None, target: str, sources: list[str]) -> tuple[dict[str, Any], list[str]]:
        try:
            choice = menu_of(services).find(target, _names(sources))
            shown = on_photograph(services, choice, photograph)
        finally:
            delete_upload(photograph, services.folder)
        found = standing_of(services, choice, tensor_of(services))
        facts = comparison_facts(shown, found, record_of(services, choice))
        return facts, save_comparison(shown, services.new_folder()).files

    @readable
    def transfer_video(video: str | None, target: str, sources: list[str]) -> tuple[dict[str, Any], str]:
        try:
            choice = menu_of(services).find(target, _names(sources))
            made = on_video(services, choice, video, tensor_of(services))
            (last,) = deque(made.steps, maxlen=1)
        finally:
            delete_upload(video, services.folder)
        facts = {
            "transfer": choice.name,
            "frames": last.done,
            "every": last.every,
            "complete": last.done == last.total,
            "measured": standing_of(services, choice, tensor_of(services)).facts(),
            "missing": missing_facts(made.parts),
        }
        return facts, str(made.path)

    target = gr.Dropdown(_CHOICES, label="Target", allow_custom_value=True, visible=False)
    sources = gr.Dropdown(
        _CHOICES, label="Sources, in any order", multiselect=True, allow_custom_value=True, visible=False
    )
    facts = gr.JSON(label="Facts", visible=False)
    files = gr.File(
        label="Picture, array, facts, all pictures together", file_count="multiple", visible=False
    )
    film = gr.File(label="Side-by-side video (MP4)", visible=False)
    photograph = PhotographUpload(label="Photograph", visible=False)
    video = VideoUpload(label="Short video", visible=False)
    slow = heavy(services) | {"api_visibility": "public"}
    long = slow | {"concurrency_id": "videos", "concurrency_limit": 1}
    gr.Button(visible=False).click(list_transfers, None, facts, api_name="transfers")
    gr.Button(visible=False).click(
        transfer, [photograph, target, sources], [facts, files], api_name="transfer", **slow
    )
    gr.Button(visible=False).click(
        transfer_video, [video, target, sources], [facts, film], api_name="transfer_video", **long
    )


def _names(given: object) -> list[str]:
    """Read names of sources from a request: a list, or a text with commas.

    Raises:
        InvalidInputError: it is neither, or has no name.
    """
    words = given.split(",") if isinstance(given, str) else given
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise InvalidInputError(f"sources {given!r} must be a list of names, as in ['normal', 'reshading']")
    names = [word.strip() for word in words if word.strip()]
    if not names:
        raise InvalidInputError("no source was named: give a list, as in ['normal', 'reshading']")
    return names
