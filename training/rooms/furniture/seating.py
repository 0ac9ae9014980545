"""Chairs, stools, benches, office chairs, sofas, armchairs. Their front looks to -y."""

# ruff: noqa: PLR0917
# Functions take positions, or spans of sides, in the order x, y, z.
from __future__ import annotations

from math import cos, pi, sin

from training.rooms.furniture.piece import Piece, Span, turn
from training.rooms.furniture.rumpled import hung_over, loose_cushion, lumps
from training.rooms.surfaces.materials import Paint
from training.rooms.surfaces.taste import Taste


def legs(piece: Piece, own: Taste, paint: Paint, x: Span, y: Span, height: float, thick: float) -> float:
    """Four legs under a rectangle: square, round or tapered, upright or splayed.

    Returns:
        Slope of the legs: metres outwards per metre downwards.
    """
    draw = own.draw
    form = draw.weighted({"square": 0.45, "round": 0.2, "taper": 0.2, "splay": 0.15})
    r = thick / 2
    for sx, at_x in ((-1, x[0] + r), (1, x[1] - r)):
        for sy, at_y in ((-1, y[0] + r), (1, y[1] - r)):
            if form == "square":
                piece.box(paint, (at_x - r, at_x + r), (at_y - r, at_y + r), (0.0, height), edge=0.003)
            elif form == "round":
                piece.post(paint, (at_x, at_y), r, (0.0, height))
            elif form == "taper":
                solid = piece.post(paint, (at_x, at_y), r, (0.0, height), taper=0.55)
                piece.solids[-1] = solid._replace(axes=turn(0, pi))  # a cone stands on its tip
            else:
                out = 0.1 * height
                piece.rod(paint, (at_x + sx * out, at_y + sy * out, r * 0.1), (at_x, at_y, height), 0.8 * r)
    return 0.1 if form == "splay" else 0.0


def chair(own: Taste) -> Piece:
    """A dining or kitchen chair of one of many designs."""
    draw, piece = own.draw, Piece("chair")
    w, d = draw.between(0.19, 0.25), draw.between(0.19, 0.24)
    seat, top = draw.between(0.42, 0.48), draw.between(0.78, 1.1)
    paint, thick = own.legs(), draw.between(0.025, 0.045)
    x, y = (-w, w), (-d, d)
    splay = legs(piece, own, paint, x, y, seat - 0.02, thick)
    _seat(piece, own, paint, x, y, seat)
    lean = draw.between(0.0, 0.18)
    _back(piece, own, paint, w, d, (seat, top), thick, lean)
    if draw.chance(0.4):
        rung = draw.between(0.12, 0.25)
        out = splay * (seat - rung) - thick / 2
        across, along = w + out, d + out
        for side in (-across, across):
            piece.rod(paint, (side, -along, rung), (side, along, rung), thick * 0.35)
        piece.rod(paint, (-across, 0.0, rung), (across, 0.0, rung), thick * 0.35)
    if draw.chance(0.14):
        hung_over(piece, own, 0.85 * w, d - thick / 2 + lean * (top - seat), top, lean)
        piece.begin("chair")
    around = piece.bounds()
    if draw.chance(0.2):
        z, r = seat + draw.between(0.18, 0.25), thick / 2
        for at in (-w + r, w - r):
            piece.post(paint, (at, -d + 0.06), r, (seat - 0.02, z))
            piece.box(
                paint, (at - 0.025, at + 0.025), (-d + 0.02, d + 0.03), (z - 0.01, z + 0.015), edge=0.01
            )
    else:
        piece.block(around[:2], around[2:4], (0.0, seat + 0.07))
        piece.block(around[:2], (d - 0.07, around.y1), (0.0, around.z1))
    return piece


