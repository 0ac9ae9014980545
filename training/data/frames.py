"""Frames with their labels on disk, the input of every stage of training.

A store is a folder:

    frames.json             format, side of the images in px, domains, origin of the frames
    shard_00000/rgb.npy     (frames of the shard, side, side[, channels]), coded by `taskbank.labels.codes`
    shard_00000/....npy     one array a domain; class_object and class_scene as int16 (frames,) channels, or
                            as float16 (frames, channels) probabilities
    shard_00000/cameras.npy `CAMERA` records, one a frame
    shard_00000/sightings.npy  `SIGHTING` records: this frame sees that point of its room

Shards are written atomically, so an interrupted writer continues with the first missing number. During the
writing, `frames.part.json` states the content, so that a store is not continued with other frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.atomic_files import whole_folder, write_json
from training.data.store_index import read_json, refuse_other
from training.errors import DataError, StorageError

CAMERA = np.dtype(
    [
        ("room", "i4"),  # number of the room or building, which is in one split only
        ("point", "i4"),  # fixated point, numbered within the room; -1 where unknown
        ("view", "i4"),  # number of the camera among those that fixate the point
        ("location", "f8", 3),  # metres, world with +z up; NaN where unknown, also for angles
        ("angles", "f8", 3),  # Euler sxyz, radians; the camera looks along its -z, +y up
        ("fov", "f8"),  # radians, horizontal and vertical
        ("fixated", "f8", 3),  # metres, world
        ("box", "f8", (2, 3)),  # least and greatest corner of the room, metres, world; NaN where unknown
    ]
)
"""One frame's camera."""

SIGHTING = np.dtype([("frame", "i8"), ("room", "i4"), ("point", "i4"), ("x", "f4"), ("y", "f4")])
"""A point that a frame sees but does not fixate, at column x and row y in px. Frames are numbered within
their shard on disk, and within the store in `FrameStore.sightings`."""

_INDEX = "frames.json"
_PART = "frames.part.json"
_FORMAT = 1
_MOST_MAPS = 512  # largest number of open arrays, each of which takes a file descriptor
_RECORDS = ("cameras", "sightings")


