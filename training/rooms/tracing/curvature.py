"""Normals and principal curvatures of shapes at points of their surfaces, in the shapes' own frames.

Most shapes are level sets of f with a diagonal matrix of second derivatives: then the shape operator is
(I - n n^T) diag(f'') (I - n n^T) / |f'| with n = f' / |f'|: a 2 x 2 matrix in the tangent plane.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from training.rooms.scene import Shape
from training.rooms.tracing.shapes import Vector

_EDGE = 1e-5
"""Metres beyond the flat part of a face from which a rounded box counts as curved."""


class Curvatures(NamedTuple):
    """Outward unit normal, and curvatures in 1/m: first >= second, negative where the solid is convex."""

    normal: Vector
    first: Tensor
    second: Tensor


def form(shape: Shape, point: Vector, half: Vector, detail: Tensor) -> Curvatures:
    """Compute normal and curvatures of shapes of one kind, each at one point.

    Args:
        shape: kind of the shapes.
        point: float32 (P,), own frame, metres, on the surface up to rounding.
        half: float32 (P,).
        detail: float32 (P,).

    Returns:
        Tensors of shape (P,).
    """
    return _FORMS[shape](point, half, detail)


def _box(point: Vector, half: Vector, detail: Tensor) -> Curvatures:
    beyond = [(p.abs() - (h - detail)).clamp(min=0) for p, h in zip(point, half, strict=True)]
    away = (beyond[0] ** 2 + beyond[1] ** 2 + beyond[2] ** 2).sqrt()
    depth = [h - p.abs() for p, h in zip(point, half, strict=True)]
    least = torch.minimum(torch.minimum(depth[0], depth[1]), depth[2])
    faces = (depth[0] == least, (depth[1] == least) & (depth[0] != least))
    flat = (faces[0], faces[1], ~(faces[0] | faces[1]))
    bends = [(b > _EDGE).to(torch.int8) for b in beyond]
    curved = bends[0] + bends[1] + bends[2]
    normal = [
        p.sign() * torch.where(curved >= 2, b / away.clamp(min=1e-12), f.float())
        for p, b, f in zip(point, beyond, flat, strict=True)
    ]
    bend = -1 / detail.clamp(min=1e-12)
    first, second = torch.where(curved == 3, bend, 0.0), torch.where(curved >= 2, bend, 0.0)
    return Curvatures((normal[0], normal[1], normal[2]), first, second)


def _cone(point: Vector, half: Vector, detail: Tensor) -> Curvatures:
    """Sides: f = (x/a)^2 + (y/b)^2 - (m - n z/h)^2, halved."""
    x, y, z = point
    m, n = (1 + detail) / 2, (1 - detail) / 2
    width = m - n * z / half[2]
    across = ((x / half[0]) ** 2 + (y / half[1]) ** 2).sqrt()
    from_side = (width - across).abs() * torch.minimum(half[0], half[1])
    cap = (half[2] - z.abs()).abs() < from_side
    slope = n / half[2]
    gradient = (x / half[0] ** 2, y / half[1] ** 2, width * slope)
    side = _level_set(gradient, (half[0] ** -2, half[1] ** -2, -(slope**2)))
    normal = (
        torch.where(cap, 0.0, side.normal[0]),
        torch.where(cap, 0.0, side.normal[1]),
        torch.where(cap, z.sign(), side.normal[2]),
    )
    # cones and cylinders have one curvature of exactly 0, and one of at most 0
    bend = torch.where(cap, 0.0, side.second)
    return Curvatures(normal, torch.zeros_like(bend), bend)


def _ellipsoid(point: Vector, half: Vector, detail: Tensor) -> Curvatures:
    del detail
    bend = (half[0] ** -2, half[1] ** -2, half[2] ** -2)
    return _level_set((point[0] * bend[0], point[1] * bend[1], point[2] * bend[2]), bend)


def _cushion(point: Vector, half: Vector, detail: Tensor) -> Curvatures:
    """f = |x/a|^e + |y/b|^e + |z/c|^e, over e."""
    scaled = [(p / h).abs() for p, h in zip(point, half, strict=True)]
    slopes = [p.sign() * s ** (detail - 1) / h for p, s, h in zip(point, scaled, half, strict=True)]
    bends = [(detail - 1) * s ** (detail - 2) / h**2 for s, h in zip(scaled, half, strict=True)]
    return _level_set((slopes[0], slopes[1], slopes[2]), (bends[0], bends[1], bends[2]))


def _torus(point: Vector, half: Vector, detail: Tensor) -> Curvatures:
    del detail
    x, y, z = point
    tube, ring = half[2], half[0] - half[2]
    across = (x * x + y * y).sqrt().clamp(min=1e-12)
    out = across - ring
    length = (out * out + z * z).sqrt().clamp(min=1e-12)
    cosine = out / length
    normal = (cosine * x / across, cosine * y / across, z / length)
    along, around = -1 / tube, -cosine / across
    return Curvatures(normal, torch.maximum(along, around), torch.minimum(along, around))


def _level_set(gradient: Vector, second: Vector) -> Curvatures:
    """Return the form of a level set of f, growing outwards; `second`: diagonal of its second derivatives."""
    length = (gradient[0] ** 2 + gradient[1] ** 2 + gradient[2] ** 2).sqrt().clamp(min=1e-20)
    normal = (gradient[0] / length, gradient[1] / length, gradient[2] / length)
    one, two = tangents(normal)
    along = _bilinear(one, second, one) / length
    around = _bilinear(two, second, two) / length
    mixed = _bilinear(one, second, two) / length
    middle, difference = (along + around) / 2, (along - around) / 2
    spread = (difference * difference + mixed * mixed).sqrt()
    return Curvatures(normal, spread - middle, -spread - middle)


def tangents(normal: Vector) -> tuple[Vector, Vector]:
    """Compute two unit vectors that form a right-handed frame with a unit normal, without branches.

    Source: Duff et al., Building an Orthonormal Basis, Revisited, JCGT 6(1), 2017.
    """
    x, y, z = normal
    sign = torch.where(z < 0, -1.0, 1.0)
    a = -1 / (sign + z)
    b = x * y * a
    return (1 + sign * x * x * a, sign * b, -sign * x), (b, sign + y * y * a, -y)


def _bilinear(one: Vector, diagonal: Vector, two: Vector) -> Tensor:
    return one[0] * diagonal[0] * two[0] + one[1] * diagonal[1] * two[1] + one[2] * diagonal[2] * two[2]


_Rule: TypeAlias = Callable[[Vector, Vector, Tensor], Curvatures]

_FORMS: dict[Shape, _Rule] = {
    Shape.BOX: _box,
    Shape.CYLINDER: lambda point, half, detail: _cone(point, half, torch.ones_like(detail)),
    Shape.ELLIPSOID: _ellipsoid,
    Shape.CONE: _cone,
    Shape.TORUS: _torus,
    Shape.CUSHION: _cushion,
}
