"""Measures of predictions that are maps: normals, depth, labels, responses, pictures.

As in Eigen and Fergus (ICCV 2015) for normals and depth, Everingham et al. (IJCV 2015) for the mean
intersection over union and for average precision.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from taskbank.scoring.metrics import depth_errors, miou
from training.stages.evaluation.measures import FloatArray, Histogram, Mean

_THRESHOLDS = (11.25, 22.5, 30.0)
_DEPTH_NAMES = {"abs_rel": "abs_rel", "rmse": "rmse", "delta_1": "delta"}
"""Name of an error of `taskbank score` -> its name here."""

_NEAREST = 1 / 512  # metres
_LEVELS = 256


class NormalMeasure:
    """Angles between predicted and true normals, over all pixels of all images.

    Gives `mean` and `median` in degrees (the median to 0.025) and the shares `under_11.25`, `under_22.5` and
    `under_30`.
    """

    def __init__(self) -> None:
        self._mean = Mean()
        self._histogram = Histogram(180.05, 0.05)

    def add(self, predicted: FloatArray, truth: FloatArray) -> None:
        """Add a prediction: unit vectors (H, W, 3) each."""
        angles = angle_between(predicted, truth)
        self._mean.add(angles)
        self._histogram.add(angles)

    def result(self) -> dict[str, float]:
        """Return the numbers named in the class docstring."""
        if not self._mean:
            return {}
        shares = {f"under_{limit:g}": self._histogram.share_under(limit) for limit in _THRESHOLDS}
        return {"mean": self._mean.value, "median": self._histogram.median(), **shares}


def angle_between(first: FloatArray, second: FloatArray) -> FloatArray:
    """Compute the angle in degrees between unit vectors (..., 3): (...,), NaN where either is unknown."""
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    # Not the arccosine of the dot product, which cannot resolve a hundredth of a degree.
    angle: FloatArray = np.degrees(
        2 * np.arctan2(np.linalg.norm(first - second, axis=-1), np.linalg.norm(first + second, axis=-1))
    )
    return angle


class DepthMeasure:
    """Relative and absolute errors of depth, averaged over images.

    Gives `abs_rel`, `rmse` in metres and `delta` (share of pixels within a factor of 1.25), then the same
    with the suffix `_scaled` after each prediction was multiplied by the median of truth over prediction.
    """

    def __init__(self) -> None:
        self._means = {name: Mean() for name in _DEPTH_NAMES}
        self._scaled = {name: Mean() for name in _DEPTH_NAMES}

    def add(self, predicted: FloatArray, truth: FloatArray) -> None:
        """Add a prediction: metres (H, W) each; truth <= 0 is unknown, predictions are at least 1/512 m."""
        known = np.isfinite(predicted) & np.isfinite(truth) & (truth > 0)
        if not known.any():
            return
        given = predicted[known].astype(np.float64).clip(_NEAREST)
        right = truth[known].astype(np.float64)
        for means, values in ((self._means, given), (self._scaled, given * np.median(right / given))):
            for name, error in depth_errors(values, right).items():
                means[name].add(error)

    def result(self) -> dict[str, float]:
        """Return the numbers named in the class docstring."""
        if not self._means["abs_rel"]:
            return {}
        plain = {_DEPTH_NAMES[name]: mean.value for name, mean in self._means.items()}
        return plain | {f"{_DEPTH_NAMES[name]}_scaled": mean.value for name, mean in self._scaled.items()}


class LabelMeasure:
    """Overlap of predicted and true labels, over all pixels of all images.

    Gives `miou`, the mean over the classes that occur in the truth, and `accuracy`, the share of correct
    pixels.

    Args:
        num_classes: labels are 1 to `num_classes`; 0 is unknown and ignored.
    """

    def __init__(self, num_classes: int) -> None:
        self._size = num_classes + 1
        self._confusion = np.zeros((self._size, self._size), dtype=np.int64)

    def add(self, predicted: NDArray[np.integer], truth: NDArray[np.integer]) -> None:
        """Add a prediction: labels (H, W) each; a predicted 0 marks a pixel outside the network's input."""
        seen = predicted > 0
        pairs = truth[seen].astype(np.int64) * self._size + predicted[seen]
        counts = np.bincount(pairs, minlength=self._size**2)
        self._confusion += counts.reshape(self._size, self._size)

    def result(self) -> dict[str, float]:
        """Return the numbers named in the class docstring."""
        known = self._confusion[1:]
        if not known.sum():
            return {}
        right = np.diagonal(self._confusion)[1:]
        return {"miou": miou(known[:, 1:]), "accuracy": float(right.sum() / known.sum())}


