"""Conversion of labels to targets of networks, with the facts for decoding predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from taskbank.tasks.kinds import OutputKind
from taskbank.tasks.own_targets import OwnTarget
from training.errors import DataError
from training.stages.novel.kinds import LabelKind
from training.stages.novel.naming import some
from training.stages.novel.tables import class_labels, number_labels, read_class_folders, read_table

_LEAST_SPREAD = 1e-9  # least spread of numbers, relative to their size


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeLabels:
    """Labels of whole photographs, before unreadable photographs are removed.

    Attributes:
        values: photograph -> its class, or its numbers.
        groups: photograph -> its group; photographs not named are groups of their own.
        names: names of the numbers; names of classes follow from the values.
    """

    values: Mapping[str, str | tuple[float, ...]]
    groups: Mapping[str, str]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learnable:
    """Labels in the form for training.

    Attributes:
        target: description of the labels.
        names: names of classes or numbers; None for maps.
        values: for maps float32 (N, C, S, S), -1 to 1 over the range, NaN where unknown; for classes int64
            (N,); for numbers float32 (N, n), whitened.
    """

    target: OwnTarget
    names: tuple[str, ...] | None
    values: NDArray[np.float32] | NDArray[np.int64]


def read_whole_labels(
    kind: LabelKind, labels: Path, images: Path, photographs: Mapping[str, Path]
) -> WholeLabels:
    """Read labels of whole photographs from a CSV file, or from one folder per class.

    Raises:
        DataError: the labels cannot be read, or belong to other photographs.
    """
    if labels.is_dir():
        if kind is not LabelKind.CLASSES:
            raise DataError(f"--labels {labels} is a folder: numbers are read from a CSV file")
        table = read_class_folders(labels, images, photographs)
    else:
        table = read_table(labels, photographs)
    if kind is LabelKind.CLASSES:
        return WholeLabels(values=class_labels(table), groups=table.groups, names=())
    return WholeLabels(values=number_labels(table), groups=table.groups, names=table.columns)


def number_classes(labels: Sequence[str], photographs: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
    """Number the classes by their names in alphabetical order.

    Args:
        labels: class of each photograph.
        photographs: names of the photographs.

    Raises:
        DataError: there is only one class, or a class has only one photograph.
    """
    counts = Counter(labels)
    if len(counts) < 2:
        raise DataError(f"all photographs are of the class {labels[0]!r}: there is nothing to tell apart")
    single = {label for label, count in counts.items() if count == 1}
    if single:
        whose = [name for name, label in zip(photographs, labels, strict=True) if label in single]
        raise DataError(
            f"class(es) of a single photograph: {some(single)} ({some(whose)}): one cannot be learned from "
            "and tested on, so label more of them, or leave them out"
        )
    names = sorted(counts)
    return np.array([names.index(label) for label in labels], dtype=np.int64), names


def learnable_classes(numbers: NDArray[np.int64], names: Sequence[str]) -> Learnable:
    """Convert class numbers for training."""
    target = OwnTarget(output=OutputKind.CLASSES, channels=len(names))
    return Learnable(target=target, names=tuple(names), values=numbers)


def learnable_numbers(
    numbers: Sequence[tuple[float, ...]], learned: NDArray[np.bool_], names: tuple[str, ...], unit: str
) -> Learnable:
    """Whiten numbers by the mean and spread of the training photographs.

    Raises:
        DataError: a number is equal for all training photographs.
    """
    table = np.array(numbers, dtype=np.float64)
    mean, std = table[learned].mean(0), table[learned].std(0)
    flat = std <= _LEAST_SPREAD * np.maximum(np.abs(mean), 1e-300)
    if flat.any():
        column = int(np.flatnonzero(flat)[0])
        raise DataError(
            f"{names[column]} is {mean[column]:g} for all photographs that are learned from: there is "
            "nothing to learn"
        )
    target = OwnTarget(
        output=OutputKind.NUMBERS,
        channels=len(names),
        unit=unit,
        whitening=(tuple(mean.tolist()), tuple(std.tolist())),
    )
    return Learnable(target=target, names=names, values=((table - mean) / std).astype(np.float32))


def learnable_maps(maps: NDArray[np.float32], learned: NDArray[np.bool_], unit: str) -> Learnable:
    """Scale maps to [-1, 1] by the least and greatest training value.

    Args:
        maps: float32 (N, C, S, S), NaN where unknown; changed in place.
        learned: bool (N,), True for training photographs.
        unit: unit of the values.

    Raises:
        DataError: all training values are equal.
    """
    low = float(min(np.nanmin(maps[one]) for one in np.flatnonzero(learned)))
    high = float(max(np.nanmax(maps[one]) for one in np.flatnonzero(learned)))
    if not low < high:
        raise DataError(
            f"all maps that are learned from hold {low:g} and nothing else: there is nothing to learn"
        )
    maps -= low
    maps *= 2 / (high - low)
    maps -= 1
    target = OwnTarget(output=OutputKind.MAP, channels=maps.shape[1], unit=unit, value_range=(low, high))
    return Learnable(target=target, names=None, values=maps)
