"""Checks of affinity tensors; an error lists every fault, not only the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from taxsolver.arguments import shown
from taxsolver.errors import InvalidInputError
from taxsolver.plain_text import harmful

if TYPE_CHECKING:
    from taxsolver.tensors.affinity import AffinityTensor, BoolArray

MEASURES = ("affinity", "gain", "quality")
SHOWN = 3


def check_tensor(tensor: AffinityTensor) -> None:
    """Raise if a tensor is not well formed.

    Raises:
        InvalidInputError: the message lists every fault of names and shapes, or if there are none, of values.
    """
    faults = list(_kind_faults(tensor)) or [*_name_faults(tensor), *_shape_faults(tensor)]
    faults = faults or list(_value_faults(tensor))
    if faults:
        listed = "".join(f"\n  - {fault}" for fault in faults)
        raise InvalidInputError(f"affinity tensor {tensor.name!r} is not valid:{listed}")


def _kind_faults(tensor: AffinityTensor) -> Iterator[str]:
    if not isinstance(tensor.name, str):
        yield f"name is {shown(tensor.name)}, expected text"
    for field in ("tasks", "targets", "untrained", "origin"):
        names = getattr(tensor, field)
        if not isinstance(names, tuple | list) or not all(isinstance(name, str) for name in names):
            yield f"{field} is {shown(names)}, expected a tuple of names"
    for field in ("draws", "intervals"):
        values = getattr(tensor, field)
        if not isinstance(values, Mapping) or not all(isinstance(one, np.ndarray) for one in values.values()):
            yield f"{field} is {shown(values)}, expected a dictionary from measures to arrays"
    for field in ("aliases", "about"):
        words = getattr(tensor, field)
        if not isinstance(words, Mapping) or not all(isinstance(word, str) for word in words):
            yield f"{field} is {shown(words)}, expected a dictionary of names"
    for field in ("images_full", "images_transfer"):
        number = getattr(tensor, field)
        if not isinstance(number, int | np.integer | None) or isinstance(number, bool):
            yield f"{field} is {shown(number)}, expected a whole number or None"


def _name_faults(tensor: AffinityTensor) -> Iterator[str]:
    if not tensor.tasks:
        yield "tasks is empty"
    twice = sorted({task for task in tensor.tasks if tensor.tasks.count(task) > 1})
    if twice:
        yield f"tasks holds {', '.join(twice)} more than once"
    if odd := [task for task in tensor.tasks if harmful(task)]:
        yield f"tasks holds {odd[0]!r}, with a control character"
    repeated = sorted({task for task in tensor.targets if tensor.targets.count(task) > 1})
    if repeated:
        yield f"targets holds {', '.join(repeated)} more than once"
    for field in ("targets", "untrained"):
        unknown = [name for name in getattr(tensor, field) if name not in tensor.tasks]
        if unknown:
            yield f"{field} names {', '.join(unknown)}, unknown among the tasks"
    for field in ("images_full", "images_transfer"):
        number = getattr(tensor, field)
        if number is not None and number <= 0:
            yield f"{field} is {number}, a positive number of images is needed"


def _shape_faults(tensor: AffinityTensor) -> Iterator[str]:
    transfers = len(tensor.target) if np.ndim(tensor.target) else 0
    expected = {
        "sources": ((transfers, len(tensor.tasks)), np.bool_),
        "target": ((transfers,), np.int32),
        **dict.fromkeys(MEASURES, ((transfers,), np.float64)),
        "full_supervision": ((transfers,), np.bool_),
    }
    for field, (shape, dtype) in expected.items():
        array = getattr(tensor, field)
        if not isinstance(array, np.ndarray):
            yield f"{field} is a {type(array).__name__}, expected an array of {np.dtype(dtype)}"
            continue
        if array.shape != shape:
            yield f"{field} has shape {array.shape}, expected {shape}"
        if array.dtype != dtype:
            yield f"{field} is {array.dtype}, expected {np.dtype(dtype)}"
    if transfers == 0:
        yield "there is no transfer"
    for field in ("draws", "intervals"):
        for measure, array in getattr(tensor, field).items():
            if measure not in MEASURES:
                yield f"{field} holds {measure!r}, expected {', '.join(MEASURES)}"
            wanted = (len(array), transfers) if field == "draws" else (transfers, 2)
            if array.ndim != 2 or array.shape != wanted or not len(array) or array.dtype != np.float64:
                words = "(draws, transfers)" if field == "draws" else "(transfers, 2)"
                yield f"{field} of {measure} are {array.dtype} {array.shape}, expected float64 {words}"


def _value_faults(tensor: AffinityTensor) -> Iterator[str]:
    yield from _measure_faults(tensor)
    outside = (tensor.target < 0) | (tensor.target >= len(tensor.tasks))
    if outside.any():
        yield f"target of {_rows(outside)} is not an index of the {len(tensor.tasks)} tasks"
        return  # the checks below need valid targets
    none = tensor.sources.sum(axis=1) == 0
    if none.any():
        yield f"{_rows(none)} has no source"
    own = tensor.sources[np.arange(len(tensor.target)), tensor.target]
    foreign = tensor.full_supervision & ~(own & (tensor.sources.sum(axis=1) == 1))
    if foreign.any():
        yield f"{_rows(foreign)} is full supervision, but its only source is not the target itself"
    yield from _duplicate_faults(tensor)
    served = set(tensor.target[~tensor.reads_itself].tolist())
    for task in tensor.targets:
        if tensor.tasks.index(task) not in served:
            yield f"target {task} has no transfer"
    undeclared = {tensor.tasks[column] for column in set(tensor.target.tolist())} - set(tensor.targets)
    if undeclared:
        yield f"{', '.join(sorted(undeclared))} has transfers but is not among the targets"


def _measure_faults(tensor: AffinityTensor) -> Iterator[str]:
    missing = np.ones(len(tensor.target), dtype=bool)
    for measure in MEASURES:
        values = getattr(tensor, measure)
        missing &= np.isnan(values)
        outside = ~np.isnan(values) & ~((values >= 0) & (values <= 1))
        if outside.any():
            worst = values[np.flatnonzero(outside)[0]]
            yield f"{measure} of {_rows(outside)} is outside [0, 1] (the first is {worst:g})"
    if missing.any():
        yield f"{_rows(missing)} is NaN in affinity, gain and quality: at least one must be measured"
    for field, axis in (("draws", 0), ("intervals", 1)):
        for measure, array in getattr(tensor, field).items():
            unknown = np.isnan(getattr(tensor, measure))
            fine = ((array >= 0) & (array <= 1)).all(axis=axis) | unknown
            if not fine.all():
                yield f"{field} of {measure} of {_rows(~fine)} are outside [0, 1] or NaN"
            if field == "intervals" and (array[:, 0] > array[:, 1]).any():
                yield f"intervals of {measure} of {_rows(array[:, 0] > array[:, 1])} end before they begin"


def _duplicate_faults(tensor: AffinityTensor) -> Iterator[str]:
    # Only rows whose sums of random numbers are equal are compared: all rows of a million take gigabytes.
    numbers = np.random.default_rng(0).random((2, len(tensor.tasks)))
    row, column = np.divmod(np.flatnonzero(tensor.sources), len(tensor.tasks))
    sums = np.bincount(row, numbers[0, column], len(tensor.target)) + numbers[1, tensor.target]
    _, inverse, count = np.unique(sums, return_inverse=True, return_counts=True)
    alike = np.flatnonzero(count[inverse.ravel()] > 1)
    keys = np.column_stack(
        [tensor.target[alike], tensor.full_supervision[alike], np.packbits(tensor.sources[alike], axis=1)]
    )
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    repeated = np.flatnonzero(first[inverse.ravel()] != np.arange(len(keys)))
    for place in repeated[:SHOWN].tolist():
        row, earlier = alike[place], alike[first[inverse.ravel()[place]]]
        sources = " + ".join(tensor.source_names(row))
        yield f"row {row} is a duplicate of row {earlier}: {sources} -> {tensor.tasks[tensor.target[row]]}"
    if len(repeated) > SHOWN:
        yield f"and {len(repeated) - SHOWN} more duplicates"


def _rows(which: BoolArray) -> str:
    """`row 3`, `rows 3, 5, 6`, `rows 3, 5, 6 and 40 more`, counted from 0."""
    rows = np.flatnonzero(which)
    shown = ", ".join(str(row) for row in rows[:SHOWN])
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more}"
