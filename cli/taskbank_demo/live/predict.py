"""Prediction of tasks on photographs, one by one; each result can be shown as soon as it is computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from taskbank.drawing.render import picture
from taskbank.drawing.sheet import caption
from taskbank.errors import TaskBankError
from taskbank.inference.outcome import Outcome
from taskbank.inference.results import Prediction
from taskbank.options import Fit, Frame
from taskbank.tasks.kinds import Group, OutputKind
from taskbank.tasks.registry import find_task
from taskbank_demo.errors import MissingError
from taskbank_demo.live.store import Shot
from taskbank_demo.services import Networks, Services

CARD_SIDE = 320  # px of the picture on a card
_QUALITY = 88

SECTIONS: tuple[tuple[str, tuple[Group, ...]], ...] = (
    ("Surfaces and depth", (Group.THREE_D,)),
    ("Things and places", (Group.SEMANTIC,)),
    ("Room and camera", (Group.LOW_DIMENSIONAL,)),
    ("The picture itself", (Group.TWO_D, Group.DENOISING)),
)
"""Headings of the gallery, and the groups of tasks under each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Card of one task in the gallery.

    Attributes:
        task: canonical name.
        done: whether the network has finished.
        caption: one line about the picture; empty without a picture.
        picture: file of the small picture; None if there is none.
        shares: the likeliest classes and their probabilities.
        error: reason why there is no result; empty if there is one.
    """

    task: str
    done: bool = False
    caption: str = ""
    picture: Path | None = None
    shares: tuple[tuple[str, float], ...] = ()
    error: str = ""


def in_sections(tasks: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Group tasks under the headings of the gallery, without empty headings."""
    groups = {name: find_task(name).group for name in tasks}
    found = [(title, [name for name in tasks if groups[name] in kinds]) for title, kinds in SECTIONS]
    return [(title, names) for title, names in found if names]


def choose(networks: Networks, wanted: Sequence[str] | None, num_images: int) -> list[str]:
    """Return the chosen tasks of the bank, in the gallery's order.

    Args:
        networks: of the bank.
        wanted: any names of tasks; None or empty for all.
        num_images: number of photographs. With three, tasks that take two see the first two.

    Raises:
        UnknownTaskError: a name is none of the 26 tasks.
        MissingError: the bank holds no such task for that number of photographs.
    """
    counts = (1,) if num_images == 1 else range(2, num_images + 1)
    held = [name for count in counts for name in networks.predictable(count)]
    names = {find_task(name).name for name in wanted or held}
    if strange := sorted(names - set(held)):
        raise MissingError(
            f"{', '.join(strange)} cannot be predicted from {num_images} photograph(s) with this bank: "
            f"choose from {', '.join(held) or 'nothing'}."
        )
    if not names:
        raise MissingError(f"This bank holds no task that predicts from {num_images} photograph(s).")
    return [name for _, group in in_sections(held) for name in group if name in names]


def predict_cards(services: Services, shot: Shot, tasks: Sequence[str]) -> Iterator[Card]:
    """Run tasks one by one; a failure or lack of time is reported on the task's card.

    Args:
        services: state that users share.
        shot: the photographs; outputs of networks are stored there.
        tasks: canonical names.

    Raises:
        MissingError: there is no bank.
    """
    networks = services.need_networks()
    deadline = services.deadline()
    images: list[NDArray[np.uint8]] = []
    for path in shot.photographs:
        with Image.open(path, formats=("PNG",)) as image:
            images.append(np.asarray(image))
    for task in tasks:
        try:
            deadline.check()
            engine = networks.task(task)
            item = images[0] if engine.num_images == 1 else tuple(images[: engine.num_images])
            outcome = next(engine.run([item]))
            prediction = outcome.prediction(task)
            shot.keep(task, outcome)
            path = shot.folder / f"{task}_card.jpg"
            shares = prediction.top(5) if prediction.kind is OutputKind.CLASSES else ()
            if not shares:
                small_picture(prediction, outcome).save(path, quality=_QUALITY)
            yield Card(
                task=task,
                done=True,
                caption=caption(prediction),
                picture=None if shares else path,
                shares=shares,
            )
        except TaskBankError as error:
            yield Card(task=task, done=True, error=str(error))


def small_picture(prediction: Prediction, outcome: Outcome) -> Image.Image:
    """Draw a prediction for a card; for maps, only the part that the network saw."""
    drawn = picture(prediction, outcome.inputs)
    view = outcome.inputs[0].view
    covers_photo = prediction.frame is Frame.INPUT or prediction.kind is OutputKind.EMBEDDING
    if covers_photo and view.fit is Fit.CROP and drawn.size == (view.width, view.height):
        box = view.box
        drawn = drawn.crop((round(box.left), round(box.top), round(box.right), round(box.bottom)))
    drawn.thumbnail((CARD_SIDE * 2, CARD_SIDE * 2), Image.Resampling.LANCZOS)
    return drawn.convert("RGB")
