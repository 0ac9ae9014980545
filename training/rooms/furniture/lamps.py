"""Lamps: their feet, shades and bulbs. A bulb shines from just outside its shade, which is solid."""

# ruff: noqa: PLR0917
# Functions take positions, or spans of sides, in the order x, y, z.
from __future__ import annotations

from math import cos, pi, sin

from training.rooms.furniture.piece import Bulb, Piece, Vector
from training.rooms.scene import Shape
from training.rooms.surfaces.materials import Paint, glow
from training.rooms.surfaces.taste import Taste

WARM: Vector = (1.2, 0.98, 0.68)
NEUTRAL: Vector = (1.08, 1.0, 0.88)
COLD: Vector = (0.94, 1.0, 1.1)


def tint(own: Taste) -> Vector:
    """The colour of a bulb's light."""
    return own.draw.weighted({WARM: 0.5, NEUTRAL: 0.35, COLD: 0.15})


def _shade_paint(own: Taste, colour: Vector, *, on: bool) -> Paint:
    if not on:
        return own.cloth()
    red, green, blue = colour
    return glow(
        (min(red * 0.8, 1.0), min(green * 0.75, 1.0), min(blue * 0.7, 1.0)), own.draw.between(0.8, 2.2)
    )


def _shine(piece: Piece, own: Taste, at: Vector, radius: float, power: float, colour: Vector) -> None:
    piece.bulbs.append(Bulb(*at, radius, power * own.draw.between(0.7, 1.4), colour))


def table_lamp(own: Taste, *, on: bool = True) -> Piece:
    """A small lamp with a foot and a conical or cylindrical shade."""
    draw, piece, colour = own.draw, Piece("table lamp"), tint(own)
    high, r = draw.between(0.28, 0.6), draw.between(0.08, 0.19)
    low = high * draw.between(0.5, 0.65)
    foot = own.small()
    form = draw.weighted({"stick": 0.4, "ball": 0.3, "jar": 0.3})
    if form == "stick":
        piece.post(foot, (0.0, 0.0), 0.55 * r, (0.0, 0.02))
        piece.post(foot, (0.0, 0.0), 0.012, (0.01, low + 0.02))
    elif form == "ball":
        piece.ball(foot, (0.0, 0.0, 0.45 * low), 0.45 * low)
        piece.post(foot, (0.0, 0.0), 0.012, (0.8 * low, low + 0.02))
    else:
        half = (0.5 * r, 0.5 * r, low * 0.45)
        piece.cushion(
            foot, (-half[0], half[0]), (-half[1], half[1]), (0.0, 0.9 * low), power=draw.between(2, 5)
        )
        piece.post(foot, (0.0, 0.0), 0.012, (0.8 * low, low + 0.02))
    piece.post(
        _shade_paint(own, colour, on=on), (0.0, 0.0), r, (low, high), taper=draw.one_of((1.0, 0.8, 0.6))
    )
    if on:
        _shine(piece, own, (0.0, 0.0, high + 0.05), 0.04, 0.9, colour)
    return piece


def floor_lamp(own: Taste, *, on: bool = True) -> Piece:
    """A tall lamp on a foot or on three legs."""
    draw, piece, colour, steel = own.draw, Piece("lamp"), tint(own), own.legs()
    high, r = draw.between(1.35, 1.85), draw.between(0.13, 0.25)
    low = high - draw.between(0.2, 0.35)
    if draw.chance(0.7):
        piece.post(steel, (0.0, 0.0), draw.between(0.11, 0.16), (0.0, 0.025))
        piece.post(steel, (0.0, 0.0), draw.between(0.01, 0.02), (0.02, low + 0.02))
    else:
        for number in range(3):
            angle = 2 * pi * number / 3
            start = (0.25 * cos(angle), 0.25 * sin(angle), 0.0)
            piece.rod(steel, start, (0.0, 0.0, low + 0.02), 0.015)
    piece.post(
        _shade_paint(own, colour, on=on), (0.0, 0.0), r, (low, high), taper=draw.one_of((1.0, 0.8, 0.55))
    )
    if on:
        _shine(piece, own, (0.0, 0.0, high + 0.07), 0.05, 1.6, colour)
    return piece


def arc_lamp(own: Taste, *, on: bool = True) -> Piece:
    """A reading lamp whose head hangs over from a bent stem."""
    draw, piece, colour, steel = own.draw, Piece("lamp"), tint(own), own.metal()
    high, reach = draw.between(1.4, 1.8), draw.between(0.25, 0.5)
    piece.post(steel, (0.0, 0.0), 0.14, (0.0, 0.03))
    piece.rod(steel, (0.0, 0.0, 0.02), (0.0, 0.0, high), 0.012)
    piece.rod(steel, (0.0, 0.0, high - 0.005), (0.0, -reach, high - 0.1), 0.011)
    shade = own.lacquer()
    piece.post(shade, (0.0, -reach), draw.between(0.09, 0.14), (high - 0.26, high - 0.09), taper=0.4)
    if on:
        _shine(piece, own, (0.0, -reach, high - 0.31), 0.04, 1.2, colour)
    return piece


