"""Solids of one object, or of a group of objects, in their own frame."""

# Functions take positions, or spans of sides, in the order x, y, z.
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import cos, sin
from typing import NamedTuple, TypeAlias

from training.rooms.scene import Shape
from training.rooms.surfaces.materials import Paint

Vector: TypeAlias = tuple[float, float, float]
Span: TypeAlias = tuple[float, float]
Axes: TypeAlias = tuple[Vector, Vector, Vector]

UPRIGHT: Axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
"""Rows of the rotation matrix of a solid that is not rotated."""


class Solid(NamedTuple):
    """One primitive; `thing` counts the objects of a piece."""

    shape: Shape
    centre: Vector
    half: Vector
    axes: Axes
    detail: float
    paint: Paint
    kind: str
    thing: int


class Top(NamedTuple):
    """A level rectangle for small objects: centre, half sides, rotation about z, height, space above.

    `use` selects the kinds of objects: "table", "shelf", "seat", "desk", "kitchen", "bath".
    """

    x: float
    y: float
    half_x: float
    half_y: float
    yaw: float
    z: float
    clear: float
    use: str = "table"


class Bulb(NamedTuple):
    """A lamp's light: position, radius, strength, and colour (linear RGB, about 1)."""

    x: float
    y: float
    z: float
    radius: float
    power: float
    tint: Vector


class Bounds(NamedTuple):
    """Least box along the axes around a piece."""

    x0: float
    x1: float
    y0: float
    y1: float
    z0: float
    z1: float


def turn(about: int, angle: float) -> Axes:
    """Rows of the rotation matrix by an angle in radians about axis 0, 1 or 2."""
    c, s = cos(angle), sin(angle)
    if about == 0:
        return ((1.0, 0.0, 0.0), (0.0, c, -s), (0.0, s, c))
    if about == 1:
        return ((c, 0.0, s), (0.0, 1.0, 0.0), (-s, 0.0, c))
    return ((c, -s, 0.0), (s, c, 0.0), (0.0, 0.0, 1.0))


def times(one: Axes, two: Axes) -> Axes:
    """Matrix product."""
    (a, b, c) = two
    return tuple(  # type: ignore[return-value]
        (
            row[0] * a[0] + row[1] * b[0] + row[2] * c[0],
            row[0] * a[1] + row[1] * b[1] + row[2] * c[1],
            row[0] * a[2] + row[1] * b[2] + row[2] * c[2],
        )
        for row in one
    )


def extent(solid: Solid) -> Vector:
    """Half sides of the least box along the axes around a solid."""
    hx, hy, hz = solid.half
    if solid.axes is UPRIGHT:
        return solid.half
    x, y, z = (abs(row[0]) * hx + abs(row[1]) * hy + abs(row[2]) * hz for row in solid.axes)
    return (x, y, z)


