"""The dialog of one result: its HTML, and the value at a point of its picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from taskbank.images.framing import Box, View
from taskbank.inference.results import Prediction
from taskbank.options import Fit, Frame
from taskbank.tasks.kinds import MAPS, OutputKind
from taskbank.tasks.registry import TASKS, find_task
from taskbank_demo.errors import MissingError
from taskbank_demo.live.cards import bars
from taskbank_demo.live.files import TITLES, save_task
from taskbank_demo.live.store import find_shot, load_outcome
from taskbank_demo.live.values import NOT_SEEN, few_values, place_of, statistics, value_text
from taskbank_demo.pieces import file_url, once, text
from taskbank_demo.services import Services

_LAST = 1 - 1e-9  # the far edge of a picture belongs to its last pixel


def open_detail(services: Services, token: object, task: object) -> str:
    """Return the dialog of one result, after writing its files.

    Raises:
        MissingError: the result does not exist.
    """
    shot = find_shot(services, token)
    if not isinstance(task, str) or task not in TASKS:
        raise MissingError(f"There is no task {task!r}.")
    outcome = load_outcome(services, shot, [task])
    files = save_task(shot, outcome, task)
    prediction, label = outcome.prediction(task), text(find_task(task).label)
    links = "".join(
        f'<a class="tb-link" href="{file_url(path)}" download="{text(path.name)}">{text(title)}</a>'
        for title, path in files.items()
    )
    return (
        f'<dialog class="tb-detail" aria-labelledby="tb-title-{task}" data-token="{text(shot.token)}" '
        f'data-task="{task}" {once()}><header><h3 id="tb-title-{task}">{label}</h3><code>{task}</code>'
        '<button type="button" class="tb-close" aria-label="Close">✕</button></header>'
        f'<div class="tb-detail-body">{_figure(prediction, files[TITLES[".png"]])}'
        f'<div class="tb-detail-side">{_values(prediction)}{_list(_facts(prediction))}'
        f'<nav class="tb-links" aria-label="Downloads">{links}</nav></div></div></dialog>'
    )


def _figure(prediction: Prediction, path: Path) -> str:
    """Return the picture; on a map, a point can be chosen with pointer or arrow keys."""
    label = find_task(prediction.task).label
    image = f'<img src="{file_url(path)}" alt="{text(label)}, full size" draggable="false">'
    if prediction.kind not in MAPS:
        return f'<figure class="tb-full">{image}</figure>'
    view = prediction.views[0]
    help_words = f"Picture of {view.width} by {view.height} pixels. Arrow keys move the cross."
    return (
        '<figure class="tb-full"><div class="tb-pick" tabindex="0" role="application" '
        f'aria-label="{help_words}" data-width="{view.width}" data-height="{view.height}">{image}'
        '<span class="tb-cross" hidden></span></div></figure>'
    )


def _values(prediction: Prediction) -> str:
    """Return the element that shows the value pointed at, or a list of all values."""
    if prediction.kind in MAPS:
        return (
            '<p class="tb-readout" role="status"><span class="tb-readout-place">Point at the picture</span>'
            '<output class="tb-readout-value">&ndash;</output></p>'
        )
    if prediction.kind is OutputKind.CLASSES:
        return bars(prediction.top(10))
    return _list(dict(few_values(prediction)))


def _facts(prediction: Prediction) -> dict[str, str]:
    """Return facts about a prediction: statistics, unit, range, meaning and bank."""
    facts = statistics(prediction)
    facts["unit"] = "none" if prediction.unit == "1" else prediction.unit
    if prediction.value_range is not None:
        facts["range"] = "{:.4g} to {:.4g}".format(*prediction.value_range)
    facts["meaning"] = prediction.convention
    left_out = [view.left_out for view in prediction.views]
    if any(left_out):
        facts["seen"] = f"the middle square: {'; '.join(filter(None, left_out))} are left out"
    facts["array"] = f"{prediction.array.dtype} ({', '.join(map(str, prediction.array.shape))})"
    facts["bank"] = f"{prediction.bank}, {prediction.bank_digest[:12]}"
    return facts


def _list(facts: Mapping[str, str]) -> str:
    """Return a list of names and values."""
    rows = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in facts.items())
    return f'<dl class="tb-facts">{rows}</dl>'


def value_at(services: Services, asked: object) -> dict[str, str]:
    """Return the value at a point, for the page's requests while the pointer moves.

    Args:
        services: state that users share.
        asked: `token`, `task`, and `x` and `y` from 0 to 1; untrusted input.

    Returns:
        `place` and `value` as text; the place is empty if the request is invalid.
    """
    try:
        return _value_at(services, asked)
    except MissingError as error:
        return {"place": "", "value": str(error)}
    except (TypeError, ValueError, KeyError, OSError):
        return {"place": "", "value": "no value here"}


def _value_at(services: Services, asked: Any) -> dict[str, str]:
    """Read one value from the array that was written for download."""
    shot = find_shot(services, asked["token"])
    task = TASKS[asked["task"]]
    x, y = (min(float(asked[name]), _LAST) for name in "xy")
    if not (x >= 0 and y >= 0):
        raise ValueError(f"({x}, {y}) is outside the picture")
    array = np.load(shot.folder / f"{task.name}.npy", mmap_mode="r", allow_pickle=False)
    facts = json.loads((shot.folder / f"{task.name}.json").read_text(encoding="utf-8"))
    seen = facts["inputs"][0]
    columns, rows = seen["network_size"]
    view = View(seen["width"], seen["height"], Box(*seen["crop_box"]), (columns, rows), Fit(seen["fit"]))
    at = place_of(array.shape, Frame(facts["frame"]), view, x, y)
    words = NOT_SEEN
    if at is not None:
        words = value_text(task.output, array[at], task.unit, tuple(facts.get("classes") or ()))
    return {"place": f"x {int(x * view.width)}, y {int(y * view.height)}", "value": words}
