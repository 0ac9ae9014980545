"""Objects for cooking, eating and drinking, each on z = 0."""

from __future__ import annotations

from math import pi

from training.rooms.furniture.piece import Piece, turn
from training.rooms.scene import Shape
from training.rooms.surfaces.materials import glass, linear, metal, plain
from training.rooms.surfaces.taste import Taste


def bottle(own: Taste) -> Piece:
    """A bottle of wine, beer or water."""
    draw = own.draw
    piece = Piece(draw.weighted({"wine bottle": 0.4, "beer bottle": 0.2, "water bottle": 0.4}))
    tint = linear(draw.one_of(("#1d3a22", "#3a2412", "#9fc3cf", "#2a2f33", "#c9d9dd", "#7a1f2b")))
    paint = glass(draw, tint) if draw.chance(0.7) else own.accent()
    r, high = draw.between(0.028, 0.045), draw.between(0.18, 0.33)
    piece.post(paint, (0.0, 0.0), r, (0.0, 0.62 * high))
    piece.post(paint, (0.0, 0.0), r, (0.61 * high, 0.76 * high), taper=0.38)
    piece.post(paint, (0.0, 0.0), 0.38 * r, (0.75 * high, 0.97 * high))
    piece.post(own.accent(), (0.0, 0.0), 0.44 * r, (0.93 * high, high))
    if draw.chance(0.6):
        piece.post(own.picture(), (0.0, 0.0), 1.02 * r, (0.15 * high, 0.45 * high))
    return piece


def bowl(own: Taste) -> Piece:
    """A bowl, sometimes with fruit."""
    draw, piece, paint = own.draw, Piece("bowl"), own.ceramic() if own.draw.chance(0.6) else own.wood()
    r = draw.between(0.07, 0.15)
    high = r * draw.between(0.5, 0.8)
    piece.post(paint, (0.0, 0.0), 0.5 * r, (0.0, 0.02))
    body = piece.post(paint, (0.0, 0.0), r, (0.01, high), taper=0.55)
    piece.solids[-1] = body._replace(axes=turn(0, pi))
    piece.add(Shape.TORUS, paint, (0.0, 0.0, high), (r + 0.004, r + 0.004, 0.008))
    if draw.chance(0.5):
        skin = plain(draw, linear(draw.one_of(("#e07b1a", "#7fae2e", "#c8332b", "#e8c53a"))))
        for x, y in ((0.35, 0.0), (-0.2, 0.35), (-0.2, -0.35)):
            piece.begin("fruit").ball(skin, (x * r, y * r, high + 0.012), 0.036)
    return piece


def mug(own: Taste) -> Piece:
    """A mug with its handle."""
    draw, piece, paint = (
        own.draw,
        Piece("coffee mug"),
        own.ceramic() if own.draw.chance(0.5) else own.accent(),
    )
    r, high = draw.between(0.035, 0.045), draw.between(0.08, 0.11)
    piece.post(paint, (0.0, 0.0), r, (0.0, high))
    piece.post(plain(draw, (0.02, 0.012, 0.008)), (0.0, 0.0), 0.86 * r, (high - 0.01, high + 0.0005))
    axes = turn(0, pi / 2)
    piece.add(Shape.TORUS, paint, (r, 0.0, 0.5 * high), (0.3 * high, 0.3 * high, 0.006), axes=axes)
    return piece


def cup(own: Taste) -> Piece:
    """A glass."""
    draw, piece = own.draw, Piece("cup")
    paint = glass(draw, (0.7, 0.75, 0.76)) if draw.chance(0.7) else own.ceramic()
    piece.post(paint, (0.0, 0.0), draw.between(0.03, 0.042), (0.0, draw.between(0.08, 0.15)))
    return piece


def plates(own: Taste) -> Piece:
    """A pile of plates."""
    draw, piece, paint = own.draw, Piece("plate"), own.ceramic()
    r = draw.between(0.09, 0.14)
    for number in range(draw.whole(1, 5)):
        piece.post(paint, (0.0, 0.0), r, (0.012 * number, 0.012 * number + 0.01), taper=1.0)
    return piece


def teapot(own: Taste) -> Piece:
    """A teapot with spout, handle and lid."""
    draw, piece, paint = own.draw, Piece("teapot"), own.ceramic() if own.draw.chance(0.6) else own.metal()
    r = draw.between(0.07, 0.1)
    piece.post(paint, (0.0, 0.0), 0.6 * r, (0.0, 0.03))
    piece.add(Shape.ELLIPSOID, paint, (0.0, 0.0, 0.85 * r), (r, r, 0.8 * r))
    piece.rod(paint, (0.7 * r, 0.0, 0.7 * r), (1.6 * r, 0.0, 1.5 * r), 0.15 * r)
    piece.add(
        Shape.TORUS, paint, (-1.1 * r, 0.0, 0.9 * r), (0.55 * r, 0.55 * r, 0.09 * r), axes=turn(0, pi / 2)
    )
    piece.ball(paint, (0.0, 0.0, 1.7 * r), 0.16 * r)
    return piece


def pitcher(own: Taste) -> Piece:
    """A jug."""
    draw, piece, paint = own.draw, Piece("pitcher"), own.ceramic() if own.draw.chance(0.5) else own.metal()
    r, high = draw.between(0.05, 0.075), draw.between(0.17, 0.26)
    piece.post(paint, (0.0, 0.0), r, (0.0, high), taper=draw.between(0.6, 0.9))
    axes = turn(0, pi / 2)
    piece.add(Shape.TORUS, paint, (0.95 * r, 0.0, 0.55 * high), (0.28 * high, 0.28 * high, 0.008), axes=axes)
    return piece


def pot(own: Taste) -> Piece:
    """A cooking pot with its lid."""
    draw, piece, paint = own.draw, Piece("pot"), own.metal() if own.draw.chance(0.7) else own.accent()
    r, high = draw.between(0.08, 0.13), draw.between(0.08, 0.16)
    piece.post(paint, (0.0, 0.0), r, (0.0, high))
    piece.post(paint, (0.0, 0.0), 1.03 * r, (high - 0.005, high + 0.008))
    piece.ball(own.accent(), (0.0, 0.0, high + 0.02), 0.016)
    for x in (-r - 0.012, r + 0.012):
        piece.box(
            paint, (x - 0.016, x + 0.016), (-0.03, 0.03), (0.75 * high, 0.75 * high + 0.012), edge=0.005
        )
    return piece


def pan(own: Taste) -> Piece:
    """A frying pan."""
    draw, piece, paint = own.draw, Piece("pan"), metal(own.draw, (0.03, 0.03, 0.032))
    r = draw.between(0.1, 0.14)
    piece.post(paint, (0.0, 0.0), r, (0.0, 0.045))
    piece.rod(paint, (r - 0.01, 0.0, 0.03), (r + 0.17, 0.0, 0.055), 0.011)
    return piece


def tray(own: Taste) -> Piece:
    """A tray with two cups."""
    piece = Piece("tray")
    piece.box(own.small(), (-0.19, 0.19), (-0.13, 0.13), (0.0, 0.015), edge=0.005)
    for x in (-0.09, 0.08):
        piece.join((mug if own.draw.chance(0.6) else cup)(own), x, own.draw.between(-0.04, 0.04), 0.015)
    return piece
