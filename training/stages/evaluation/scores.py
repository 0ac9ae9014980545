"""Scores of a bank on the frames of a store: one measure per task, of predictions as users get them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from taskbank.bank.bank import Bank
from taskbank.inference.decode import Reading
from taskbank.inference.engine import Engine, Item
from taskbank.inference.measure_health import measure_health
from taskbank.inference.protocol import PredictionEngine
from taskbank.inference.settings import Settings
from taskbank.inference.transfer_engine import TransferEngine
from taskbank.options import Frame
from taskbank.tasks.registry import OutputKind, Task, find_task
from training.data.frames import FrameStore
from training.learning.inputs import NOISE
from training.learning.samples import Samples, samples_of
from training.stages.evaluation.maps import (
    DepthMeasure,
    DifferenceMeasure,
    LabelMeasure,
    NormalMeasure,
    PictureMeasure,
    ResponseMeasure,
)
from training.stages.evaluation.measures import Measure
from training.stages.evaluation.numbers import (
    ClassMeasure,
    DirectionMeasure,
    LayoutMeasure,
    MatchMeasure,
    OrderMeasure,
    PoseMeasure,
    SegmentMeasure,
)
from training.stages.evaluation.truth import true_value

_log = logging.getLogger(__name__)
_LEAST_PICTURES = 4  # fewer than this, one per room, are filled up with neighbouring frames
_SEED = 0  # seed for drawing samples if there are more than the limit

AS_SEEN = Reading(frame=Frame.NETWORK)
"""Predictions for each pixel of the network's input, as for the ground truth."""


def measure_of(task: Task) -> Measure:
    """Create a measure for a task.

    Raises:
        KeyError: the task predicts nothing (`random`).
    """
    match task.output:
        case OutputKind.SEMANTIC_MAP:
            return LabelMeasure(task.channels)
        case OutputKind.HEAT_MAP:
            return ResponseMeasure((task.value_range or (0.0, 1.0))[1])
        case _:
            return _MEASURES[task.output]()


_MEASURES: Mapping[OutputKind, type[Measure]] = {
    OutputKind.IMAGE: PictureMeasure,
    OutputKind.COLOUR_DISTRIBUTION: PictureMeasure,
    OutputKind.DEPTH: DepthMeasure,
    OutputKind.NORMALS: NormalMeasure,
    OutputKind.CURVATURE: DifferenceMeasure,
    OutputKind.EMBEDDING: SegmentMeasure,
    OutputKind.CLASSES: ClassMeasure,
    OutputKind.LAYOUT: LayoutMeasure,
    OutputKind.VANISHING_POINTS: DirectionMeasure,
    OutputKind.POSE: PoseMeasure,
    OutputKind.MATCH: MatchMeasure,
    OutputKind.PERMUTATION: OrderMeasure,
}


def score_bank(
    bank: Bank,
    store: FrameStore,
    tasks: Iterable[str] | None = None,
    *,
    limit: int = 2000,
    device: str = "auto",
) -> dict[str, dict[str, float]]:
    """Measure task networks on frames that no network was trained on.

    Args:
        bank: the bank to measure.
        store: the test frames.
        tasks: task names or aliases; None for all that the bank predicts.
        limit: largest number of samples per task, drawn with a fixed seed.
        device: device of the networks.

    Returns:
        canonical task name -> the numbers of its measure, and `samples`, their number.

    Raises:
        DataError: the store lacks the labels of a task.
        TaskBankError: the bank cannot be used.
    """
    decodable = [name for name, entry in bank.index.tasks.items() if entry.decoder is not None]
    chosen = decodable if tasks is None else [find_task(name).name for name in tasks]
    settings = _settings_for(bank, store, device)
    scores = {}
    for name in chosen:
        scores[name] = _score(Engine(bank, [name], settings), find_task(name), store, limit)
        _log.info("%s: %s", name, scores_in_words(scores[name]))
    return scores


