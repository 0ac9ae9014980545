"""Doors, windows and niches, in the frame of their wall: +x along it, +y outwards, inner face at y = 0."""

# ruff: noqa: PLR0917
# Functions take positions, or spans of sides, in the order x, y, z.
from __future__ import annotations

from math import cos, sin

from training.rooms.floor_plan import Opening, Span
from training.rooms.furniture.piece import Piece, turn
from training.rooms.surfaces import materials
from training.rooms.surfaces.materials import Colour, Paint
from training.rooms.surfaces.taste import Taste

BEHIND = 0.06
"""Metres by which the closing of an opening extends beyond its rim."""


def frame(piece: Piece, paint: Paint, x: Span, z: Span, y: Span, wide: float, *, bottom: bool) -> None:
    """Four bars, or three, around a rectangle, inside of it."""
    piece.box(paint, (x[0], x[0] + wide), y, z, edge=0.003)
    piece.box(paint, (x[1] - wide, x[1]), y, z, edge=0.003)
    piece.box(paint, (x[0] + wide, x[1] - wide), y, (z[1] - wide, z[1]), edge=0.003)
    if bottom:
        piece.box(paint, (x[0] + wide, x[1] - wide), y, (z[0], z[0] + wide), edge=0.003)


def architrave(piece: Piece, own: Taste, hole: Opening) -> None:
    """Boards around a door, standing out of the wall."""
    wide, out = own.draw.between(0.05, 0.11), own.draw.between(0.01, 0.025)
    x = (hole.x[0] - wide, hole.x[1] + wide)
    frame(piece, own.trim, x, (0.0, hole.z[1] + wide), (-out, 0.0), wide, bottom=False)


def door(own: Taste, hole: Opening, thick: float, wall: Paint) -> Piece:
    """A closed door: its leaf in the opening, panels, a handle, boards around."""
    draw, piece = own.draw, Piece("wall")
    x, z = hole.x, hole.z
    piece.box(wall, (x[0] - BEHIND, x[1] + BEHIND), (thick, thick + 0.05), (-BEHIND, z[1] + BEHIND), edge=0)
    piece.begin("door")
    architrave(piece, own, hole)
    paint = own.trim if draw.chance(0.6) else own.furniture()
    deep = draw.between(0.0, thick - 0.08)
    piece.box(paint, x, (deep, deep + 0.04), z, edge=0.002)
    panels(piece, paint, draw.whole(0, 3), x, deep, z)
    side = x[0] + 0.07 if draw.chance(0.5) else x[1] - 0.07
    towards = 0.11 if side < (x[0] + x[1]) / 2 else -0.11
    piece.rod(own.steel, (side, deep, 1.02), (side, deep - 0.06, 1.02), 0.012)
    piece.rod(own.steel, (side, deep - 0.055, 1.02), (side + towards, deep - 0.055, 1.02), 0.011)
    return piece


def panels(piece: Piece, paint: Paint, count: int, x: Span, y: float, z: Span) -> None:
    """Raised fields on a door's leaf, one above the other; the leaf's face is at y."""
    if not count:
        return
    margin = 0.14 * (x[1] - x[0])
    high = (z[1] - z[0] - (count + 1) * margin) / count
    for number in range(count):
        bottom = z[0] + margin + number * (high + margin)
        piece.box(paint, (x[0] + margin, x[1] - margin), (y - 0.012, y), (bottom, bottom + high), edge=0.008)


def doorway(own: Taste, hole: Opening, thick: float, wall: Paint, floor: Paint) -> Piece:
    """An open doorway: a bit of the corridor behind it, often with the leaf standing open."""
    draw, piece = own.draw, Piece("wall")
    x, top, deep = hole.x, hole.z[1], thick + draw.between(0.9, 1.9)
    left, right, high = x[0] - draw.between(0.05, 0.45), x[1] + draw.between(0.05, 0.45), top + 0.25
    for side in (left - 0.1, right):
        piece.box(wall, (side, side + 0.1), (thick - 0.02, deep + 0.1), (-0.1, high + 0.1), edge=0)
    piece.box(wall, (left - 0.1, right + 0.1), (deep, deep + 0.1), (-0.1, high + 0.1), edge=0)
    piece.begin("ceiling")
    piece.box(wall, (left - 0.1, right + 0.1), (thick - 0.02, deep + 0.1), (high, high + 0.1), edge=0)
    piece.begin("floor")
    piece.box(floor, (left - 0.1, right + 0.1), (-0.02, deep + 0.1), (-0.1, -0.001), edge=0)
    piece.begin("door")
    if draw.chance(0.85):
        architrave(piece, own, hole)
    if draw.chance(0.5):
        # The leaf stands open into the corridor, hinged at one side of the opening.
        wide = min(hole.x[1] - hole.x[0], 0.85)
        angle = draw.between(1.2, 1.6)
        hinge, sign = (hole.x[1] - 0.03, -1.0) if draw.chance(0.5) else (hole.x[0] + 0.03, 1.0)
        mx, my = hinge + sign * cos(angle) * wide / 2, thick + 0.03 + sin(angle) * wide / 2
        along, across = (mx - wide / 2, mx + wide / 2), (my - 0.02, my + 0.02)
        piece.box(own.trim, along, across, (0.001, top - 0.02), edge=0.003, axes=turn(2, sign * angle))
    return piece


