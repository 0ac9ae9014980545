"""Scores of a bank and of a constant on pairs and triplets of real frames with known poses.

Relative poses have the dataset's conventions (`training.data.poses`) and are computed from the frames' pose
files.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from taskbank.bank.bank import Bank
from taskbank.inference.engine import Engine
from taskbank.inference.settings import Settings
from taskbank.tasks.registry import OutputKind, find_task
from training.data.real.folder import RealFrame
from training.data.real.sequences import camera_records, find_groups, posed
from training.learning.samples import Samples, mixed_matches
from training.stages.evaluation.scores import AS_SEEN, measure_of, scores_in_words
from training.stages.evaluation.truth import Truth, true_poses

_log = logging.getLogger(__name__)
_SEED = 0  # seed for drawing samples if there are more than the limit

PAIR_TASKS = ("fixated_pose", "nonfixated_pose", "egomotion", "point_matching")
"""Tasks of several frames whose ground truth follows from known poses."""


def real_samples(frames: Sequence[RealFrame], limit: int) -> dict[str, Samples]:
    """Find samples of the tasks of several frames.

    Args:
        frames: frames with poses, in order.
        limit: largest number of samples per task.

    Returns:
        canonical task name -> samples, as indices of `frames`; tasks without samples are left out.
    """
    groups = find_groups(frames, seed=_SEED, most=limit)
    pairs, label = mixed_matches(groups.nonfixated, groups.fixated, np.random.default_rng(_SEED))
    found = {
        "fixated_pose": Samples(task="fixated_pose", frames=groups.fixated),
        "nonfixated_pose": Samples(task="nonfixated_pose", frames=groups.nonfixated),
        "egomotion": Samples(task="egomotion", frames=groups.triplets),
        "point_matching": Samples(task="point_matching", frames=pairs[:limit], label=label[:limit]),
    }
    return {name: samples for name, samples in found.items() if len(samples)}


def true_values(frames: Sequence[RealFrame], samples: Samples) -> list[Truth]:
    """Return the perfect prediction for each sample, as `Prediction.array`."""
    if samples.label is not None:
        return [np.asarray(label) for label in samples.label]
    cameras = camera_records(frames)
    return [true_poses(cameras[group]) for group in samples.frames]


def score_real_pairs(
    bank: Bank, frames: Sequence[RealFrame], *, limit: int = 2000, device: str = "auto"
) -> dict[str, dict[str, dict[str, float]]]:
    """Measure the networks of tasks of several frames.

    Args:
        bank: the bank to measure.
        frames: real frames; those without a pose are left out.
        limit: largest number of samples per task.
        device: device of the networks.

    Returns:
        `networks` and `constant` -> canonical task name -> the numbers of its measure, and `samples`. The
        constant is the median of each number over the same samples, or the share of matches. Empty if the
        bank has no such network or there are no samples.

    Raises:
        TaskBankError: the bank cannot be used.
    """
    known = posed(frames)
    held = [name for name in PAIR_TASKS if name in bank.index.tasks and bank.entry(name).decoder is not None]
    samples = real_samples(known, limit) if known and held else {}
    scores: dict[str, dict[str, dict[str, float]]] = {"networks": {}, "constant": {}}
    for name in held:
        if name not in samples:
            continue
        task, truths = find_task(name), true_values(known, samples[name])
        measure, constant = measure_of(task), measure_of(task)
        middle = best_number(task.output, truths)
        shown = (tuple(known[number].rgb for number in group) for group in samples[name].frames)
        outcomes = Engine(bank, [name], Settings(device=device)).run(shown)
        for truth, outcome in zip(truths, outcomes, strict=True):
            measure.add(outcome.prediction(name, AS_SEEN).array, truth)
            constant.add(middle, truth)
        for kind, found in (("networks", measure), ("constant", constant)):
            scores[kind][name] = {**found.result(), "samples": float(len(truths))}
        _log.info("%s: %s", name, scores_in_words(scores["networks"][name]))
    return scores


def best_number(output: OutputKind, truths: Sequence[Truth]) -> Truth:
    """Compute the constant prediction: medians of poses, or the share of matches."""
    every = np.stack(truths).astype(np.float64)
    constant: Truth = every.mean(0) if output is OutputKind.MATCH else np.median(every, axis=0)
    return constant
