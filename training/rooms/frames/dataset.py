"""Stores of frames of furnished rooms, written shard by shard; shards are reproducible."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from itertools import chain, repeat
from pathlib import Path
from time import perf_counter

import torch

from training.data.frames import FrameStore, FrameWriter
from training.data.labels.distilled import class_probabilities
from training.errors import DataError
from training.rooms.cameras.placement import place_cameras
from training.rooms.frames.config import ADDITIONAL, SPLITS, RoomsConfig
from training.rooms.frames.render import ViewedRoom, render_frames
from training.rooms.furnishing.build import RoomOptions, build_scene
from training.rooms.surfaces.environments import Environments
from training.rooms.surfaces.materials import Colour
from training.rooms.surfaces.textures import Textures
from training.runs.worker_processes import worker_pool

_LOG = logging.getLogger(__name__)

_SHARDS_AT_ONCE = 3
"""Shards in progress on a GPU: while one is rendered, others wait for rooms and segments, or are written."""

Progress = Callable[[int, int], None]
"""Callback that gets the number of finished shards and of all shards after each shard."""


def write_rooms(
    root: str | Path,
    config: RoomsConfig,
    split: str,
    *,
    device: torch.device | str = "cpu",
    workers: int = 0,
    progress: Progress | None = None,
) -> FrameStore:
    """Render and write the frames of one split; existing shards are kept.

    Args:
        root: folder of the store.
        config: settings of the rooms.
        split: train, val, test or additional.
        device: device for casting rays.
        workers: number of processes that render shards on a CPU, or that furnish rooms and find segments for
            a GPU; 0 for this process only.
        progress: called after every shard.

    Returns:
        the finished store.

    Raises:
        ConfigError: there is no such split, or the folder holds other frames.
        DataError: the split has no rooms, or a folder of images is empty.
        StorageError: a file cannot be written.
    """
    began, written = perf_counter(), 0
    shards = len(range(0, len(config.rooms(split)), config.rooms_per_shard))
    writer = FrameWriter(root, size=config.size_of(split), about=config.about(split))
    missing = [number for number in range(shards) if not writer.has_shard(number)]
    done = shards - len(missing)
    with _makers(partial(_make_shard, writer, config, split), str(device), workers) as make:
        for number, frames in enumerate(chain(repeat(0, done), make(missing)), 1):
            written += frames
            if progress is not None:
                progress(number, shards)
    store = writer.finish(shards)
    seconds = perf_counter() - began
    _LOG.info(
        "%s: %d frames of %d rooms, %d of them rendered now at %.1f a second",
        *(split, len(store), len(config.rooms(split)), written, written / max(seconds, 1e-9)),
    )
    return store


def write_splits(
    root: str | Path,
    config: RoomsConfig,
    *,
    device: torch.device | str = "cpu",
    workers: int = 0,
    progress: Progress | None = None,
) -> dict[str, FrameStore]:
    """Call `write_rooms` for each split that has rooms, or must have some, in a folder of its name."""
    write = partial(write_rooms, device=device, workers=workers, progress=progress)
    splits = [split for split in SPLITS if split != ADDITIONAL or config.additional]
    return {split: write(Path(root) / split, config, split) for split in splits}


def viewed_room(
    config: RoomsConfig, room: int, *, photos: int = 0, views: tuple[Colour, ...] = ()
) -> ViewedRoom:
    """Make a room and its cameras by number, reproducibly.

    Args:
        config: settings of all rooms.
        room: number of the room.
        photos: number of images for materials.
        views: colours of the light of the panoramas behind windows.

    Raises:
        DataError: all attempts were too full for the cameras.
    """
    options = RoomOptions(photos=photos, views=views)
    for seed in config.room_seeds(room):
        try:
            scene = build_scene(seed, options)
            cameras = place_cameras(
                scene,
                seed,
                config.points,
                config.views,
                singles=config.singles,
                styles=config.styles(),
            )
        except DataError as error:
            _LOG.debug("room %d is made again from another seed: %s", room, error)
            continue
        return ViewedRoom(number=room, scene=scene, cameras=cameras)
    raise DataError(
        f"room {room} is too full for {config.points} points with {config.views} views each, "
        "however it is furnished: ask for fewer"
    )


def _make_shard(
    writer: FrameWriter,
    config: RoomsConfig,
    split: str,
    number: int,
    *,
    device: str,
    pool: Executor | None = None,
) -> int:
    """Render and write one shard; return its number of frames."""
    start = number * config.rooms_per_shard
    rooms = config.rooms(split)[start : start + config.rooms_per_shard]
    textures = _textures(config.textures, device) if config.textures else None
    environments = _environments(config.environments, device) if config.environments else None
    # Frames that are alone on their point are in few pairs, and as expensive as the others.
    alone = 0 if split == ADDITIONAL and config.points > 1 else config.singles
    furnish = partial(
        viewed_room,
        replace(config, singles=alone),
        photos=0 if textures is None else len(textures),
        views=() if environments is None else environments.tints,
    )
    viewed = list(map(furnish, rooms) if pool is None else pool.map(furnish, rooms))
    frames = render_frames(
        viewed,
        config.size_of(split),
        textures=textures,
        environments=environments,
        device=device,
        pool=pool,
        labelled=split != ADDITIONAL,
    )
    labels = dict(frames.labels)
    if config.classifier and split != ADDITIONAL:
        labels["class_object"] = class_probabilities(labels["rgb"], config.classifier)
    writer.write_shard(number, labels, frames.cameras, frames.sightings)
    return len(frames.cameras)


@lru_cache(maxsize=1)
def _textures(folder: str, device: str) -> Textures:
    return Textures.load(folder, device=device)


@lru_cache(maxsize=1)
def _environments(folder: str, device: str) -> Environments:
    return Environments.load(folder, device=device)


@contextmanager
def _makers(
    make: Callable[..., int], device: str, workers: int
) -> Iterator[Callable[[Iterable[int]], Iterable[int]]]:
    """Yield the `map` that makes shards, in this process or in worker processes of one thread each.

    Several processes are faster on a CPU. A GPU is used by threads of this process, while worker processes do
    the CPU part.
    """
    if workers < 1:
        yield partial(map, partial(make, device=device))
        return
    with worker_pool(workers) as pool:
        if torch.device(device).type == "cpu":
            yield partial(pool.map, partial(make, device=device))
            return
        with ThreadPoolExecutor(_SHARDS_AT_ONCE) as threads:
            yield partial(threads.map, partial(make, device=device, pool=pool))
