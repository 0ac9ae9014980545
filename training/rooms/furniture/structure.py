"""Fixed parts of rooms: pillars, half walls, fireplaces, radiators, ladders."""

from __future__ import annotations

from training.rooms.furniture.piece import Piece
from training.rooms.surfaces.materials import Paint, plain
from training.rooms.surfaces.taste import Taste


def pillar(own: Taste, height: float, wall: Paint) -> Piece:
    """A pillar from floor to ceiling, round or square, some with a base and a head."""
    draw, piece = own.draw, Piece("pillar")
    r = draw.between(0.08, 0.22)
    paint = wall if draw.chance(0.6) else own.furniture()
    if draw.chance(0.4):
        piece.post(paint, (0.0, 0.0), r, (0.0, height))
    else:
        piece.box(paint, (-r, r), (-r, r), (0.0, height), edge=draw.between(0.002, 0.02))
    if draw.chance(0.4):
        for z in ((0.0, 0.12), (height - 0.1, height)):
            piece.box(paint, (-r - 0.04, r + 0.04), (-r - 0.04, r + 0.04), z, edge=0.01)
    return piece


def half_wall(own: Taste, height: float, wall: Paint) -> Piece:
    """A wall that stands out into the room, breast-high or up to the ceiling; its root is at +y."""
    draw, piece = own.draw, Piece("wall")
    long, half = draw.between(0.5, 1.6), draw.between(0.05, 0.09)
    top = height if draw.chance(0.5) else draw.between(0.9, 1.4)
    piece.box(wall, (-half, half), (-long, 0.0), (0.0, top), edge=0.003)
    if top < height:
        piece.box(own.trim, (-half - 0.02, half + 0.02), (-long - 0.02, 0.0), (top, top + 0.03), edge=0.005)
        piece.top((-half, half), (-long, 0.0), top + 0.03, height - top - 0.1)
    return piece


def fireplace(own: Taste) -> Piece:
    """A fireplace: two posts, a lintel, a mantelpiece, a dark opening and a hearth."""
    draw, piece = own.draw, Piece("fireplace")
    paint = own.stone() if draw.chance(0.5) else own.trim
    w, d, high = draw.between(0.5, 0.75), draw.between(0.1, 0.2), draw.between(0.95, 1.2)
    inner, lintel = 0.62 * w, 0.7 * high
    soot = plain(draw, (0.02, 0.018, 0.017), gloss=0.0)
    for x in ((-w, -inner), (inner, w)):
        piece.box(paint, x, (-d, d), (0.0, high), edge=0.006)
    piece.box(paint, (-inner, inner), (-d, d), (lintel, high), edge=0.006)
    piece.box(soot, (-inner, inner), (d - 0.02, d), (0.0, lintel), edge=0)
    piece.box(paint, (-w - 0.07, w + 0.07), (-d - 0.07, d), (high, high + 0.05), edge=0.008)
    piece.box(own.stone(), (-w, w), (-d - 0.3, -d), (0.0, 0.03), edge=0.004)
    for at, z in ((-0.1, 0.05), (0.1, 0.05), (0.0, 0.14)):
        piece.rod(own.wood(), (at - 0.03, -d + 0.03, z), (at + 0.03, d - 0.03, z), 0.055)
    piece.top((-w, w), (-d - 0.05, d), high + 0.05)
    return piece


def radiator(own: Taste, high: float) -> Piece:
    """A radiator of upright ribs, or a panel; the wall is at +y."""
    draw, piece, paint = own.draw, Piece("radiator"), own.trim
    w, low = draw.between(0.3, 0.75), draw.between(0.08, 0.15)
    if draw.chance(0.5):
        piece.box(paint, (-w, w), (-0.05, 0.01), (low, high), edge=0.012)
    else:
        step = 0.075
        count = int(2 * w / step)
        for number in range(count):
            x = -w + (number + 0.5) * step
            piece.box(paint, (x - 0.026, x + 0.026), (-0.06, 0.01), (low, high), edge=0.022)
        for z in (low + 0.05, high - 0.05):
            piece.rod(paint, (-w, -0.025, z), (-w + count * step, -0.025, z), 0.015)
    piece.rod(paint, (w - 0.05, -0.02, 0.0), (w - 0.05, -0.02, low + 0.02), 0.011)
    piece.box(paint, (-0.02, 0.02), (0.0, 0.04), (low + 0.1, low + 0.15), edge=0.003)
    return piece


def ladder(own: Taste) -> Piece:
    """A ladder that leans at a wall at +y."""
    draw, piece, paint = own.draw, Piece("ladder"), own.wood() if own.draw.chance(0.6) else own.metal()
    high, out, w = draw.between(1.5, 2.0), draw.between(0.25, 0.45), 0.2
    for x in (-w, w):
        piece.rod(paint, (x, -out, 0.0), (x, -0.02, high), 0.02)
    count = int(high / 0.3)
    for number in range(1, count + 1):
        share = number / (count + 1)
        at = (-out + (out - 0.02) * share, 0.02 + (high - 0.02) * share)
        piece.rod(paint, (-w, *at), (w, *at), 0.014)
    return piece


def box_of_wall(wall: Paint, height: float, wide: float, deep: float) -> Piece:
    """A duct cased in at a wall at +y, up to the ceiling."""
    piece = Piece("wall")
    piece.box(wall, (-wide, wide), (-deep, 0.0), (0.0, height), edge=0.002)
    return piece
