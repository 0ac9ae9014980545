"""The API of the Live tab: `/predict` and `/predict_together` return results as facts and files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from taskbank_demo.errors import UploadError, readable
from taskbank_demo.live.files import save_task
from taskbank_demo.live.predict import choose
from taskbank_demo.live.results import heavy
from taskbank_demo.live.run import read_images
from taskbank_demo.live.store import load_outcome, new_shot
from taskbank_demo.services import Services

_MOST_IMAGES = 3


def predict_files(
    services: Services, paths: Sequence[str | Path], wanted: Sequence[str] | None
) -> tuple[dict[str, Any], list[str]]:
    """Predict tasks for one photograph, or for two or three together.

    Args:
        services: state that users share.
        paths: uploaded files; they are deleted.
        wanted: names of tasks; None or empty for all that fit.

    Returns:
        Facts by task, as `taskbank predict --save json` writes them; and paths of the pictures, arrays and
        facts, each named after its task.

    Raises:
        UploadError: no file or too many; a file is not an image, or too large.
        MissingError: there is no bank, or it does not hold a task.
        SlowRequestError: the request took too long.
    """
    images = read_images(services, paths)
    if not 1 <= len(images) <= _MOST_IMAGES:
        raise UploadError(f"{len(images)} photographs were sent: send one, or two or three of one place.")
    networks = services.need_networks()
    tasks = choose(networks, wanted, len(images))
    shot = new_shot(services, images)
    deadline = services.deadline()
    facts: dict[str, Any] = {}
    files: list[str] = []
    for task in tasks:
        deadline.check()
        engine = networks.task(task)
        item = tuple(images[: engine.num_images])
        shot.keep(task, next(engine.run([item if len(item) > 1 else item[0]])))
        outcome = load_outcome(services, shot, [task])
        facts[task] = outcome.prediction(task).facts()
        files += [str(path) for path in save_task(shot, outcome, task).values()]
    return facts, files


def add_endpoint(services: Services, name: str, photographs: Sequence[Any], tasks: gr.CheckboxGroup) -> None:
    """Add an API endpoint: photographs and tasks in, facts and files out.

    Args:
        services: state that users share.
        name: of the endpoint.
        photographs: one component that gives a path, or paths.
        tasks: the choice of tasks.
    """

    @readable
    def on_call(given: str | list[str] | None, wanted: list[str]) -> tuple[dict[str, Any], list[str]]:
        if not given:
            raise UploadError("There is no photograph: send one.")
        return predict_files(services, [given] if isinstance(given, str) else given, wanted)

    call = gr.Button(visible=False)
    facts = gr.JSON(visible=False, label="Facts by task")
    files = gr.File(visible=False, file_count="multiple", label="Pictures, arrays and facts")
    options = heavy(services) | {"api_visibility": "public"}
    call.click(on_call, [*photographs, tasks], [facts, files], api_name=name, **options)
