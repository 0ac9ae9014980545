"""Measures of predictions that are a few numbers: classes, poses, rooms, matches, orders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from taskbank.geometry import box_corners, rotation
from taskbank.scoring.metrics import class_metrics
from training.stages.evaluation.maps import angle_between, average_precision
from training.stages.evaluation.measures import FloatArray, Mean

_LEVELS = 1000


class ClassMeasure:
    """Share of images whose true class is the likeliest (`top1`) or among the five likeliest (`top5`)."""

    def __init__(self) -> None:
        self._first = Mean()
        self._among = Mean()

    def add(self, predicted: FloatArray, truth: NDArray[np.integer]) -> None:
        """Add a prediction: probabilities (C,) and a class number ()."""
        found = class_metrics(predicted, int(truth))
        self._first.add(found["top1"])
        self._among.add(found["top5"])

    def result(self) -> dict[str, float]:
        """Return the numbers named in the class docstring."""
        return {"top1": self._first.value, "top5": self._among.value} if self._first else {}


class PoseMeasure:
    """Errors of relative poses: `rotation` in degrees and `translation` in metres, means and medians."""

    def __init__(self) -> None:
        self._turns: list[float] = []
        self._shifts: list[float] = []

    def add(self, predicted: FloatArray, truth: FloatArray) -> None:
        """Add a prediction: three angles in rad and three metres, (6,) or (P, 6)."""
        for given, right in zip(predicted.reshape(-1, 6), truth.reshape(-1, 6), strict=True):
            self._turns.append(turn_between(given[:3], right[:3]))
            self._shifts.append(float(np.linalg.norm(given[3:] - right[3:])))

    def result(self) -> dict[str, float]:
        """Return the numbers named in the class docstring."""
        if not self._turns:
            return {}
        return {
            "rotation": float(np.mean(self._turns)),
            "rotation_median": float(np.median(self._turns)),
            "translation": float(np.mean(self._shifts)),
            "translation_median": float(np.median(self._shifts)),
        }


def turn_between(first: FloatArray, second: FloatArray) -> float:
    """Compute the angle in degrees between two orientations, each three Euler angles in rad."""
    between = rotation(first).T @ rotation(second)
    skew = between - between.T
    sine = np.linalg.norm([skew[2, 1], skew[0, 2], skew[1, 0]])
    return float(np.degrees(np.arctan2(sine, np.trace(between) - 1)))


class LayoutMeasure:
    """Errors of rooms: `corners`, the mean distance of the box's corners in metres, and `edges` in metres."""

    def __init__(self) -> None:
        self._corners = Mean()
        self._edges = Mean()

    def add(self, predicted: FloatArray, truth: FloatArray) -> None:
        """Add a prediction: layouts (9,), see `taskbank.geometry.box_corners`."""
        self._corners.add(np.linalg.norm(box_corners(predicted) - box_corners(truth), axis=1))
        self._edges.add(np.abs(predicted[6:] - truth[6:]))

    def result(self) -> dict[str, float]:
        """Return the numbers named in the class docstring."""
        return {"corners": self._corners.value, "edges": self._edges.value} if self._corners else {}


class DirectionMeasure:
    """Mean angle in degrees between predicted and true directions."""

    def __init__(self) -> None:
        self._angles = Mean()

    def add(self, predicted: FloatArray, truth: FloatArray) -> None:
        """Add a prediction: unit vectors (3, 3), one per row."""
        self._angles.add(angle_between(predicted, truth))

    def result(self) -> dict[str, float]:
        """Return the numbers named in the class docstring."""
        return {"angle": self._angles.value} if self._angles else {}


class MatchMeasure:
    """Share of pairs that are classified correctly, `accuracy`, and average precision of matches, `ap`."""

    def __init__(self) -> None:
        self._right = Mean()
        self._matches = np.zeros(_LEVELS, dtype=np.int64)
        self._others = np.zeros(_LEVELS, dtype=np.int64)

    def add(self, predicted: FloatArray, truth: NDArray[np.integer]) -> None:
        """Add a prediction: a probability (), and 1 for a match or 0 for none."""
        self._right.add(float((predicted > 0.5) == bool(truth)))
        counts = self._matches if truth else self._others
        counts[min(int(predicted * _LEVELS), _LEVELS - 1)] += 1

    def result(self) -> dict[str, float]:
        """Return the numbers named in the class docstring."""
        if not self._right:
            return {}
        found = {"accuracy": self._right.value}
        if self._matches.sum():
            found["ap"] = average_precision(self._matches, self._others)
        return found


class OrderMeasure:
    """Share of fully correct tile orders, `accuracy`, and of correctly placed tiles, `tiles`."""

    def __init__(self) -> None:
        self._orders = Mean()
        self._tiles = Mean()

    def add(self, predicted: NDArray[np.integer], truth: NDArray[np.integer]) -> None:
        """Add a prediction: orders (9,)."""
        same = predicted == truth
        self._orders.add(float(same.all()))
        self._tiles.add(same.astype(np.float64))

    def result(self) -> dict[str, float]:
        """Return the numbers named in the class docstring."""
        return {"accuracy": self._orders.value, "tiles": self._tiles.value} if self._orders else {}


class SegmentMeasure:
    """Embeddings: separation of pixels of one segment from others by distance.

    Gives `ap`, the average precision of finding pairs of one segment among pairs of pixels of an image, with
    the nearness of their vectors as the score. Pairs are drawn from the seed.

    Args:
        pairs: number of pairs per image.
        seed: seed for drawing pairs.
    """

    def __init__(self, pairs: int = 2000, seed: int = 0) -> None:
        self._pairs = pairs
        self._rng = np.random.default_rng(seed)
        self._same = np.zeros(_LEVELS, dtype=np.int64)
        self._other = np.zeros(_LEVELS, dtype=np.int64)

    def add(self, predicted: FloatArray, truth: NDArray[np.integer]) -> None:
        """Add a prediction: vectors (H, W, C), and numbers of segments (H, W), below 0 where unknown."""
        vectors = predicted.reshape(-1, predicted.shape[-1])
        one, other = self._rng.integers(len(vectors), size=(2, self._pairs))
        distance = ((vectors[one] - vectors[other]).astype(np.float64) ** 2).sum(1)
        level = (np.exp(-distance) * (_LEVELS - 1)).astype(np.int64)
        segments = truth.ravel()
        same, known = segments[one] == segments[other], np.minimum(segments[one], segments[other]) >= 0
        self._same += np.bincount(level[same & known], minlength=_LEVELS)
        self._other += np.bincount(level[~same & known], minlength=_LEVELS)

    def result(self) -> dict[str, float]:
        """Return the numbers named in the class docstring."""
        return {"ap": average_precision(self._same, self._other)} if self._same.sum() else {}
