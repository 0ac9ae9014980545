"""Objects that hang on walls. The wall is at the piece's greatest y."""

from __future__ import annotations

from math import cos, pi, sin

from training.rooms.furniture.piece import Piece, turn
from training.rooms.scene import Shape
from training.rooms.surfaces.materials import linear, mirror, plain
from training.rooms.surfaces.taste import Taste


def picture(own: Taste) -> Piece:
    """A framed picture, or a bare poster, sometimes a little askew."""
    draw, piece = own.draw, Piece("picture")
    w, high = draw.between(0.1, 0.55), draw.between(0.12, 0.4)
    axes = turn(1, draw.normal(0, 0.012, -0.05, 0.05))
    if draw.chance(0.2):
        piece.box(own.picture(), (-w, w), (-0.003, 0.0), (-high, high), edge=0, axes=axes)
        return piece
    rim, deep = draw.between(0.012, 0.05), draw.between(0.015, 0.035)
    piece.box(own.small(), (-w, w), (-deep, 0.0), (-high, high), edge=0.004, axes=axes)
    inner = (-deep - 0.0015, -deep + 0.001)
    piece.box(own.picture(), (-w + rim, w - rim), inner, (-high + rim, high - rim), edge=0, axes=axes)
    return piece


def gallery(own: Taste) -> Piece:
    """Several pictures beside and above each other."""
    draw, piece = own.draw, Piece("picture")
    step_x, step_z = draw.between(0.28, 0.42), draw.between(0.3, 0.45)
    for column in range(draw.whole(2, 3)):
        for row in range(draw.whole(1, 2)):
            single = Piece("picture")
            w, high = draw.between(0.3, 0.45) * step_x, draw.between(0.3, 0.45) * step_z
            single.box(own.small(), (-w, w), (-0.02, 0.0), (-high, high), edge=0.003)
            rim = (0.9 * w, 0.9 * high)
            single.box(own.picture(), (-rim[0], rim[0]), (-0.0215, -0.019), (-rim[1], rim[1]), edge=0)
            piece.join(single, column * step_x, 0.0, row * step_z)
    return piece


def wall_mirror(own: Taste) -> Piece:
    """A mirror in a frame: tall, wide or round."""
    draw, piece = own.draw, Piece("mirror")
    if draw.chance(0.3):
        r = draw.between(0.2, 0.4)
        piece.rod(own.small(), (0.0, -0.025, 0.0), (0.0, 0.0, 0.0), r)
        piece.rod(mirror(draw), (0.0, -0.028, 0.0), (0.0, -0.02, 0.0), 0.92 * r)
        return piece
    w, high, rim = draw.between(0.2, 0.6), draw.between(0.3, 0.75), draw.between(0.015, 0.06)
    piece.box(own.small(), (-w, w), (-0.03, 0.0), (-high, high), edge=0.006)
    piece.box(mirror(draw), (-w + rim, w - rim), (-0.033, -0.02), (-high + rim, high - rim), edge=0)
    return piece


def clock(own: Taste) -> Piece:
    """A round clock with its hands."""
    draw, piece, r = own.draw, Piece("clock"), own.draw.between(0.1, 0.2)
    piece.rod(own.small(), (0.0, -0.04, 0.0), (0.0, 0.0, 0.0), r)
    piece.rod(plain(draw, linear("#f4f2ec")), (0.0, -0.042, 0.0), (0.0, -0.03, 0.0), 0.88 * r)
    dark = plain(draw, (0.02, 0.02, 0.02))
    for long in (0.5, 0.75):
        angle = draw.between(0, 2 * pi)
        piece.rod(dark, (0.0, -0.045, 0.0), (long * r * cos(angle), -0.045, long * r * sin(angle)), 0.005)
    return piece


def whiteboard(own: Taste) -> Piece:
    """A board with a frame and a tray."""
    draw, piece = own.draw, Piece("whiteboard")
    w, high = draw.between(0.4, 1.1), draw.between(0.3, 0.55)
    piece.box(own.steel, (-w, w), (-0.02, 0.0), (-high, high), edge=0.004)
    white = plain(draw, linear("#f8f8f6"), gloss=0.7)
    piece.box(white, (-w + 0.02, w - 0.02), (-0.022, -0.01), (-high + 0.02, high - 0.02), edge=0)
    piece.box(own.steel, (-0.6 * w, 0.6 * w), (-0.08, 0.0), (-high - 0.015, -high), edge=0.003)
    return piece


def wall_television(own: Taste) -> Piece:
    """A flat screen on a wall, dark or on."""
    draw, piece = own.draw, Piece("television")
    w = draw.between(0.35, 0.75)
    high = w * 9 / 16
    dark = plain(draw, (0.015, 0.015, 0.017), gloss=0.9)
    piece.box(dark, (-w, w), (-0.05, 0.0), (-high, high), edge=0.006)
    screen = own.picture(glow=0.6) if draw.chance(0.35) else dark
    piece.box(screen, (-w + 0.012, w - 0.012), (-0.052, -0.04), (-high + 0.012, high - 0.02), edge=0)
    return piece


def switch(own: Taste) -> Piece:
    """A light switch or a socket."""
    piece = Piece("switch")
    piece.box(own.trim, (-0.04, 0.04), (-0.01, 0.0), (-0.04, 0.04), edge=0.005)
    return piece


def leaning(own: Taste) -> Piece:
    """An object that stands on the floor and leans back: pictures, mirrors, boards, poles."""
    if own.draw.chance(0.3):
        # Brooms, skis, curtain rods: bars that lean at the wall, one beside the other.
        draw, piece = own.draw, Piece("thing")
        long, out = draw.between(1.0, 1.8), draw.between(0.15, 0.5)
        for number in range(draw.whole(1, 3)):
            x, paint = 0.12 * number, own.wood() if draw.chance(0.6) else own.metal()
            aside = draw.between(-0.15, 0.15)
            head = (x + aside, 0.0, long * draw.between(0.85, 1.0))
            piece.begin("thing").rod(paint, (x, -out, 0.0), head, draw.between(0.01, 0.03))
            if draw.chance(0.4):
                piece.box(
                    own.small(), (x - 0.15, x + 0.15), (-out - 0.03, -out + 0.03), (0.0, 0.08), edge=0.01
                )
        return piece
    draw, piece = own.draw, Piece("picture" if own.draw.chance(0.5) else "thing")
    w, high, axes = draw.between(0.15, 0.5), draw.between(0.2, 0.75), turn(0, -draw.between(0.08, 0.4))
    piece.box(own.small(), (-w, w), (-0.012, 0.012), (0.0, 2 * high), edge=0.002, axes=axes)
    if piece.kind == "picture":
        face = mirror(draw) if draw.chance(0.15) else own.picture()
        # the face lies on the board: shift it along the board's own normal
        centre = piece.solids[0].centre
        out = 0.0125
        (_, front, up) = (axes[0][1] * out, axes[1][1] * out, axes[2][1] * out)
        half = (w - 0.02, 0.001, high - 0.02)
        piece.add(Shape.BOX, face, (centre[0], centre[1] - front, centre[2] - up), half, axes=axes)
    return piece.grounded()
