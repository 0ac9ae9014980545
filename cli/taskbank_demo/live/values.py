"""Values of a prediction as text: at a point of its picture, or all of them if they are few."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from taskbank.images.framing import View
from taskbank.inference.results import Prediction
from taskbank.options import Frame
from taskbank.tasks.kinds import MAPS, OutputKind

NOT_SEEN = "not seen by the network"

Values: TypeAlias = list[tuple[str, str]]

_SHOWN_NUMBERS = 4  # numbers shown of long vectors
_PAIRS = ("1 to 2", "2 to 3", "1 to 3")
_LAYOUT = (("centre", "m"), ("angles", "rad"), ("edges", "m"))


def place_of(shape: tuple[int, ...], frame: Frame, view: View, x: float, y: float) -> tuple[int, int] | None:
    """Return row and column of an array at a point of its picture; None outside the array.

    Args:
        shape: of the array, rows and columns first.
        frame: frame of the array.
        view: the part of the photograph that the network saw.
        x: from 0, the left edge of the picture, to 1.
        y: from 0, the upper edge, to 1.
    """
    rows, columns = shape[:2]
    if frame is Frame.NETWORK:
        # The picture still covers the whole photograph.
        box = view.box
        x = (x * view.width - box.left) / (box.right - box.left)
        y = (y * view.height - box.top) / (box.bottom - box.top)
    row, column = int(np.floor(y * rows)), int(np.floor(x * columns))
    return (row, column) if 0 <= row < rows and 0 <= column < columns else None


def value_text(kind: OutputKind, value: NDArray[Any], unit: str, classes: tuple[str, ...] | None) -> str:
    """Write one value of a map as text, with its unit.

    Args:
        kind: of the prediction.
        value: (), or (C,) for maps of several channels.
        unit: of the numbers; "1" for none.
        classes: names of labels.
    """
    if kind is OutputKind.SEMANTIC_MAP:
        return _label_text(int(value), classes or ())
    numbers = np.atleast_1d(value).astype(float)
    if np.isnan(numbers).any():
        return NOT_SEEN
    ending = "" if unit == "1" else f" {unit}"
    if kind is OutputKind.EMBEDDING:
        first = ", ".join(f"{number:+.2f}" for number in numbers[:_SHOWN_NUMBERS])
        return f"({first}, ...), {len(numbers)} numbers"
    if len(numbers) == 1:
        return f"{numbers[0]:.4g}{ending}"
    return f"({', '.join(f'{number:+.3f}' for number in numbers)}){ending}"


def _label_text(label: int, classes: tuple[str, ...]) -> str:
    """Write a label and its class; label 0 means not seen by the network."""
    if label == 0:
        return NOT_SEEN
    name = classes[label - 1] if label <= len(classes) else "class"
    return f"{name} (label {label})"


def few_values(prediction: Prediction) -> Values:
    """Return all values of a prediction, each with its name and unit; empty for maps."""
    words = _IN_WORDS.get(prediction.kind)
    return words(prediction) if words else []


def _classes(prediction: Prediction) -> Values:
    return [(name, f"{share:.1%}") for name, share in prediction.top(10)]


def _match(prediction: Prediction) -> Values:
    return [("same point", f"{float(prediction.array):.1%}")]


def _layout(prediction: Prediction) -> Values:
    rows = prediction.array.reshape(3, 3)
    return [(name, _vector(row, unit)) for (name, unit), row in zip(_LAYOUT, rows, strict=True)]


def _directions(prediction: Prediction) -> Values:
    return [(f"direction of {axis}", _vector(row)) for axis, row in zip("xyz", prediction.array, strict=True)]


def _poses(prediction: Prediction) -> Values:
    """Return rotation and translation between cameras, for each pair of photographs."""
    values = []
    for pair, row in zip(_PAIRS, prediction.array.reshape(-1, 6), strict=False):
        values.append((f"turn, {pair}", _vector(np.degrees(row[:3]), "deg")))
        values.append((f"way, {pair}", _vector(row[3:], "m")))
    return values


def _permutation(prediction: Prediction) -> Values:
    return [(f"place {place}", f"tile {int(tile) + 1}") for place, tile in enumerate(prediction.array, 1)]


def _numbers(prediction: Prediction) -> Values:
    names = prediction.classes or tuple(f"number {number}" for number in range(1, prediction.array.size + 1))
    return [(name, f"{number:.4g}") for name, number in zip(names, prediction.array, strict=True)]


_IN_WORDS: Mapping[OutputKind, Callable[[Prediction], Values]] = {
    OutputKind.CLASSES: _classes,
    OutputKind.MATCH: _match,
    OutputKind.LAYOUT: _layout,
    OutputKind.VANISHING_POINTS: _directions,
    OutputKind.POSE: _poses,
    OutputKind.PERMUTATION: _permutation,
    OutputKind.NUMBERS: _numbers,
}


def _vector(row: NDArray[Any], unit: str = "") -> str:
    """Write three numbers with their unit."""
    numbers = ", ".join(f"{number:+.3f}" for number in row.tolist())
    return f"({numbers}) {unit}".rstrip()


def statistics(prediction: Prediction) -> dict[str, str]:
    """Return least, median and greatest value of a map with one channel; empty for others."""
    array = prediction.array
    if prediction.kind not in MAPS or prediction.kind is OutputKind.SEMANTIC_MAP or array.ndim != 2:
        return {}
    seen = array[~np.isnan(array)]
    if not seen.size:
        return {}
    ending = "" if prediction.unit == "1" else f" {prediction.unit}"
    found = {"least": seen.min(), "median": np.median(seen), "greatest": seen.max()}
    return {name: f"{float(value):.4g}{ending}" for name, value in found.items()}
