"""Where rays enter the shapes of `scene.Shape`, in the shapes' own frames.

All of them are solid and all but the torus convex. A ray that begins inside a shape does not see it. Vectors
are three tensors, one a component: nothing is summed across a short last dimension, so a ray's numbers are
the same whatever other rays are in its batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from training.data.rooms.scene import Shape

Vector: TypeAlias = tuple[Tensor, Tensor, Tensor]
"""x, y and z, broadcastable."""

NOWHERE = float("inf")
"""The parameter of a ray that does not enter."""

_NEWTON_STEPS = 12
_TORUS_STEPS = 64


ROUND_BOX = len(Shape)
"""Number of the kind of boxes with round edges: a box with detail > 0, which takes longer."""


def entry(kind: int, origin: Vector, direction: Vector, half: Vector, detail: Tensor) -> Tensor:
    """Where rays enter shapes of one kind.

    Args:
        kind: a `Shape`, or `ROUND_BOX`.
        origin: float32 (P, G) or (P, 1), own frame, metres: P shapes, G rays at each.
        direction: float32 (P, G), own frame, any length.
        half: float32 (P, 1).
        detail: float32 (P, 1).

    Returns:
        float32 (P, G): t > 0 with the first common point at origin + t direction, or infinity.
    """
    return _ENTRIES[kind](origin, direction, half, detail)


def _slabs(origin: Vector, direction: Vector, half: Vector) -> tuple[Tensor, Tensor]:
    """Between which parameters a ray is inside a box; the first is not less than the second if never."""
    bounds = []
    for o, d, h in zip(origin, direction, half, strict=True):
        inverse = torch.where(d.abs() < 1e-12, 1e-12, d).reciprocal_()
        middle = inverse * -o
        width = inverse.abs_().mul_(h)
        bounds.append((middle - width, middle.add_(width)))
    (x, to_x), (y, to_y), (z, to_z) = bounds
    return torch.maximum(x, y).maximum(z), torch.minimum(to_x, to_y).minimum(to_z)


def _first(near: Tensor, far: Tensor) -> Tensor:
    """The near end of intervals that are not empty and begin ahead."""
    return torch.where((near < far) & (near > 0), near, NOWHERE)


def _box(origin: Vector, direction: Vector, half: Vector, detail: Tensor) -> Tensor:
    del detail
    return _first(*_slabs(origin, direction, half))


def _box_with_round_edges(origin: Vector, direction: Vector, half: Vector, detail: Tensor) -> Tensor:
    """Where a ray meets the sharp box on the flat part of a face, that is it; elsewhere by steps."""
    near, far = _slabs(origin, direction, half)
    beyond = [
        ((o + near * d).abs() > h - detail).to(torch.int8)
        for o, d, h in zip(origin, direction, half, strict=True)
    ]
    flat = (beyond[0] + beyond[1] + beyond[2] <= 1) & (near > 0)
    edges = (near < far) & (far > 0) & ~flat
    ray = (origin, direction, half, detail)
    return _refined(_rounded_box, ray, _first(near, far), edges, near, far)


def _rounded_box(point: Vector, direction: Vector, half: Vector, radius: Tensor) -> tuple[Tensor, Tensor]:
    """Distance to a rounded box from outside, and its derivative along the ray."""
    beyond = [(p.abs() - (h - radius)).clamp_(min=0) for p, h in zip(point, half, strict=True)]
    length = (beyond[0] ** 2 + beyond[1] ** 2 + beyond[2] ** 2).sqrt_().clamp_(min=1e-12)
    slopes = [b * p.sign() * d for b, p, d in zip(beyond, point, direction, strict=True)]
    return length - radius, (slopes[0] + slopes[1] + slopes[2]) / length


def _cushion(origin: Vector, direction: Vector, half: Vector, detail: Tensor) -> Tensor:
    near, far = _slabs(origin, direction, half)
    nowhere = torch.full_like(near, NOWHERE)
    inside = (near < far) & (far > 0)
    return _refined(_superellipsoid, (origin, direction, half, detail), nowhere, inside, near, far)


def _superellipsoid(
    point: Vector, direction: Vector, half: Vector, exponent: Tensor
) -> tuple[Tensor, Tensor]:
    """The norm of which the cushion is the unit ball, less 1, and its derivative along the ray."""
    scaled = [p.abs() / h for p, h in zip(point, half, strict=True)]
    powers = [s ** (exponent - 1) for s in scaled]
    terms = [w * s for w, s in zip(powers, scaled, strict=True)]
    total = (terms[0] + terms[1] + terms[2]).clamp_(min=1e-12)
    norm = total ** exponent.reciprocal()
    slopes = [w * p.sign() * d / h for w, p, d, h in zip(powers, point, direction, half, strict=True)]
    return norm - 1, (slopes[0] + slopes[1] + slopes[2]) * norm / total


Bulge: TypeAlias = Callable[[Vector, Vector, Vector, Tensor], tuple[Tensor, Tensor]]
"""A function of points that is convex and 0 on a surface, and its derivative along rays."""


Solids: TypeAlias = tuple[Vector, Vector, Vector, Tensor]
"""Origin and direction of rays, half sizes and details of their shapes."""


def _refined(  # noqa: PLR0917 (one call a shape)
    bulge: Bulge, solids: Solids, otherwise: Tensor, where: Tensor, near: Tensor, far: Tensor
) -> Tensor:
    """First zeros by Newton's method from where rays enter the bounding box.

    Along a line a convex function is convex: Newton's steps from before the first zero never pass it.
    """
    chosen = where.nonzero(as_tuple=True)
    pick = _picker(where, chosen)
    o, d, h = (_each(pick, v) for v in solids[:3])
    detail, enters, leaves = pick(solids[3]), pick(near), pick(far)
    t = enters.clamp(min=0)
    value, slope = bulge(_along(o, d, t), d, h, detail)
    outside = (enters > 0) | (value > 0)
    for _ in range(_NEWTON_STEPS):
        t = torch.where((value > 0) & (slope < 0), t - value / slope, t)
        value, slope = bulge(_along(o, d, t), d, h, detail)
    near_enough = 1e-3 * detail if bulge is _rounded_box else 1e-3
    hits = outside & (value < near_enough) & (t < leaves) & (t > 0)
    return otherwise.index_put(chosen, torch.where(hits, t, NOWHERE))


def _ellipsoid(origin: Vector, direction: Vector, half: Vector, detail: Tensor) -> Tensor:
    del detail
    x, y, z = (o / h for o, h in zip(origin, half, strict=True))
    dx, dy, dz = (d / h for d, h in zip(direction, half, strict=True))
    a = dx * dx + dy * dy + dz * dz
    b = x * dx + y * dy + z * dz
    # |d|^2 - |o x d|^2: without the cancellation of b^2 - a c
    across = (y * dz - z * dy) ** 2 + (z * dx - x * dz) ** 2 + (x * dy - y * dx) ** 2
    left = a - across
    root = left.clamp(min=0).sqrt_()
    near = (-b - root) / a
    return torch.where((left > 0) & (near > 0), near, NOWHERE)


def _cylinder(origin: Vector, direction: Vector, half: Vector, detail: Tensor) -> Tensor:
    return _cone(origin, direction, half, torch.ones_like(detail))


def _cone(origin: Vector, direction: Vector, half: Vector, detail: Tensor) -> Tensor:
    """Of x^2 + y^2 <= (m - n z)^2 in halves, between two slabs."""
    x, y, z = (o / h for o, h in zip(origin, half, strict=True))
    dx, dy, dz = (d / h for d, h in zip(direction, half, strict=True))
    level = dz * dz
    dx = torch.where(dx * dx + dy * dy < 1e-10 * level, 1e-5 * dz, dx)
    m, n = (1 + detail) / 2, (1 - detail) / 2
    width, narrowing = m - n * z, n * dz
    a = dx * dx + dy * dy - narrowing * narrowing
    b = x * dx + y * dy + narrowing * width
    c = x * x + y * y - width * width
    left = (dx * width + x * narrowing) ** 2 + (dy * width + y * narrowing) ** 2 - (x * dy - y * dx) ** 2
    root = left.clamp(min=0).sqrt_()
    q = -(b + torch.where(b < 0, -root, root))
    one, two = q / torch.where(a == 0, 1e-20, a), c / torch.where(q == 0, 1e-20, q)
    low, high = torch.minimum(one, two), torch.maximum(one, two)
    inverse = torch.where(dz.abs() < 1e-12, 1e-12, dz).reciprocal_()
    bottom, top = -z * inverse - inverse.abs(), -z * inverse + inverse.abs()
    # where a < 0 the ray is inside before the first and after the second root: one of them in our slabs
    before = bottom <= low
    near = torch.where(
        a > 0, torch.maximum(bottom, low), torch.where(before, bottom, torch.maximum(bottom, high))
    )
    far = torch.where(a > 0, torch.minimum(top, high), torch.where(before, torch.minimum(top, low), top))
    always = (left <= 0) & (a < 0)  # the line misses the double cone's outside
    never = (left <= 0) & (a >= 0)
    near, far = torch.where(always, bottom, near), torch.where(always, top, far)
    return torch.where(never, NOWHERE, _first(near, far))


def _torus(origin: Vector, direction: Vector, half: Vector, detail: Tensor) -> Tensor:
    del detail
    near, far = _slabs(origin, direction, half)
    result = torch.full_like(near, NOWHERE)
    chosen = ((near < far) & (far > 0)).nonzero(as_tuple=True)
    pick = _picker(near, chosen)
    o, d, h = (_each(pick, v) for v in (origin, direction, half))
    tube, ring = h[2], h[0] - h[2]
    speed = (d[0] ** 2 + d[1] ** 2 + d[2] ** 2).sqrt_()
    t, enters, leaves = pick(near).clamp(min=0), pick(near), pick(far)
    distance = _to_torus(_along(o, d, t), ring, tube)
    outside = (enters > 0) | (distance > 0)
    for _ in range(_TORUS_STEPS):
        t = t + distance / speed
        distance = _to_torus(_along(o, d, t), ring, tube)
    hits = outside & (distance < 1e-3 * tube) & (t < leaves) & (t > 0)
    return result.index_put(chosen, torch.where(hits, t, NOWHERE))


def _to_torus(point: Vector, ring: Tensor, tube: Tensor) -> Tensor:
    """Signed distance."""
    out = (point[0] ** 2 + point[1] ** 2).sqrt_() - ring
    return (out * out + point[2] ** 2).sqrt_() - tube


def _picker(full: Tensor, chosen: tuple[Tensor, ...]) -> Callable[[Tensor], Tensor]:
    return lambda values: values.expand(full.shape)[chosen]


def _each(pick: Callable[[Tensor], Tensor], vector: Vector) -> Vector:
    return pick(vector[0]), pick(vector[1]), pick(vector[2])


def _along(origin: Vector, direction: Vector, t: Tensor) -> Vector:
    return (
        origin[0] + t * direction[0],
        origin[1] + t * direction[1],
        origin[2] + t * direction[2],
    )


_ENTRIES: dict[int, Callable[[Vector, Vector, Vector, Tensor], Tensor]] = {
    Shape.BOX: _box,
    ROUND_BOX: _box_with_round_edges,
    Shape.CYLINDER: _cylinder,
    Shape.ELLIPSOID: _ellipsoid,
    Shape.CONE: _cone,
    Shape.TORUS: _torus,
    Shape.CUSHION: _cushion,
}