@dataclass(slots=True)
class Piece:
    """A piece of furniture or another object that is built, moved and placed as a unit.

    Its own frame: +x to the right for a viewer facing its front, +y to the back, +z up from the ground.

    Attributes:
        kind: name of the object to which further solids belong, see `room_classes.kind`.
        solids: all primitives so far.
        tops: surfaces for small objects.
        bulbs: light sources.
        blocks: occupied parts of space; empty for its bounds.
        front: metres to keep free in front of it.
    """

    kind: str
    solids: list[Solid] = field(default_factory=list)
    tops: list[Top] = field(default_factory=list)
    bulbs: list[Bulb] = field(default_factory=list)
    blocks: list[Bounds] = field(default_factory=list)
    front: float = 0.0
    _thing: int = 0

    def begin(self, kind: str) -> Piece:
        """Start another object, to which further solids belong."""
        self.kind = kind
        self._thing = self.things
        return self

    @property
    def things(self) -> int:
        """The number of objects."""
        return 1 + max((solid.thing for solid in self.solids), default=-1)

    def add(
        self,
        shape: Shape,
        paint: Paint,
        centre: Vector,
        half: Vector,
        *,
        detail: float = 0.0,
        axes: Axes = UPRIGHT,
    ) -> Solid:
        """Add a primitive by its centre and half sides."""
        solid = Solid(shape, centre, half, axes, detail, paint, self.kind, self._thing)
        self.solids.append(solid)
        return solid

    def box(
        self, paint: Paint, x: Span, y: Span, z: Span, *, edge: float = 0.004, axes: Axes = UPRIGHT
    ) -> Solid:
        """Add a box between these ends, turned about its centre; `edge` is the radius of its edges."""
        half = ((x[1] - x[0]) / 2, (y[1] - y[0]) / 2, (z[1] - z[0]) / 2)
        centre = ((x[0] + x[1]) / 2, (y[0] + y[1]) / 2, (z[0] + z[1]) / 2)
        return self.add(Shape.BOX, paint, centre, half, detail=min(edge, 0.9 * min(half)), axes=axes)

    def cushion(
        self, paint: Paint, x: Span, y: Span, z: Span, *, power: float = 4.0, axes: Axes = UPRIGHT
    ) -> Solid:
        """Add a cushion between these ends."""
        half = ((x[1] - x[0]) / 2, (y[1] - y[0]) / 2, (z[1] - z[0]) / 2)
        centre = ((x[0] + x[1]) / 2, (y[0] + y[1]) / 2, (z[0] + z[1]) / 2)
        return self.add(Shape.CUSHION, paint, centre, half, detail=power, axes=axes)

    def post(self, paint: Paint, at: Span, radius: float, z: Span, *, taper: float = 1.0) -> Solid:
        """Add an upright cylinder, or a cone whose top is `taper` times as wide as its bottom (at most 1)."""
        centre = (at[0], at[1], (z[0] + z[1]) / 2)
        half = (radius, radius, (z[1] - z[0]) / 2)
        if taper >= 1:
            return self.add(Shape.CYLINDER, paint, centre, half)
        return self.add(Shape.CONE, paint, centre, half, detail=taper)

    def ball(self, paint: Paint, centre: Vector, radius: float) -> Solid:
        """Add a sphere."""
        return self.add(Shape.ELLIPSOID, paint, centre, (radius, radius, radius))

    def rod(self, paint: Paint, start: Vector, end: Vector, radius: float) -> Solid:
        """Add a round bar from one point to another."""
        dx, dy, dz = (e - s for s, e in zip(start, end, strict=True))
        length = (dx * dx + dy * dy + dz * dz) ** 0.5
        centre = tuple((s + e) / 2 for s, e in zip(start, end, strict=True))
        # Rows of a rotation whose third axis has the bar's direction.
        dx, dy, dz = dx / length, dy / length, dz / length
        level, axes = (dx * dx + dy * dy) ** 0.5, UPRIGHT
        if level >= 1e-9:
            ux, uy = -dy / level, dx / level
            axes = ((ux, -uy * dz, dx), (uy, ux * dz, dy), (0.0, uy * dx - ux * dy, dz))
        return self.add(
            Shape.CYLINDER, paint, (centre[0], centre[1], centre[2]), (radius, radius, length / 2), axes=axes
        )

    def top(self, x: Span, y: Span, z: float, clear: float = 1.0, use: str = "table") -> None:
        """Mark a surface for small objects."""
        half_x, half_y = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
        self.tops.append(Top((x[0] + x[1]) / 2, (y[0] + y[1]) / 2, half_x, half_y, 0.0, z, clear, use))

    def block(self, x: Span, y: Span, z: Span) -> None:
        """Mark an occupied part of its bounds; other pieces may use the rest."""
        self.blocks.append(Bounds(*x, *y, *z))

    def join(self, other: Piece, x: float = 0.0, y: float = 0.0, z: float = 0.0, yaw: float = 0.0) -> Piece:
        """Add another piece's objects at a position in this piece's frame."""
        first = self.things
        for solid in other.moved(x, y, z, yaw):
            self.solids.append(solid._replace(thing=solid.thing + first))
        self.tops.extend(moved_top(top, x, y, z, yaw) for top in other.tops)
        self.bulbs.extend(moved_bulb(bulb, x, y, z, yaw) for bulb in other.bulbs)
        return self

    def moved(self, x: float, y: float, z: float, yaw: float) -> Iterator[Solid]:
        """Yield the solids, rotated about z and then shifted."""
        c, s = cos(yaw), sin(yaw)
        turned = turn(2, yaw)
        for solid in self.solids:
            (cx, cy, cz), axes = solid.centre, solid.axes
            if yaw:
                axes = turned if axes is UPRIGHT else times(turned, axes)
            yield solid._replace(centre=(x + c * cx - s * cy, y + s * cx + c * cy, z + cz), axes=axes)

    def grounded(self) -> Piece:
        """Shift all solids so that the lowest point is at z = 0."""
        low = self.bounds().z0
        self.solids = [
            solid._replace(centre=(solid.centre[0], solid.centre[1], solid.centre[2] - low))
            for solid in self.solids
        ]
        return self

    def bounds(self) -> Bounds:
        """Return the smallest box around the piece, along its own axes."""
        low, high = [float("inf")] * 3, [float("-inf")] * 3
        for solid in self.solids:
            for axis, (centre, half) in enumerate(zip(solid.centre, extent(solid), strict=True)):
                low[axis] = min(low[axis], centre - half)
                high[axis] = max(high[axis], centre + half)
        return Bounds(low[0], high[0], low[1], high[1], low[2], high[2])


def moved_top(top: Top, x: float, y: float, z: float, yaw: float) -> Top:
    """Rotate a top about z and then shift it, as its piece."""
    c, s = cos(yaw), sin(yaw)
    return top._replace(
        x=x + c * top.x - s * top.y, y=y + s * top.x + c * top.y, z=z + top.z, yaw=top.yaw + yaw
    )


def moved_bulb(bulb: Bulb, x: float, y: float, z: float, yaw: float) -> Bulb:
    """Rotate a bulb about z and then shift it, as its piece."""
    c, s = cos(yaw), sin(yaw)
    return bulb._replace(x=x + c * bulb.x - s * bulb.y, y=y + s * bulb.x + c * bulb.y, z=z + bulb.z)
