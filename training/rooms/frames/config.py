"""Settings for rendering rooms: number of rooms, views of each, picture size and seed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from training.data.labels.distilled import describe_classifier
from training.errors import ConfigError, DataError
from training.rooms.cameras.styles import CLOSE, FURNITURE, ROOM, CameraOptions

ADDITIONAL = "additional"
"""Split of additional training rooms, with the labels that cost nothing: of pictures, cameras and rooms."""

SPLITS: Mapping[str, int] = MappingProxyType(
    {"train": 0, "val": 1_000_000, "test": 2_000_000, ADDITIONAL: 3_000_000}
)
"""Number of the first room of each split; splits are disjoint, and their sizes are independent."""

_MOST_ROOMS = 1_000_000
_NUMBERS = 2**22  # upper limit of room numbers, so that no two seeds share a room

RENDERER = 3
"""Raised whenever seeds give other frames. 2: larger rooms, always a light. 3: close-ups."""

ATTEMPTS = 16
"""Number of seeds per room; the next one is used if a room is too full for its cameras."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomsConfig:
    """Settings for frames of furnished rooms.

    Attributes:
        train: number of rooms for training task networks.
        val: number of rooms for training transfers.
        test: number of rooms for all tests.
        additional: number of additional training rooms for tasks that need more rooms than others, such as
            poses and `class_scene`. Their frames have cameras and classes of rooms, no other labels, and
            no `singles` if there are several `points`.
        additional_size: side of the pictures of these rooms in px, a multiple of 16; 0 for `size`. A quarter
            of the pixels takes a third of the time.
        points: points of each room that several cameras fixate.
        views: number of cameras that fixate each of them; at least 3 for samples of all tasks.
        singles: points of each room that one camera fixates, which are cheaper for tasks of one picture. If
            `points` is 1, `nonfixated_pose` and `point_matching` need at least one.
        furniture: share of the points that show a piece of furniture from a few metres.
        close: share of the points that are close-ups of small objects on tables, shelves and beds.
        size: side of the pictures in px, a multiple of 16.
        seed: seed of all rooms, cameras and noise.
        textures: folder of images for materials; empty for procedural materials only.
        environments: folder of panoramas behind windows; empty for plain skies.
        classifier: timm model whose predictions are the labels of `class_object`, as the original distilled
            them from a network, see `training.data.labels.distilled`; empty for the classes of the rendered
            objects.
        rooms_per_shard: number of rooms per shard.
        renderer: version of the renderer.
    """

    train: int = 2000
    val: int = 400
    test: int = 300
    additional: int = 0
    additional_size: int = 0
    points: int = 8
    views: int = 4
    singles: int = 0
    furniture: float = 0.25
    close: float = 0.2
    size: int = 256
    seed: int = 0
    textures: str = ""
    environments: str = ""
    classifier: str = ""
    rooms_per_shard: int = 8
    renderer: int = field(default=RENDERER, init=False)

    def __post_init__(self) -> None:
        for name, least in (("points", 1), ("views", 1), ("singles", 0), ("rooms_per_shard", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} is {getattr(self, name)}: choose {least} or more")
        if not (self.furniture >= 0 and self.close >= 0 and self.furniture + self.close <= 1):
            raise ConfigError(
                f"furniture is {self.furniture} and close {self.close}: choose shares of 0 or more that add "
                "up to 1 at most"
            )
        for name in SPLITS:
            if not 0 <= getattr(self, name) <= _MOST_ROOMS:
                raise ConfigError(f"{name} is {getattr(self, name)} rooms: choose 0 to {_MOST_ROOMS}")
        for name, least in (("size", 16), ("additional_size", 0)):
            if (side := getattr(self, name)) < least or side % 16:
                raise ConfigError(f"{name} is {side} px: choose a multiple of 16")
        if not 0 <= self.seed < 2**31:
            raise ConfigError(f"seed is {self.seed}: choose 0 to {2**31 - 1}")

    def rooms(self, split: str) -> range:
        """Return the numbers of the rooms of a split.

        Raises:
            ConfigError: there is no such split.
        """
        if split not in SPLITS:
            raise ConfigError(f"no split {split!r}: choose from {', '.join(SPLITS)}")
        count: int = getattr(self, split)
        return range(SPLITS[split], SPLITS[split] + count)

    def size_of(self, split: str) -> int:
        """Return the side of the pictures of a split in px."""
        return (self.additional_size if split == ADDITIONAL else 0) or self.size

    def styles(self) -> dict[CameraOptions, float]:
        """Return the camera styles and their shares."""
        return {ROOM: 1 - self.furniture - self.close, FURNITURE: self.furniture, CLOSE: self.close}

    def room_seeds(self, room: int) -> range:
        """Return the seeds of a room, one per attempt, different for every room number and `seed`."""
        first = (self.seed * _NUMBERS + room) * ATTEMPTS
        return range(first, first + ATTEMPTS)

    def about(self, split: str) -> dict[str, Any]:
        """Return the settings that determine the frames of a split; images by digest, not by path.

        Raises:
            DataError: the folder of images is missing or empty, or the classifier's weights were not found.
        """
        facts = asdict(self)
        others = {name: facts.pop(name) for name in SPLITS}
        del facts["size"], facts["additional_size"]
        for folder in ("textures", "environments"):
            facts[folder] = folder_digest(facts[folder], folder) if facts[folder] else ""
        facts["classifier"] = describe_classifier(self.classifier) if self.classifier else ""
        return {"source": "rooms", "split": split, "rooms": others[split], **facts}


def folder_digest(folder: str | Path, what: str) -> str:
    """Compute the sha256 of names and contents of the files of a folder, in order.

    Raises:
        DataError: the folder is missing or empty.
    """
    root = Path(folder)
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    if not paths:
        raise DataError(f"no {what} in {root}: give a folder of images, or none at all")
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
