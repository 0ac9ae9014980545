"""Values of a prediction as text: at a point of its picture, or all of them if they are few."""

from __future__ import annotations

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
        label, names = int(value), classes or ()
        if label == 0:
            return NOT_SEEN
        return f"{names[label - 1] if label <= len(names) else 'class'} (label {label})"
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


def few_values(prediction: Prediction) -> Values:
    """Return all values of a prediction, each with its name and unit; empty for maps."""
    array, found = prediction.array, []
    match prediction.kind:
        case OutputKind.CLASSES:
            found = [(name, f"{share:.1%}") for name, share in prediction.top(10)]
        case OutputKind.MATCH:
            found = [("same point", f"{float(array):.1%}")]
        case OutputKind.LAYOUT:
            rows = zip(_LAYOUT, array.reshape(3, 3), strict=True)
            found = [(name, _vector(row, unit)) for (name, unit), row in rows]
        case OutputKind.VANISHING_POINTS:
            found = [(f"direction of {axis}", _vector(row)) for axis, row in zip("xyz", array, strict=True)]
        case OutputKind.POSE:  # rotation and translation between cameras, for each pair of photographs
            for pair, row in zip(_PAIRS, array.reshape(-1, 6), strict=False):
                found.append((f"turn, {pair}", _vector(np.degrees(row[:3]), "deg")))
                found.append((f"way, {pair}", _vector(row[3:], "m")))
        case OutputKind.PERMUTATION:
            found = [(f"place {place}", f"tile {int(tile) + 1}") for place, tile in enumerate(array, 1)]
        case OutputKind.NUMBERS:
            names = prediction.classes or tuple(f"number {place}" for place in range(1, array.size + 1))
            found = [(name, f"{number:.4g}") for name, number in zip(names, array, strict=True)]
    return found


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
