"""Plants in pots: leaves made of ellipsoids around a stem."""

# ruff: noqa: PLR0917
# Functions take positions, or spans of sides, in the order x, y, z.
from __future__ import annotations

from math import cos, pi, sin

from training.rooms.furniture.piece import Piece, times, turn
from training.rooms.scene import Shape
from training.rooms.surfaces.materials import Paint, foliage, linear, plain
from training.rooms.surfaces.taste import Taste


def _leaf(
    piece: Piece, paint: Paint, base: tuple[float, float, float], long: float, around: float, up: float
) -> None:
    """A flat, long ellipsoid that starts at a point, with an angle about z and one above the horizontal."""
    reach = long * 0.48
    x = base[0] + reach * cos(up) * cos(around)
    y = base[1] + reach * cos(up) * sin(around)
    axes = times(turn(2, around), turn(1, -up))
    half = (long / 2, long * 0.17, max(0.004, long * 0.025))
    piece.add(Shape.ELLIPSOID, paint, (x, y, base[2] + reach * sin(up)), half, axes=axes)


def plant(own: Taste, *, tall: float = 0.0, leaves: int = 0) -> Piece:
    """A plant: a rosette, a small tree, a bush, or a cactus.

    Args:
        own: the room's taste.
        tall: height with its pot in metres; 0 for random.
        leaves: largest number of leaves; 0 for random.
    """
    draw, piece = own.draw, Piece("potted plant")
    high = tall or draw.between(0.2, 1.5)
    pot = min(0.35, high * draw.between(0.2, 0.4))
    radius = max(0.05, min(0.22, pot * draw.between(0.45, 0.75)))
    # The pot, with earth in it.
    draw = own.draw
    clay = plain(draw, linear("#b5694a")) if draw.chance(0.35) else own.ceramic()
    shape = draw.weighted({"cone": 0.55, "cylinder": 0.25, "box": 0.2})
    if shape == "box":
        piece.box(clay, (-radius, radius), (-radius, radius), (0.0, pot), edge=0.008)
    elif shape == "cylinder":
        piece.post(clay, (0.0, 0.0), radius, (0.0, pot))
    else:
        cone = piece.post(clay, (0.0, 0.0), radius, (0.0, pot), taper=0.7)
        piece.solids[-1] = cone._replace(axes=turn(0, pi))
    earth = plain(draw, (0.03, 0.02, 0.014), gloss=0.0)
    piece.post(earth, (0.0, 0.0), 0.85 * radius, (pot - 0.01, pot + 0.004))
    paint, count = foliage(draw), leaves or draw.whole(9, 22)
    form = draw.weighted({"rosette": 0.4, "tree": 0.3, "bush": 0.22, "cactus": 0.08})
    if form == "rosette":
        for number in range(count):
            long = (high - pot) * draw.between(0.7, 1.05)
            _leaf(piece, paint, (0.0, 0.0, pot), long, 2.4 * number, draw.between(0.45, 1.5))
    elif form == "tree":
        stem = own.wood()
        piece.post(stem, (0.0, 0.0), 0.012 + 0.008 * high, (pot - 0.01, pot + 0.95 * (high - pot)))
        for number in range(count):
            z = pot + (high - pot) * (0.35 + 0.6 * number / count)
            _leaf(
                piece,
                paint,
                (0.0, 0.0, z),
                (high - pot) * draw.between(0.25, 0.45),
                2.4 * number,
                draw.between(-0.3, 1.0),
            )
    elif form == "bush":
        # Balls of leaves that overlap around the middle.
        size = (high - pot) / 2
        middle, out = pot + size, 0.7 * size
        piece.post(own.wood(), (0.0, 0.0), 0.02, (pot - 0.01, middle))
        piece.ball(paint, (0.0, 0.0, middle), out)
        for number in range(min(count, 10)):
            around, up, r = 2.4 * number, draw.between(-0.7, 1.2), size * draw.between(0.25, 0.45)
            at = (out * cos(up) * cos(around), out * cos(up) * sin(around), middle + out * sin(up))
            piece.ball(paint, at, r)
    else:
        piece.post(paint, (0.0, 0.0), 0.5 * radius, (pot - 0.01, high - 0.4 * radius))
        piece.ball(paint, (0.0, 0.0, high - 0.5 * radius), 0.5 * radius)
    return piece


def flowers(own: Taste) -> Piece:
    """A vase with flowers."""
    draw = own.draw
    piece = vase(own)
    top = piece.bounds().z1
    piece.begin("potted plant")
    paint, stem = own.accent(), foliage(draw)
    for number in range(draw.whole(3, 7)):
        around, lean, long = 2.4 * number, draw.between(0.02, 0.5), draw.between(0.12, 0.3)
        tip = (long * sin(lean) * cos(around), long * sin(lean) * sin(around), top + long * cos(lean))
        piece.rod(stem, (0.0, 0.0, top - 0.04), tip, 0.003)
        piece.ball(paint, tip, draw.between(0.015, 0.035))
    return piece


def vase(own: Taste) -> Piece:
    """A vase: a belly and a neck, or a plain cylinder."""
    draw, piece, paint = own.draw, Piece("vase"), own.ceramic() if own.draw.chance(0.6) else own.accent()
    high, r = draw.between(0.14, 0.36), draw.between(0.04, 0.09)
    if draw.chance(0.35):
        piece.post(paint, (0.0, 0.0), 0.7 * r, (0.0, high), taper=draw.between(0.7, 1.0))
        return piece
    belly = 0.62 * high
    piece.post(paint, (0.0, 0.0), 0.55 * r, (0.0, 0.3 * belly))
    piece.add(Shape.ELLIPSOID, paint, (0.0, 0.0, belly / 2 + 0.006), (r, r, belly / 2))
    piece.post(paint, (0.0, 0.0), 0.4 * r, (0.85 * belly, high))
    piece.add(Shape.TORUS, paint, (0.0, 0.0, high), (0.45 * r, 0.45 * r, 0.12 * r))
    return piece