def _seat(piece: Piece, own: Taste, paint: Paint, x: Span, y: Span, z: float) -> None:
    form = own.draw.weighted({"board": 0.4, "cushion": 0.4, "round": 0.2})
    if form == "round":
        piece.post(paint, (0.0, 0.0), max(x[1], y[1]), (z - 0.03, z))
        return
    piece.box(paint, x, y, (z - 0.035, z), edge=0.01)
    if form == "cushion":
        inset = 0.01
        soft = (z - 0.005, z + own.draw.between(0.03, 0.06))
        piece.cushion(
            own.upholstery(), (x[0] + inset, x[1] - inset), (y[0] + inset, y[1] - inset), soft, power=6
        )


def _back(
    piece: Piece, own: Taste, paint: Paint, w: float, d: float, z: Span, thick: float, lean: float
) -> None:
    """A back of slats, rails, spindles, a panel or a cushion, between two posts that lean back."""
    form = own.draw.weighted({"slats": 0.3, "rails": 0.3, "panel": 0.25, "soft": 0.15})
    r = thick / 2

    def at(height: float) -> float:
        return d - r + lean * (height - z[0])

    if form in {"slats", "rails"}:
        for x in (-w + r, w - r):
            piece.rod(paint, (x, at(z[0] - 0.03), z[0] - 0.03), (x, at(z[1]), z[1]), r)
    tilt = turn(0, -lean)
    if form == "slats":
        middle = at(z[1] - 0.03)
        piece.box(paint, (-w, w), (middle - r, middle + r), (z[1] - 0.06, z[1]), edge=0.006, axes=tilt)
        count = own.draw.whole(3, 6)
        for number in range(count):
            x = -w + 2 * w * (number + 1) / (count + 1)
            piece.rod(paint, (x, at(z[0] - 0.02), z[0] - 0.02), (x, at(z[1] - 0.04), z[1] - 0.04), 0.008)
    elif form == "rails":
        count = own.draw.whole(2, 4)
        for number in range(count):
            middle = z[1] - 0.04 - (z[1] - z[0] - 0.12) * number / count
            y = (at(middle) - 0.01, at(middle) + 0.01)
            piece.box(paint, (-w + r, w - r), y, (middle - 0.025, middle + 0.025), edge=0.006, axes=tilt)
    else:
        half = (z[1] - z[0]) / 2 + 0.015
        middle = at(z[0] + half - 0.03)
        span = (z[0] - 0.03, z[0] - 0.03 + 2 * half)
        deep = 0.012 if form == "panel" else 0.04
        cover = paint if form == "panel" else own.upholstery()
        piece.box(cover, (-w, w), (middle - deep, middle + deep), span, edge=0.03, axes=tilt)


def stool(own: Taste) -> Piece:
    """A stool, low or at the height of a bar."""
    draw, piece = own.draw, Piece("stool")
    r, seat = draw.between(0.15, 0.2), draw.one_of((0.45, 0.46, 0.62, 0.7))
    paint = own.legs()
    if draw.chance(0.3):
        piece.post(paint, (0.0, 0.0), r * 0.95, (0.0, 0.02))
        piece.post(paint, (0.0, 0.0), 0.03, (0.01, seat - 0.02))
    else:
        s = r * 0.72
        legs(piece, own, paint, (-s, s), (-s, s), seat - 0.02, 0.035)
    if draw.chance(0.4):
        piece.cushion(own.upholstery(), (-r, r), (-r, r), (seat - 0.03, seat + 0.06), power=4)
    else:
        piece.post(own.furniture(), (0.0, 0.0), r, (seat - 0.03, seat))
    return piece


def bench(own: Taste) -> Piece:
    """A bench without a back."""
    draw, piece = own.draw, Piece("bench")
    w, d, seat, paint = draw.between(0.4, 0.8), draw.between(0.15, 0.2), draw.between(0.42, 0.48), own.wood()
    piece.box(paint, (-w, w), (-d, d), (seat - 0.04, seat), edge=0.006)
    if draw.chance(0.5):
        for x in (-w + 0.08, w - 0.12):
            piece.box(paint, (x, x + 0.04), (-d + 0.01, d - 0.01), (0.0, seat - 0.03), edge=0.004)
    else:
        legs(piece, own, paint, (-w, w), (-d, d), seat - 0.03, 0.05)
    piece.top((-w, w), (-d, d), seat, 0.6, "seat")
    return piece


