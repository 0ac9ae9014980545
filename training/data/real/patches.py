"""Flat patches: pixels of one plane, for labels that use differences of neighbours.

Depth cameras measure in steps of centimetres. Differences of neighbouring pixels show these steps, and
windows that smooth them round off every fold. Two passes find planes without either fault:

1. A plane is fitted to each window of lattices with four window sizes. A pixel takes the plane of the widest
   window around it that fits and passes through the pixel's own point. Windows on both sides of a fold are
   tried, so the fold stays sharp (as in the filter of Kuwahara et al., 1976).
2. Neighbouring patches are joined, best first, as long as one plane fits the points of both.

A curved surface becomes several patches.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from operator import add, mul
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from skimage.measure import label

from training.data.real.camera import Intrinsics
from training.data.real.planes import LEAST_FACING, MOMENTS, least_axis, window_of

Numbers = NDArray[np.float64]

JOINED_FIT, LEAST_JOINED = 0.006, 0.01
"""Largest residual of joined patches: share of the depth, and lower limit in metres."""

_SIDES = (8, 4, 2, 1)  # sides of windows, in units of `window_of`, widest first
_FIT, _LEAST_FIT = 0.004, 0.006  # largest residual of a window's plane: share of depth, and floor in metres
_NARROW_FIT = 0.006  # largest residual of the narrowest windows, as in `fit_planes`
_OFF = 2.0  # largest distance of a pixel's point from its plane, in residuals
_STRAY, _LEAST_STRAY = 0.03, 0.06  # share of the depth, metres
_SAME = math.cos(math.radians(20))  # patches whose planes differ more are not joined
_BETTER = 1e-4  # least relative improvement, so that rounding does not choose among windows
_SPECK = 6  # px; smaller pieces are noise
_VAGUE = 60  # px; the normals of smaller patches are not reliable


@dataclass(frozen=True, slots=True, kw_only=True)
class Patches:
    """Flat patches of a frame, OpenCV camera frame.

    Attributes:
        number: int64 (H, W), the patch of each pixel, 0 for none.
        normals: float64 (N, 3), unit vectors that face the camera; the first is that of number 0, zeros.
        offsets: float64 (N,), negative: points p of a patch have normal . p = offset, in metres.
        areas: float64 (N,), square metres.
    """

    number: NDArray[np.int64]
    normals: Numbers
    offsets: Numbers
    areas: Numbers


def fit_patches(depth: NDArray[np.float32], intrinsics: Intrinsics) -> Patches:
    """Find the flat patches of a frame.

    Args:
        depth: float32 (H, W), metres along the optical axis, NaN where unknown.
        intrinsics: intrinsics of the camera.
    """
    rays = intrinsics.rays(*depth.shape).numpy()
    known = np.isfinite(depth)
    points = rays * np.where(known, depth, 0)
    sums = np.stack([known.astype(np.float64), *points, *(points[i] * points[j] for i, j in MOMENTS)])
    first = _windows(sums, points, rays, known)
    pieces = label(first, background=0, connectivity=1)  # type: ignore[no-untyped-call] # scikit-image
    # Specks of a few pixels join the nearest piece, but do not change its plane.
    speck = (np.bincount(pieces.ravel()) < _SPECK)[pieces] & (pieces > 0)
    if not (speck | (pieces == 0)).all():
        nearest = distance_transform_edt(speck | (pieces == 0), return_distances=False, return_indices=True)
        pieces = np.where(speck, pieces[tuple(nearest)], pieces)
    pieces = np.unique(np.append(0, pieces), return_inverse=True)[1]
    number, totals = _joined(pieces[1:].reshape(first.shape), sums * ~speck)
    planes = [(np.zeros(3), -1.0), *(_plane(total)[1:3] for total in totals[1:])]
    normals, offsets = np.stack([one for one, _ in planes]), np.array([other for _, other in planes])
    # Remove pixels that are far from the plane of their patch.
    facing = -(normals[number] * rays.transpose(1, 2, 0)).sum(-1)
    off = np.abs(-offsets[number] / facing.clip(1e-6) - points[2])
    number = np.where(off < np.maximum(_STRAY * points[2], _LEAST_STRAY), number, 0)
    # The surface area of a pixel is its area divided by the cosine between ray and normal.
    areas = points[2] ** 2 / (intrinsics.fx * intrinsics.fy) / facing.clip(LEAST_FACING)
    return Patches(
        number=number,
        normals=normals,
        offsets=offsets,
        areas=np.bincount(number.ravel(), np.where(number > 0, areas, 0.0).ravel(), len(normals)).astype(
            float
        ),
    )


def _windows(sums: Numbers, points: Numbers, rays: Numbers, known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Assign each pixel the plane of a window: numbers from 1, 0 for none."""
    height, width = known.shape
    side = window_of(known.shape)
    integral = np.zeros((len(sums), height + 1, width + 1))
    integral[:, 1:, 1:] = sums.cumsum(1).cumsum(2)
    taken = np.zeros((height, width), np.int64)
    lines = np.sqrt((rays**2).sum(0))
    begun = 1
    for times in _SIDES:
        window = times * side
        half, step = window // 2, max(1, window // 4)
        middles = np.arange(0, height + step, step), np.arange(0, width + step, step)
        (top, bottom), (left, right) = (
            ((at - half).clip(0, end), (at + half + 1).clip(0, end))
            for at, end in zip(middles, (height, width), strict=True)
        )
        within = integral[:, bottom] - integral[:, top]
        total = within[:, :, right] - within[:, :, left]
        count = total[0].clip(1)
        mean = total[1:4] / count
        spread = total[4:] / count - np.stack([mean[i] * mean[j] for i, j in MOMENTS])
        least, vectors = (found.numpy() for found in least_axis(torch.from_numpy(spread)))
        offsets = (vectors * mean).sum(0)
        normals, offsets = np.where(offsets > 0, -vectors, vectors), -np.abs(offsets)
        area = (bottom - top)[:, None] * (right - left)
        allowed = np.maximum(_FIT * mean[2], _LEAST_FIT) if times > 1 else _NARROW_FIT * mean[2]
        # Windows need nine tenths of their pixels where depth has holes, and half of them at the border.
        whole = (total[0] > 0.9 * area) & (2 * area >= min(window**2, height * width))
        misfit = np.sqrt(least.clip(0)) / allowed.clip(1e-9)
        misfit = np.where(whole & (misfit < 1), misfit, np.inf)

        row, column = np.nonzero(known & (taken == 0))
        here, ray = points[:, row, column].astype(np.float32), rays[:, row, column].astype(np.float32)
        planes = np.concatenate([normals, offsets[None], misfit[None], allowed[None]]).astype(np.float32)
        planes = planes.reshape(6, -1)
        nearest = np.rint(row / step).astype(int), np.rint(column / step).astype(int)
        best = np.full(len(row), np.inf, np.float32)
        chosen = np.zeros(len(row), np.int64)
        for down in (-2, 0, 2):
            for across in (-2, 0, 2):
                at, along = nearest[0] + down, nearest[1] + across
                inside = (at >= 0) & (at < len(middles[0])) & (along >= 0) & (along < len(middles[1]))
                window_number = np.where(inside, at * len(middles[1]) + along, 0)
                *normal, offset, poor, residual = planes[:, window_number]
                off = np.abs(sum(n * p for n, p in zip(normal, here, strict=True)) - offset) / residual
                facing = -sum(n * r for n, r in zip(normal, ray, strict=True)) / lines[row, column]
                fits = inside & (off < _OFF) & (facing > LEAST_FACING)
                cost = np.where(fits, poor**2 + (off / _OFF) ** 2, np.inf)
                better = cost < best - _BETTER
                best[better], chosen[better] = cost[better], window_number[better]
        found = np.isfinite(best)
        taken[row[found], column[found]] = begun + chosen[found]
        begun += planes.shape[1]
    return taken


