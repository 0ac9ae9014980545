"""Floor plans: outlines with several wall segments, and positions of doors and windows."""

# ruff: noqa: PLR0917
# Functions take positions, or spans of sides, in the order x, y, z.
from __future__ import annotations

from dataclasses import dataclass, replace
from math import atan2, cos, hypot, sin
from typing import Literal, TypeAlias

from training.rooms.draw import Draw

Point: TypeAlias = tuple[float, float]
Span: TypeAlias = tuple[float, float]
Use: TypeAlias = Literal["door", "doorway", "window", "niche"]

CORNER = 0.45
"""Metres between alcoves and corners, more than the thickest wall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A door, a window or a niche: metres along the wall and above the floor."""

    use: Use
    x: Span
    z: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """One straight wall, with the room on its right side.

    Its own frame: origin in `start` on the floor, +x along the wall, +y outwards, +z up.

    Attributes:
        start: first end of the inner face.
        end: last end of the inner face.
        thick: thickness in metres, outwards.
        before: metres by which the solid extends before the start, so that corners are closed.
        after: metres by which the solid extends after the end.
        openings: openings in order of x, which do not touch.
    """

    start: Point
    end: Point
    thick: float
    before: float
    after: float
    openings: tuple[Opening, ...] = ()

    @property
    def length(self) -> float:
        """Length in metres."""
        return hypot(self.end[0] - self.start[0], self.end[1] - self.start[1])

    @property
    def yaw(self) -> float:
        """Rotation about z from the wall's frame to the world, in radians."""
        return atan2(self.end[1] - self.start[1], self.end[0] - self.start[0])

    def place(self, x: float, y: float = 0.0) -> Point:
        """Convert a point of the wall's frame to world coordinates."""
        c, s = cos(self.yaw), sin(self.yaw)
        return (self.start[0] + c * x - s * y, self.start[1] + s * x + c * y)

    def free(self, x: Span, z: Span) -> bool:
        """Return True if no opening overlaps this part of the wall."""
        return all(
            x[1] <= o.x[0] or o.x[1] <= x[0] or z[1] <= o.z[0] or o.z[1] <= z[0] for o in self.openings
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorPlan:
    """The empty room.

    Attributes:
        outline: corners of the floor, clockwise from above.
        walls: one wall per edge of the outline.
        height: metres from floor to ceiling.
    """

    outline: tuple[Point, ...]
    walls: tuple[Wall, ...]
    height: float

    @property
    def corners(self) -> tuple[Point, Point]:
        """Least and greatest corner, (x, y) each."""
        xs, ys = [p[0] for p in self.outline], [p[1] for p in self.outline]
        return (min(xs), min(ys)), (max(xs), max(ys))

    @property
    def area(self) -> float:
        """Square metres of floor."""
        pairs = zip(self.outline, self.outline[1:] + self.outline[:1], strict=True)
        # The outline is clockwise, so the signed area is negative.
        return -sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairs) / 2

    def holds(self, x: float, y: float) -> bool:
        """Return True if a point of the floor is in the room."""
        inside = False
        for (ax, ay), (bx, by) in zip(self.outline, self.outline[1:] + self.outline[:1], strict=True):
            if (ay > y) != (by > y) and x < ax + (bx - ax) * (y - ay) / (by - ay):
                inside = not inside
        return inside


def outline(draw: Draw, width: float, depth: float, *, plainness: float = 0.35) -> tuple[Point, ...]:
    """Draw a rectangle, mostly with one or two notches, cut corners, alcoves or chimney breasts.

    Args:
        draw: random draws.
        width: metres along x.
        depth: metres along y.
        plainness: share of plain rectangles.

    Returns:
        Corners, clockwise from above.
    """
    w, d = width / 2, depth / 2
    corners: list[Point] = [(-w, -d), (-w, d), (w, d), (w, -d)]
    if draw.chance(plainness):
        return tuple(corners)
    points: list[Point] = []
    cut = draw.whole(0, 3) if draw.chance(0.55) else -1
    bumped = draw.whole(0, 3) if cut < 0 or draw.chance(0.45) else -1
    for number, corner in enumerate(corners):
        before, after = corners[number - 1], corners[(number + 1) % 4]
        points += _cut_corner(draw, before, corner, after) if number == cut else [corner]
        if number == bumped and cut not in (number, (number + 1) % 4):
            points += _bump(draw, corner, after)
    return tuple(points)


def _cut_corner(draw: Draw, before: Point, corner: Point, after: Point) -> list[Point]:
    (into, length_in), (out, length_out) = _direction(before, corner), _direction(corner, after)
    notch = draw.chance(0.75)
    share = (0.15, 0.55) if notch else (0.1, 0.3)
    a, b = length_in * draw.between(*share), length_out * draw.between(*share)
    a, b = max(a, 0.5), max(b, 0.5)
    first = (corner[0] - a * into[0], corner[1] - a * into[1])
    last = (corner[0] + b * out[0], corner[1] + b * out[1])
    if not notch:
        return [first, last]
    return [first, (first[0] + b * out[0], first[1] + b * out[1]), last]


