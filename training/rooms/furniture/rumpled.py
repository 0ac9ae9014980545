"""Rumpled cloth: lumps, thrown blankets, dropped clothes, loose cushions."""

# ruff: noqa: PLR0917
# Functions take positions, or spans of sides, in the order x, y, z.
from __future__ import annotations

from math import pi

from training.rooms.draw import Draw
from training.rooms.furniture.piece import Piece, Span, Vector, times, turn
from training.rooms.scene import Shape
from training.rooms.surfaces.materials import Paint
from training.rooms.surfaces.taste import Taste


def lump(piece: Piece, draw: Draw, paint: Paint, at: Vector, half: Vector, *, steep: float = 0.3) -> None:
    """Add a fold of cloth: a flat, tilted ellipsoid at a random angle, partly inside its support."""
    axes = times(turn(2, draw.between(0, pi)), turn(draw.whole(0, 1), draw.between(-steep, steep)))
    piece.add(Shape.ELLIPSOID, paint, at, half, axes=axes)


def lumps(
    piece: Piece, draw: Draw, paint: Paint, x: Span, y: Span, z: float, count: int, high: float
) -> None:
    """Add folds within a rectangle at a height; none extends beyond its sides or above `high`."""
    room = min(x[1] - x[0], y[1] - y[0]) / 2
    for _ in range(count):
        long = room * draw.between(0.35, 0.95)
        half = (long, long * draw.between(0.25, 0.7), high * draw.between(0.4, 1.0))
        at = (draw.between(x[0] + long, x[1] - long), draw.between(y[0] + long, y[1] - long))
        lump(piece, draw, paint, (*at, z - 0.25 * half[2]), half, steep=min(0.3, 0.5 * high / long))


def heap(own: Taste, kind: str, wide: float, high: float, count: int) -> Piece:
    """A heap of cloth on z = 0: a mound, and long folds across it."""
    draw, piece, paint = own.draw, Piece(kind), own.cloth()
    mound = (wide * draw.between(0.8, 1.0), wide * draw.between(0.45, 0.8), high * draw.between(0.4, 0.6))
    lump(piece, draw, paint, (0.0, 0.0, 0.35 * mound[2]), mound, steep=0.0)
    for _ in range(count - 1):
        half = (
            wide * draw.between(0.4, 0.75),
            wide * draw.between(0.12, 0.3),
            high * draw.between(0.25, 0.4),
        )
        x, y = draw.between(-0.35, 0.35) * wide, draw.between(-0.35, 0.35) * wide
        lump(piece, draw, paint, (x, y, draw.between(0.5, 1.0) * mound[2]), half, steep=0.12)
    return piece


def clothes_heap(own: Taste) -> Piece:
    """A heap of clothes."""
    draw = own.draw
    piece = heap(own, "clothes", draw.between(0.15, 0.32), draw.between(0.06, 0.16), draw.whole(2, 4))
    other = heap(own, "clothes", draw.between(0.12, 0.22), draw.between(0.05, 0.12), draw.whole(1, 2))
    return piece.join(other, draw.between(-0.08, 0.08), draw.between(-0.08, 0.08), draw.between(0.0, 0.03))


def blanket(own: Taste) -> Piece:
    """A thrown blanket."""
    draw = own.draw
    return heap(own, "throw", draw.between(0.2, 0.4), draw.between(0.06, 0.14), draw.whole(3, 6))


def loose_cushion(
    piece: Piece, own: Taste, at: Vector, half: float, thick: float, lean: float, yaw: float = 0.0
) -> None:
    """A cushion whose lowest edge is at a point, leaning back (a right angle: upright) and turned about z."""
    # Metres from the centre down to the lowest point, by the dual norm of the shape.
    dual = _PUFFED / (_PUFFED - 1)
    across, up = abs(half * turn(0, lean)[2][1]), abs(thick * turn(0, lean)[2][2])
    reach: float = (across**dual + up**dual) ** (1 / dual)
    axes = times(turn(2, yaw), turn(0, lean))
    centre = (at[0], at[1], at[2] + 0.97 * reach)
    piece.begin("cushion").add(
        Shape.CUSHION, own.cloth(), centre, (half, half, thick), detail=_PUFFED, axes=axes
    )


def cushion(own: Taste) -> Piece:
    """A loose cushion that lies or leans."""
    draw, piece = own.draw, Piece("cushion")
    lean = draw.between(0.9, 1.35) if draw.chance(0.4) else draw.between(-0.15, 0.3)
    loose_cushion(piece, own, (0.0, 0.0, 0.0), draw.between(0.16, 0.26), draw.between(0.06, 0.1), lean)
    return piece


_PUFFED = 3.0
"""Exponent of a cushion's shape."""


def hung_over(piece: Piece, own: Taste, half: float, y: float, top: float, lean: float) -> None:
    """A garment over the upper edge of a back at y, hanging down in front and behind, with a sleeve."""
    draw, paint = own.draw, own.cloth()
    piece.begin("clothes")
    for side in (-1, 1):
        long = draw.between(0.12, 0.24)
        axes = times(turn(1, draw.between(-0.15, 0.15)), turn(0, -lean + side * 0.08))
        at = (draw.between(-0.03, 0.03), y + side * 0.03 - lean * long, top + 0.02 - long)
        piece.add(Shape.ELLIPSOID, paint, at, (half, 0.045, 1.05 * long), axes=axes)
    piece.rod(paint, (-0.8 * half, y, top + 0.005), (0.8 * half, y, top + 0.012), 0.042)
    if draw.chance(0.6):
        x, low = draw.one_of((-0.8, 0.8)) * half, top - draw.between(0.3, 0.45)
        piece.rod(paint, (0.9 * x, y - 0.03, top - 0.02), (1.1 * x, y - lean * 0.3 - 0.045, low), 0.032)


def beanbag(own: Taste) -> Piece:
    """A bean bag: a wide foot, a lobe that leans back, and a hollow in front of it."""
    draw, piece, cover = own.draw, Piece("beanbag"), own.upholstery()
    r, seat = draw.between(0.32, 0.46), draw.between(0.26, 0.36)
    piece.cushion(cover, (-r, r), (-r, r), (0.0, seat), power=draw.between(2.2, 3.2))
    top, lean = seat + draw.between(0.18, 0.4), draw.between(0.15, 0.5)
    back = (0.0, 0.95 * r)
    piece.cushion(cover, (-0.85 * r, 0.85 * r), back, (0.25 * seat, top), power=2.3, axes=turn(0, -lean))
    lumps(piece, draw, cover, (-0.9 * r, 0.9 * r), (-0.95 * r, 0.1 * r), 0.9 * seat, draw.whole(1, 3), 0.06)
    return piece