def office_chair(own: Taste) -> Piece:
    """A chair on a star of five arms, with or without arm rests."""
    draw, piece = own.draw, Piece("office chair")
    dark, cover = own.metal(), own.upholstery()
    seat, w, reach = draw.between(0.43, 0.55), draw.between(0.22, 0.26), draw.between(0.26, 0.32)
    start = draw.between(0.0, 2 * pi)
    for number in range(5):
        angle = start + 2 * pi * number / 5
        x, y = reach * cos(angle), reach * sin(angle)
        piece.rod(dark, (0.0, 0.0, 0.11), (x, y, 0.07), 0.016)
        piece.ball(dark, (x, y, 0.03), 0.03)
    piece.post(dark, (0.0, 0.0), 0.028, (0.08, seat - 0.04))
    piece.cushion(cover, (-w, w), (-w, w), (seat - 0.05, seat + 0.04), power=6)
    lean = draw.between(0.05, 0.25)
    top = draw.between(0.85, 1.2)
    piece.rod(dark, (0.0, w - 0.08, seat - 0.02), (0.0, w + 0.05, seat + 0.2), 0.02)
    back = (w + 0.02, w + draw.between(0.07, 0.11))
    piece.cushion(cover, (-w + 0.02, w - 0.02), back, (seat + 0.1, top), power=6, axes=turn(0, -lean * 0.5))
    if draw.chance(0.6):
        for x in (-w - 0.01, w + 0.01):
            piece.rod(dark, (x, 0.02, seat - 0.01), (x, 0.02, seat + 0.2), 0.014)
            piece.box(dark, (x - 0.03, x + 0.03), (-0.12, 0.14), (seat + 0.19, seat + 0.22), edge=0.014)
    return piece


def sofa(own: Taste, *, seats: int = 0) -> Piece:
    """A sofa, or an armchair with one seat: base, arms, back, seat cushions, back cushions, legs."""
    draw = own.draw
    seats = seats or draw.weighted({2: 0.45, 3: 0.55})
    piece = Piece("sofa" if seats > 1 else "armchair")
    cover = own.upholstery()
    seat_wide = draw.between(0.52, 0.68) if seats > 1 else draw.between(0.5, 0.62)
    arm, d = draw.between(0.08, 0.24), draw.between(0.38, 0.48)
    w, seat = seats * seat_wide / 2, draw.between(0.38, 0.46)
    back, arm_top = draw.between(0.68, 0.92), seat + draw.between(0.1, 0.24)
    foot, soft, deep = draw.between(0.02, 0.16), draw.between(0.1, 0.17), draw.between(0.12, 0.2)
    edge, plump = draw.between(0.015, 0.07), draw.between(4.5, 8)
    legs(piece, own, own.legs(), (-w - arm + 0.03, w + arm - 0.03), (-d + 0.03, d - 0.03), foot + 0.01, 0.05)
    piece.box(cover, (-w - 0.01, w + 0.01), (-d + 0.01, d), (foot, seat - soft + 0.02), edge=edge)
    piece.box(cover, (-w - 0.01, w + 0.01), (d - deep, d), (foot, back), edge=edge * 1.5)
    for x in ((-w - arm, -w), (w, w + arm)):
        if draw.chance(0.3) and x[1] - x[0] > 0.12:  # a roll on top
            r, middle = (x[1] - x[0]) / 2, (x[0] + x[1]) / 2
            piece.box(cover, (x[0] + 0.01, x[1] - 0.01), (-d, d), (foot, arm_top - r), edge=edge)
            piece.rod(cover, (middle, -d - 0.01, arm_top - r), (middle, d, arm_top - r), r)
        else:
            piece.box(cover, x, (-d, d), (foot, arm_top), edge=edge)
    loose = cover if draw.chance(0.85) else own.cloth()
    lean = draw.between(0.05, 0.35)
    for number in range(seats):
        x = (-w + number * seat_wide + 0.005, -w + (number + 1) * seat_wide - 0.005)
        piece.cushion(loose, x, (-d - 0.01, d - deep + 0.02), (seat - soft, seat + 0.02), power=plump)
        if draw.chance(0.85):
            y = (d - deep - 0.13, d - deep + 0.03)
            z = (seat - 0.01, back + draw.between(-0.08, 0.1))
            tilt = turn(0, -lean * draw.between(0.7, 1.3))
            piece.cushion(loose, x, y, z, power=draw.between(3.5, 6), axes=tilt)
    if draw.chance(0.5):
        lumps(piece, draw, loose, (-w, w), (-d, d - deep - 0.1), seat + 0.01, 2 * seats, 0.06)
    _scatter(piece, own, w, (d - deep - 0.15, d - deep - 0.3), seat)
    piece.front = 0.35
    return piece


