"""Import plans: the frames to read from the dataset, fixed before the first picture is opened."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from taskbank.labels.codes import DOMAINS
from taskbank.labels.files import CLASSES, MATCHES, POINT_INFO
from training.data.taskonomy.layout import Tree, find_tree, list_files
from training.data.taskonomy.splits import SPLITS, read_exclusions, read_splits
from training.errors import ConfigError, DataError

_LOG = logging.getLogger(__name__)

Skipped = tuple[str, str, str]
"""Row of the report: building, file or folder, reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskonomyConfig:
    """Settings for reading the dataset.

    Attributes:
        splits: table of buildings and their splits, see `read_splits`.
        size: side of the images in px.
        domains: canonical names of the labels to read; None for all that exist. Frames without one of them
            are left out.
        exclusions: table of buildings to leave out; None for the table of this package.
        component: name of the folder COMPONENT in the layout of omnidata.
        frames_per_building: largest number of frames, all views of randomly drawn points; None for all.
        frames_per_shard: number of frames that each worker holds in memory.
        workers: number of reading processes; 1 reads in this process.
        seed: seed for drawing points.
    """

    splits: Path
    size: int = 256
    domains: tuple[str, ...] | None = None
    exclusions: Path | None = None
    component: str = "taskonomy"
    frames_per_building: int | None = None
    frames_per_shard: int = 128
    workers: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the settings."""
        least = min(self.size, self.frames_per_shard, self.workers, self.frames_per_building or 1)
        if least < 1 or self.frames_per_building == 0:
            raise ConfigError(
                f"size {self.size}, frames_per_shard {self.frames_per_shard}, workers {self.workers} and "
                f"frames_per_building {self.frames_per_building} must be 1 at least"
            )
        known = (*DOMAINS, *CLASSES)
        if unknown := [name for name in self.domains or () if name not in known]:
            raise ConfigError(f"unknown domain {unknown[0]!r}: choose from {', '.join(known)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A frame to read.

    Attributes:
        building: name of the building.
        room: number of the building.
        point: number of the fixated point.
        view: number of the camera.
    """

    building: str
    room: int
    point: int
    view: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """The frames to read from the dataset.

    Attributes:
        tree: the dataset's files.
        domains: labels of every frame, including `rgb`.
        candidates: frames in order, grouped by building.
        skipped: buildings and frames that are left out before any file is opened.
        about: origin of the frames, JSON-ready; an import is continued only if a new plan has an equal one.
    """

    tree: Tree
    domains: tuple[str, ...]
    candidates: Sequence[Candidate]
    skipped: Sequence[Skipped]
    about: Mapping[str, Any]


def make_plan(root: str | Path, split: str, config: TaskonomyConfig) -> ImportPlan:
    """Plan the import of one split.

    Buildings are numbered by name over the whole dataset, so that no number is in two splits.

    Raises:
        ConfigError: there is no such split.
        DataError: there is no dataset, a table cannot be read, or no frame is left.
    """
    if split not in SPLITS:
        raise ConfigError(f"unknown split {split!r}: choose {', '.join(SPLITS)}")
    tree = find_tree(root, component=config.component)
    rooms = {building: room for room, building in enumerate(tree.buildings)}
    splits, excluded = read_splits(config.splits), read_exclusions(config.exclusions)
    of_split = [building for building in tree.buildings if splits.get(building) == split]
    members = [building for building in of_split if building not in excluded]
    skipped: list[Skipped] = [
        (building, "", f"excluded: {excluded[building]}") for building in of_split if building in excluded
    ]
    domains = config.domains or _common_domains(tree, members)
    domains = tuple(dict.fromkeys(("rgb", *domains)))
    candidates: list[Candidate] = []
    checksum = 0
    for building in members:
        lacking = [domain for domain in domains if domain not in tree.folders(building)]
        if lacking:
            skipped.append((building, "", f"has no folder of {', '.join(lacking)}"))
            continue
        frames = _frames(tree, building, config)
        checksum = zlib.crc32(repr((building, frames)).encode(), checksum)
        candidates += [
            Candidate(building=building, room=rooms[building], point=point, view=view)
            for point, view in frames
        ]
    if not candidates:
        raise DataError(
            f"no frame of split {split!r} in {tree.root}: {len(tree.buildings)} building(s) are there, "
            f"{len(members)} of them in the split and not excluded; {len(skipped)} left out"
        )
    _LOG.info("%s: %d frames of %d buildings, %s layout", split, len(candidates), len(members), tree.layout)
    used = {candidate.room: candidate.building for candidate in candidates}
    about = {
        "made_by": "taskonomy",
        "split": split,
        "buildings": {str(room): building for room, building in used.items()},
        "candidates": len(candidates),
        "checksum": checksum,
        "frames_per_shard": config.frames_per_shard,
        "domains": list(domains),
    }
    return ImportPlan(tree=tree, domains=domains, candidates=candidates, skipped=skipped, about=about)


def _common_domains(tree: Tree, buildings: Sequence[str]) -> tuple[str, ...]:
    """Label domains that every building has."""
    sets = [set(tree.folders(building)) - {POINT_INFO, MATCHES} for building in buildings]
    if not sets:
        return ()
    common = set.intersection(*sets)
    if partial := set.union(*sets) - common:
        _LOG.warning("not every building has %s: left out", ", ".join(sorted(partial)))
    return tuple(domain for domain in (*DOMAINS, *CLASSES) if domain in common)


def _frames(tree: Tree, building: str, config: TaskonomyConfig) -> list[tuple[int, int]]:
    """Point and view of the frames of one building, in order."""
    frames = sorted(list_files(tree.folders(building)["rgb"], "rgb"))
    if config.frames_per_building is None or len(frames) <= config.frames_per_building:
        return frames
    # Draw points and keep all their views, so that pairs and triplets stay complete.
    points = sorted({point for point, _ in frames})
    draw = np.random.default_rng([config.seed, zlib.crc32(building.encode())])
    rank = dict(zip(draw.permutation(points).tolist(), range(len(points)), strict=True))
    drawn = sorted(frames, key=lambda frame: (rank[frame[0]], frame[1]))
    return sorted(drawn[: config.frames_per_building])
