"""Small objects that lie or stand about, each at most about 0.4 m wide, on z = 0."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sin
from typing import TypeAlias

from training.rooms.furniture.piece import Piece, turn
from training.rooms.furniture.plants import plant
from training.rooms.scene import Shape
from training.rooms.surfaces.materials import linear, plain, spine
from training.rooms.surfaces.taste import Taste

Maker: TypeAlias = Callable[[Taste], Piece]

_CARD = ("#b58d5f", "#a37c50", "#c39e73")


def carton(own: Taste) -> Piece:
    """A box of cardboard, or a coloured one, sometimes with a lid."""
    draw, piece = own.draw, Piece("box")
    card = draw.chance(0.5)
    paint = plain(draw, linear(draw.one_of(_CARD)), gloss=0.0) if card else own.small()
    w, d, high = draw.between(0.06, 0.25), draw.between(0.05, 0.18), draw.between(0.05, 0.3)
    piece.box(paint, (-w, w), (-d, d), (0.0, high), edge=0.003)
    if card and min(w, d) > 0.1 and draw.chance(0.5):
        # Four open flaps.
        long, thin = 0.8 * d, 0.003
        piece.cushion(own.small(), (-0.95 * w, 0.95 * w), (-0.95 * d, 0.95 * d), (high - 0.03, high + 0.03))
        for side in (-1, 1):
            up = draw.between(-0.4, 1.2)
            x, z = w + long / 2 * cos(up), high + long / 2 * sin(up)
            half = (long / 2, d, thin)
            piece.add(Shape.BOX, paint, (side * x, 0.0, z), half, axes=turn(1, -side * up))
            up = draw.between(-0.4, 1.2)
            y, z = d + long / 2 * cos(up), high + long / 2 * sin(up)
            piece.add(Shape.BOX, paint, (0.0, side * y, z), (w, long / 2, thin), axes=turn(0, side * up))
    elif draw.chance(0.3):
        lid = paint if draw.chance(0.5) else own.small()
        piece.box(
            lid, (-w - 0.004, w + 0.004), (-d - 0.004, d + 0.004), (0.75 * high, high + 0.003), edge=0.003
        )
    return piece


def boxes(own: Taste) -> Piece:
    """Boxes on each other, not quite straight."""
    draw, piece, z = own.draw, Piece("box"), 0.0
    half = draw.between(0.18, 0.32)
    for _ in range(draw.whole(2, 4)):
        w, d, high = half * draw.between(0.7, 1.0), half * draw.between(0.5, 0.8), draw.between(0.1, 0.34)
        axes = turn(2, draw.normal(0, 0.25, -0.8, 0.8))
        card = plain(draw, linear(draw.one_of(_CARD)), gloss=0.0)
        paint = card if draw.chance(0.6) else own.small()
        piece.begin("box").box(paint, (-w, w), (-d, d), (z, z + high), edge=0.004, axes=axes)
        z, half = z + high, 0.95 * half
    return piece


def crate(own: Taste) -> Piece:
    """An open crate of boards."""
    draw, piece, paint = own.draw, Piece("crate"), own.wood()
    w, d, high, thick = draw.between(0.16, 0.28), draw.between(0.12, 0.2), draw.between(0.15, 0.3), 0.012
    piece.box(paint, (-w, w), (-d, d), (0.0, thick), edge=0.002)
    for x in ((-w, -w + thick), (w - thick, w)):
        piece.box(paint, x, (-d, d), (0.0, high), edge=0.002)
    for y in ((-d, -d + thick), (d - thick, d)):
        piece.box(paint, (-w, w), y, (0.0, 0.45 * high), edge=0.002)
        piece.box(paint, (-w, w), y, (0.55 * high, high), edge=0.002)
    return piece


def book_stack(own: Taste) -> Piece:
    """Books that lie on each other, not quite straight."""
    draw, piece, z = own.draw, Piece("book"), 0.0
    for _ in range(draw.whole(1, 5)):
        w, d, high = draw.between(0.09, 0.15), draw.between(0.07, 0.11), draw.between(0.012, 0.045)
        axes = turn(2, draw.normal(0, 0.15, -0.5, 0.5))
        piece.begin("book").box(spine(draw), (-w, w), (-d, d), (z, z + high), edge=0.002, axes=axes)
        z += high
    return piece


def papers(own: Taste) -> Piece:
    """Some sheets of paper, or a magazine."""
    draw, piece = own.draw, Piece("paper")
    for number in range(draw.whole(1, 3)):
        x, y = draw.between(-0.05, 0.05) * number, draw.between(-0.05, 0.05) * number
        paint = own.picture() if draw.chance(0.35) else plain(draw, linear("#f3f2ee"), gloss=0.0)
        z, axes = 0.003 * number, turn(2, draw.between(-0.5, 0.5))
        piece.box(paint, (x - 0.105, x + 0.105), (y - 0.148, y + 0.148), (z, z + 0.003), edge=0, axes=axes)
    return piece


def desk_clock(own: Taste) -> Piece:
    """A small clock."""
    draw, piece, r = own.draw, Piece("desk clock"), own.draw.between(0.04, 0.075)
    piece.rod(own.small(), (0.0, -0.02, r), (0.0, 0.02, r), r)
    piece.rod(plain(draw, linear("#f4f2ec")), (0.0, -0.022, r), (0.0, 0.0, r), 0.85 * r)
    piece.rod(plain(draw, (0.02, 0.02, 0.02)), (0.0, -0.023, r), (0.5 * r, -0.023, 1.3 * r), 0.003)
    return piece


def candle(own: Taste) -> Piece:
    """A candle on a plate."""
    draw, piece = own.draw, Piece("candle")
    piece.post(own.metal(), (0.0, 0.0), 0.04, (0.0, 0.012))
    wax = plain(draw, linear(draw.one_of(("#f2ead8", "#b23a2e", "#f7f7f2"))))
    piece.post(wax, (0.0, 0.0), draw.between(0.011, 0.03), (0.01, draw.between(0.08, 0.25)))
    return piece


def picture_frame(own: Taste) -> Piece:
    """A framed photograph that leans back."""
    draw, piece = own.draw, Piece("picture")
    w, high, lean = draw.between(0.05, 0.15), draw.between(0.07, 0.2), turn(0, -0.2)
    piece.box(own.small(), (-w, w), (-0.008, 0.008), (0.0, 2 * high), edge=0.002, axes=lean)
    front = (-0.0095 - 0.001, -0.0075)
    piece.box(own.picture(), (-w + 0.012, w - 0.012), front, (0.012, 2 * high - 0.012), edge=0, axes=lean)
    return piece.grounded()


def loudspeaker(own: Taste) -> Piece:
    """A loudspeaker with its cones."""
    draw, piece, paint = own.draw, Piece("loudspeaker"), own.furniture()
    w, d, high = draw.between(0.07, 0.13), draw.between(0.08, 0.14), draw.between(0.18, 0.38)
    dark = plain(draw, (0.02, 0.02, 0.022))
    piece.box(paint, (-w, w), (-d, d), (0.0, high), edge=0.004)
    for z, r in ((0.32 * high, min(0.75 * w, 0.28 * high)), (0.78 * high, 0.4 * w)):
        piece.rod(dark, (0.0, -d - 0.004, z), (0.0, -d + 0.01, z), r)
    return piece


def ball(own: Taste) -> Piece:
    """A ball."""
    draw, piece = own.draw, Piece("ball")
    r = draw.between(0.03, 0.13)
    paint = own.accent() if draw.chance(0.6) else own.cloth()
    piece.ball(paint, (0.0, 0.0, r), r)
    return piece


def blocks(own: Taste) -> Piece:
    """Building bricks, a tower or a heap; cones and rings among them."""
    draw, piece, z = own.draw, Piece("toy"), 0.0
    for _ in range(draw.whole(2, 5)):
        s, form = draw.between(0.02, 0.045), draw.whole(0, 3)
        if form <= 1:
            axes = turn(2, draw.between(0, pi))
            piece.box(own.accent(), (-s, s), (-s, s), (z, z + 2 * s), edge=0.004, axes=axes)
            z += 2 * s
        elif form == 2:
            piece.post(own.accent(), (0.0, 0.0), s, (z, z + 1.5 * s))
            z += 1.5 * s
        else:
            piece.add(Shape.TORUS, own.accent(), (0.0, 0.0, z + 0.4 * s), (1.4 * s, 1.4 * s, 0.4 * s))
            z += 0.8 * s
    return piece


def teddy(own: Taste) -> Piece:
    """A soft bear that sits."""
    draw, piece, paint = own.draw, Piece("teddy"), own.cloth()
    r = draw.between(0.06, 0.13)
    piece.add(Shape.ELLIPSOID, paint, (0.0, 0.0, r), (r, 0.8 * r, r))
    piece.ball(paint, (0.0, -0.1 * r, 2.3 * r), 0.65 * r)
    for x in (-1, 1):
        piece.ball(paint, (x * 0.5 * r, 0.0, 2.85 * r), 0.22 * r)
        piece.rod(paint, (x * 0.45 * r, -0.5 * r, 0.28 * r), (x * 0.7 * r, -1.4 * r, 0.28 * r), 0.26 * r)
        piece.rod(paint, (x * 0.7 * r, -0.2 * r, 1.5 * r), (x * 1.2 * r, -0.7 * r, 0.9 * r), 0.22 * r)
    return piece


def bucket(own: Taste) -> Piece:
    """A bucket or a bin."""
    draw, piece = own.draw, Piece("bucket" if own.draw.chance(0.4) else "bin")
    r, high = draw.between(0.1, 0.16), draw.between(0.22, 0.42)
    paint = own.small()
    body = piece.post(paint, (0.0, 0.0), r, (0.0, high), taper=draw.between(0.75, 0.99))
    piece.solids[-1] = body._replace(axes=turn(0, pi))
    piece.add(Shape.TORUS, paint, (0.0, 0.0, high), (r + 0.006, r + 0.006, 0.01))
    piece.post(plain(draw, (0.02, 0.02, 0.02)), (0.0, 0.0), 0.92 * r, (high - 0.02, high + 0.002))
    return piece


def hamper(own: Taste) -> Piece:
    """A basket with a lid."""
    draw, piece, paint = own.draw, Piece("hamper"), own.wood()
    r, high = draw.between(0.15, 0.22), draw.between(0.35, 0.6)
    piece.post(paint, (0.0, 0.0), r, (0.0, high))
    piece.post(own.cloth(), (0.0, 0.0), 1.04 * r, (high - 0.01, high + 0.03))
    return piece


def bag(own: Taste) -> Piece:
    """A bag or a rucksack that stands."""
    draw, piece, paint = own.draw, Piece("bag"), own.upholstery()
    w, d, high = draw.between(0.13, 0.22), draw.between(0.07, 0.13), draw.between(0.22, 0.45)
    piece.cushion(paint, (-w, w), (-d, d), (0.0, high), power=draw.between(3, 6))
    piece.cushion(paint, (-0.7 * w, 0.7 * w), (-1.3 * d, -0.5 * d), (0.02, 0.5 * high), power=4)
    axes = turn(0, pi / 2)
    piece.add(Shape.TORUS, paint, (0.0, 0.0, high - 0.01), (0.4 * w, 0.4 * w, 0.012), axes=axes)
    return piece


def shoes(own: Taste) -> Piece:
    """A pair of shoes."""
    draw, piece, paint = own.draw, Piece("shoe"), own.upholstery()
    for x in (-0.07, 0.07):
        axes = turn(2, draw.normal(0, 0.2, -0.6, 0.6))
        piece.cushion(paint, (x - 0.045, x + 0.045), (-0.13, 0.13), (0.0, 0.07), power=3, axes=axes)
        piece.cushion(paint, (x - 0.04, x + 0.04), (0.0, 0.12), (0.02, 0.11), power=3, axes=axes)
    return piece


def telephone(own: Taste) -> Piece:
    """A telephone with its receiver."""
    piece, paint = Piece("telephone"), own.small()
    piece.box(paint, (-0.09, 0.09), (-0.1, 0.1), (0.0, 0.05), edge=0.015)
    piece.box(paint, (-0.1, -0.04), (-0.1, 0.1), (0.045, 0.075), edge=0.012)
    return piece


def fan(own: Taste) -> Piece:
    """An electric fan on its foot."""
    piece, paint = Piece("fan"), own.lacquer()
    piece.post(paint, (0.0, 0.0), 0.1, (0.0, 0.025))
    piece.post(paint, (0.0, 0.03), 0.014, (0.02, 0.3))
    piece.rod(paint, (0.0, 0.05, 0.32), (0.0, -0.03, 0.32), 0.04)
    piece.add(Shape.TORUS, paint, (0.0, -0.03, 0.32), (0.16, 0.16, 0.01), axes=turn(0, pi / 2))
    piece.rod(own.accent(), (0.0, -0.035, 0.32), (0.0, -0.025, 0.32), 0.15)
    return piece


def soap(own: Taste) -> Piece:
    """A bottle of soap with its pump."""
    draw, piece = own.draw, Piece("soap")
    r, high = draw.between(0.025, 0.035), draw.between(0.1, 0.15)
    piece.post(own.accent(), (0.0, 0.0), r, (0.0, high))
    piece.post(own.steel, (0.0, 0.0), 0.007, (high - 0.005, high + 0.04))
    piece.rod(own.steel, (0.0, 0.0, high + 0.035), (0.0, -0.045, high + 0.03), 0.006)
    return piece


def thing(own: Taste) -> Piece:
    """A random object: one to three solids of any shape on each other."""
    draw, piece, z = own.draw, Piece("thing"), 0.0
    for _ in range(draw.whole(1, 3)):
        w, d, h = draw.between(0.02, 0.12), draw.between(0.02, 0.12), draw.between(0.02, 0.12)
        shape = draw.one_of(tuple(Shape))
        if shape is Shape.TORUS:
            w = d = max(w, 2.5 * h)
            h *= 0.4
            detail = 0.0
        else:
            detail = {Shape.BOX: draw.share() * 0.8 * min(w, d, h), Shape.CONE: draw.share()}.get(
                shape, draw.between(2, 7)
            )
        piece.add(shape, own.small(), (0.0, 0.0, z + h), (w, d, h), detail=detail)
        z += 2 * h - 0.002
    return piece


def small_plant(own: Taste) -> Piece:
    """A plant for a sill or a table."""
    return plant(own, tall=own.draw.between(0.15, 0.45), leaves=own.draw.whole(6, 12))