def _scatter(piece: Piece, own: Taste, w: float, y: Span, seat: float) -> None:
    """Add cushions that lean against the back of a sofa; the seat before them is a top for objects."""
    draw = own.draw
    count = draw.whole(0, 1 + round(2 * w))
    for number in range(count):
        half = min(draw.between(0.17, 0.26), 0.9 * w)
        middle = -w + half + (2 * w - 2 * half) * (number + draw.share()) / count
        thick, lean, yaw = draw.between(0.06, 0.1), draw.between(0.8, 1.3), draw.normal(0, 0.35, -0.9, 0.9)
        loose_cushion(piece, own, (middle, y[0] - 0.02, seat), half, thick, lean, yaw)
    front = y[1] if count else y[0]
    reach = piece.bounds().y0
    piece.top((-w + 0.05, w - 0.05), (reach + 0.08, front), seat + 0.02, 0.5, "seat")


def armchair(own: Taste) -> Piece:
    """A deep chair with arms, one seat wide."""
    return sofa(own, seats=1)


def ottoman(own: Taste) -> Piece:
    """A soft seat or foot rest without a back."""
    draw, piece = own.draw, Piece("ottoman")
    w, d, high = draw.between(0.2, 0.45), draw.between(0.2, 0.3), draw.between(0.35, 0.46)
    cover = own.upholstery()
    if draw.chance(0.35):
        piece.post(cover, (0.0, 0.0), w, (0.0, high))
    elif draw.chance(0.4):
        piece.cushion(cover, (-w, w), (-w, w), (0.0, high), power=draw.between(2.5, 5))
    else:
        piece.box(cover, (-w, w), (-d, d), (0.0, high), edge=draw.between(0.02, 0.06))
        piece.top((-w, w), (-d, d), high, 0.6, "seat")
    return piece


def rocking_chair(own: Taste) -> Piece:
    """A wooden chair on two runners."""
    draw, piece = own.draw, Piece("rocking chair")
    w, d, seat, paint = 0.25, 0.23, draw.between(0.4, 0.45), own.wood()
    for x in (-w + 0.02, w - 0.02):
        piece.box(paint, (x - 0.02, x + 0.02), (-0.25, 0.3), (0.0, 0.035), edge=0.01)
        piece.box(paint, (x - 0.02, x + 0.02), (0.27, 0.55), (0.035, 0.07), edge=0.01, axes=turn(0, 0.2))
        piece.rod(paint, (x, -d + 0.03, 0.02), (x, -d + 0.03, seat + 0.2), 0.018)
        piece.rod(paint, (x, d - 0.03, 0.02), (x, d - 0.03, seat + 0.2), 0.018)
        piece.box(paint, (x - 0.03, x + 0.03), (-d, d), (seat + 0.19, seat + 0.22), edge=0.01)
    _seat(piece, own, paint, (-w, w), (-d, d), seat)
    _back(piece, own, paint, w, d, (seat, draw.between(0.95, 1.15)), 0.035, draw.between(0.12, 0.25))
    return piece
