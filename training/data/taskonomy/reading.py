"""Reading of one frame of the dataset: its pictures, classes and camera, checked and resized."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from taskbank.errors import ImageError
from taskbank.labels.codes import DOMAINS
from taskbank.labels.files import CLASSES, MATCHES, POINT_INFO, label_name, read_classes, read_label
from training.data.taskonomy.layout import list_files
from training.data.taskonomy.plan import Candidate, Skipped
from training.data.taskonomy.point_info import Match, read_camera, read_matches, unknown_camera
from training.data.taskonomy.resize import resize_frame
from training.errors import DataError

CHANNELS: Mapping[str, int] = {"class_object": 1000, "class_scene": 63}
"""Number of class probabilities of a frame, by domain."""

_Content = TypeVar("_Content")


class UnusableError(DataError):
    """A file that cannot be used, so that its frame is left out.

    Attributes:
        path: the file.
        reason: fault of the file.
    """

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} {reason}")

    def row(self, building: str, root: Path, remark: str = "") -> Skipped:
        """Return a row of the report, with the path relative to the dataset's root."""
        return building, self.path.relative_to(root).as_posix(), self.reason + remark


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadFrame:
    """A frame that was read.

    Attributes:
        labels: domain -> codes at the requested size, or float16 (C,) class probabilities, all 0 if unknown.
        camera: a `CAMERA` record.
        side: side of the pictures on disk, in px.
        without_class: reasons for unknown classes.
    """

    labels: Mapping[str, NDArray[Any]]
    camera: NDArray[np.void]
    side: int
    without_class: tuple[UnusableError, ...]


def read_frame(
    folders: Mapping[str, Path], domains: tuple[str, ...], candidate: Candidate, size: int
) -> ReadFrame:
    """Read all labels of one frame, and its camera.

    Args:
        folders: domain -> folder of the frame's building.
        domains: labels to read, including `rgb`.
        candidate: the frame.
        size: side of the result in px.

    Raises:
        UnusableError: a picture or the point info is missing or damaged, or pictures differ in size.
    """
    camera = unknown_camera(candidate.room, candidate.view)
    if POINT_INFO in folders:
        path = _find(folders, POINT_INFO, candidate)
        read = partial(read_camera, room=candidate.room, point=candidate.point, view=candidate.view)
        camera = _read(path, read)
    pictures: dict[str, NDArray[Any]] = {}
    for domain in filter(DOMAINS.__contains__, domains):
        path = _find(folders, domain, candidate)
        pictures[domain] = _read(path, partial(read_label, domain=domain))
        (rows, columns), rgb_shape = pictures[domain].shape[:2], pictures["rgb"].shape[:2]
        if rows != columns or (rows, columns) != rgb_shape:
            raise UnusableError(
                path, f"has {columns} x {rows} px: expected is a square of {rgb_shape[0]} px like rgb"
            )
    labels = resize_frame(pictures, size)
    without_class = []
    for domain in filter(CLASSES.__contains__, domains):
        labels[domain] = np.zeros(CHANNELS[domain], dtype=np.float16)
        path = _find(folders, domain, candidate)
        try:
            labels[domain] = _read(path, partial(read_classes, domain=domain)).astype(np.float16)
        except UnusableError as error:
            without_class.append(error)
    side = pictures["rgb"].shape[0]
    return ReadFrame(labels=labels, camera=camera, side=side, without_class=tuple(without_class))


@lru_cache(maxsize=2)
def matches_in(folder: Path) -> tuple[tuple[Match, ...], tuple[UnusableError, ...]]:
    """Read all matches of a building; also return the files that cannot be used."""
    matches: list[Match] = []
    unusable = []
    for path in list_files(folder, MATCHES).values():
        try:
            matches += _read(path, read_matches)
        except UnusableError as error:
            unusable.append(error)
    return tuple(matches), tuple(unusable)


def _find(folders: Mapping[str, Path], domain: str, candidate: Candidate) -> Path:
    """Find the file of a frame under any of its names; if missing, return the expected path."""
    listed = _listed(folders[domain], domain)
    expected = folders[domain] / label_name(domain, candidate.point, candidate.view)
    return listed.get((candidate.point, candidate.view), expected)


@lru_cache(maxsize=2 * (len(DOMAINS) + len(CLASSES) + 1))
def _listed(folder: Path, domain: str) -> dict[tuple[int, int], Path]:
    """List the files of a folder, cached for its many frames."""
    return list_files(folder, domain)


def _read(path: Path, read: Callable[[Path], _Content]) -> _Content:
    """Read a file; convert its errors to `UnusableError`."""
    try:
        return read(path)
    except (ImageError, DataError) as error:
        raise UnusableError(path, str(error).removeprefix(f"{path} ")) from error
