"""Preparation of photographs and labels: square inputs of networks, and targets for training.

`FOLDER/squares.npy` is float16 (N, 3, S, S) in [-1, 1]; `FOLDER/labels.npy` holds `Learnable.values`;
`FOLDER/task.json`, written last, describes them and the part of each photograph.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskbank.errors import ImageError
from taskbank.images.framing import View
from taskbank.images.reading import read_photo
from taskbank.inference.preprocess import preprocess
from taskbank.options import Fit
from taskbank.tasks.own_targets import OwnTarget, own_target_from_json
from training.atomic_files import write_json, write_whole
from training.errors import DataError
from training.runs.metrics import progress
from training.stages.novel.config import FEWEST, NovelConfig
from training.stages.novel.division import Part, divide
from training.stages.novel.kinds import LabelKind
from training.stages.novel.labels import (
    Learnable,
    learnable_classes,
    learnable_maps,
    learnable_numbers,
    number_classes,
    read_whole_labels,
)
from training.stages.novel.maps import find_maps, fit_map, read_map
from training.stages.novel.naming import photographs_in, some

log = logging.getLogger(__name__)

SQUARES, LABELS, TASK = "squares.npy", "labels.npy", "task.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Content of `task.json`.

    Attributes:
        photographs: names of the readable photographs, in the order of the arrays.
        parts: part of each photograph.
        groups: group number of each photograph.
        unreadable: name -> reason for leaving it out.
        target: output kind, channels and unit of the labels.
        names: names of classes or numbers; None for maps.
    """

    photographs: tuple[str, ...]
    parts: tuple[Part, ...]
    groups: tuple[int, ...]
    unreadable: Mapping[str, str]
    target: OwnTarget
    names: tuple[str, ...] | None

    def of(self, part: Part) -> NDArray[np.int64]:
        """Return the numbers of the photographs of a part, int64."""
        return np.flatnonzero(np.array([one is part for one in self.parts]))


def load_prepared(folder: Path) -> Prepared:
    """Read the `task.json` that `prepare` wrote."""
    written: dict[str, Any] = json.loads((folder / TASK).read_text(encoding="utf-8"))
    names = written["names"]
    return Prepared(
        photographs=tuple(written["photographs"]),
        parts=tuple(map(Part, written["parts"])),
        groups=tuple(written["groups"]),
        unreadable=written["unreadable"],
        target=own_target_from_json(written["target"]),
        names=None if names is None else tuple(names),
    )


def prepare(config: NovelConfig, images: Path, labels: Path, folder: Path) -> Prepared:
    """Read photographs and labels, divide them, and write them; do nothing if they exist already.

    Raises:
        DataError: photographs and labels do not match, too few can be read, or the labels are constant.
        StorageError: a file cannot be written.
    """
    if (folder / TASK).exists():
        return load_prepared(folder)
    photographs = photographs_in(images)
    if config.kind is LabelKind.IMAGE:
        prepared, squares, learnable = _with_maps(config, photographs, find_maps(labels, photographs))
    else:
        prepared, squares, learnable = _with_whole_labels(config, labels, images, photographs)
    _save_array(folder / SQUARES, squares)
    _save_array(folder / LABELS, learnable.values)
    write_json(folder / TASK, asdict(prepared))
    counts = {part.value: len(prepared.of(part)) for part in Part}
    log.info("%s: %d photographs: %s", config.name, len(prepared.photographs), counts)
    return prepared


def _save_array(path: Path, array: NDArray[np.generic]) -> None:
    """Write an array atomically."""
    write_whole(path, lambda file: np.save(file, array, allow_pickle=False))


def _with_whole_labels(
    config: NovelConfig, labels: Path, images: Path, photographs: Mapping[str, Path]
) -> tuple[Prepared, NDArray[np.float16], Learnable]:
    """Prepare photographs with classes or numbers."""
    given = read_whole_labels(config.kind, labels, images, photographs)
    names, squares, _, unreadable = _read(photographs, config.size, {})
    values = [given.values[name] for name in names]
    places = [given.groups.get(name, f"/{name}") for name in names]
    groups = np.unique(places, return_inverse=True)[1].tolist()
    shares = (config.learned, config.held_out)
    if config.kind is LabelKind.CLASSES:
        numbers, classes = number_classes([str(value) for value in values], names)
        parts = divide(groups, shares, config.seed, numbers.tolist())
        learnable = learnable_classes(numbers, classes)
    else:
        parts = divide(groups, shares, config.seed)
        learned = np.array([part is Part.LEARNED for part in parts])
        rows = [value for value in values if not isinstance(value, str)]
        learnable = learnable_numbers(rows, learned, given.names, config.unit)
    return _prepared(names, parts, groups, unreadable, learnable), squares, learnable


def _with_maps(
    config: NovelConfig, photographs: Mapping[str, Path], maps: Mapping[str, Path]
) -> tuple[Prepared, NDArray[np.float16], Learnable]:
    """Prepare photographs with maps."""
    names, squares, found, unreadable = _read(photographs, config.size, maps)
    channels = {len(one): name for name, one in zip(names, found, strict=True)}
    if len(channels) > 1:
        listed = ", ".join(f"{maps[name]} has {count}" for count, name in sorted(channels.items()))
        raise DataError(f"maps differ in their channels: {listed}; all must have as many")
    groups = list(range(len(names)))
    parts = divide(groups, (config.learned, config.held_out), config.seed)
    learned = np.array([part is Part.LEARNED for part in parts])
    learnable = learnable_maps(torch.stack(found).numpy(), learned, config.unit)
    return _prepared(names, parts, groups, unreadable, learnable), squares, learnable


def _prepared(
    names: Sequence[str],
    parts: Sequence[Part],
    groups: Sequence[int],
    unreadable: Mapping[str, str],
    learnable: Learnable,
) -> Prepared:
    return Prepared(
        photographs=tuple(names),
        parts=tuple(parts),
        groups=tuple(groups),
        unreadable=unreadable,
        target=learnable.target,
        names=learnable.names,
    )


def _read(
    photographs: Mapping[str, Path], size: int, maps: Mapping[str, Path]
) -> tuple[list[str], NDArray[np.float16], list[Tensor], dict[str, str]]:
    """Read photographs: names of readable ones, their squares and maps, and reasons for unreadable ones.

    Raises:
        DataError: too few are readable, or a map does not fit its photograph.
    """
    if len(photographs) < FEWEST:
        raise DataError(f"there are {len(photographs)} photographs: {FEWEST} at least are needed")
    squares, found, unreadable = {}, [], {}
    with progress("photographs", len(photographs)) as advance:
        for name, path in photographs.items():
            advance(1)
            try:
                squares[name], view = _square(path, size)
            except ImageError as error:
                log.warning("%s is left out: %s", name, error)
                unreadable[name] = str(error)
                continue
            if name in maps:
                found.append(fit_map(read_map(maps[name]), view, maps[name]))
    if len(squares) < FEWEST:
        raise DataError(
            f"{len(squares)} photographs can be read, {FEWEST} at least are needed; unreadable are "
            f"{some(unreadable)}"
        )
    return list(squares), np.stack(list(squares.values())), found, unreadable


def _square(path: Path, size: int) -> tuple[NDArray[np.float16], View]:
    """Return the square input of a photograph, as `taskbank` makes it."""
    preprocessed = preprocess(read_photo(path), Fit.CROP, size)
    return preprocessed.square.half().numpy(), preprocessed.view
