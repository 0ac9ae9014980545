"""Import of the dataset into stores of frames, with checks and resizing; unusable files are listed.

A frame is left out without replacement, and reported in `skipped.csv` of the store, if one of its pictures or
its point info is missing or damaged. Frames without classes are kept, as many frames of the dataset have
none: all their probabilities are 0, which means unknown, and the report states the reason.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskbank.csv_tables import to_csv
from taskbank.labels.codes import DOMAINS
from taskbank.labels.files import CLASSES, MATCHES
from training.atomic_files import write_whole
from training.data.frames import CAMERA, SIGHTING, FrameStore, FrameWriter
from training.data.taskonomy.plan import Candidate, Skipped, TaskonomyConfig, make_plan
from training.data.taskonomy.reading import CHANNELS, ReadFrame, UnusableError, matches_in, read_frame
from training.errors import DataError
from training.runs.worker_processes import worker_pool

_LOG = logging.getLogger(__name__)

REPORT = "skipped.csv"
"""Table of the files left out of a store: columns building, file, reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One shard to make, with all data that a worker needs."""

    number: int
    candidates: Sequence[Candidate]
    root: Path
    folders: Mapping[str, Mapping[str, Path]]
    domains: tuple[str, ...]


def import_taskonomy(root: str | Path, out: str | Path, split: str, config: TaskonomyConfig) -> FrameStore:
    """Read one split of the dataset, in any of its layouts.

    An interrupted import is resumed by a call with the same arguments, shard by shard.

    Args:
        root: folder of the dataset.
        out: folder of the store; `REPORT` is written there too.
        split: `train`, `val` or `test`.
        config: settings of the import.

    Raises:
        DataError: there is no dataset, it has no frame, or no frame could be read.
        ConfigError: there is no such split, or the folder holds frames of another plan.
        StorageError: the store cannot be written.
    """
    folder = Path(out)
    plan = make_plan(root, split, config)
    writer = FrameWriter(folder, size=config.size, about=plan.about)
    jobs = []
    for number, start in enumerate(range(0, len(plan.candidates), config.frames_per_shard)):
        candidates = plan.candidates[start : start + config.frames_per_shard]
        buildings = dict.fromkeys(candidate.building for candidate in candidates)
        job = _Job(
            number=number,
            candidates=candidates,
            root=plan.tree.root,
            folders={building: plan.tree.folders(building) for building in buildings},
            domains=plan.domains,
        )
        jobs.append(job)
    left = [job for job in jobs if not writer.has_shard(job.number)]
    make = partial(_import_shard, writer)
    if config.workers == 1:
        for job in left:
            make(job)
    else:
        with worker_pool(config.workers) as pool:
            list(pool.map(make, left))
    skipped = list(plan.skipped)
    for job in jobs:
        with _part(folder, job.number).open(newline="", encoding="utf-8") as file:
            skipped += [(row["building"], row["file"], row["reason"]) for row in csv.DictReader(file)]
    _write_rows(folder / REPORT, skipped)
    store = writer.finish(len(jobs))
    if len(store) == 0:
        raise DataError(f"none of {len(plan.candidates)} frame(s) could be read: see {folder / REPORT}")
    _LOG.info("%s: %d of %d frames, %s", split, len(store), len(plan.candidates), folder / REPORT)
    return store


def _import_shard(writer: FrameWriter, job: _Job) -> None:
    """Read, resize and write one shard, and a list of the files that were left out."""
    frames: dict[Candidate, ReadFrame] = {}
    skipped: list[Skipped] = []
    for candidate in job.candidates:
        building = candidate.building
        try:
            frame = read_frame(job.folders[building], job.domains, candidate, writer.size)
        except UnusableError as error:
            skipped.append(error.row(building, job.root))
            continue
        frames[candidate] = frame
        remark = ": the frame is kept, its class is unknown"
        skipped += [error.row(building, job.root, remark) for error in frame.without_class]
    labels = {domain: _stack(domain, list(frames.values()), writer.size) for domain in job.domains}
    cameras = np.array([frame.camera for frame in frames.values()], dtype=CAMERA)
    sightings = _sightings(job, frames, writer.size, skipped)
    # The report is written first, because existing shards are not made again.
    _write_rows(_part(writer.root, job.number), skipped)
    writer.write_shard(job.number, labels, cameras, sightings)


def _stack(domain: str, frames: Sequence[ReadFrame], size: int) -> NDArray[Any]:
    """Stack the labels of a shard, with the right shape even without frames."""
    if frames:
        return np.stack([frame.labels[domain] for frame in frames])
    if domain in CLASSES:
        return np.empty((0, CHANNELS[domain]), dtype=np.float16)
    coded = DOMAINS[domain]
    shape = (0, size, size) if coded.channels == 1 else (0, size, size, coded.channels)
    return np.empty(shape, dtype=np.uint16 if coded.bits == 16 else np.uint8)


def _sightings(
    job: _Job, frames: Mapping[Candidate, ReadFrame], size: int, skipped: list[Skipped]
) -> NDArray[np.void]:
    """`SIGHTING` records of a shard, at the middles of pixels."""
    found = []
    numbers = {(one.building, one.point, one.view): number for number, one in enumerate(frames)}
    read = list(frames.values())
    for building, folders in job.folders.items():
        if MATCHES not in folders:
            continue
        matches, unusable = matches_in(folders[MATCHES])
        skipped += [error.row(building, job.root) for error in unusable]
        for match in matches:
            number = numbers.get((building, match.point, match.view))
            if number is not None:
                scale = size / read[number].side
                room = int(read[number].camera["room"])
                found.append((number, room, match.seen, (match.x + 0.5) * scale, (match.y + 0.5) * scale))
    return np.array(found, dtype=SIGHTING)


def _part(folder: Path, number: int) -> Path:
    """Path of the report about one shard."""
    return folder / "skipped" / f"shard_{number:05d}.csv"


def _write_rows(path: Path, rows: Iterable[Skipped]) -> None:
    """Write a report without repeated rows."""
    content = to_csv([("building", "file", "reason"), *dict.fromkeys(rows)])
    write_whole(path, lambda file: file.write(content))
