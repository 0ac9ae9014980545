"""Facts about rows of solids, found by brute force: boxes that touch, and the depth of their overlap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from training.rooms.scene import Primitives

Numbers = NDArray[np.float64]


def gaps(one: Primitives, two: Primitives) -> Numbers:
    """Greatest distance between the boxes of two sets along any of the 15 separating axes.

    Returns:
        float64 (N, M): positive metres where boxes are apart (at least so far), negative where they overlap.
    """
    a, b = one.axes.astype(np.float64), two.axes.astype(np.float64)
    ha, hb = one.half.astype(np.float64), two.half.astype(np.float64)
    between = two.centre[None].astype(np.float64) - one.centre[:, None]
    cross = np.cross(a.transpose(0, 2, 1)[:, None, :, None], b.transpose(0, 2, 1)[None, :, None, :])
    shape = (len(a), len(b), 9, 3)
    cross = cross.reshape(shape)
    length = np.linalg.norm(cross, axis=-1, keepdims=True)
    cross = np.where(length > 1e-6, cross / np.maximum(length, 1e-6), 0.0)
    first = np.broadcast_to(a.transpose(0, 2, 1)[:, None], (*shape[:2], 3, 3))
    second = np.broadcast_to(b.transpose(0, 2, 1)[None], (*shape[:2], 3, 3))
    ways = np.concatenate([first, second, cross], axis=2)
    apart = np.abs(np.einsum("nmkx,nmx->nmk", ways, between))
    reach = np.einsum("nmki,ni->nmk", np.abs(np.einsum("nmkx,nxi->nmki", ways, a)), ha)
    reach += np.einsum("nmki,mi->nmk", np.abs(np.einsum("nmkx,mxi->nmki", ways, b)), hb)
    real = np.linalg.norm(ways, axis=-1) > 0.5
    greatest: Numbers = np.where(real, apart - reach, -np.inf).max(-1)
    return greatest


def chosen(solids: Primitives, rows: NDArray[np.bool_]) -> Primitives:
    """Some of the rows."""
    return Primitives(**{name: getattr(solids, name)[rows] for name in Primitives.__slots__})


def reached(touch: NDArray[np.bool_], start: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the solids that are connected with the first ones through solids that touch."""
    known = start.copy()
    while True:
        more = known | touch[known].any(0)
        if (more == known).all():
            return known
        known = more


def entries(origins: Numbers, ways: Numbers, solids: Primitives) -> Numbers:
    """Distances at which rays (R, 3) enter the boxes around solids; infinity for none; float64 (R,)."""
    axes, half = solids.axes.astype(np.float64), solids.half.astype(np.float64)
    start = np.einsum("rnx,nxi->rni", origins[:, None] - solids.centre[None].astype(np.float64), axes)
    way = np.einsum("rx,nxi->rni", ways, axes)
    way = np.where(np.abs(way) < 1e-12, 1e-12, way)
    one, two = (-half - start) / way, (half - start) / way
    near, far = np.minimum(one, two).max(-1), np.maximum(one, two).min(-1)
    hit = (near <= far) & (near > 0)
    distances: Numbers = np.where(hit, near, np.inf).min(1)
    return distances
