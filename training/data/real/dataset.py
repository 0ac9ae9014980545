"""Stores of real frames: several square views of each frame, with all labels computed from its depth."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskbank.geometry import euler_angles
from training.data.frames import CAMERA, SIGHTING, FrameStore, FrameWriter
from training.data.labels.distilled import class_probabilities, describe_classifier
from training.data.real.camera import Intrinsics
from training.data.real.folder import RealFolder
from training.data.real.gravity import read_gravity, room_axes, up_of
from training.data.real.labels import label_view
from training.data.real.views import views_of
from training.errors import ConfigError
from training.runs.provenance import digest_listing
from training.runs.worker_processes import worker_pool

_LOG = logging.getLogger(__name__)

FIRST_ROOM = 3_000_000
"""Number of the first real frame's room; rendered rooms have lower numbers."""

_UPRIGHT = np.diag([1.0, -1.0, -1.0])  # from OpenCV's axes to the axes of poses


@dataclass(frozen=True, slots=True, kw_only=True)
class RealConfig:
    """Settings of a store of real frames.

    Attributes:
        views: number of square views of each frame, spread along its longer side; square pictures have one.
        frames_per_shard: number of frames per shard.
        classifier: as in `RoomsConfig`; if empty, classes of objects are unknown.
        name: name of the frames, for the card and NOTICE of networks trained on them.
        licence: licence of the frames, for the same files.
    """

    views: int = 3
    frames_per_shard: int = 16
    classifier: str = ""
    name: str = ""
    licence: str = "not stated"

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ConfigError: a value is not allowed; the message names the field.
        """
        for name in ("views", "frames_per_shard"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}: choose 1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class RealStore:
    """Settings, size and camera of a store of real frames, as recorded by its stage's marker.

    Attributes:
        real: settings of the store.
        size: side of the labels in px, equal for all frames of the run.
        camera: camera of the real frames.
    """

    real: RealConfig
    size: int
    camera: Intrinsics


Progress = Callable[[int, int], None]
"""Callback that gets the number of finished shards and of all shards after each shard."""


def write_real(
    root: str | Path,
    folder: RealFolder,
    settings: RealStore,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> FrameStore:
    """Read real frames and write them as a store; existing shards are kept.

    Labels are those of `label_view`. Classes of objects and scenes are -1, which is unknown; cameras have NaN
    for their location, room and fixated point, -1 for the number of that point, and NaN angles if
    `rotations.csv` and the walls do not determine them. All views of a frame have the same room number, so
    that no frame is in both training and test data.

    Args:
        root: folder of the store.
        folder: the frames.
        settings: settings of the store.
        workers: number of processes.
        progress: called after every shard.

    Raises:
        ConfigError: the folder of the store holds other frames.
        DataError: there are no frames, or a file is missing or damaged.
        StorageError: a file cannot be written.
    """
    began = perf_counter()
    names = folder.names()
    gravity = read_gravity(folder.root)
    about = {
        "source": "real",
        "classifier": describe_classifier(settings.real.classifier) if settings.real.classifier else "",
        "name": settings.real.name,
        "licence": settings.real.licence,
        "frames": len(names),
        "views": settings.real.views,
        "frames_per_shard": settings.real.frames_per_shard,
        "files": digest_listing(folder.root),
    }
    writer = FrameWriter(root, size=settings.size, about=about)
    shards = range(-(-len(names) // settings.real.frames_per_shard))
    left = [number for number in shards if not writer.has_shard(number)]
    make = partial(_make_shard, writer, folder, settings, gravity)
    done = len(shards) - len(left)
    if workers > 1:
        with worker_pool(workers) as pool:
            for number, _ in enumerate(pool.map(make, left), done + 1):
                if progress is not None:
                    progress(number, len(shards))
    else:
        for number, shard in enumerate(left, done + 1):
            make(shard)
            if progress is not None:
                progress(number, len(shards))
    store = writer.finish(len(shards))
    _LOG.info(
        "real: %d views of %d frames in %.0f s, %d of them with known angles",
        *(len(store), len(names), perf_counter() - began, np.isfinite(store.cameras["angles"]).all(1).sum()),
    )
    return store


def _make_shard(
    writer: FrameWriter,
    folder: RealFolder,
    settings: RealStore,
    gravity: Mapping[str, NDArray[np.float64]],
    number: int,
) -> None:
    """Read, label and write one shard."""
    labels, cameras = [], []
    names = folder.names()
    start = number * settings.real.frames_per_shard
    for index, name in enumerate(names[start : start + settings.real.frames_per_shard], start):
        frame = folder.frame(name)
        up = up_of(gravity, name)
        axes = None if up is None else room_axes(frame.planes.normals, frame.planes.reliable, up)
        for place, view in enumerate(views_of(frame.depth.shape, folder.intrinsics, settings.real.views)):
            labels.append(label_view(frame, view, settings.size))
            camera = np.zeros((), dtype=CAMERA)
            camera["room"], camera["point"], camera["view"] = FIRST_ROOM + index, -1, place
            camera["fov"] = view.fov
            for unknown in ("location", "angles", "fixated", "box"):
                camera[unknown] = np.nan
            if axes is not None:
                camera["angles"] = euler_angles(axes @ view.turn @ _UPRIGHT)
            cameras.append(camera)
    stacked = {domain: np.stack([one[domain] for one in labels]) for domain in labels[0]}
    classes: dict[str, NDArray[Any]] = {
        name: np.full(len(labels), -1, dtype=np.int16) for name in ("class_object", "class_scene")
    }
    if settings.real.classifier:
        classes["class_object"] = class_probabilities(stacked["rgb"], settings.real.classifier)
    writer.write_shard(number, stacked | classes, np.stack(cameras), np.zeros(0, dtype=SIGHTING))
