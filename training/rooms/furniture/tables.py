"""Tables and desks on four legs, a foot or trestles."""

# ruff: noqa: PLR0917
# Functions take positions, or spans of sides, in the order x, y, z.
from __future__ import annotations

from math import cos, pi, sin

from training.rooms.furniture.piece import Piece, Span
from training.rooms.furniture.seating import legs
from training.rooms.furniture.storage import drawers
from training.rooms.surfaces.materials import Paint
from training.rooms.surfaces.taste import Taste


def dining_table(own: Taste, *, half: float = 0.0) -> Piece:
    """A dining table, round or rectangular; `half` is half its length, 0 for random."""
    draw, piece, paint = own.draw, Piece("dining table"), own.furniture()
    high, thick = draw.between(0.71, 0.77), draw.between(0.02, 0.05)
    if not half and draw.chance(0.28):
        return _round(piece, own, paint, draw.between(0.4, 0.68), high, thick)
    w, d = half or draw.between(0.4, 1.05), draw.between(0.38, 0.5)
    w = max(w, d)
    slab = own.stone() if draw.chance(0.06) else paint
    return _slab(piece, own, (slab, paint), (-w, w), (-d, d), high, thick)


def coffee_table(own: Taste) -> Piece:
    """A low table before a sofa, or beside one."""
    draw, piece, paint = own.draw, Piece("coffee table"), own.furniture()
    high, thick = draw.between(0.32, 0.52), draw.between(0.015, 0.05)
    if draw.chance(0.3):
        return _round(piece, own, paint, draw.between(0.2, 0.48), high, thick)
    w, d = draw.between(0.25, 0.65), draw.between(0.22, 0.36)
    _slab(piece, own, (paint, paint), (-w, w), (-d, d), high, thick)
    if draw.chance(0.35):
        z = draw.between(0.1, 0.16)
        piece.box(paint, (-w + 0.02, w - 0.02), (-d + 0.02, d - 0.02), (z, z + 0.018))
        piece.top((-w + 0.08, w - 0.08), (-d + 0.08, d - 0.08), z + 0.018, high - thick - z - 0.02)
    return piece


def side_table(own: Taste) -> Piece:
    """A narrow table for halls and walls."""
    draw, piece, paint = own.draw, Piece("coffee table"), own.furniture()
    w, d, high = draw.between(0.3, 0.7), draw.between(0.14, 0.22), draw.between(0.7, 0.9)
    return _slab(piece, own, (paint, paint), (-w, w), (-d, d), high, draw.between(0.02, 0.035))


def desk(own: Taste) -> Piece:
    """A desk: a plate on legs, on panels, or on drawers at one side."""
    draw, piece, paint = own.draw, Piece("desk"), own.furniture()
    w, d = draw.between(0.5, 0.9), draw.between(0.28, 0.4)
    high, thick = draw.between(0.71, 0.76), draw.between(0.018, 0.04)
    form = draw.weighted({"slab": 0.45, "drawers": 0.4, "both": 0.15})
    if form == "slab":
        _slab(piece, own, (paint, paint), (-w, w), (-d, d), high, thick)
        piece.tops = [top._replace(use="desk") for top in piece.tops]
        return piece
    piece.box(paint, (-w, w), (-d, d), (high - thick, high), edge=0.004)
    side = draw.between(0.32, 0.42)
    spans: list[Span] = [(-w + 0.01, -w + side)]
    if form == "both":
        spans.append((w - side, w - 0.01))
    else:
        piece.box(paint, (w - 0.035, w - 0.01), (-d + 0.02, d - 0.01), (0.0, high - thick), edge=0.003)
    for x in spans:
        drawers(piece, own, paint, x, (-d + 0.02, d - 0.01), (0.0, high - thick), draw.whole(2, 4))
    if draw.chance(0.5):
        piece.box(paint, (-w + 0.02, w - 0.02), (d - 0.05, d - 0.03), (0.3, high - thick), edge=0.002)
    piece.top((-w + 0.03, w - 0.03), (-d + 0.03, d - 0.03), high, 1.0, "desk")
    _under(piece, (-w, w), (-d, d), high, [(-w, -w + side)], 0.06)
    if form == "both":
        piece.block((w - side, w), (-d, d), (0.0, high))
    return piece


def _under(piece: Piece, x: Span, y: Span, high: float, parts: list[Span], rail: float) -> None:
    """Mark the space under a plate as free for chairs, except for parts that reach the floor."""
    piece.block(x, y, (high - rail, high))
    for part in parts:
        piece.block(part, y, (0.0, high))