def _bump(draw: Draw, start: Point, end: Point) -> list[Point]:
    """Corners of an alcove, or of a chimney breast, in the wall between two corners."""
    (ux, uy), length = _direction(start, end)
    room = length - 2 * CORNER
    if room < 1.2:
        return []
    width = min(draw.between(0.9, 2.4), room)
    begin = CORNER + draw.share() * (room - width)
    deep = draw.between(0.3, 1.1) if draw.chance(0.6) else -draw.between(0.15, 0.45)

    def at(x: float, y: float) -> Point:
        return (start[0] + ux * x - uy * y, start[1] + uy * x + ux * y)

    return [at(begin, 0), at(begin, deep), at(begin + width, deep), at(begin + width, 0)]


def _direction(start: Point, end: Point) -> tuple[Point, float]:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = hypot(dx, dy)
    return (dx / length, dy / length), length


def bare_walls(corners: tuple[Point, ...], thick: float) -> tuple[Wall, ...]:
    """Walls of an outline, without openings."""
    count = len(corners)
    ways = [_direction(corners[i], corners[(i + 1) % count])[0] for i in range(count)]
    # True for corners at which the outline turns right.
    turns = [ways[i - 1][0] * ways[i][1] - ways[i - 1][1] * ways[i][0] < 0 for i in range(count)]
    return tuple(
        Wall(
            start=corners[i],
            end=corners[(i + 1) % count],
            thick=thick,
            before=thick if turns[i] else 0.0,
            after=thick if turns[(i + 1) % count] else 0.0,
        )
        for i in range(count)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Ranges of a room's size in metres, and of the numbers of its windows and doors.

    `open_plan` is the share of rooms that are open to the next room; `sills` is the lower rim of windows that
    do not reach down to the floor.
    """

    width: Span
    depth: Span
    height: Span = (2.25, 3.2)
    windows: tuple[int, int] = (1, 3)
    doors: tuple[int, int] = (1, 2)
    open_plan: float = 0.0
    sills: Span = (0.6, 1.1)


def plan(draw: Draw, size: Size) -> FloorPlan:
    """Draw a floor plan with its openings."""
    width, depth = draw.between(*size.width), draw.between(*size.depth)
    if draw.chance(size.open_plan):
        width *= draw.between(1.25, 1.7)
        depth *= draw.between(1.0, 1.4)
    low, high = size.height
    height = draw.normal(2.6, 0.25, low, high)
    corners = outline(draw, width, depth)
    walls = list(bare_walls(corners, draw.between(0.16, 0.36)))
    bare = FloorPlan(outline=corners, walls=tuple(walls), height=height)
    for _ in range(draw.whole(*size.doors)):
        use: Use = "doorway" if draw.chance(0.3) else "door"
        top = min(draw.between(1.95, 2.15), height - 0.12)
        _cut(draw, bare, walls, use, draw.between(0.75, 1.0 if use == "door" else 1.5), (0.0, top))
    for _ in range(draw.whole(*size.windows)):
        wide, top = draw.between(0.6, 2.4), min(draw.between(1.95, 2.4), height - 0.15)
        bottom = 0.08 if draw.chance(0.12) else draw.between(*size.sills)
        _cut(draw, bare, walls, "window", wide, (bottom, top))
    if draw.chance(0.15):
        bottom = draw.between(0.6, 1.2)
        span = (bottom, min(bottom + draw.between(0.4, 0.9), height - 0.3))
        _cut(draw, bare, walls, "niche", draw.between(0.4, 1.0), span)
    return replace(bare, walls=tuple(walls))


def _cut(draw: Draw, bare: FloorPlan, walls: list[Wall], use: Use, width: float, z: Span) -> None:
    """Put an opening into one of the walls if there is space."""
    for _ in range(12):
        number = draw.whole(0, len(walls) - 1)
        wall = walls[number]
        first, last = (0.2 if goes_on else wall.thick + 0.1 for goes_on in (wall.before, wall.after))
        wide = min(width, wall.length - first - last)
        if wide < 0.55:
            continue
        start = draw.between(first, wall.length - last - wide)
        x = (start, start + wide)
        # No other part of the room may be within two metres behind the opening.
        behind = (
            wall.place(along, wall.thick + deep)
            for along in (x[0] - 0.5, (x[0] + x[1]) / 2, x[1] + 0.5)
            for deep in (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
        )
        free = wall.free((x[0] - 0.3, x[1] + 0.3), (0.0, 9.0))
        if free and not any(bare.holds(*place) for place in behind):
            openings = (*wall.openings, Opening(use=use, x=x, z=z))
            walls[number] = replace(wall, openings=tuple(sorted(openings, key=lambda o: o.x)))
            return
