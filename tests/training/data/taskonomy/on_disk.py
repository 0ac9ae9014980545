"""Files of toy frames on disk, and the report on those that were left out."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from training.data.frames import FrameStore
from training.data.taskonomy.importing import REPORT

from taskbank.labels.codes import DOMAINS

SIZE = 32
BUILDINGS = ["room_00000", "room_00001", "room_00002", "room_00003"]


def report(out: Path) -> list[tuple[str, str, str]]:
    """Rows of what was left out, without classes that toy frames lack."""
    with (out / REPORT).open(newline="") as file:
        rows = [(row["building"], row["file"], row["reason"]) for row in csv.DictReader(file)]
    return [row for row in rows if not row[2].startswith("does not exist: the frame is kept")]


def file_of(root: Path, domain: str, building: str = BUILDINGS[0], point: int = 0, view: int = 0) -> Path:
    """A file of the original layout."""
    ending = "png" if domain in DOMAINS else "npy" if domain.startswith("class") else "json"
    return root / building / domain / f"point_{point}_view_{view}_domain_{domain}.{ending}"


def frames_of(store: FrameStore, rooms: int = 3) -> np.ndarray:
    """Numbers of the frames of the first rooms."""
    return np.flatnonzero(store.cameras["room"] < rooms)