def desk_lamp(own: Taste, *, on: bool = True) -> Piece:
    """A lamp with two arms for a desk."""
    draw, piece, colour, steel = own.draw, Piece("table lamp"), tint(own), own.metal()
    elbow, head = (0.0, 0.1, 0.3), (0.0, -0.12, 0.42)
    piece.post(steel, (0.0, 0.05), 0.075, (0.0, 0.02))
    piece.rod(steel, (0.0, 0.05, 0.01), elbow, 0.008)
    piece.rod(steel, elbow, head, 0.008)
    piece.post(own.accent(), (0.0, -0.12), draw.between(0.05, 0.075), (0.34, 0.43), taper=0.5)
    if on:
        _shine(piece, own, (0.0, -0.12, 0.3), 0.03, 0.7, colour)
    return piece


def pendant(own: Taste, drop: float, *, on: bool = True) -> Piece:
    """A lamp that hangs from the ceiling, which is at z = 0; its lowest part is `drop` metres below."""
    draw, piece, colour = own.draw, Piece("lamp"), tint(own)
    form = draw.weighted({"cone": 0.35, "drum": 0.25, "ball": 0.2, "ring": 0.1, "arms": 0.1})
    r, paint = draw.between(0.1, 0.26), _shade_paint(own, colour, on=on)
    piece.post(own.steel, (0.0, 0.0), 0.05, (-0.03, 0.0))
    tall = {"cone": 0.9 * r, "drum": 0.8 * r, "ball": 2 * r, "ring": 0.06, "arms": 0.1}[form]
    tall = min(tall, drop - 0.05)
    piece.post(own.steel, (0.0, 0.0), 0.006, (-drop + 0.7 * tall, -0.02))
    if form == "ball":
        piece.ball(paint, (0.0, 0.0, -drop + tall / 2), tall / 2)
    elif form == "arms":
        arms, z = draw.whole(3, 5), -drop + tall / 2
        for number in range(arms):
            angle = 2 * pi * number / arms
            x, y = 0.28 * cos(angle), 0.28 * sin(angle)
            piece.rod(own.steel, (0.0, 0.0, z), (x, y, z), 0.009)
            piece.ball(paint, (x, y, z), 0.05)
        piece.ball(own.steel, (0.0, 0.0, z), 0.04)
    elif form == "ring":
        piece.add(Shape.TORUS, paint, (0.0, 0.0, -drop + 0.03), (r * 1.3, r * 1.3, 0.025))
        piece.rod(own.steel, (-r * 1.25, 0.0, -drop + 0.03), (r * 1.25, 0.0, -drop + 0.03), 0.006)
    else:
        cover = paint if draw.chance(0.5) else own.lacquer()
        piece.post(cover, (0.0, 0.0), r, (-drop, -drop + tall), taper=0.35 if form == "cone" else 1.0)
    if on:
        _shine(piece, own, (0.0, 0.0, -drop - 0.08), 0.05, 4.0, colour)
    return piece


def ceiling_lamp(own: Taste, *, on: bool = True) -> Piece:
    """A flat lamp on the ceiling, which is at z = 0: a dome, a disc, a panel or a tube."""
    draw, piece, colour = own.draw, Piece("lamp"), tint(own)
    form, paint = draw.weighted({"dome": 0.4, "disc": 0.3, "panel": 0.3}), _shade_paint(own, colour, on=on)
    r, deep = draw.between(0.12, 0.24), draw.between(0.03, 0.1)
    if form == "dome":
        piece.post(own.steel, (0.0, 0.0), r, (-0.02, 0.0))
        piece.cushion(paint, (-0.95 * r, 0.95 * r), (-0.95 * r, 0.95 * r), (-deep - 0.02, deep), power=2)
    elif form == "disc":
        piece.post(paint, (0.0, 0.0), r, (-deep, 0.0))
    else:
        long = draw.between(0.3, 0.62)
        piece.box(paint, (-long, long), (-0.15, 0.15), (-deep, 0.0), edge=0.004)
    if on:
        _shine(piece, own, (0.0, 0.0, -deep - 0.1), 0.06, 4.5, colour)
    return piece


def spots(own: Taste, *, on: bool = True) -> Piece:
    """A rail on the ceiling, which is at z = 0, with small spot lights."""
    draw, piece, colour = own.draw, Piece("spotlight"), tint(own)
    half, count = draw.between(0.35, 0.8), draw.whole(2, 4)
    piece.box(own.steel, (-half, half), (-0.02, 0.02), (-0.03, 0.0), edge=0.003)
    for number in range(count):
        x = -half + 0.06 + (2 * half - 0.12) * number / (count - 1)
        piece.post(own.steel, (x, 0.0), 0.035, (-0.14, -0.02), taper=0.8)
        piece.post(_shade_paint(own, colour, on=on), (x, 0.0), 0.028, (-0.145, -0.13))
        if on:
            _shine(piece, own, (x, 0.0, -0.2), 0.03, 4.0 / count, colour)
    return piece


def wall_lamp(own: Taste, *, on: bool = True) -> Piece:
    """A lamp on a wall; the wall is at +y."""
    draw, piece, colour = own.draw, Piece("lamp"), tint(own)
    r = draw.between(0.05, 0.1)
    piece.box(own.steel, (-0.03, 0.03), (r + 0.01, r + 0.03), (0.0, 0.12), edge=0.005)
    piece.rod(own.steel, (0.0, r + 0.02, 0.06), (0.0, 0.0, 0.06), 0.01)
    piece.post(_shade_paint(own, colour, on=on), (0.0, 0.0), r, (0.04, 0.2), taper=draw.one_of((1.0, 0.7)))
    if on:
        _shine(piece, own, (0.0, 0.0, 0.26), 0.03, 0.8, colour)
    return piece
