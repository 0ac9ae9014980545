"""Differences of predictions from that of the fully trained network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskbank.inference.results import Prediction
from taskbank.tasks.kinds import OutputKind

Array = NDArray[Any]


def difference(one: Prediction, other: Prediction) -> float | None:
    """Measure the difference of two predictions for one image, as `MEASURES` defines it for their kind.

    Args:
        one: a prediction.
        other: of the same task, in the same frame.

    Returns:
        the difference; None for kinds without a measure.
    """
    if one.kind not in MEASURES:
        return None
    measure = MEASURES[one.kind][0]
    return measure(one.array.astype(np.float64), other.array.astype(np.float64))


def difference_words(kind: OutputKind, amount: float, unit: str) -> str:
    """Write a difference with its unit: `12.5 degrees`."""
    form = MEASURES[kind][1]
    return form.format(amount, unit="" if unit == "1" else f" {unit}")


def difference_title(kind: OutputKind) -> str:
    """Return the name of the measure of a kind of output."""
    return MEASURES[kind][2]


def _mean_distance(one: Array, other: Array) -> float:
    return float(np.nanmean(np.abs(one - other)))


def _mean_angle(one: Array, other: Array) -> float:
    """Compute the mean angle between unit vectors, in degrees."""
    return float(np.degrees(np.nanmean(np.arccos(np.clip((one * other).sum(-1), -1, 1)))))


def _mean_axis_angle(one: Array, other: Array) -> float:
    """Compute the mean angle between axes (unit vectors of either sign), in degrees."""
    return float(np.degrees(np.mean(np.arccos(np.clip(np.abs((one * other).sum(-1)), 0, 1)))))


def _share_of_pixels(one: Array, other: Array) -> float:
    return float(np.mean(one != other))


def _moved_probability(one: Array, other: Array) -> float:
    """Compute the total variation distance."""
    return float(np.abs(one - other).sum() / 2)


_PLAIN = (_mean_distance, "{:.3g}{unit}", "mean distance per pixel")
MEASURES: Mapping[OutputKind, tuple[Callable[[Array, Array], float], str, str]] = {
    OutputKind.IMAGE: _PLAIN,
    OutputKind.COLOUR_DISTRIBUTION: _PLAIN,
    OutputKind.HEAT_MAP: _PLAIN,
    OutputKind.MAP: _PLAIN,
    OutputKind.DEPTH: _PLAIN,
    OutputKind.INVERSE_DEPTH: _PLAIN,
    OutputKind.CURVATURE: _PLAIN,
    OutputKind.NUMBERS: (_mean_distance, "{:.3g}{unit}", "mean distance"),
    OutputKind.NORMALS: (_mean_angle, "{:.1f}°", "mean angle per pixel"),
    OutputKind.VANISHING_POINTS: (_mean_axis_angle, "{:.1f}°", "mean angle of the three axes"),
    OutputKind.SEMANTIC_MAP: (_share_of_pixels, "{:.0%}", "share of pixels with another label"),
    OutputKind.CLASSES: (_moved_probability, "{:.0%}", "share of probability on other classes"),
}
"""Kind -> measure, format, description. Embeddings of different networks are not comparable, and rooms and
poses are compared by eye."""
