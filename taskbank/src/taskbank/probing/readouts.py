"""Three closed-form estimates of the quality of readouts from features: ridge, nearest neighbours, LogME.

All functions take features (n, d) and targets (n, k) as float64; classes are one-hot.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Candidate ridge penalties, per row of the features."""

NEIGHBOURS = 10


def standardised(learned: FloatArray, *others: FloatArray) -> tuple[FloatArray, ...]:
    """Scale features to mean 0 and variance 1 over the training rows (`learned`); constant ones become 0."""
    mean, std = learned.mean(0), learned.std(0)
    scale = np.where(std > 1e-9 * np.abs(mean).clip(1e-300), std, np.inf)
    return tuple((rows - mean) / scale for rows in (learned, *others))


def ridge(
    features: FloatArray, targets: FloatArray, others: FloatArray, penalties: tuple[float, ...] = PENALTIES
) -> list[FloatArray]:
    """Predict by ridge regression (Hoerl and Kennard, Technometrics 12, 1970), once for each penalty.

    Args:
        features: (n, d) that are learned from, standardised.
        targets: (n, k) of them.
        others: (m, d) that are predicted.
        penalties: times the number of rows, added to the diagonal.

    Returns:
        (m, k) for each penalty.
    """
    mean = targets.mean(0)
    rows, columns = features.shape
    if columns <= rows:
        values, vectors = np.linalg.eigh(features.T @ features)
        turned, mixed = others @ vectors, vectors.T @ (features.T @ (targets - mean))
    else:  # fewer rows than features: the dual form, with products of rows
        values, vectors = np.linalg.eigh(features @ features.T)
        turned, mixed = (others @ features.T) @ vectors, vectors.T @ (targets - mean)
    return [mean + turned @ (mixed / (values.clip(0) + size * rows)[:, None]) for size in penalties]


def nearest_neighbours(
    features: FloatArray, targets: FloatArray, others: FloatArray, count: int = NEIGHBOURS
) -> FloatArray:
    """Predict by the mean of the nearest neighbours by cosine (Cover and Hart, IEEE Trans. IT 13, 1967).

    Args:
        features: (n, d) that are learned from, standardised.
        targets: (n, k) of them.
        others: (m, d) that are predicted.
        count: of neighbours.

    Returns:
        (m, k); for one-hot targets, the shares of the classes among the neighbours.
    """
    count = min(count, len(features))
    known, asked = (
        rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-12) for rows in (features, others)
    )
    predicted = np.empty((len(others), targets.shape[1]))
    for start in range(0, len(others), 512):
        near = np.argpartition(-(asked[start : start + 512] @ known.T), count - 1, axis=1)[:, :count]
        predicted[start : start + 512] = targets[near].mean(1)
    return predicted


def log_evidence(features: FloatArray, targets: FloatArray) -> float:
    """Estimate transferability by LogME (You et al., ICML 2021, arXiv:2102.11005).

    LogME is the logarithm of the evidence of a Bayesian linear model, per row and column of the targets, with
    the precisions of weights and noise that maximise it. The authors find these by MacKay's fixed-point
    iteration, which may stop early; here their ratio is found by a grid search, and the noise follows in
    closed form. The mean of each column is fitted too, which reduces the number of rows by one.

    Args:
        features: (n, d), standardised.
        targets: (n, k).

    Returns:
        the mean over columns; higher is better. Comparable among sources of one target only.
    """
    rows = len(features) - 1
    centred = targets - targets.mean(0)
    if rows < features.shape[1]:
        values, vectors = np.linalg.eigh(features @ features.T)
        power = (vectors.T @ centred) ** 2
    else:
        values, vectors = np.linalg.eigh(features.T @ features)
        power = (vectors.T @ (features.T @ centred)) ** 2 / values.clip(1e-9)[:, None]
    kept = values > 1e-9 * max(float(values.max()), 1e-300)
    values, power = values[kept], power[kept]
    rest = ((centred**2).sum(0) - power.sum(0)).clip(0)
    best = np.full(targets.shape[1], -np.inf)
    for ratio in np.geomspace(1e-6, 1e6, 241) * (values.mean() if kept.any() else 1):
        noise = (rest + (power * (ratio / (values + ratio))[:, None]).sum(0)) / rows
        spread = np.log1p(values / ratio).sum() / rows
        best = np.maximum(best, -(np.log(2 * math.pi * noise.clip(1e-12)) + 1 + spread) / 2)
    return float(best.mean())


def rank_correlation(first: FloatArray, second: FloatArray) -> float:
    """Compute Spearman's rank correlation; NaN for fewer than three values, or if one side is constant."""
    if len(first) < 3:
        return math.nan
    ranks = []
    for values in (first, second):
        _, place, times = np.unique(values, return_inverse=True, return_counts=True)
        middles: FloatArray = np.asarray(np.cumsum(times) - (times - 1) / 2)
        ranks.append(middles[place])
    if any(np.ptp(rank) == 0 for rank in ranks):
        return math.nan
    table: FloatArray = np.asarray(np.corrcoef(ranks))
    return float(table[0, 1])