def score_transfers(
    bank: Bank, store: FrameStore, *, limit: int = 200, device: str = "auto"
) -> dict[str, dict[str, float]]:
    """Measure the transfers of a bank, and its networks from scratch, as task networks are measured.

    Args:
        bank: the bank to measure.
        store: the test frames.
        limit: largest number of samples per transfer, the first of the samples of task networks.
        device: device of the networks.

    Returns:
        name of a transfer (`normal+reshading -> depth_zbuffer`) -> the numbers of its target's measure, and
        `samples`.

    Raises:
        DataError: the store lacks the labels of a target.
        TaskBankError: the bank cannot be used.
    """
    settings = _settings_for(bank, store, device)
    scores = {}
    for entry in bank.index.transfers:
        engine = TransferEngine(bank, entry.sources, [entry.target], settings)
        scores[entry.name] = _score(engine, entry.task, store, limit)
        _log.info("%s: %s", entry.name, scores_in_words(scores[entry.name]))
    return scores


def score_health(bank: Bank, store: FrameStore, *, device: str = "auto") -> dict[str, dict[str, float]]:
    """Measure whether outputs of networks and transfers depend on inputs, see `inference.measure_health`.

    Args:
        bank: the bank to measure.
        store: the test frames, of which `health_pictures` are used.
        device: device of the networks.
    """
    return measure_health(bank, health_pictures(store), settings=_settings_for(bank, store, device))


def _settings_for(bank: Bank, store: FrameStore, device: str) -> Settings:
    """Return settings that show frames at their own size, or at each network's if they have the bank's."""
    return Settings(device=device, size=None if store.size == bank.index.image_size else store.size)


def health_pictures(store: FrameStore, count: int = 12) -> list[NDArray[np.uint8]]:
    """Choose at most `count` frames that differ as much as possible, one per room: uint8 (H, W, 3)."""
    _, first = np.unique(store.cameras["room"], return_index=True)
    chosen = np.sort(np.random.default_rng(_SEED).permutation(first)[:count])
    if len(chosen) < _LEAST_PICTURES:
        chosen = np.arange(min(count, len(store)))
    return list(store.read("rgb", chosen))


def scores_in_words(scores: Mapping[str, float]) -> str:
    """Format names and values in one line."""
    return ", ".join(f"{name} {value:.4g}" for name, value in scores.items())


def _score(engine: PredictionEngine, task: Task, store: FrameStore, limit: int) -> dict[str, float]:
    """Measure one task."""
    samples = samples_of(task, store, seed=_SEED)
    drawn = drawn_samples(samples, limit)
    measure = measure_of(task)
    for index, outcome in zip(drawn, engine.run(shown_items(task, store, samples, drawn)), strict=True):
        prediction = outcome.prediction(task.name, AS_SEEN)
        if task.output is OutputKind.PERMUTATION:
            shown = np.asarray(prediction.details["shown"])
            measure.add(prediction.array, shown)
        else:
            measure.add(prediction.array, true_value(task, store, samples, int(index)))
    return {**measure.result(), "samples": float(len(drawn))}


def drawn_samples(samples: Samples, limit: int) -> NDArray[np.int64]:
    """Draw the numbers of samples to measure, reproducibly; a smaller limit gives the first of them."""
    return np.random.default_rng(_SEED).permutation(len(samples))[:limit]


def shown_items(task: Task, store: FrameStore, samples: Samples, drawn: NDArray[np.int64]) -> Iterator[Item]:
    """Yield the input of networks for each sample: an image, or a tuple of them."""
    for index in drawn:
        pictures = store.read("rgb", samples.frames[index])
        if task.name == "denoising":
            # The noise that the network learned to remove; predictions for photographs add none.
            noise = np.random.default_rng(int(index)).normal(scale=255 * NOISE, size=pictures.shape)
            pictures = (pictures + noise).clip(0, 255).round().astype(np.uint8)
        yield pictures if pictures.ndim == 3 else tuple(pictures)