def pool_table(own: Taste) -> Piece:
    """A pool table with its cloth, rails and balls."""
    draw, piece, paint = own.draw, Piece("pool table"), own.wood()
    w, d, high = 1.1, 0.6, 0.8
    cloth = own.accent()
    legs(piece, own, paint, (-w + 0.1, w - 0.1), (-d + 0.1, d - 0.1), 0.6, 0.13)
    piece.box(paint, (-w, w), (-d, d), (0.58, high - 0.02), edge=0.01)
    piece.box(cloth, (-w + 0.1, w - 0.1), (-d + 0.1, d - 0.1), (high - 0.021, high - 0.01), edge=0.001)
    for x, y in (((-w, w), (-d, -d + 0.1)), ((-w, w), (d - 0.1, d))):
        piece.box(paint, x, y, (high - 0.03, high + 0.03), edge=0.012)
    for x in ((-w, -w + 0.1), (w - 0.1, w)):
        piece.box(paint, x, (-d + 0.1, d - 0.1), (high - 0.03, high + 0.03), edge=0.012)
    for _ in range(draw.whole(3, 7)):
        at = (draw.between(-w + 0.2, w - 0.2), draw.between(-d + 0.2, d - 0.2), high + 0.018)
        piece.begin("ball").ball(own.accent(), at, 0.028)
    return piece


def _slab(
    piece: Piece, own: Taste, paints: tuple[Paint, Paint], x: Span, y: Span, high: float, thick: float
) -> Piece:
    """A rectangular top on legs with a rail, on panels, or on trestles."""
    draw, (slab, paint) = own.draw, paints
    piece.box(slab, x, y, (high - thick, high), edge=draw.between(0.002, 0.012))
    form = draw.weighted({"legs": 0.65, "panels": 0.17, "trestles": 0.18})
    inset = draw.between(0.0, 0.08)
    (x0, x1), (y0, y1) = (x[0] + inset, x[1] - inset), (y[0] + inset, y[1] - inset)
    under = high - thick
    if form == "legs":
        thickness = draw.between(0.035, 0.09)
        legs(piece, own, paint, (x0, x1), (y0, y1), under + 0.002, thickness)
        if draw.chance(0.55):
            for at in (y0 + thickness / 2, y1 - thickness / 2):
                piece.box(paint, (x0, x1), (at - 0.01, at + 0.01), (under - 0.08, under), edge=0.002)
    elif form == "panels":
        for at in (x0, x1 - 0.03):
            piece.box(paint, (at, at + 0.03), (y0, y1), (0.0, under), edge=0.003)
    else:
        bar, trestles, low = 0.025, (x0 + 0.12, x1 - 0.12), under * 0.35
        for at in trestles:
            for side in (y0, y1):
                middle = (y0 + y1) / 2
                towards = middle + 0.25 * (side - middle)
                piece.rod(paint, (at, side, 0.0), (at, towards, under - 0.02), bar * 0.8)
            piece.box(paint, (at - bar, at + bar), (y0 + 0.02, y1 - 0.02), (under - 0.05, under), edge=0.003)
        piece.box(paint, trestles, (-bar, bar), (low, low + 0.05), edge=0.003)
        for at in trestles:
            piece.box(paint, (at - 0.015, at + 0.015), (y0 + 0.05, y1 - 0.05), (low, low + 0.04))
    piece.top((x[0] + 0.02, x[1] - 0.02), (y[0] + 0.02, y[1] - 0.02), high)
    wide, around = 0.16 if form == "trestles" else 0.1, piece.bounds()
    ends = [(around.x0, x0 + wide), (x1 - wide, around.x1)]
    _under(piece, around[:2], around[2:4], high, ends, thick + 0.09)
    return piece


def _round(piece: Piece, own: Taste, paint: Paint, radius: float, high: float, thick: float) -> Piece:
    """A round top on one foot, or on three or four legs."""
    draw = own.draw
    piece.post(paint, (0.0, 0.0), radius, (high - thick, high))
    under = high - thick
    if draw.chance(0.55):
        piece.post(paint, (0.0, 0.0), draw.between(0.03, 0.07), (0.015, under + 0.002))
        if draw.chance(0.5):
            piece.post(paint, (0.0, 0.0), radius * draw.between(0.45, 0.7), (0.0, 0.03), taper=0.8)
        else:
            for number in range(4):
                angle = pi / 2 * number + pi / 4
                reach = 0.6 * radius
                end = (reach * cos(angle), reach * sin(angle), 0.021)
                piece.rod(paint, (0.0, 0.0, 0.1 * high + 0.04), end, 0.02)
    else:
        count = draw.whole(3, 4)
        for number in range(count):
            angle = 2 * pi * number / count + pi / 4
            foot, head = 0.85 * radius, 0.65 * radius
            start = (foot * cos(angle), foot * sin(angle), 0.0)
            piece.rod(paint, start, (head * cos(angle), head * sin(angle), under), 0.022)
    foot = 0.75 * radius
    piece.block((-radius, radius), (-radius, radius), (under - 0.02, high))
    piece.block((-foot, foot), (-foot, foot), (0.0, high))
    half = radius * 0.66
    piece.top((-half, half), (-half, half), high)
    return piece
