"""Samples of a task, which consist of one, two or three frames.

The rules are those of the original pair lists (https://github.com/StanfordVL/taskonomy, `load_ops.py`),
within the rooms of one store:

- fixated pairs and triplets: views of one point, in the order of their numbers;
- non-fixated pairs: two frames that see a common point and fixate different ones;
- matches: equally many fixated pairs, labelled 1, and non-fixated pairs, labelled 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from taskbank.tasks.registry import OutputKind, Task
from training.data.frames import FrameStore
from training.errors import DataError

Frames = NDArray[np.int64]

_PAIRS_PER_VIEWER = 4
"""Non-fixated pairs drawn per point, divided by the number of frames that see it. If all pairs were used,
most would come from the few rooms with the widest views."""

_MASK = "depth_zbuffer"
_PICTURES = ("autoencoding", "colorization", "denoising", "inpainting", "jigsaw")
_DEPTH_MASKED = (
    "curvature", "depth_euclidean", "edge_occlusion", "keypoints3d", "normal", "reshading",
    "segment_unsup25d",
)  # fmt: skip
_FROM_CAMERAS = (OutputKind.LAYOUT, OutputKind.VANISHING_POINTS, OutputKind.POSE, OutputKind.MATCH)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Samples:
    """The samples of one task in one store.

    Attributes:
        task: canonical name.
        frames: int64 (N,), or (N, P) if a sample has P frames; numbers within the store.
        label: int64 (N,), 1 if both frames fixate one point; None for tasks other than matching.
    """

    task: str
    frames: Frames
    label: Frames | None = None

    def __len__(self) -> int:
        return len(self.frames)


def domains_of(task: Task, store: FrameStore) -> tuple[str, ...]:
    """Return the domains from which targets of a task are made, including the mask's if the store has it.

    Raises:
        DataError: the store lacks a needed domain.
    """
    if task.name in _PICTURES or task.output in _FROM_CAMERAS:
        return ()
    own = "principal_curvature" if task.output is OutputKind.CURVATURE else task.name
    if not store.has(own):
        raise DataError(
            f"{task.name} needs labels of {own!r}, but {store.root} has {', '.join(store.domains)}: leave "
            "the task out or make frames with these labels"
        )
    masked = task.name in _DEPTH_MASKED and store.has(_MASK)
    return (own, _MASK) if masked else (own,)


def samples_of(
    task: Task, store: FrameStore, seed: int, *, among: NDArray[np.bool_] | None = None
) -> Samples:
    """Find all samples of a task for which a store has labels.

    Args:
        task: any task but `random`.
        store: the frames.
        seed: seed for drawing non-fixated pairs and the order of matches.
        among: bool for each frame of the store, True for frames that may be used; None for all.

    Raises:
        DataError: labels are missing, or there is no sample.
    """
    domains_of(task, store)
    usable = _usable(task, store)
    if among is not None:
        usable &= among
    label = None
    match task.name:
        case "fixated_pose":
            frames = _fixated(store, usable, 2)
        case "egomotion":
            frames = _fixated(store, usable, 3)
        case "nonfixated_pose":
            frames = _nonfixated(store, usable, seed)
        case "point_matching":
            draw = np.random.default_rng([seed, 1])
            frames, label = mixed_matches(_nonfixated(store, usable, seed), _fixated(store, usable, 2), draw)
        case _:
            frames = np.flatnonzero(usable)
    if len(frames) == 0:
        raise DataError(f"{store.root} has no sample for {task.name}: {_LACKING.get(task.name, _NO_LABEL)}")
    return Samples(task=task.name, frames=frames, label=label)


_NO_LABEL = "no frame has a known label"
_LACKING = {
    "fixated_pose": "no point is fixated by two frames",
    "egomotion": "no point is fixated by three frames",
    "nonfixated_pose": "no two frames that are fixed on different points see a common one",
    "point_matching": "it needs points that two frames fixate, and frames fixed elsewhere that see them",
}


def _usable(task: Task, store: FrameStore) -> NDArray[np.bool_]:
    """Frames whose label for the task is known."""
    cameras = store.cameras
    match task.output:
        case OutputKind.CLASSES:
            classes = store.read(task.name, np.arange(len(store)))
            if classes.ndim == 1:
                return np.asarray(classes >= 0)
            total = classes.astype(np.float32).sum(axis=1)  # 0 if the class is unknown
            return np.asarray(np.isfinite(total) & (total > 0))
        case OutputKind.LAYOUT:
            numbers = np.concatenate(
                [cameras["box"].reshape(-1, 6), cameras["location"], cameras["angles"]], axis=1
            )
        case OutputKind.VANISHING_POINTS:
            numbers = cameras["angles"]
        case OutputKind.POSE | OutputKind.MATCH:
            numbers = np.concatenate([cameras["location"], cameras["angles"]], axis=1)
            return np.asarray(np.isfinite(numbers).all(axis=1) & (cameras["point"] >= 0))
        case _:
            return np.ones(len(store), dtype=np.bool_)
    return np.asarray(np.isfinite(numbers).all(axis=1))


def _fixated(store: FrameStore, usable: NDArray[np.bool_], views: int) -> Frames:
    """All sets of `views` frames that fixate one point, in the order of their views."""
    frames = np.flatnonzero(usable)
    cameras = store.cameras[frames]
    order = np.lexsort([cameras["view"], cameras["point"], cameras["room"]])
    found = [
        np.array(list(combinations(group, views)), dtype=np.int64)
        for group in _runs(frames[order], cameras["room"][order], cameras["point"][order])
        if len(group) >= views
    ]
    return np.concatenate(found) if found else np.empty((0, views), dtype=np.int64)


def _runs(values: Frames, *keys: NDArray[np.integer]) -> Iterator[Frames]:
    """Split sorted values into runs of equal keys."""
    if len(values) == 0:
        return iter(())
    changed = np.any([np.diff(key) != 0 for key in keys], axis=0)
    return iter(np.split(values, np.flatnonzero(changed) + 1))


def _nonfixated(store: FrameStore, usable: NDArray[np.bool_], seed: int) -> Frames:
    """Pairs of frames, the lower number first, that see a common point and fixate different ones."""
    cameras, sightings = store.cameras, store.sightings
    sightings = sightings[usable[sightings["frame"]]]
    own = np.flatnonzero(usable)
    viewers = np.concatenate([own, sightings["frame"]])
    room = np.concatenate([cameras["room"][own], sightings["room"]])
    point = np.concatenate([cameras["point"][own], sightings["point"]])
    order = np.lexsort([viewers, point, room])
    draw = np.random.default_rng([seed, 0])
    found = []
    for group in _runs(viewers[order], room[order], point[order]):  # the frames that see one point
        unique = np.unique(group)
        first, second = np.triu_indices(len(unique), k=1)
        each = np.stack([unique[first], unique[second]], axis=1)
        each = each[cameras["point"][each[:, 0]] != cameras["point"][each[:, 1]]]
        most = _PAIRS_PER_VIEWER * len(unique)
        found.append(each if len(each) <= most else draw.choice(each, most, replace=False))
    pairs = np.concatenate(found) if found else np.empty((0, 2), dtype=np.int64)
    return np.unique(pairs, axis=0)


def mixed_matches(nonfixated: Frames, fixated: Frames, draw: np.random.Generator) -> tuple[Frames, Frames]:
    """Return equally many pairs of either kind, shuffled, (N, 2), and labels (N,), 1 for fixated ones."""
    kinds = nonfixated, fixated
    count = min(len(kind) for kind in kinds)
    pairs = np.concatenate([draw.permutation(kind)[:count] for kind in kinds])
    label = np.repeat(np.arange(2, dtype=np.int64), count)
    order = draw.permutation(len(pairs))
    return pairs[order], label[order]
