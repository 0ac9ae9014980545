"""Scales of colours in pictures: measured on one prediction, or once for all frames of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from taskbank.inference.results import Prediction
from taskbank.tasks.kinds import OutputKind

_MEASURED = 250_000  # most pixels of a prediction that are measured
_FLATTEST = 1e-6  # 1/m; least scale, for flat surfaces


@dataclass(frozen=True, slots=True)
class DepthScale:
    """Nearest and farthest distance in metres with distinct colours; 2 % of pixels lie beyond each."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class InverseScale:
    """Least and largest relative inverse depth with distinct colours; 2 % of pixels lie beyond each."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CurvatureScale:
    """Absolute mean curvature in 1/m that is drawn in full colour; 2 % of pixels lie beyond."""

    reach: float


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingScale:
    """The three directions in which vectors differ most, shown as red, green and blue.

    Attributes:
        mean: float (C,), of the vectors.
        directions: float (C, 3), of length one, most important first.
        low: coordinate along any direction that is drawn black; 1 % lie below.
        high: coordinate that is drawn in full colour; 1 % lie above.
    """

    mean: NDArray[np.float32]
    directions: NDArray[np.float32]
    low: float
    high: float


Scale: TypeAlias = DepthScale | InverseScale | CurvatureScale | EmbeddingScale

ADAPTED = frozenset({OutputKind.DEPTH, OutputKind.INVERSE_DEPTH, OutputKind.CURVATURE, OutputKind.EMBEDDING})
"""Kinds whose colours depend on the prediction's values; other kinds have fixed colours."""


def measure(predictions: Sequence[Prediction]) -> Scale | None:
    """Measure one scale of colours for all given predictions.

    Args:
        predictions: of one task, at least one.

    Returns:
        the scale; None for kinds with fixed colours.
    """
    kind = predictions[0].kind
    if kind not in ADAPTED:
        return None
    values = np.concatenate([_some_values(prediction) for prediction in predictions])
    if kind is OutputKind.DEPTH:
        return _depth_scale(values)
    if kind is OutputKind.INVERSE_DEPTH:
        low, high = np.percentile(values, [2, 98]) if values.size else (0.0, 1.0)
        return InverseScale(float(low), float(high))
    if kind is OutputKind.CURVATURE:
        reach = np.percentile(np.abs(values.mean(-1)), 98) if values.size else 1.0
        return CurvatureScale(max(float(reach), _FLATTEST))
    mean = values.mean(0)
    _, directions = np.linalg.eigh((values - mean).T @ (values - mean))
    best = directions[:, :-4:-1]
    # The sign of a direction is arbitrary: its largest component is made positive, so that pictures are
    # reproducible.
    largest = np.take_along_axis(best, np.abs(best).argmax(0)[None], axis=0)
    best = best * np.sign(largest)
    low, high = np.percentile((values - mean) @ best, [1, 99])
    return EmbeddingScale(mean, best, float(low), float(high))


def depth_limits(prediction: Prediction) -> tuple[float, float]:
    """Return the nearest and farthest distance in metres with distinct colours in a depth picture."""
    scale = _depth_scale(_some_values(prediction))
    return scale.low, scale.high


def _some_values(prediction: Prediction) -> NDArray[Any]:
    """Return values (n, C) of pixels that the network saw, on a coarser grid if there are many."""
    array = prediction.array if prediction.array.ndim == 3 else prediction.array[..., None]
    step = ceil(sqrt(array.shape[0] * array.shape[1] / _MEASURED))
    some = array[::step, ::step].reshape(-1, array.shape[-1])
    seen: NDArray[Any] = some[~np.isnan(some).any(axis=1)]
    return seen


def _depth_scale(metres: NDArray[Any]) -> DepthScale:
    """Measure the limits of distances (n, 1)."""
    if metres.size == 0:
        return DepthScale(0.1, 1.0)
    low, high = np.percentile(metres, [2, 98])
    return DepthScale(max(float(low), 0.01), max(float(high), 0.011))