def window(own: Taste, hole: Opening, thick: float, sky: Paint) -> Piece:
    """A window: the view through it, its frame and bars, and a sill."""
    draw, piece = own.draw, Piece("window")
    x, z = hole.x, hole.z
    outer = (thick - 0.01, thick + 0.05)
    piece.box(sky, (x[0] - BEHIND, x[1] + BEHIND), outer, (z[0] - BEHIND, z[1] + BEHIND), edge=0)
    y, wide = (thick - draw.between(0.05, 0.09), thick - 0.012), draw.between(0.04, 0.09)
    frame(piece, own.trim, x, z, y, wide, bottom=True)
    sashes = max(1, round((x[1] - x[0]) / draw.between(0.5, 1.1)))
    for number in range(1, sashes):
        at = x[0] + (x[1] - x[0]) * number / sashes
        piece.box(own.trim, (at - wide / 2, at + wide / 2), y, (z[0] + wide, z[1] - wide), edge=0.003)
    bars = draw.weighted({0: 0.55, 1: 0.3, 2: 0.15})
    for number in range(bars):
        at = z[0] + (z[1] - z[0]) * (number + 1) / (bars + 1)
        piece.box(
            own.trim, (x[0] + wide, x[1] - wide), (y[0] + 0.01, y[1]), (at - 0.015, at + 0.015), edge=0.003
        )
    if draw.chance(0.5):
        out = draw.between(0.01, 0.03)
        rim = draw.between(0.05, 0.1)
        around = ((x[0] - rim, x[1] + rim), (z[0], z[1] + rim))
        frame(piece, own.trim, *around, (-out, 0.0), rim, bottom=False)
    if z[0] > 0.3 and draw.chance(0.8):
        out = draw.between(0.03, 0.22)
        reach = (x[0] - 0.06, x[1] + 0.06)
        piece.box(own.trim, reach, (-out, 0.0), (z[0] - 0.035, z[0]), edge=0.006)
        piece.top((x[0] + 0.03, x[1] - 0.03), (-out, y[0]), z[0], z[1] - z[0])
    return piece


def niche(own: Taste, hole: Opening, thick: float, wall: Paint) -> Piece:
    """A recess in a wall, as deep as the wall is thick, with space for objects."""
    piece, (x, z) = Piece("wall"), (hole.x, hole.z)
    back = (thick - 0.03, thick + 0.05)
    piece.box(wall, (x[0] - BEHIND, x[1] + BEHIND), back, (z[0] - BEHIND, z[1] + BEHIND), edge=0)
    piece.top((x[0] + 0.02, x[1] - 0.02), (0.0, thick - 0.04), z[0], z[1] - z[0])
    if own.draw.chance(0.4):
        piece.begin("shelves")
        middle = (z[0] + z[1]) / 2
        piece.box(own.furniture(), x, (0.01, thick - 0.03), (middle, middle + 0.025))
        piece.top((x[0] + 0.02, x[1] - 0.02), (0.01, thick - 0.04), middle + 0.025, z[1] - middle)
    return piece


def sky_paint(own: Taste, *, night: bool) -> tuple[Paint, Colour]:
    """Draw the paint of the view behind the windows, and the colour of the light that comes in."""
    draw = own.draw
    if night:
        return materials.glow((0.01, 0.013, 0.03), draw.between(0.3, 1.0)), (0.5, 0.6, 1.0)
    if own.views:
        number = draw.whole(0, len(own.views) - 1)
        outside = own.views[number]
        return materials.view(draw, number, outside, draw.between(0.7, 2.5)), outside
    tint = draw.one_of(((1.0, 1.0, 1.0), (0.88, 0.95, 1.08), (1.1, 1.0, 0.85), (0.95, 1.0, 1.05)))
    power = draw.between(1.0, 4.0)
    if draw.chance(0.45):
        return own.picture(glow=draw.between(0.8, 2.5)), tint
    return materials.glow(tint, power), tint
