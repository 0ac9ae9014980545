"""Mapping of NYU40 classes to classes of `segment_semantic`."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.room_classes import channel_names

_TABLE = Path(__file__).with_name("nyu40.csv")
"""One row per NYU40 class: number from 1, name, class here (empty for unknown), reason."""


@cache
def _labels_of_numbers() -> NDArray[np.uint8]:
    """Label on disk of each NYU40 number, (41,)."""
    names = channel_names("segment_semantic")
    with _TABLE.open(encoding="utf-8", newline="") as file:
        classes = {int(row["number"]): row["class"] for row in csv.DictReader(file)}
    found = np.zeros(max(classes) + 1, dtype=np.uint8)
    for number, name in classes.items():
        found[number] = names.index(name) + 1 if name else 0
    return found


def semantic_labels(numbers: NDArray[np.uint8] | None, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Convert a picture's NYU40 numbers to labels on disk.

    Args:
        numbers: uint8 (H, W), from 1, 0 unknown; None if there are none.
        shape: (H, W) of the picture.

    Returns:
        uint8 (H, W): 0 unknown, 1 background, 2 to 17 things.
    """
    if numbers is None:
        return np.zeros(shape, dtype=np.uint8)
    return _labels_of_numbers()[numbers]
