"""Shell of a room as solids: walls around their openings, floor, ceiling, skirting, beams, slopes."""

from __future__ import annotations

from math import atan2, hypot
from typing import NamedTuple

from training.rooms.floor_plan import FloorPlan, Opening, Span, Wall
from training.rooms.furnishing.arrange import Room
from training.rooms.furnishing.footprint import footprint, of_wall
from training.rooms.furniture import openings
from training.rooms.furniture.piece import Piece, turn
from training.rooms.surfaces.materials import Colour, Paint
from training.rooms.surfaces.taste import Taste, ceiling_paint, floor_paint, wall_paint

MARGIN = 0.5
"""Metres by which floor and ceiling extend beyond the walls."""

GROUND = 0.2
"""Thickness of floor and ceiling in metres."""


def wall_boxes(wall: Wall, height: float) -> list[tuple[Span, Span]]:
    """Divide a wall around its openings into boxes without gaps: spans along the wall and upwards."""
    parts: list[tuple[Span, Span]] = []
    at = -wall.before
    for hole in wall.openings:
        parts.append(((at, hole.x[0]), (0.0, height)))
        parts += [(hole.x, z) for z in ((0.0, hole.z[0]), (hole.z[1], height)) if z[1] - z[0] > 1e-6]
        at = hole.x[1]
    parts.append(((at, wall.length + wall.after), (0.0, height)))
    return parts


def wall_piece(wall: Wall, height: float, paint: Paint) -> Piece:
    """Build a wall with empty openings, which extends slightly below the floor and above the ceiling."""
    piece = Piece("wall")
    for x, (low, high) in wall_boxes(wall, height):
        z = (low or -0.05, high + 0.05 * (high == height))
        piece.box(paint, x, (0.0, wall.thick), z, edge=0)
    return piece


def skirting(wall: Wall, paint: Paint, high: float, out: float) -> Piece:
    """A board along the foot of a wall, left out at doors."""
    piece = Piece("wall")
    at = 0.0
    for hole in (*(o for o in wall.openings if o.z[0] < high), None):
        end = wall.length if hole is None else hole.x[0] - 0.11
        if end - at > 0.05:
            piece.box(paint, (at, end), (-out, 0.0), (0.0, high), edge=0.004)
        at = 0.0 if hole is None else hole.x[1] + 0.11
    return piece


def floor_and_ceiling(room: FloorPlan, floor: Paint, ceiling: Paint) -> Piece:
    """Build the slabs of floor and ceiling."""
    (x0, y0), (x1, y1) = room.corners
    x, y = (x0 - MARGIN, x1 + MARGIN), (y0 - MARGIN, y1 + MARGIN)
    piece = Piece("floor")
    piece.box(floor, x, y, (-GROUND, 0.0), edge=0)
    piece.begin("ceiling").box(ceiling, x, y, (room.height, room.height + GROUND), edge=0)
    return piece


def _beams(room: Room) -> None:
    """Put beams under the ceiling, along x or y."""
    draw, own, plan = room.draw, room.taste, room.plan
    (x0, y0), (x1, y1) = plan.corners
    paint = own.wood() if draw.chance(0.7) else own.trim
    along_x = draw.chance(0.5)
    low, high = (y0, y1) if along_x else (x0, x1)
    count = draw.whole(1, 4)
    wide, deep = draw.between(0.08, 0.25), draw.between(0.08, min(0.25, plan.height - 2.12))
    for number in range(count):
        at = low + (high - low) * (number + 1) / (count + 1)
        across, z = (at - wide / 2, at + wide / 2), (plan.height - deep, plan.height)
        piece = Piece("beam")
        piece.box(paint, *(((x0, x1), across) if along_x else (across, (y0, y1))), z, edge=0.006)
        room.add(piece, 0.0, 0.0, 0.0, 0.0)
        room.taken.take(footprint(piece.bounds(), 0.0, 0.0, 0.0, 0.0))