def _joined(pieces: NDArray[Any], sums: Numbers) -> tuple[NDArray[np.int64], Numbers]:
    """Join pieces (H, W) to patches, numbered from 1; also return the sums of their moments (N, 10)."""
    count = int(pieces.max()) + 1
    totals = np.stack([np.bincount(pieces.ravel(), one.ravel(), count) for one in sums], axis=1)
    neighbours = _neighbours(pieces, count)
    # Uses Python numbers, as arrays are slow for single pairs.
    normals = [tuple(_plane(total)[1]) for total in totals]
    sizes = totals.tolist()
    age, parent = [0] * count, list(range(count))
    queue: list[tuple[float, int, int, int, int]] = []

    def offer(i: int, j: int) -> None:
        """Queue the joining of two patches if one plane would do."""
        one, other = sizes[i], sizes[j]
        if min(one[0], other[0]) > _VAGUE and sum(map(mul, normals[i], normals[j])) < _SAME:
            return
        residual, depth = _residual([*map(add, one, other)])
        residual /= max(JOINED_FIT * depth, LEAST_JOINED)
        if residual < 1:
            heapq.heappush(queue, (residual, i, j, age[i], age[j]))

    for i in range(1, count):
        for j in neighbours[i]:
            if j > i:
                offer(i, j)
    while queue:
        _, i, j, age_i, age_j = heapq.heappop(queue)
        if age[i] != age_i or age[j] != age_j:  # one of them has changed or was joined since
            continue
        sizes[i] = [*map(add, sizes[i], sizes[j])]
        parent[j], age[i], age[j] = i, age[i] + 1, -1
        normals[i] = tuple(_plane(np.array(sizes[i]))[1])
        for k in neighbours[j]:
            neighbours[k].discard(j)
            if k != i:
                neighbours[k].add(i)
                neighbours[i].add(k)
        for k in neighbours[i]:
            offer(i, k)
    for i in range(count):
        while parent[parent[i]] != parent[i]:
            parent[i] = parent[parent[i]]
    left, number = np.unique(np.array([0, *parent[1:]])[pieces], return_inverse=True)
    if left[0] != 0:
        left, number = np.concatenate([[0], left]), number + 1
    return number.reshape(pieces.shape).astype(np.int64), np.array(sizes)[left]


