"""Tables that reading a network's output depends on; README.md beside them says where they are from."""

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
    """The colours between which colorization chooses.

    Returns:
        read-only float32 (313, 2): a and b of CIE Lab, -110 to 110.
    """
    return _frozen(np.array([(row["a"], row["b"]) for row in _rows("colour_bins")], dtype=np.float32))


@cache
def jigsaw_permutations() -> NDArray[np.int64]:
    """The orders of tiles between which jigsaw chooses.

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
    """Names of a task's channels, None where channels are no classes.

    Args:
        task: canonical name.
    """
    if task == "segment_semantic":
        return tuple(row["name"] for row in _rows("segment_semantic_classes"))
    if task == "class_scene":
        return tuple(_scene(row["name"]) for row in _rows("places_indoor_63"))
    if task == "class_object":
        from torchvision.models import ResNet152_Weights

        return tuple(ResNet152_Weights.IMAGENET1K_V1.meta["categories"])
    return None


@cache
def class_table(table: str) -> tuple[tuple[str, str], ...]:
    """The classes of another data set, and the class of `segment_semantic` that each belongs to.

    Args:
        table: `ade20k_150` or `coco_80`.

    Returns:
        name and class, in the order of channels.
    """
    return tuple((row["name"], row["class"]) for row in _rows(table))


@cache
def scene_positions() -> NDArray[np.int64]:
    """Return the positions of the indoor classes of class_scene among the classes of Places365.

    Returns:
        read-only int64 (63,), 0 to 364.
    """
    return _frozen(np.array([row["places365_class"] for row in _rows("places_indoor_63")], dtype=np.int64))


def _scene(name: str) -> str:
    """A class of Places365 in words: `/b/booth/indoor` -> `booth (indoor)`."""
    place, *variant = name.split("/")[2:]
    words = place.replace("_", " ")
    return f"{words} ({' '.join(variant)})" if variant else words


def _rows(table: str) -> list[dict[str, str]]:
    """The rows of a table of this package, by column."""
    text = files(__name__).joinpath(f"{table}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _frozen(table: NDArray[Any]) -> NDArray[Any]:
    """The array, read-only: it is shared by all who ask."""
    table.flags.writeable = False
    return table
