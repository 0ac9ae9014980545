"""Pictures for a bank's card: good and bad results on held-out frames, and results on photographs.

They are not chosen by hand: of the first frames of a fixed draw, the ones with the least, the median and the
greatest error are shown, and all photographs of a fixed list.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from taskbank.bank.bank import Bank
from taskbank.drawing.canvas import seen_image
from taskbank.drawing.picture_scale import measure
from taskbank.drawing.render import picture
from taskbank.inference.engine import Engine
from taskbank.inference.settings import Settings
from taskbank.tasks.registry import Task, find_task
from training.data.frames import FrameStore
from training.learning.samples import samples_of
from training.stages.evaluation.picture_page import Cell, page, write_jpeg
from training.stages.evaluation.scores import AS_SEEN, drawn_samples, measure_of, shown_items
from training.stages.evaluation.truth import true_value

log = logging.getLogger(__name__)

RANKED_BY: Mapping[str, tuple[str, int, str]] = {
    "normal": ("mean", 1, "mean angle {:.1f} deg"),
    "depth_zbuffer": ("abs_rel_scaled", 1, "AbsRel {:.3f}, scaled"),
    "reshading": ("l1", 1, "l1 {:.3f}"),
    "edge_occlusion": ("l1", 1, "l1 {:.4f}"),
    "segment_semantic": ("miou", -1, "mIoU {:.2f}"),
}
"""Task -> name of the measure for ranking frames, 1 if lower is better, and format of the caption."""

ON_PHOTOGRAPHS = ("normal", "depth_zbuffer", "reshading", "edge_occlusion", "curvature", "segment_semantic")
"""Tasks that are shown for photographs."""

PHOTOGRAPHS: Mapping[str, str] = {
    "astronaut": "NASA, public domain",
    "chelsea": "Stefan van der Walt, CC0",
    "coffee": "Rachel Michetti, CC0",
    "rocket": "SpaceX, public domain",
}
"""Freely usable photographs that come with scikit-image (`skimage.data`), with their licences."""

_CHOICE = ("best", "median", "worst")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One picture of the card.

    Attributes:
        file: file name.
        words: caption.
    """

    file: str
    words: str


def draw_showcase(
    bank: Bank, store: FrameStore, folder: Path, *, limit: int, device: str = "auto"
) -> list[Shown]:
    """Draw all pictures of a card.

    Args:
        bank: bank whose networks are shown.
        store: held-out frames.
        folder: folder of the JPEGs.
        limit: largest number of frames to rank.
        device: device of the networks.

    Raises:
        TaskBankError: the bank cannot be used.
        StorageError: a picture cannot be written.
    """
    settings = Settings(device=device, size=store.size)
    decodable = [name for name, entry in bank.index.tasks.items() if entry.decoder is not None]
    shown = [
        _on_frames(Engine(bank, [name], settings), find_task(name), store, folder, limit)
        for name in RANKED_BY
        if name in decodable and store.has(name)
    ]
    tasks = [name for name in ON_PHOTOGRAPHS if name in decodable]
    if not tasks:
        return shown
    engine = Engine(bank, tasks, Settings(device=device))
    rows = []
    for outcome, name in zip(engine.run(photographs()), PHOTOGRAPHS, strict=True):
        drawn = [picture(outcome.prediction(task.name, AS_SEEN), outcome.inputs) for task in engine.tasks]
        rows.append([Cell(seen_image(outcome.inputs[0].square), name), *map(Cell, drawn)])
    headings = ("photograph", *(task.label for task in engine.tasks))
    write_jpeg(folder / "photographs.jpg", page(headings, rows))
    sources = "; ".join(f"{name}: {origin}" for name, origin in PHOTOGRAPHS.items())
    words = f"Photographs of scikit-image ({sources})"
    return [*shown, Shown(file="photographs.jpg", words=words)]


def _on_frames(engine: Engine, task: Task, store: FrameStore, folder: Path, limit: int) -> Shown:
    """Draw the frames with the least, the median and the greatest error of a task."""
    samples = samples_of(task, store, seed=0)
    drawn = drawn_samples(samples, limit)
    number, sign, words = RANKED_BY[task.name]
    errors = np.full(len(drawn), np.nan)
    for place, outcome in enumerate(engine.run(shown_items(task, store, samples, drawn))):
        one = measure_of(task)
        one.add(
            outcome.prediction(task.name, AS_SEEN).array, true_value(task, store, samples, int(drawn[place]))
        )
        errors[place] = sign * one.result().get(number, np.nan)
    rows = []
    for name, place in zip(_CHOICE, ranks(errors), strict=True):
        (outcome,) = engine.run(shown_items(task, store, samples, drawn[[place]]))
        truth = true_value(task, store, samples, int(drawn[place]))
        predicted = outcome.prediction(task.name, AS_SEEN)
        right = replace(predicted, array=truth.astype(predicted.array.dtype, copy=False))
        scale = measure([right, predicted])  # truth and prediction have the same colours
        pictures = [picture(one, outcome.inputs, scale=scale) for one in (right, predicted)]
        caption = f"{name}: {words.format(sign * errors[place])}"
        rows.append(
            [Cell(seen_image(outcome.inputs[0].square)), Cell(pictures[0]), Cell(pictures[1], caption)]
        )
    file = f"frames_{task.name}.jpg"
    write_jpeg(folder / file, page(("frame", "truth", task.label), rows))
    measured = int(np.isfinite(errors).sum())
    return Shown(file=file, words=f"{task.label}: best, median and worst of {measured} held-out frames")


def ranks(errors: NDArray[np.float64]) -> tuple[int, int, int]:
    """Find the indices of the least, the median and the greatest error; NaN is not ranked.

    Args:
        errors: float (frames,), at least one of them not NaN.
    """
    order = np.argsort(errors, kind="stable")[: int(np.isfinite(errors).sum())]
    return int(order[0]), int(order[len(order) // 2]), int(order[-1])


def photographs() -> Sequence[NDArray[np.uint8]]:
    """Load the photographs, uint8 (H, W, 3); their files come with scikit-image without a download."""
    from skimage import data

    return [np.asarray(getattr(data, name)(), dtype=np.uint8) for name in PHOTOGRAPHS]