@dataclass(frozen=True)
class FrameStore:
    """Frames that are read from disk on demand.

    Attributes:
        root: the folder.
        size: side of the images in px.
        domains: names of the label domains, `rgb` among them.
        about: origin of the frames, JSON-ready.
        counts: number of frames in each shard.
    """

    root: Path
    size: int
    domains: tuple[str, ...]
    about: Mapping[str, Any]
    counts: tuple[int, ...]

    @classmethod
    def open(cls, root: str | Path) -> FrameStore:
        """Open the store in a folder.

        Raises:
            DataError: the folder holds no store, an unfinished one, or one of a later format.
        """
        folder = Path(root)
        try:
            written = read_json(folder / _INDEX)
        except FileNotFoundError as error:
            raise DataError(f"no frames in {folder}: {_INDEX} is missing, make them first") from error
        if written.get("format") != _FORMAT:
            raise DataError(f"{folder / _INDEX} has format {written.get('format')!r}, known is {_FORMAT}")
        return cls(
            root=folder,
            size=written["size"],
            domains=tuple(written["domains"]),
            about=written["about"],
            counts=tuple(written["counts"]),
        )

    def __len__(self) -> int:
        return sum(self.counts)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """First frame of each shard."""
        return np.concatenate([[0], np.cumsum(self.counts)[:-1]]).astype(np.int64)

    @cached_property
    def cameras(self) -> NDArray[np.void]:
        """`CAMERA` records of all frames."""
        return np.concatenate([self._array(number, "cameras") for number in range(len(self.counts))])

    @cached_property
    def sightings(self) -> NDArray[np.void]:
        """`SIGHTING` records, frames numbered within the store."""
        parts = []
        for number, start in enumerate(self._starts):
            part = np.array(self._array(number, "sightings"))
            part["frame"] += start
            parts.append(part)
        return np.concatenate(parts)

    def has(self, domain: str) -> bool:
        """Return True if frames have labels of a domain."""
        return domain in self.domains

    def read(self, domain: str, frames: ArrayLike) -> NDArray[Any]:
        """Read labels of some frames.

        Args:
            domain: one of `domains`.
            frames: integers of any shape, numbers within the store.

        Returns:
            codes, with the shape of `frames` followed by that of one label.

        Raises:
            DataError: the store has no such labels.
        """
        if not self.has(domain):
            raise DataError(f"{self.root} has no labels of {domain!r}: it has {', '.join(self.domains)}")
        wanted = np.asarray(frames, dtype=np.int64)
        flat = wanted.reshape(-1)
        shards = np.searchsorted(self._starts, flat, side="right") - 1
        example = self._array(0, domain)
        found = np.empty((len(flat), *example.shape[1:]), dtype=example.dtype)
        for number in np.unique(shards):
            here = shards == number
            found[here] = self._array(int(number), domain)[flat[here] - self._starts[number]]
        return found.reshape((*wanted.shape, *found.shape[1:]))

    def _array(self, shard: int, name: str) -> NDArray[Any]:
        """Memory-map one array of one shard.

        Raises:
            DataError: the array is missing or damaged.
        """
        mapped = self._maps.pop((shard, name), None)
        if mapped is None:
            path = self.root / _shard_name(shard) / f"{name}.npy"
            try:
                mapped = np.load(path, mmap_mode=None if name in _RECORDS else "r", allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                advice = f"remove {path.parent} and make the frames again"
                raise DataError(f"cannot read {path} ({error}): {advice}") from error
            if name != "sightings" and len(mapped) != self.counts[shard]:
                raise DataError(f"{path} holds {len(mapped)} frames, {self.counts[shard]} are expected")
        # The newest array is last; the oldest is closed.
        self._maps[shard, name] = mapped
        if len(self._maps) > _MOST_MAPS:
            del self._maps[next(iter(self._maps))]
        return mapped

    @cached_property
    def _maps(self) -> dict[tuple[int, str], NDArray[Any]]:
        """Open arrays."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields without open arrays: another process opens the files itself."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class FrameWriter:
    """Writes a store shard by shard.

    Args:
        root: the folder; existing shards stay.
        size: side of the images in px.
        about: origin of the frames, JSON-ready; a store is continued only if this is equal.

    Raises:
        ConfigError: the folder holds frames of another size or origin.
        StorageError: the folder cannot be written.
    """

    def __init__(self, root: str | Path, *, size: int, about: Mapping[str, Any]) -> None:
        self.root = Path(root)
        self.size = size
        self.about = dict(about)
        self._begin()

    def has_shard(self, number: int) -> bool:
        """Return True if a shard is complete."""
        return (self.root / _shard_name(number)).is_dir()

    def _begin(self) -> None:
        """Write the file that describes the store being written, if it does not exist."""
        wanted = {"format": _FORMAT, "size": self.size, "about": self.about}
        for name in (_INDEX, _PART):
            path = self.root / name
            if path.exists():
                refuse_other(path, wanted)
                return
        write_json(self.root / _PART, wanted)

    def write_shard(
        self,
        number: int,
        labels: Mapping[str, NDArray[Any]],
        cameras: NDArray[np.void],
        sightings: NDArray[np.void],
    ) -> None:
        """Write one shard.

        Args:
            number: number of the shard from 0; a finished store has no gaps.
            labels: domain -> codes (frames, side, side[, channels]), or per-frame classes.
            cameras: `CAMERA` records, one a frame.
            sightings: `SIGHTING` records, frames numbered within the shard.

        Raises:
            StorageError: the shard cannot be written, because of a full disk for example.
        """
        arrays = {**labels, "cameras": cameras, "sightings": sightings}
        try:
            with whole_folder(self.root / _shard_name(number)) as partial:
                for name, array in arrays.items():
                    np.save(partial / f"{name}.npy", array, allow_pickle=False)
        except StorageError:
            if not self.has_shard(number):  # else another process has written the same content
                raise

    def finish(self, shards: int) -> FrameStore:
        """Write the index of the first `shards` shards, and return the store.

        Raises:
            DataError: there are no shards, one is missing, or they differ in their domains.
            StorageError: the index cannot be written.
        """
        folders = [self.root / _shard_name(number) for number in range(shards)]
        if not folders:
            raise DataError(f"no frames for {self.root}: a store needs one shard at least")
        missing = [folder.name for folder in folders if not folder.is_dir()]
        if missing:
            raise DataError(f"{self.root} lacks {missing[0]}: write all shards before finishing")
        domains = [
            tuple(sorted(path.stem for path in folder.glob("*.npy") if path.stem not in _RECORDS))
            for folder in folders
        ]
        if any(found != domains[0] for found in domains):
            raise DataError(f"shards of {self.root} hold different domains: {sorted(set(domains))}")
        index = {
            "format": _FORMAT,
            "size": self.size,
            "domains": domains[0],
            "about": self.about,
            "counts": [len(np.load(folder / "cameras.npy")) for folder in folders],
        }
        write_json(self.root / _INDEX, index)
        (self.root / _PART).unlink(missing_ok=True)
        return FrameStore.open(self.root)


def _shard_name(number: int) -> str:
    return f"shard_{number:05d}"