class ResponseMeasure:
    """Heat maps: mean absolute error, and average precision of finding the strongest true responses.

    Gives `l1` in the task's unit and `ap`, the average precision of finding the pixels whose true response is
    at least half of `highest`, with the prediction as the score.

    Args:
        highest: greatest possible response of the task's network.
    """

    def __init__(self, highest: float) -> None:
        self._highest = highest
        self._error = Mean()
        self._strong = np.zeros(_LEVELS, dtype=np.int64)
        self._weak = np.zeros(_LEVELS, dtype=np.int64)

    def add(self, predicted: FloatArray, truth: FloatArray) -> None:
        """Add a prediction: responses (H, W) each."""
        right = np.minimum(truth, self._highest)
        known = np.isfinite(predicted) & np.isfinite(right)
        self._error.add(np.abs(predicted - right)[known])
        level = (predicted[known] / self._highest * (_LEVELS - 1)).clip(0, _LEVELS - 1).astype(np.int64)
        strong = right[known] >= self._highest / 2
        self._strong += np.bincount(level[strong], minlength=_LEVELS)
        self._weak += np.bincount(level[~strong], minlength=_LEVELS)

    def result(self) -> dict[str, float]:
        """Return the numbers named in the class docstring; no `ap` if no true response is strong."""
        if not self._error:
            return {}
        found = {"l1": self._error.value}
        if self._strong.sum():
            found["ap"] = average_precision(self._strong, self._weak)
        return found


def average_precision(right: NDArray[np.integer], wrong: NDArray[np.integer]) -> float:
    """Compute the area under the precision-recall curve as a sum of steps.

    Args:
        right: (levels,), number of positives with each score, lowest score first.
        wrong: (levels,), number of negatives with each score.
    """
    found = np.cumsum(right[::-1])
    given = found + np.cumsum(wrong[::-1])
    precision = found / np.maximum(given, 1)
    recall = np.diff(found, prepend=0) / found[-1]
    return float(np.sum(precision * recall))


class PictureMeasure:
    """Pictures: mean absolute error `l1`, and `psnr` in dB, averaged over images; values are in [0, 1]."""

    def __init__(self) -> None:
        self._error = Mean()
        self._ratio = Mean()

    def add(self, predicted: FloatArray, truth: FloatArray) -> None:
        """Add a prediction: sRGB (H, W, 3) each."""
        difference = predicted.astype(np.float64) - truth
        squared = float(np.nanmean(np.square(difference)))
        self._error.add(float(np.nanmean(np.abs(difference))))
        self._ratio.add(-10 * math.log10(max(squared, 1e-10)))

    def result(self) -> dict[str, float]:
        """Return the numbers named in the class docstring."""
        return {"l1": self._error.value, "psnr": self._ratio.value} if self._error else {}


class DifferenceMeasure:
    """Mean absolute error `l1` in the task's unit, over all numbers of all images."""

    def __init__(self) -> None:
        self._error = Mean()

    def add(self, predicted: FloatArray, truth: FloatArray) -> None:
        """Add a prediction: arrays of one shape."""
        self._error.add(np.abs(predicted.astype(np.float64) - truth))

    def result(self) -> dict[str, float]:
        """Return the numbers named in the class docstring."""
        return {"l1": self._error.value} if self._error else {}
