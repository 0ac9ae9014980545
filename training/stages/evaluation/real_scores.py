"""Scores of a bank and of the best constant on real frames.

The constant is a strong baseline: one value per pixel, computed from the same frames on which it is scored.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import numpy as np

from taskbank.bank.bank import Bank
from taskbank.inference.decode import Reading
from taskbank.inference.engine import Engine
from taskbank.inference.settings import Settings
from taskbank.options import Frame
from taskbank.tasks.registry import OutputKind, find_task
from training.data.real.folder import RealFrame
from training.errors import DataError
from training.stages.evaluation.real_truth import REAL_TRUTHS, Truth
from training.stages.evaluation.scores import measure_of

_log = logging.getLogger(__name__)
_READING = Reading(frame=Frame.INPUT)


def score_real(
    bank: Bank,
    frames: Sequence[RealFrame],
    tasks: Iterable[str] | None = None,
    *,
    size: int | None = None,
    device: str = "auto",
) -> dict[str, dict[str, float]]:
    """Measure task networks on real frames, which are used whole, in any shape.

    Args:
        bank: the bank to measure.
        frames: frames of one size.
        tasks: task names or aliases; None for all that the bank predicts and that have ground truth.
        size: side in px of the networks' inputs; None for the bank's size.
        device: device of the networks.

    Returns:
        canonical task name -> the numbers of its measure.

    Raises:
        DataError: a task has no ground truth on real frames.
        TaskBankError: the bank cannot be used.
    """
    held = [name for name, entry in bank.index.tasks.items() if entry.decoder is not None]
    chosen = [name for name in REAL_TRUTHS if name in held]
    if tasks is not None:
        chosen = [_known(find_task(name).name) for name in tasks]
    settings = Settings(device=device, size=size)
    scores = {}
    for name in chosen:
        measure = measure_of(find_task(name))
        outcomes = Engine(bank, [name], settings).run(frame.rgb for frame in frames)
        for frame, outcome in zip(frames, outcomes, strict=True):
            measure.add(outcome.prediction(name, _READING).array, REAL_TRUTHS[name](frame))
        scores[name] = measure.result()
        _log.info("%s: %s", name, ", ".join(f"{key} {value:.4g}" for key, value in scores[name].items()))
    return scores


def _known(task: str) -> str:
    """Return the task if it has ground truth on real frames."""
    if task not in REAL_TRUTHS:
        raise DataError(f"real frames have no truth for {task!r}: choose from {', '.join(REAL_TRUTHS)}")
    return task


def score_constant(frames: Sequence[RealFrame], tasks: Iterable[str]) -> dict[str, dict[str, float]]:
    """Measure the best constant map of each task.

    Args:
        frames: frames of one size.
        tasks: canonical names.

    Returns:
        canonical task name -> the numbers of its measure.
    """
    scores = {}
    for name in tasks:
        truths = [REAL_TRUTHS[_known(name)](frame) for frame in frames]
        constant = best_constant(name, np.stack(truths))
        measure = measure_of(find_task(name))
        for truth in truths:
            measure.add(constant, truth)
        scores[name] = measure.result()
    return scores


def best_constant(task: str, truths: Truth) -> Truth:
    """Compute the best constant map.

    It holds mean directions, geometric means of depths, the most common labels, or else medians. Geometric
    means do not depend on the scale of each frame, so one map is the baseline for scaled and unscaled depth.

    Args:
        task: canonical name.
        truths: (N, H, W) or (N, H, W, C), NaN or label 0 where unknown.

    Returns:
        (H, W) or (H, W, C); pixels that are never known have the value of all others together.
    """
    output = find_task(task).output
    if output is OutputKind.SEMANTIC_MAP:
        counts = np.stack([(truths == label).sum(0) for label in range(1, int(truths.max(initial=1)) + 1)])
        commonest: Truth = (counts.argmax(0) + 1).astype(np.uint8)
        return commonest
    if output is OutputKind.NORMALS:
        total = np.nansum(truths, axis=0)
        total = np.where(
            np.linalg.norm(total, axis=-1, keepdims=True) > 0, total, np.nansum(truths, (0, 1, 2))
        )
        direction: Truth = total / np.linalg.norm(total, axis=-1, keepdims=True)
        return direction
    known = np.isfinite(truths).any(0)
    if output is OutputKind.DEPTH:
        logarithms = np.log(truths.astype(np.float64))
        depth: Truth = np.exp(np.nanmean(np.where(known, logarithms, np.nanmean(logarithms)), axis=0))
        return depth
    filled = np.where(known, truths, np.nanmedian(truths))
    median: Truth = np.nanmedian(filled, axis=0)
    return median