def _slope(room: Room, paint: Paint) -> None:
    """Put a sloping ceiling over one of the walls, as under a roof, and limit the height of objects there."""
    draw, plan = room.draw, room.plan
    knee, run = draw.between(1.2, 1.7), draw.between(0.9, 1.6)
    # It fits at a wall between two corners with no openings in or near it.
    fitting = []
    for number, wall in enumerate(plan.walls):
        before, after = plan.walls[number - 1], plan.walls[(number + 1) % len(plan.walls)]
        ends = [before.length - hole.x[1] for hole in before.openings]
        ends += [hole.x[0] for hole in after.openings]
        cornered = wall.before and wall.after and min(before.length, after.length) >= run + 0.5
        if cornered and not wall.openings and min(ends, default=9.0) > run + 0.3:
            fitting.append(wall)
    if not fitting:
        return
    wall, rise = draw.one_of(fitting), plan.height - knee
    long, thick = hypot(rise, run), 0.6
    y = -run / 2 + thick / 2 * rise / long
    z = knee + rise / 2 + thick / 2 * run / long
    x, half = (-wall.before, wall.length + wall.after), long / 2 + 0.3
    piece = Piece("ceiling")
    axes = turn(0, -atan2(rise, run))
    piece.box(paint, x, (y - half, y + half), (z - thick / 2, z + thick / 2), edge=0, axes=axes)
    room.add(piece, *wall.place(0.0), 0.0, wall.yaw)
    for part in range(4):
        strip = (-run * (part + 1) / 4, -run * part / 4)
        low = knee + rise * part / 4
        room.taken.take(of_wall(wall, (0.0, wall.length), strip, (low, plan.height + 1)))


class Shell(NamedTuple):
    """Data of a shell for furnishing: paint of the walls, colour of the light from outside."""

    wall: Paint
    tint: Colour


def build(room: Room, *, wet: bool, hard: bool, night: bool, under_roof: float, beamed: float) -> Shell:
    """Put walls, floor, ceiling and all openings into an empty room.

    Args:
        room: empty room.
        wet: True if walls and floor are mostly tiled.
        hard: True if there is mostly no carpet.
        night: True if it is dark outside.
        under_roof: probability of a sloping ceiling, if there is a wall for one.
        beamed: probability of beams.
    """
    own, plan = room.taste, room.plan
    draw = own.draw
    wall, floor, ceiling = wall_paint(own, wet=wet), floor_paint(own, wet=wet, hard=hard), ceiling_paint(own)
    second = wall_paint(own, wet=wet) if draw.chance(0.2) else wall
    sky, tint = openings.sky_paint(own, night=night)
    room.add(floor_and_ceiling(plan, floor, ceiling), 0.0, 0.0, 0.0, 0.0)
    foot = (draw.between(0.05, 0.14), draw.between(0.008, 0.02)) if draw.chance(0.85) else None
    for side in plan.walls:
        paint = second if draw.chance(0.25) else wall
        piece = wall_piece(side, plan.height, paint)
        if foot:
            piece.join(skirting(side, own.trim, *foot))
        for hole in side.openings:
            piece.join(_fill(own, hole, side.thick, (paint, wall, floor, sky)))
        room.add(piece, *side.place(0.0), 0.0, side.yaw)
    if draw.chance(under_roof):
        _slope(room, ceiling)
    if draw.chance(beamed):
        _beams(room)
    return Shell(wall, tint)


def _fill(own: Taste, hole: Opening, thick: float, paints: tuple[Paint, Paint, Paint, Paint]) -> Piece:
    paint, wall, floor, sky = paints
    if hole.use == "door":
        return openings.door(own, hole, thick, wall)
    if hole.use == "doorway":
        return openings.doorway(own, hole, thick, wall, floor)
    if hole.use == "niche":
        return openings.niche(own, hole, thick, paint)
    return openings.window(own, hole, thick, sky)
