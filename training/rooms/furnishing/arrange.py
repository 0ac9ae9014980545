"""A room that is being furnished: its content so far, and the search for free places."""

# ruff: noqa: PLR0917
# Functions take positions, or spans of sides, in the order x, y, z.
from __future__ import annotations

from dataclasses import dataclass, field
from math import cos, pi, sin

from training.rooms.draw import Draw
from training.rooms.floor_plan import FloorPlan, Wall
from training.rooms.furnishing.footprint import Taken, footprint
from training.rooms.furniture.piece import Bounds, Bulb, Piece, Solid, Top, moved_bulb, moved_top
from training.rooms.surfaces.taste import Taste


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece with its position in the world and its rotation about z."""

    piece: Piece
    x: float
    y: float
    z: float
    yaw: float
    bounds: Bounds
    tops: tuple[Top, ...]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Convert a point of the piece's frame to world coordinates."""
        c, s = cos(self.yaw), sin(self.yaw)
        return (self.x + c * x - s * y, self.y + s * x + c * y)


@dataclass(slots=True)
class Room:
    """A room that is being furnished.

    Attributes:
        plan: the empty room.
        taste: materials of its objects.
        limit: largest number of solids.
        solids: all solids so far, in the world, with consecutive numbers of objects.
        tops: surfaces for small objects.
        bulbs: lamps.
        covered: square metres of floor under furniture.
    """

    plan: FloorPlan
    taste: Taste
    limit: int
    solids: list[Solid] = field(default_factory=list)
    tops: list[Top] = field(default_factory=list)
    bulbs: list[Bulb] = field(default_factory=list)
    covered: float = 0.0
    taken: Taken = field(init=False)
    _things: int = 0

    def __post_init__(self) -> None:
        self.taken = Taken(self.plan)

    @property
    def draw(self) -> Draw:
        """The source of random choices."""
        return self.taste.draw

    def room_for(self, piece: Piece) -> bool:
        """Return True if a piece has solids and the limit on solids allows them."""
        return bool(piece.solids) and len(self.solids) + len(piece.solids) <= self.limit

    def add(self, piece: Piece, x: float, y: float, z: float, yaw: float) -> Placed:
        """Add a piece at a position without checks."""
        for solid in piece.moved(x, y, z, yaw):
            self.solids.append(solid._replace(thing=solid.thing + self._things))
        self._things += piece.things
        tops = tuple(moved_top(top, x, y, z, yaw) for top in piece.tops)
        self.tops.extend(tops)
        self.bulbs.extend(moved_bulb(bulb, x, y, z, yaw) for bulb in piece.bulbs)
        return Placed(piece, x, y, z, yaw, piece.bounds(), tops)

    def put(self, piece: Piece, x: float, y: float, yaw: float, z: float = 0.0) -> Placed | None:
        """Add a piece at a position if the space is free and the limit allows it."""
        return self._put(piece, piece.bounds(), x, y, z, yaw) if self.room_for(piece) else None

    def _put(self, piece: Piece, bounds: Bounds, x: float, y: float, z: float, yaw: float) -> Placed | None:
        blocks = [footprint(block, x, y, z, yaw) for block in piece.blocks or [bounds]]
        if piece.front:
            wanted = bounds._replace(y0=bounds.y0 - piece.front, z0=bounds.z0 + 0.04)
            if not self.taken.free(footprint(wanted, x, y, z, yaw)):
                return None
        if not all(self.taken.free(block) for block in blocks):
            return None
        for block in blocks:
            self.taken.take(block)
        placed = self.add(piece, x, y, z, yaw)
        if z + bounds.z0 < 0.1:
            self.covered += (bounds.x1 - bounds.x0) * (bounds.y1 - bounds.y0)
        return placed

    def by_wall(
        self,
        piece: Piece,
        *,
        lift: float = 0.0,
        gap: float = 0.0,
        tries: int = 14,
        walls: tuple[Wall, ...] = (),
    ) -> Placed | None:
        """Put a piece with its back to a wall, `lift` metres up, if there is a free place."""
        if not self.room_for(piece):
            return None
        draw, bounds = self.draw, piece.bounds()
        wide = bounds.x1 - bounds.x0
        fitting = [wall for wall in walls or self.plan.walls if wall.length >= wide]
        weights = {number: wall.length for number, wall in enumerate(fitting)}
        for _ in range(tries if fitting else 0):
            wall = fitting[draw.weighted(weights)]
            slack = wall.length - wide
            corner = draw.chance(0.25) and slack > 0.1
            along = (draw.one_of((0.0, slack)) if corner else draw.share() * slack) - bounds.x0
            x, y = wall.place(along, -bounds.y1 - gap)
            placed = self._put(piece, bounds, x, y, lift, wall.yaw)
            if placed:
                return placed
        return None

    def anywhere(self, piece: Piece, *, tries: int = 14, straight: float = 0.6) -> Placed | None:
        """Put a piece on the floor, parallel to the walls with probability `straight`, else at any angle."""
        if not self.room_for(piece):
            return None
        draw, bounds = self.draw, piece.bounds()
        (x0, y0), (x1, y1) = self.plan.corners
        for _ in range(tries):
            yaw = draw.whole(0, 3) * pi / 2 if draw.chance(straight) else draw.between(0, 2 * pi)
            placed = self._put(piece, bounds, draw.between(x0, x1), draw.between(y0, y1), 0.0, yaw)
            if placed:
                return placed
        return None

    def beside(
        self, piece: Piece, other: Placed, x: float, y: float, turn: float = 0.0, *, z: float = 0.0
    ) -> Placed | None:
        """Put a piece at a position in another one's frame, rotated relative to it by `turn`."""
        at = other.at(x, y)
        return self.put(piece, at[0], at[1], other.yaw + turn, other.z + z)

    def hang(self, piece: Piece, x: float, y: float, yaw: float = 0.0) -> Placed | None:
        """Hang a piece from the ceiling, which is at z = 0 in the piece's frame."""
        return self.put(piece, x, y, yaw, self.plan.height)