def _residual(total: list[float]) -> tuple[float, float]:
    """Compute the residual in metres of the plane through points, and their mean depth, from sums of moments.

    The least eigenvalue of the 3 x 3 matrix is computed as in `planes.least_axis`.
    """
    count, x, y, z, *products = total
    x, y, z = x / count, y / count, z / count
    xx, yy, zz, xy, xz, yz = (product / count for product in products)
    xx, yy, zz, xy, xz, yz = xx - x * x, yy - y * y, zz - z * z, xy - x * y, xz - x * z, yz - y * z
    middle = (xx + yy + zz) / 3
    a, b, c = xx - middle, yy - middle, zz - middle
    size = math.sqrt((a * a + b * b + c * c + 2 * (xy * xy + xz * xz + yz * yz)) / 6)
    if size == 0:
        return 0.0, z
    determinant = a * (b * c - yz * yz) - xy * (xy * c - yz * xz) + xz * (xy * yz - b * xz)
    angle = math.acos(min(1.0, max(-1.0, determinant / (2 * size**3)))) / 3
    return math.sqrt(max(0.0, middle + 2 * size * math.cos(angle + 2 * math.pi / 3))), z


def _neighbours(pieces: NDArray[Any], count: int) -> list[set[int]]:
    """Numbers of the pieces beside each piece; 0 is none."""
    found: list[set[int]] = [set() for _ in range(count)]
    for one, other in ((pieces[:, :-1], pieces[:, 1:]), (pieces[:-1], pieces[1:])):
        apart = (one != other) & (one > 0) & (other > 0)
        for i, j in np.unique(np.stack([one[apart], other[apart]], axis=1), axis=0).tolist():
            found[i].add(j)
            found[j].add(i)
    return found


def _plane(total: Numbers) -> tuple[float, Numbers, float]:
    """Residual in metres, unit normal towards the camera, and offset, from sums of moments (10,)."""
    count = max(total[0], 1)
    mean = total[1:4] / count
    xx, yy, zz, xy, xz, yz = total[4:] / count - np.array([mean[i] * mean[j] for i, j in MOMENTS])
    spread, axes = np.linalg.eigh(np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]))
    offset = float(axes[:, 0] @ mean)
    normal = -axes[:, 0] if offset > 0 else axes[:, 0]
    return math.sqrt(max(spread[0], 0)), normal, -abs(offset)
