"""A request of the Live tab, step by step from its uploads to its last card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from PIL import Image

from taskbank_demo.errors import UploadError
from taskbank_demo.live.cards import gallery, progress
from taskbank_demo.live.predict import Card, choose, predict_cards
from taskbank_demo.live.store import Shot, forget_shot, new_shot
from taskbank_demo.services import Services
from taskbank_demo.uploads import delete_upload, read_image


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """State of the page at one step of a request.

    Attributes:
        shot: photographs and results so far.
        status: HTML of the progress.
        gallery: HTML of all cards.
        finished: whether this is the last step.
    """

    shot: Shot
    status: str
    gallery: str
    finished: bool = False


def read_images(services: Services, paths: Sequence[str | Path]) -> list[Image.Image]:
    """Check and read uploaded photographs; the files are deleted in any case.

    Raises:
        UploadError: a file is not an image, or too large.
    """
    try:
        return [read_image(path, services.settings, services.folder) for path in paths]
    finally:
        for path in paths:
            delete_upload(path, services.folder)


def run_steps(
    services: Services, paths: Sequence[str | Path | None], wanted: Sequence[str] | None, before: object = ""
) -> Iterator[PageState]:
    """Predict tasks for one photograph, or for two or three together, and yield a step for each task.

    Args:
        services: state that users share.
        paths: uploaded files; they are deleted after reading. None means no file.
        wanted: names of tasks; None or empty for all that fit.
        before: token of the page's last result, which is deleted.

    Raises:
        UploadError: no photograph, or one that cannot be used.
        MissingError: there is no bank, or it does not hold a task.
    """
    started = monotonic()
    given = [path for path in paths if path]
    if not given:
        raise UploadError("There is no photograph yet: upload, paste or take one, or choose an example.")
    tasks = choose(services.need_networks(), wanted, len(given))
    shot = new_shot(services, read_images(services, given))
    forget_shot(services, before)
    cards: dict[str, Card] = {}
    yield PageState(shot=shot, status=progress(0, len(tasks)), gallery=gallery(tasks, cards, running=True))
    for card in predict_cards(services, shot, tasks):
        cards[card.task] = card
        finished = len(cards) == len(tasks)
        seconds = monotonic() - started if finished else None
        yield PageState(
            shot=shot,
            status=progress(len(cards), len(tasks), seconds),
            gallery=gallery(tasks, cards, running=not finished),
            finished=finished,
        )
