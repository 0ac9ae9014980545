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

_MEASURED = 250_000  # pixels of a prediction that are looked at, at most
_FLATTEST = 1e-6  # 1/m; a flat world still has a scale


@dataclass(frozen=True, slots=True)
class DepthScale:
    """Nearest and farthest distance in metres that a picture tells apart: 2 % lie beyond each."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class InverseScale:
    """Least and largest relative inverse depth that a picture tells apart: 2 % lie beyond each."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CurvatureScale:
    """The mean curvature in 1/m, of either sign, with full colour: 2 % lie beyond."""

    reach: float


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingScale:
    """The three directions in which vectors differ most, shown as red, green and blue.

    Attributes:
        mean: float (C,), of the vectors.
        directions: float (C, 3), of length one, most important first.
        low: share along any direction that is black: 1 % lie below.
        high: share that is full colour: 1 % lie above.
    """

    mean: NDArray[np.float32]
    directions: NDArray[np.float32]
    low: float
    high: float


Scale: TypeAlias = DepthScale | InverseScale | CurvatureScale | EmbeddingScale

ADAPTED = frozenset({OutputKind.DEPTH, OutputKind.INVERSE_DEPTH, OutputKind.CURVATURE, OutputKind.EMBEDDING})
"""Kinds whose colours depend on what is there; those of all others are fixed."""


def measure(predictions: Sequence[Prediction]) -> Scale | None:
    """The scale of colours that suits all of the predictions.

    Args:
        predictions: of one task, one at least.

    Returns:
        None for kinds whose colours are fixed.
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
        return _curvature_scale(values)
    return _embedding_scale(values)


def depth_limits(prediction: Prediction) -> tuple[float, float]:
    """Nearest and farthest distance in metres that the picture of a depth prediction tells apart."""
    scale = _depth_scale(_some_values(prediction))
    return scale.low, scale.high


def _some_values(prediction: Prediction) -> NDArray[Any]:
    """Values (n, C) of pixels that were seen, on a grid if there are many."""
    array = prediction.array if prediction.array.ndim == 3 else prediction.array[..., None]
    step = ceil(sqrt(array.shape[0] * array.shape[1] / _MEASURED))
    some = array[::step, ::step].reshape(-1, array.shape[-1])
    seen: NDArray[Any] = some[~np.isnan(some).any(axis=1)]
    return seen


def _depth_scale(metres: NDArray[Any]) -> DepthScale:
    """Limits of distances (n, 1)."""
    if metres.size == 0:
        return DepthScale(0.1, 1.0)
    low, high = np.percentile(metres, [2, 98])
    return DepthScale(max(float(low), 0.01), max(float(high), 0.011))


def _curvature_scale(curvatures: NDArray[Any]) -> CurvatureScale:
    """Reach of the mean of curvatures (n, 2)."""
    if curvatures.size == 0:
        return CurvatureScale(1.0)
    return CurvatureScale(max(float(np.percentile(np.abs(curvatures.mean(-1)), 98)), _FLATTEST))


def _embedding_scale(vectors: NDArray[Any]) -> EmbeddingScale:
    """Main directions of vectors (n, C)."""
    mean = vectors.mean(0)
    _, directions = np.linalg.eigh((vectors - mean).T @ (vectors - mean))
    best = directions[:, :-4:-1]
    # A direction has no sign of its own: the largest component is made positive, so pictures repeat.
    largest = np.take_along_axis(best, np.abs(best).argmax(0)[None], axis=0)
    best = best * np.sign(largest)
    low, high = np.percentile((vectors - mean) @ best, [1, 99])
    return EmbeddingScale(mean, best, float(low), float(high))
