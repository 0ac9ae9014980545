"""Normalised cuts of region graphs (Shi and Malik, 2000), with dense matrices and deterministic.

The results equal those of `skimage.graph.cut_normalized`, which takes seconds per picture because it computes
a hundred eigenvectors for each cut and uses one. Imports only NumPy and SciPy, so that process pools start
quickly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Weights = NDArray[np.float64]
Labels = NDArray[np.int64]

_SIGMA = 255.0  # scale of squared colour differences, as in scikit-image


def similarity_graph(regions: Labels, features: NDArray[np.floating]) -> Weights:
    """Compute the similarity of neighbouring regions: exp(-d^2 / 255) for mean features that differ by d.

    Args:
        regions: int (H, W), 0 to N - 1, each present.
        features: float (H, W, C), on the scale of colours, 0 to 255.

    Returns:
        float64 (N, N), symmetric, 0 for regions that do not touch (corners count), 0 on the diagonal.
    """
    count = int(regions.max()) + 1
    flat = regions.ravel()
    sizes = np.bincount(flat, minlength=count)
    channels = features.reshape(-1, features.shape[-1]).T
    means = np.stack([np.bincount(flat, channel, count) / sizes for channel in channels], axis=1)
    pairs = [  # pixels side by side, including diagonal ones
        (regions[:, :-1], regions[:, 1:]),
        (regions[:-1], regions[1:]),
        (regions[:-1, :-1], regions[1:, 1:]),
        (regions[:-1, 1:], regions[1:, :-1]),
    ]
    codes = np.concatenate([(first * count + second)[first != second].ravel() for first, second in pairs])
    one, other = np.divmod(np.unique(codes), count)
    weights = np.zeros((count, count))
    weights[one, other] = np.exp(-np.square(means[one] - means[other]).sum(-1) / _SIGMA)
    return np.maximum(weights, weights.T)


def join_smooth(regions: Labels, features: NDArray[np.floating], *, step: float) -> Labels:
    """Join neighbouring regions whose features continue smoothly across the border, as on curved surfaces.

    A border is smooth at a pixel if features change across it by less than `step`, and by no more than twice
    the change to the next pixel on either side; at least half of a border's pixels must be smooth.

    Args:
        regions: int (H, W), 0 to N - 1, each present.
        features: float (H, W, C).
        step: largest change across a smooth border, in units of the features.

    Returns:
        int64 (H, W), numbered without gaps.
    """
    count = int(regions.max()) + 1
    codes, smooth = [], []
    # Pixels that are neighbours in a row; columns are processed as rows of the transposed arrays.
    for turned, values in ((regions, features), (regions.T, features.swapaxes(0, 1))):
        here = np.linalg.norm(np.diff(values, axis=1), axis=-1)
        before = np.pad(here, ((0, 0), (1, 0)))[:, :-1]
        behind = np.pad(here, ((0, 0), (0, 1)))[:, 1:]
        left, right = turned[:, :-1], turned[:, 1:]
        apart = left != right
        codes.append((np.minimum(left, right) * count + np.maximum(left, right))[apart])
        smooth.append(((here < step) & (here <= 2 * np.maximum(before, behind) + 1e-6))[apart])
    found, inverse = np.unique(np.concatenate(codes), return_inverse=True)
    share = np.bincount(inverse, np.concatenate(smooth).astype(np.float64)) / np.bincount(inverse)
    one, other = np.divmod(found[share >= 0.5], count)
    links = csr_array((np.ones(len(one)), (one, other)), shape=(count, count))
    return connected_components(links, directed=False)[1].astype(np.int64)[regions]


def cut_normalised(weights: Weights, *, threshold: float, steps: int, own: float) -> Labels:
    """Cut a graph in two, and its parts recursively, while the normalised cut costs less than `threshold`.

    Args:
        weights: float64 (N, N), see `similarity_graph`.
        threshold: cost below which a part is cut.
        steps: number of cuts tried along the second eigenvector.
        own: weight of each node to itself, equal to that of identical regions.

    Returns:
        int64 (N,): the part of each node, numbered from 0.
    """
    whole = weights + own * np.eye(len(weights))
    parts = np.zeros(len(weights), dtype=np.int64)
    # Begin with groups of nodes whose connecting edges are so weak that cutting all of them costs little.
    negligible = threshold * whole[0, 0] / 2 / max(np.count_nonzero(whole), 1)
    count, group = connected_components(csr_array(whole > negligible), directed=False)
    waiting = [np.flatnonzero(group == number) for number in range(count)]
    done = 0
    while waiting:
        nodes = waiting.pop()
        within = whole[np.ix_(nodes, nodes)]
        side, cost = _cheapest(within, steps)
        if cost < threshold:
            waiting += [nodes[side], nodes[~side]]
        else:
            parts[nodes] = done
            done += 1
    return parts


def _cheapest(weights: Weights, steps: int) -> tuple[NDArray[np.bool_], float]:
    """Find the cheapest cut along the second eigenvector of the normalised Laplacian; inf without any."""
    degree = weights.sum(1)
    if len(weights) < 2:
        return np.zeros(len(weights), dtype=np.bool_), np.inf
    root = 1 / np.sqrt(degree)
    laplacian = np.eye(len(weights)) - weights * root[:, None] * root
    second = eigh(laplacian, subset_by_index=[1, 1], check_finite=False)[1][:, 0]
    low, high = second.min(), second.max()
    if np.isclose(low, high):
        return np.zeros(len(weights), dtype=np.bool_), np.inf
    sides = second > np.linspace(low, high, steps, endpoint=False)[:, None]
    inside = sides @ degree
    cut = inside - ((sides @ weights) * sides).sum(1)
    cost = cut / inside + cut / (degree.sum() - inside)
    best = int(np.argmin(cost))
    return sides[best], float(cost[best])
