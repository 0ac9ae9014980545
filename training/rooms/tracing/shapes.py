"""Intersections of rays with the shapes of `scene.Shape`, in the shapes' own frames.

All shapes are solid, and all except the torus are convex. A ray that starts inside a shape does not hit it.
Vectors are three tensors, one per component: no sum runs over a short last dimension, so a ray's numbers do
not depend on the other rays in its batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from training.rooms.scene import Shape

Vector: TypeAlias = tuple[Tensor, Tensor, Tensor]
"""x, y and z, broadcastable."""

Rays: TypeAlias = tuple[Vector, Vector, Vector, Tensor]
"""Origins and directions of rays in the frames of their shapes, with half sizes and details of the shapes."""

NOWHERE = float("inf")
"""Ray parameter of a ray without a hit."""

_NEWTON_STEPS = 12
_TORUS_STEPS = 64

_CLOSE = 0.002
"""Distance at which steps end, as a share of the distance that counts as a hit."""

ROUND_BOX = len(Shape)
"""Kind number of boxes with round edges (detail > 0), which take longer."""


def entry(kind: int, origin: Vector, direction: Vector, half: Vector, detail: Tensor) -> Tensor:
    """Find the first points of rays in shapes of one kind.

    Args:
        kind: a `Shape`, or `ROUND_BOX`.
        origin: float32 (P, G) or (P, 1), own frame, metres: P shapes, G rays at each.
        direction: float32 (P, G), own frame, any length.
        half: float32 (P, 1).
        detail: float32 (P, 1).

    Returns:
        float32 (P, G): t > 0 with the first common point at origin + t direction, or infinity.
    """
    near, far = slabs(origin, direction, half)
    chosen = ((near < far) & (far > 0)).nonzero(as_tuple=True)

    def pick(values: Tensor) -> Tensor:
        return values.expand(near.shape)[chosen]

    o, d, h = ((pick(v[0]), pick(v[1]), pick(v[2])) for v in (origin, direction, half))
    inside = entry_in_box(kind, (o, d, h, pick(detail)), pick(near), pick(far))
    return torch.full_like(near, NOWHERE).index_put(chosen, inside)


def entry_in_box(kind: int, rays: Rays, near: Tensor, far: Tensor) -> Tensor:
    """Find the first points of rays in shapes whose surrounding boxes they meet.

    Args:
        kind: a `Shape`, or `ROUND_BOX`.
        rays: R rays, each with the shape that it may hit.
        near: float32 (R,), ray parameters at the entry into the box, see `slabs`.
        far: float32 (R,), ray parameters at the exit, greater than `near` and 0.

    Returns:
        float32 (R,), as of `entry`.
    """
    return _ENTRIES[kind](rays, near, far)


def slabs(origin: Vector, direction: Vector, half: Vector) -> tuple[Tensor, Tensor]:
    """Find the parameters between which a ray is inside a box; if it misses, first >= second."""
    bounds = []
    for o, d, h in zip(origin, direction, half, strict=True):
        inverse = torch.where(d.abs() < 1e-12, 1e-12, d).reciprocal_()
        middle = inverse * -o
        width = inverse.abs_().mul_(h)
        bounds.append((middle - width, middle.add_(width)))
    (x, to_x), (y, to_y), (z, to_z) = bounds
    return torch.maximum(x, y).maximum(z), torch.minimum(to_x, to_y).minimum(to_z)


def _box_with_round_edges(rays: Rays, near: Tensor, far: Tensor) -> Tensor:
    """Use the entry into the sharp box on flat parts of faces; elsewhere search by steps."""
    origin, direction, half, radius = rays
    beyond = [
        (p.abs() > h - radius).to(torch.int8)
        for p, h in zip(_along(origin, direction, near), half, strict=True)
    ]
    flat = (beyond[0] + beyond[1] + beyond[2] <= 1) & (near > 0)
    edges = (~flat).nonzero()[:, 0]
    o, d, h = ((v[0][edges], v[1][edges], v[2][edges]) for v in (origin, direction, half))
    refined = _refined(
        _rounded_box, (o, d, h, radius[edges]), near[edges], far[edges], near_enough=1e-3 * radius[edges]
    )
    return near.index_put((edges,), refined)


def _rounded_box(point: Vector, direction: Vector, half: Vector, radius: Tensor) -> tuple[Tensor, Tensor]:
    """Distance to a rounded box from outside, and its derivative along the ray."""
    beyond = [(p.abs() - (h - radius)).clamp_(min=0) for p, h in zip(point, half, strict=True)]
    length = (beyond[0] ** 2 + beyond[1] ** 2 + beyond[2] ** 2).sqrt_().clamp_(min=1e-12)
    slopes = [b * p.sign() * d for b, p, d in zip(beyond, point, direction, strict=True)]
    return length - radius, (slopes[0] + slopes[1] + slopes[2]) / length


def _superellipsoid(
    point: Vector, direction: Vector, half: Vector, exponent: Tensor
) -> tuple[Tensor, Tensor]:
    """The norm whose unit ball is the cushion, less 1, and its derivative along the ray."""
    scaled = [p.abs() / h for p, h in zip(point, half, strict=True)]
    powers = [s ** (exponent - 1) for s in scaled]
    terms = [w * s for w, s in zip(powers, scaled, strict=True)]
    total = (terms[0] + terms[1] + terms[2]).clamp_(min=1e-12)
    norm = total ** exponent.reciprocal()
    slopes = [w * p.sign() * d / h for w, p, d, h in zip(powers, point, direction, half, strict=True)]
    return norm - 1, (slopes[0] + slopes[1] + slopes[2]) * norm / total


Bulge: TypeAlias = Callable[[Vector, Vector, Vector, Tensor], tuple[Tensor, Tensor]]
"""Convex function of points that is 0 on a surface, with its derivative along rays."""


def _refined(bulge: Bulge, rays: Rays, near: Tensor, far: Tensor, *, near_enough: Tensor | float) -> Tensor:
    """First zeros by Newton's method, from the entry into the bounding box; infinity if there is none.

    A convex function is convex along a line, so Newton's steps from before the first zero never pass it. Each
    ray stops when it is close enough, independently of the others, so that they do not change its result.
    """
    o, d, h, detail = rays
    t = near.clamp(min=0)
    value, slope = bulge(_along(o, d, t), d, h, detail)
    outside = (near > 0) | (value > 0)
    close = _CLOSE * near_enough
    for _ in range(_NEWTON_STEPS):
        going = (value > close) & (slope < 0) & (t < far)
        if not going.any():
            break
        t = torch.where(going, t - value / slope, t)
        value, slope = bulge(_along(o, d, t), d, h, detail)
    hits = outside & (value < near_enough) & (t < far) & (t > 0)
    return torch.where(hits, t, NOWHERE)


def _ellipsoid(rays: Rays, near: Tensor, far: Tensor) -> Tensor:
    del near, far
    origin, direction, half, _ = rays
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


def _cone(rays: Rays, near: Tensor, far: Tensor) -> Tensor:
    """Find the first points of rays in x^2 + y^2 <= (m - n z)^2 in halves, between two slabs."""
    origin, direction, half, detail = rays
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
    # if a < 0, the ray is inside before the first and after the second root; one of them is between the slabs
    before = bottom <= low
    near = torch.where(
        a > 0, torch.maximum(bottom, low), torch.where(before, bottom, torch.maximum(bottom, high))
    )
    far = torch.where(a > 0, torch.minimum(top, high), torch.where(before, torch.minimum(top, low), top))
    always = (left <= 0) & (a < 0)  # the line is inside the double cone everywhere
    never = (left <= 0) & (a >= 0)
    near, far = torch.where(always, bottom, near), torch.where(always, top, far)
    return torch.where((near < far) & (near > 0) & ~never, near, NOWHERE)


def _torus(rays: Rays, near: Tensor, far: Tensor) -> Tensor:
    o, d, h, _ = rays
    tube, ring = h[2], h[0] - h[2]
    speed = (d[0] ** 2 + d[1] ** 2 + d[2] ** 2).sqrt_()
    t = near.clamp(min=0)
    distance = _to_torus(_along(o, d, t), ring, tube)
    outside = (near > 0) | (distance > 0)
    for _ in range(_TORUS_STEPS):
        # a ray that has left the box of a torus cannot hit it any more
        going = (distance.abs() > _CLOSE * 1e-3 * tube) & (t < far)
        if not going.any():
            break
        t = torch.where(going, t + distance / speed, t)
        distance = _to_torus(_along(o, d, t), ring, tube)
    hits = outside & (distance < 1e-3 * tube) & (t < far) & (t > 0)
    return torch.where(hits, t, NOWHERE)


def _to_torus(point: Vector, ring: Tensor, tube: Tensor) -> Tensor:
    """Signed distance to a torus."""
    out = (point[0] ** 2 + point[1] ** 2).sqrt_() - ring
    return (out * out + point[2] ** 2).sqrt_() - tube


def _along(origin: Vector, direction: Vector, t: Tensor) -> Vector:
    return (
        origin[0] + t * direction[0],
        origin[1] + t * direction[1],
        origin[2] + t * direction[2],
    )


_ENTRIES: dict[int, Callable[[Rays, Tensor, Tensor], Tensor]] = {
    Shape.BOX: lambda _, near, __: torch.where(near > 0, near, NOWHERE),
    ROUND_BOX: _box_with_round_edges,
    Shape.CYLINDER: lambda rays, near, far: _cone((*rays[:3], torch.ones_like(rays[3])), near, far),
    Shape.ELLIPSOID: _ellipsoid,
    Shape.CONE: _cone,
    Shape.TORUS: _torus,
    Shape.CUSHION: lambda rays, near, far: _refined(_superellipsoid, rays, near, far, near_enough=1e-3),
}
