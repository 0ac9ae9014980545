"""Standard metrics of single images, by kind of output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from taskbank.tasks.kinds import OutputKind

Array = NDArray[np.float64]

HIGHER = frozenset(
    {"within_11.25", "within_22.5", "within_30", "delta_1", "accuracy", "miou", "top1", "top5"}
)
"""Metrics for which higher is better; for all others lower is better."""

NEAREST = 1e-3
"""Least depth in metres: nearer labels are unknown, and nearer predictions are clipped to it."""

_LEAST = 2  # least number of pixels for the fit of a line


def first_metric(kinds: Sequence[OutputKind]) -> str:
    """Return the metric by which banks are compared.

    Args:
        kinds: of each bank's predictions for one target: depth in metres and relative depth are comparable
            only after alignment.
    """
    if OutputKind.INVERSE_DEPTH in kinds:
        return "abs_rel_aligned"
    return {
        OutputKind.DEPTH: "abs_rel",
        OutputKind.NORMALS: "mean_angle",
        OutputKind.SEMANTIC_MAP: "accuracy",
        OutputKind.CLASSES: "top1",
    }.get(kinds[0], "mae")


def depth_metrics(predicted: Array, metres: Array) -> dict[str, float]:
    """Compute errors of depth in metres (N,) (Eigen et al., 2014, section 4).

    `abs_rel` is the mean of |p - d| / d, `rmse` in metres, `delta_1` the share with a ratio below 1.25,
    `abs_rel_scaled` is `abs_rel` after division by the ratio of medians; see also `aligned_metrics`.
    """
    near = np.maximum(predicted, NEAREST)
    scaled = near * np.median(metres) / np.median(near)
    return {
        **depth_errors(near, metres),
        "abs_rel_scaled": depth_errors(scaled, metres)["abs_rel"],
        **aligned_metrics(1 / near, metres),
    }


def depth_errors(predicted: NDArray[np.floating], metres: NDArray[np.floating]) -> dict[str, float]:
    """Compute `abs_rel`, `rmse` and `delta_1` of positive depth in metres (N,), as it is."""
    ratio = np.maximum(predicted / metres, metres / predicted)
    return {
        "abs_rel": float(np.mean(np.abs(predicted - metres) / metres)),
        "rmse": float(np.sqrt(np.mean((predicted - metres) ** 2))),
        "delta_1": float(np.mean(ratio < 1.25)),
    }


def aligned_metrics(inverse: Array, metres: Array) -> dict[str, float]:
    """Compute the error of relative inverse depth (N,), after the scale and shift that best fit 1 / depth.

    `abs_rel_aligned` is the mean of |p - d| / d (Ranftl et al., 2022, section 5).
    """
    if len(metres) < _LEAST or np.ptp(inverse) == 0:
        fitted = np.full_like(metres, np.mean(1 / metres))
    else:
        table = np.stack([inverse, np.ones_like(inverse)], 1)
        fitted = table @ np.linalg.lstsq(table, 1 / metres, rcond=None)[0]
    # Depths beyond the farthest label, including negative ones, are clipped to it.
    distance = 1 / np.maximum(fitted, 1 / metres.max())
    return {"abs_rel_aligned": float(np.mean(np.abs(distance - metres) / metres))}


def normal_metrics(predicted: Array, normals: Array) -> dict[str, float]:
    """Compute angles between unit vectors (N, 3) in degrees: mean, median, shares up to 11.25, 22.5, 30."""
    # By sine and cosine, as an arc cosine alone is inaccurate for nearly equal vectors.
    sine = np.linalg.norm(np.cross(predicted, normals), axis=-1)
    angles = np.degrees(np.arctan2(sine, (predicted * normals).sum(-1)))
    return {
        "mean_angle": float(angles.mean()),
        "median_angle": float(np.median(angles)),
        **{f"within_{limit:g}": float(np.mean(angles < limit)) for limit in (11.25, 22.5, 30)},
    }


def label_metrics(predicted: NDArray[np.int64], labels: NDArray[np.int64]) -> dict[str, float]:
    """Compute the share of pixels (N,) with the right label."""
    return {"accuracy": float(np.mean(predicted == labels))}


def miou(confusion: NDArray[np.int64]) -> float:
    """Compute the mean intersection over union of the classes that occur in the labels.

    Args:
        confusion: int64 (C, C), number of pixels by label and prediction, over all images.
    """
    both = np.diag(confusion)
    union = confusion.sum(0) + confusion.sum(1) - both
    occurs = confusion.sum(1) > 0
    return float(np.mean(both[occurs] / union[occurs]))


def class_metrics(probabilities: NDArray[np.floating], number: int) -> dict[str, float]:
    """Return 1 if the class of an image is the likeliest, or one of the five likeliest, else 0."""
    # Ties take the first class, as `argmax` does, so that equal probabilities are not always correct.
    order = np.argsort(-probabilities, kind="stable")
    return {"top1": float(order[0] == number), "top5": float(number in order[:5])}


def value_metrics(predicted: Array, values: Array) -> dict[str, float]:
    """Compute the mean absolute error and the root mean square error over values (N, C), in their unit."""
    difference = predicted - values
    return {
        "mae": float(np.mean(np.abs(difference))),
        "rmse": float(np.sqrt(np.mean(difference**2))),
    }


def mean_metrics(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Average metrics over images."""
    return {name: float(np.mean([row[name] for row in rows])) for name in (rows[0] if rows else ())}
