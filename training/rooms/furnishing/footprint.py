"""Occupied space in a room: upright boxes, rotated about z, that must not overlap."""

from __future__ import annotations

from itertools import chain
from math import cos, sin
from typing import NamedTuple

from training.rooms.floor_plan import FloorPlan, Span, Wall
from training.rooms.furniture.piece import Bounds

TOUCH = 0.002
"""Metres by which neighbours may overlap."""

_BUILT_IN = 2.22
"""Metres; taller objects on the floor have no rug under them."""


class Footprint(NamedTuple):
    """An upright box: centre, half sides, direction of its x axis, heights."""

    x: float
    y: float
    half_x: float
    half_y: float
    cos: float
    sin: float
    low: float
    high: float

    @property
    def corners(self) -> list[tuple[float, float]]:
        """Return its four corners from above."""
        ax, ay = self.cos * self.half_x, self.sin * self.half_x
        bx, by = -self.sin * self.half_y, self.cos * self.half_y
        return [
            (self.x + s * ax + t * bx, self.y + s * ay + t * by)
            for s, t in ((1, 1), (1, -1), (-1, -1), (-1, 1))
        ]


def footprint(bounds: Bounds, x: float, y: float, z: float, yaw: float) -> Footprint:
    """Return the footprint of a piece with these bounds at a position, rotated by `yaw`."""
    c, s = cos(yaw), sin(yaw)
    mx, my = (bounds.x0 + bounds.x1) / 2, (bounds.y0 + bounds.y1) / 2
    return Footprint(
        x + c * mx - s * my,
        y + s * mx + c * my,
        (bounds.x1 - bounds.x0) / 2,
        (bounds.y1 - bounds.y0) / 2,
        c,
        s,
        z + bounds.z0,
        z + bounds.z1,
    )


def of_wall(wall: Wall, x: Span, y: Span, z: Span) -> Footprint:
    """Return the footprint of a box in the frame of a wall."""
    return footprint(Bounds(*x, *y, *z), *wall.place(0.0), 0.0, wall.yaw)


def overlap(one: Footprint, two: Footprint) -> bool:
    """Return True if two boxes overlap by more than `TOUCH` (separating axes)."""
    if one.low >= two.high - TOUCH or two.low >= one.high - TOUCH:
        return False
    dx, dy = two.x - one.x, two.y - one.y
    reach = one.half_x + one.half_y + two.half_x + two.half_y
    if abs(dx) > reach or abs(dy) > reach:
        return False
    c = abs(one.cos * two.cos + one.sin * two.sin)
    s = abs(one.cos * two.sin - one.sin * two.cos)
    return not (
        abs(one.cos * dx + one.sin * dy) >= one.half_x + c * two.half_x + s * two.half_y - TOUCH
        or abs(one.cos * dy - one.sin * dx) >= one.half_y + s * two.half_x + c * two.half_y - TOUCH
        or abs(two.cos * dx + two.sin * dy) >= two.half_x + c * one.half_x + s * one.half_y - TOUCH
        or abs(two.cos * dy - two.sin * dx) >= two.half_y + s * one.half_x + c * one.half_y - TOUCH
    )


class Taken:
    """All occupied boxes of a room, including its walls and the ways to its doors."""

    def __init__(self, plan: FloorPlan) -> None:
        self._plan = plan
        self._rugs: list[Footprint] = []
        self._walls: list[Footprint] = []
        self._boxes: list[Footprint] = []
        for wall in plan.walls:
            across = (-wall.before, wall.length + wall.after)
            self._walls.append(of_wall(wall, across, (0.0, wall.thick), (-1.0, plan.height + 1.0)))
            for hole in wall.openings:
                deep, low = (0.75, 0.06) if hole.z[0] <= 0 else (0.12, hole.z[0] - 0.03)
                around = (hole.x[0] - 0.06, hole.x[1] + 0.06)
                self._boxes.append(of_wall(wall, around, (-deep, 0.0), (low, hole.z[1] + 0.06)))

    def take(self, box: Footprint) -> None:
        """Mark a box as occupied."""
        self._boxes.append(box)

    def free(self, box: Footprint) -> bool:
        """Return True if a box is in the room and overlaps no other."""
        if not self._plan.holds(box.x, box.y) or box.high > self._plan.height + 0.2:
            return False
        return not any(overlap(box, other) for other in chain(self._walls, self._boxes))

    def lay(self, box: Footprint) -> bool:
        """Reserve a place for a rug if it is in the room and overlaps no other rug."""
        if not self._plan.holds(box.x, box.y):
            return False
        fixed = (other for other in self._boxes if other.low < TOUCH and other.high > _BUILT_IN)
        if any(overlap(box, other) for other in chain(self._walls, self._rugs, fixed)):
            return False
        self._rugs.append(box)
        return True
