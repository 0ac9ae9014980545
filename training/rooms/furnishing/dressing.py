"""Fittings of a room's shell: curtains, radiators, ceiling lamps, wall decoration, rugs."""

from __future__ import annotations

from collections.abc import Mapping

from training.errors import DataError
from training.rooms.floor_plan import Wall
from training.rooms.furnishing.arrange import Room
from training.rooms.furnishing.footprint import Taken, footprint, of_wall
from training.rooms.furniture import decoration, lamps, soft, structure
from training.rooms.furniture.clutter import Maker
from training.rooms.furniture.piece import Piece
from training.rooms.furniture.storage import wall_shelf
from training.rooms.surfaces.materials import Paint

_TRIES = 500  # positions to try in a full room

_ON_WALLS: Mapping[Maker, float] = {
    decoration.picture: 5,
    decoration.gallery: 0.8,
    wall_shelf: 1.6,
    decoration.clock: 0.7,
    decoration.wall_mirror: 0.7,
    lamps.wall_lamp: 0.6,
    soft.coat_rack: 0.3,
}


def dress_windows(room: Room) -> None:
    """Add blinds, curtains and radiators at windows."""
    draw, own = room.draw, room.taste
    windows = [(wall, hole) for wall in room.plan.walls for hole in wall.openings if hole.use == "window"]
    for wall, hole in windows:
        x, z = hole.x, hole.z
        if draw.chance(0.4):
            _at_wall(room, soft.blinds(own, x, z), wall)
        warm = 0.5 < z[0] < 0.95 and draw.chance(0.35)
        if warm:
            radiator = structure.radiator(own, min(z[0] - 0.12, 0.8))
            around = radiator.bounds()
            middle = min(max((x[0] + x[1]) / 2, around.x1 + 0.02), wall.length - around.x1 - 0.02)
            at = wall.place(middle, -around.y1)
            room.put(radiator, *at, wall.yaw)
        roomy = x[0] > 0.3 and wall.length - x[1] > 0.3 and room.plan.height - z[1] > 0.15
        if roomy and draw.chance(0.25):
            curtain = soft.curtains(own, x, z if not warm else (max(z[0], 0.6), z[1]), 8)
            _at_wall(room, curtain, wall)
            around = curtain.bounds()
            room.taken.take(of_wall(wall, around[:2], around[2:4], (around.z0 + 0.05, around.z1)))


def _at_wall(room: Room, piece: Piece, wall: Wall) -> None:
    """Put a piece that was made in the frame of a wall."""
    if room.room_for(piece):
        room.add(piece, *wall.place(0.0), 0.0, wall.yaw)


def build_in(room: Room, wall: Paint) -> None:
    """Sometimes add a pillar, a half wall, a fireplace or a cased-in duct."""
    draw, own, height = room.draw, room.taste, room.plan.height
    if draw.chance(0.12):
        room.anywhere(structure.pillar(own, height, wall), straight=1.0)
    if draw.chance(0.1):
        room.by_wall(structure.half_wall(own, height, wall))
    if draw.chance(0.15):
        duct = structure.box_of_wall(wall, height, draw.between(0.1, 0.3), draw.between(0.1, 0.3))
        room.by_wall(duct)


def light_ceiling(room: Room, least: int = 1) -> None:
    """Add one or two ceiling lamps, more in large rooms; with `least`, there is always one light."""
    draw, own = room.draw, room.taste
    count = max(least, draw.weighted({0: 0.15, 1: 0.6, 2: 0.25}))
    on = draw.chance(0.75) or least > 0
    for _ in range(count):
        for _ in range(6):
            if _hang_lamp(room, on=on):
                break
    if least and not room.bulbs:
        room.anywhere(lamps.floor_lamp(own), tries=60)
    if least and not room.bulbs:
        # The room is so full that the lamp must touch other objects, but not the walls.
        piece = lamps.ceiling_lamp(own)
        (x0, y0), (x1, y1) = room.plan.corners
        walls, draw = Taken(room.plan), room.draw
        for _ in range(_TRIES):
            x, y = draw.between(x0, x1), draw.between(y0, y1)
            if walls.free(footprint(piece.bounds(), x, y, room.plan.height, 0.0)):
                room.add(piece, x, y, room.plan.height, 0.0)
                return
        raise DataError(f"a room of {x1 - x0:.1f} x {y1 - y0:.1f} m has no place for a lamp")


def _hang_lamp(room: Room, *, on: bool) -> bool:
    draw, own = room.draw, room.taste
    drop = min(draw.between(0.25, 0.9), room.plan.height - 1.95)
    form = draw.weighted({"pendant": 0.4 if drop > 0.15 else 0.0, "flat": 0.45, "spots": 0.15})
    if form == "pendant":
        piece = lamps.pendant(own, drop, on=on)
    else:
        piece = (lamps.ceiling_lamp if form == "flat" else lamps.spots)(own, on=on)
    (x0, y0), (x1, y1) = room.plan.corners
    mx, my = (x0 + x1) / 2, (y0 + y1) / 2
    x = draw.normal(mx, (x1 - x0) / 5, x0 + 0.3, x1 - 0.3)
    y = draw.normal(my, (y1 - y0) / 5, y0 + 0.3, y1 - 0.3)
    return room.hang(piece, x, y, draw.one_of((0.0, 1.5707963))) is not None


def decorate_walls(room: Room, count: int) -> None:
    """Hang decoration on walls at about eye level."""
    draw, own = room.draw, room.taste
    for _ in range(count):
        maker = draw.weighted(_ON_WALLS)
        low, high = (0.0, 0.75) if maker is soft.coat_rack else (1.25, 1.75)
        lift = draw.between(low, min(high, room.plan.height - 0.75))
        room.by_wall(maker(own), lift=lift, tries=8)
    if draw.chance(0.6):
        room.by_wall(decoration.switch(own), lift=draw.between(0.95, 1.2), tries=6)
    if draw.chance(0.4):
        room.by_wall(decoration.switch(own), lift=0.3, tries=4)


def lay_rugs(room: Room, count: int) -> None:
    """Lay rugs anywhere on the floor, also under furniture."""
    draw, own = room.draw, room.taste
    (x0, y0), (x1, y1) = room.plan.corners
    for _ in range(count):
        piece = soft.rug(own) if draw.chance(0.85) else soft.doormat(own)
        yaw = draw.weighted({0.0: 0.45, 1.5707963: 0.35, 0.3: 0.1, -0.2: 0.1})
        for _ in range(10):
            x, y = draw.between(x0, x1), draw.between(y0, y1)
            if room.room_for(piece) and room.taken.lay(footprint(piece.bounds(), x, y, 0.0, yaw)):
                room.add(piece, x, y, 0.0, yaw)
                break
