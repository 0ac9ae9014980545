"""Tables that decoding a network's output depends on; README.md in this folder states their origin."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WEIGHTS = {
    "colorization": ("colour_bins", "prior_factor_indoor"),
    "segment_semantic": ("segment_semantic_classes", "prior_factor"),
}


@cache
def colour_bins() -> NDArray[np.float32]:
    """Return the colours that colorization chooses from.

    Returns:
        read-only float32 (313, 2): a and b of CIE Lab, -110 to 110.
    """
    return _frozen(np.array([(row["a"], row["b"]) for row in _rows("colour_bins")], dtype=np.float32))


@cache
def jigsaw_permutations() -> NDArray[np.int64]:
    """Return the orders of tiles that jigsaw chooses from.

    Returns:
        read-only int64 (100, 9): place i of order p shows the image's tile [p, i]; tiles and places are
        counted row by row from the top left.
    """
    rows = [[row[f"p{place}"] for place in range(9)] for row in _rows("jigsaw_permutations")]
    return _frozen(np.array(rows, dtype=np.int64))


@cache
def loss_weights(task: str) -> NDArray[np.float32]:
    """Return the weight of each class in a task's training loss: rare classes count more.

    Args:
        task: `colorization` (of indoor pictures) or `segment_semantic`.

    Returns:
        read-only float32, one per channel.
    """
    table, column = _WEIGHTS[task]
    return _frozen(np.array([row[column] for row in _rows(table)], dtype=np.float32))


@cache
def class_names(task: str) -> tuple[str, ...] | None:
    """Return the names of a task's channels; None if the channels are not classes.

    Args:
        task: canonical name.
    """
    if task == "segment_semantic":
        return tuple(row["name"] for row in _rows("segment_semantic_classes"))
    if task == "class_scene":
        names = []
        for row in _rows("places_indoor_63"):  # `/b/booth/indoor` becomes `booth (indoor)`
            place, *variant = row["name"].split("/")[2:]
            words = place.replace("_", " ")
            names.append(f"{words} ({' '.join(variant)})" if variant else words)
        return tuple(names)
    if task == "class_object":
        from torchvision.models import ResNet152_Weights

        return tuple(ResNet152_Weights.IMAGENET1K_V1.meta["categories"])
    return None


@cache
def class_table(table: str) -> tuple[tuple[str, str], ...]:
    """Return the classes of another data set, each with the class of `segment_semantic` that it belongs to.

    Args:
        table: `ade20k_150` or `coco_80`.

    Returns:
        pairs of name and class, in the order of channels.
    """
    return tuple((row["name"], row["class"]) for row in _rows(table))


@cache
def scene_positions() -> NDArray[np.int64]:
    """Return the positions of the indoor classes of class_scene among the classes of Places365.

    Returns:
        read-only int64 (63,), 0 to 364.
    """
    return _frozen(np.array([row["places365_class"] for row in _rows("places_indoor_63")], dtype=np.int64))


def _rows(table: str) -> list[dict[str, str]]:
    """Read the rows of a table of this package, by column."""
    text = files(__name__).joinpath(f"{table}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _frozen(table: NDArray[Any]) -> NDArray[Any]:
    """Make an array read-only, as all callers share it."""
    table.flags.writeable = False
    return table
