"""Small objects on furniture and on the floor."""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, pi, sin

from training.rooms.furnishing.arrange import Room
from training.rooms.furniture import selections
from training.rooms.furniture.clutter import Maker
from training.rooms.furniture.decoration import leaning
from training.rooms.furniture.office import computer, printer, television, workplace
from training.rooms.furniture.piece import Bounds, Piece, Top
from training.rooms.furniture.storage import books

_BY_USE: Mapping[str, Mapping[Maker, float]] = {
    "table": selections.COMMON,
    "shelf": selections.COMMON,
    "seat": selections.SEATS,
    "desk": selections.DESK,
    "kitchen": selections.KITCHEN,
    "bath": selections.BATH,
    "stove": selections.STOVE,
}

_MOST_ON = {"seat": 4, "stove": 2, "bath": 3}
_LEAST_FULL = {"shelf": 0.6, "kitchen": 0.5}
_BIGGEST_ROW = 0.65
_LADEN = {"table": 0.4, "desk": 0.4, "kitchen": 0.4}
"""Shares of tops that carry twice as much, like a table in use."""


class Spread:
    """Objects on one top, as rectangles in the top's frame that do not overlap."""

    def __init__(self, room: Room, top: Top) -> None:
        self._room = room
        self._top = top
        self._taken: list[Bounds] = []

    def put(self, piece: Piece, *, tries: int = 4, straight: bool = False) -> bool:
        """Put a piece where it fits, at a random angle or straight."""
        draw, top = self._room.draw, self._top
        for _ in range(tries):
            yaw = draw.normal(0, 0.06, -0.2, 0.2) if straight else draw.between(-pi, pi)
            around = _turned(piece.bounds(), yaw)
            wide, deep = around.x1 - around.x0, around.y1 - around.y0
            slack_x, slack_y = 2 * top.half_x - wide, 2 * top.half_y - deep
            if slack_x < 0 or slack_y < 0 or around.z1 > top.clear:
                continue
            x = -top.half_x - around.x0 + draw.share() * slack_x
            y = -top.half_y - around.y0 + draw.share() * slack_y
            if self._place(piece, x, y, yaw, around):
                return True
        return False

    def row(self, piece: Piece, *, left: bool) -> bool:
        """Put a row of books to one end, its front a little behind the top's."""
        around, top = piece.bounds(), self._top
        if around.x1 - around.x0 > 2 * top.half_x or around.y1 - around.y0 > 2 * top.half_y:
            return False
        x = -top.half_x - around.x0 if left else top.half_x - around.x1
        slack = 2 * top.half_y - (around.y1 - around.y0)
        return self._place(piece, x, top.half_y - around.y1 - 0.3 * slack, 0.0, around)

    def _place(self, piece: Piece, x: float, y: float, yaw: float, around: Bounds) -> bool:
        room, top = self._room, self._top
        wanted = Bounds(around.x0 + x, around.x1 + x, around.y0 + y, around.y1 + y, around.z0, around.z1)
        overlap = (
            wanted.x0 < other.x1 and other.x0 < wanted.x1 and wanted.y0 < other.y1 and other.y0 < wanted.y1
            for other in self._taken
        )
        if not room.room_for(piece) or any(overlap):
            return False
        self._taken.append(wanted)
        c, s = cos(top.yaw), sin(top.yaw)
        room.add(piece, top.x + c * x - s * y, top.y + s * x + c * y, top.z, top.yaw + yaw)
        return True


def _turned(bounds: Bounds, yaw: float) -> Bounds:
    """Bounds of a box after a rotation."""
    c, s = abs(cos(yaw)), abs(sin(yaw))
    mx, my = (bounds.x0 + bounds.x1) / 2, (bounds.y0 + bounds.y1) / 2
    hx, hy = (bounds.x1 - bounds.x0) / 2, (bounds.y1 - bounds.y0) / 2
    x, y = cos(yaw) * mx - sin(yaw) * my, sin(yaw) * mx + cos(yaw) * my
    wide, deep = c * hx + s * hy, s * hx + c * hy
    return Bounds(x - wide, x + wide, y - deep, y + deep, bounds.z0, bounds.z1)


def fill_tops(room: Room, share: float, most: int) -> None:
    """Put small objects on tops until there are `most` solids.

    Args:
        room: furnished room.
        share: share of tops that carry objects, 0 to 1.
        most: approximate number of solids of the room afterwards.
    """
    for top in room.draw.shuffled(room.tops):
        if len(room.solids) >= most:
            return
        if top.use in {"desk", "seat"} or room.draw.chance(max(share, _LEAST_FULL.get(top.use, 0.0))):
            fill(room, top)


def fill(room: Room, top: Top) -> None:
    """Put some objects on a top."""
    draw, own, spread = room.draw, room.taste, Spread(room, top)
    if top.use == "desk" and draw.chance(0.75) and top.half_x > 0.3:
        spread.put(workplace(own), tries=6, straight=True)
        if draw.chance(0.2):
            spread.put(draw.one_of((printer, computer))(own), straight=True)
    if top.use == "shelf" and draw.chance(0.7):
        # Rows of books at one end or at both.
        ends = (True, False) if draw.chance(0.35) else (draw.chance(0.5),)
        for left in ends:
            length = min(_BIGGEST_ROW, 2 * top.half_x * draw.between(0.25, 1.0) / len(ends))
            row = books(own, length, 2 * top.half_y, top.clear)
            if row.solids:
                spread.row(row, left=left)
    area = 4 * top.half_x * top.half_y
    most = min(_MOST_ON.get(top.use, 7), 1 + int(area / 0.06))
    makers = _BY_USE[top.use]
    if draw.chance(_LADEN.get(top.use, 0.0)):
        most, makers = 2 * most, selections.TABLE if top.use == "table" else makers
    for _ in range(draw.whole(1 + most // 3, max(1, most))):
        maker = draw.weighted(makers)
        spread.put(maker(own), straight=top.use in {"shelf", "kitchen"} and draw.chance(0.7))


def strew(room: Room, count: int, makers: Mapping[Maker, float]) -> None:
    """Put objects on the floor, mostly beside walls."""
    draw = room.draw
    for _ in range(count):
        piece = draw.weighted(makers)(room.taste)
        if draw.chance(0.55):
            room.by_wall(piece, gap=draw.between(0.02, 0.25), tries=5)
        else:
            room.anywhere(piece, tries=5, straight=0.2)


def put_on(room: Room, piece: Piece, top: Top) -> bool:
    """Put one object on a top, facing the same way."""
    return Spread(room, top).put(piece, straight=True)


def television_on(room: Room, top: Top) -> bool:
    """Put a television on a top."""
    return put_on(room, television(room.taste), top)


def lean(room: Room, count: int) -> None:
    """Add pictures, boards and mirrors that stand on the floor and lean against a wall."""
    for _ in range(count):
        room.by_wall(leaning(room.taste), tries=6)
