"""Toilets, tubs, basins, showers, towels. Backs stand at +y."""

# ruff: noqa: PLR0917
# Functions take positions, or spans of sides, in the order x, y, z.
from __future__ import annotations

from training.rooms.draw import Draw
from training.rooms.furniture.kitchen import tap
from training.rooms.furniture.piece import Piece, Span, turn
from training.rooms.furniture.storage import doors, drawers
from training.rooms.scene import Shape
from training.rooms.surfaces.materials import Paint, glass, linear, mirror, plain
from training.rooms.surfaces.taste import Taste


def _white(own: Taste) -> Paint:
    code = own.draw.weighted({"#f7f7f4": 0.85, "#e3dccb": 0.1, "#c9dbe0": 0.05})
    return plain(own.draw, linear(code), gloss=own.draw.between(0.5, 0.9))


def toilet(own: Taste) -> Piece:
    """A bowl, its seat and lid, up or down, and the cistern."""
    draw, piece, white = own.draw, Piece("toilet"), _white(own)
    high, w = draw.between(0.38, 0.43), draw.between(0.17, 0.2)
    piece.cushion(white, (-w * 0.7, w * 0.7), (-0.2, 0.22), (0.0, high - 0.06), power=4)
    bowl = piece.post(white, (0.0, -0.1), w, (high - 0.2, high - 0.02))
    piece.solids[-1] = bowl._replace(half=(w, 0.25, bowl.half[2]))
    seat = white if draw.chance(0.75) else own.wood()
    piece.add(Shape.TORUS, seat, (0.0, -0.1, high), (w + 0.01, 0.26, 0.025))
    if draw.chance(0.5):
        lid = piece.post(seat, (0.0, -0.1), w, (high + 0.01, high + 0.035))
        piece.solids[-1] = lid._replace(half=(w + 0.005, 0.255, 0.0125))
    else:
        piece.box(seat, (-w, w), (0.13, 0.155), (high - 0.02, high + 0.38), edge=0.011, axes=turn(0, -0.12))
    if draw.chance(0.7):
        top = high + draw.between(0.28, 0.42)
        piece.box(white, (-w - 0.02, w + 0.02), (0.18, 0.35), (high - 0.08, top - 0.02), edge=0.03)
        piece.box(white, (-w - 0.03, w + 0.03), (0.17, 0.35), (top - 0.025, top + 0.01), edge=0.012)
        piece.post(own.steel, (0.0, 0.27), 0.02, (top + 0.005, top + 0.02))
        piece.top((-w, w), (0.2, 0.33), top + 0.01, 0.4, "bath")
    else:
        piece.box(white, (-w * 0.7, w * 0.7), (0.1, 0.35), (0.05, high - 0.03), edge=0.02)
    piece.front = 0.3
    return piece


def bathtub(own: Taste) -> Piece:
    """A tub whose long side stands at a wall: rim, walls, bottom and tap; hollow."""
    draw, piece, white = own.draw, Piece("bathtub"), _white(own)
    w, d, high = draw.between(0.75, 0.9), draw.between(0.35, 0.42), draw.between(0.48, 0.6)
    rim, floor = draw.between(0.05, 0.09), draw.between(0.1, 0.16)
    piece.box(white, (-w, w), (-d, d), (0.0, floor), edge=0.005)
    for x in ((-w, -w + rim * 1.3), (w - rim * 1.3, w)):
        piece.box(white, x, (-d, d), (0.02, high), edge=0.02)
    for y in ((-d, -d + rim), (d - rim, d)):
        piece.box(white, (-w, w), y, (0.02, high), edge=0.02)
    piece.cushion(white, (w - 0.4, w - rim), (-d + rim, d - rim), (floor - 0.1, high - 0.08), power=2.5)
    side = -w + rim * 0.65
    piece.rod(own.steel, (side, 0.0, high - 0.01), (side, 0.0, high + 0.14), 0.016)
    piece.rod(own.steel, (side, 0.0, high + 0.13), (side + 0.16, 0.0, high + 0.13), 0.014)
    if draw.chance(0.4):
        # A curtain before a part of the tub, hanging inside it, with its rail fixed from end to end.
        piece.begin("shower curtain")
        cloth, front, top = own.cloth(), -d + 0.03, 1.95
        piece.rod(own.steel, (-w, front, top), (w, front, top), 0.012)
        for end in (-w + 0.01, w - 0.01):
            piece.post(own.steel, (end, front), 0.011, (high - 0.02, top))
        width = draw.between(0.5, 1.1)
        start = w - width if draw.chance(0.5) else -w
        folds(piece, draw, cloth, (start, start + width), front, (high - 0.15, top), 0.035)
    piece.top((w - 0.08, w - 0.02), (-d + 0.05, d - 0.05), high, 0.5, "bath")
    return piece


def folds(
    piece: Piece, draw: Draw, cloth: Paint, x: Span, y: float, z: Span, radius: float, deep: float = 1.0
) -> None:
    """Hanging cloth: upright cylinders side by side, flattened (to `deep` at most) and overlapping."""
    step = 1.5 * radius
    count = max(2, round((x[1] - x[0] - 2 * radius) / step) + 1)
    for number in range(count):
        at = x[0] + radius + (x[1] - x[0] - 2 * radius) * number / (count - 1)
        depth = min(radius, deep) * (draw.between(0.65, 1.0) if number % 2 else draw.between(0.35, 0.6))
        solid = piece.post(cloth, (at, y), radius, z)
        piece.solids[-1] = solid._replace(half=(radius, depth, solid.half[2]))


def washstand(own: Taste) -> Piece:
    """A basin: on a column, on a cabinet with doors, or on a plate."""
    draw, piece, white = own.draw, Piece("sink"), _white(own)
    w, d, top = draw.between(0.25, 0.42), draw.between(0.2, 0.25), draw.between(0.8, 0.88)
    form = draw.weighted({"column": 0.35, "cabinet": 0.45, "bowl": 0.2})
    if form == "column":
        piece.post(white, (0.0, 0.08), 0.09, (0.0, top - 0.1), taper=0.8)
    else:
        body = own.furniture()
        piece.begin("cabinet")
        z = (0.0 if draw.chance(0.6) else 0.3, top - 0.12)
        fill = doors if draw.chance(0.6) else drawers
        fill(piece, own, body, (-w + 0.01, w - 0.01), (-d + 0.02, d), z, 2)
        if z[0]:
            piece.box(body, (-w + 0.05, w - 0.05), (d - 0.03, d), (0.0, 0.31), edge=0.002)
        piece.begin("sink")
    _basin(piece, white, w, d, top, bowl=form == "bowl")
    tap(piece, own, 0.0, d - 0.045, top - 0.01, d - 0.17)
    piece.top((w - 0.1, w - 0.02), (-d + 0.05, d - 0.05), top, 0.4, "bath")
    piece.front = 0.35
    return piece


def _basin(piece: Piece, white: Paint, w: float, d: float, top: float, *, bowl: bool) -> None:
    """A plate with a round bowl on it, or a hollow box with thick rims."""
    if bowl:
        piece.box(white, (-w, w), (-d, d), (top - 0.13, top - 0.1), edge=0.006)
        piece.post(white, (0.0, -0.03), 0.15, (top - 0.11, top - 0.06))
        piece.add(Shape.TORUS, white, (0.0, -0.03, top - 0.03), (0.18, 0.18, 0.035))
        piece.box(white, (-w, w), (d - 0.08, d), (top - 0.11, top), edge=0.004)
        piece.box(white, (w - 0.11, w), (-d, d), (top - 0.11, top), edge=0.004)
        return
    piece.box(white, (-w, w), (-d, d), (top - 0.14, top - 0.1), edge=0.015)
    for x in ((-w, -w + 0.05), (w - 0.11, w)):
        piece.box(white, x, (-d, d), (top - 0.12, top), edge=0.015)
    for y, wide in ((-d, 0.05), (d - 0.1, 0.1)):
        piece.box(white, (-w, w), (y, y + wide), (top - 0.12, top), edge=0.015)


def shower(own: Taste) -> Piece:
    """A corner of glass with its tray and shower head."""
    draw, piece, white = own.draw, Piece("shower"), _white(own)
    w, d = draw.between(0.4, 0.5), draw.between(0.4, 0.5)
    pane, high = glass(draw, (0.55, 0.65, 0.66)), draw.between(1.9, 2.05)
    piece.box(white, (-w, w), (-d, d), (0.0, draw.between(0.04, 0.12)), edge=0.01)
    piece.box(pane, (-w, -w + 0.012), (-d, d), (0.03, high), edge=0.002)
    if draw.chance(0.6):
        piece.box(pane, (-w, 0.1), (-d, -d + 0.012), (0.03, high), edge=0.002)
    piece.box(own.steel, (-w - 0.005, -w + 0.017), (-d, d), (high - 0.02, high + 0.01), edge=0.003)
    piece.rod(own.steel, (0.1, d - 0.03, 0.9), (0.1, d - 0.03, 2.0), 0.012)
    piece.box(own.steel, (0.06, 0.14), (d - 0.05, d), (0.92, 0.98), edge=0.008)
    piece.rod(own.steel, (0.1, d - 0.03, 1.99), (0.1, d - 0.3, 1.99), 0.01)
    piece.post(own.steel, (0.1, d - 0.3), 0.09, (1.96, 1.985))
    return piece


def bathroom_mirror(own: Taste) -> Piece:
    """A mirror for above a basin, or a cabinet with one; the wall is at +y."""
    draw = own.draw
    piece = Piece("mirror" if draw.chance(0.65) else "medicine chest")
    w, high = draw.between(0.22, 0.5), draw.between(0.45, 0.9)
    deep = 0.015 if piece.kind == "mirror" else 0.065
    piece.box(own.lacquer(), (-w, w), (-deep, deep), (0.0, high), edge=0.003)
    piece.box(
        mirror(draw), (-w + 0.015, w - 0.015), (-deep - 0.003, -deep + 0.002), (0.015, high - 0.015), edge=0
    )
    return piece


def towel_rail(own: Taste) -> Piece:
    """A rail on a wall with a towel over it; the wall is at +y."""
    draw, piece, w = own.draw, Piece("towel"), own.draw.between(0.22, 0.35)
    for x in (-w, w):
        piece.rod(own.steel, (x, 0.0, 0.6), (x, 0.07, 0.6), 0.009)
    piece.rod(own.steel, (-w, 0.0, 0.6), (w, 0.0, 0.6), 0.01)
    cloth, half, thick = own.cloth(), draw.between(0.5, 0.9) * w, draw.between(0.015, 0.03)
    long = draw.between(0.3, 0.6)
    piece.box(cloth, (-half, half), (-thick - 0.005, -0.005), (0.6 - long, 0.612), edge=0.01)
    piece.box(cloth, (-half, half), (0.005, thick + 0.005), (0.6 - long * 0.8, 0.612), edge=0.01)
    piece.box(cloth, (-half, half), (-thick - 0.005, thick + 0.005), (0.606, 0.625), edge=0.009)
    return piece


def toilet_paper(own: Taste) -> Piece:
    """A roll on its holder; the wall is at +y."""
    piece, white = Piece("toilet tissue"), own.ceramic()
    piece.rod(own.steel, (-0.07, 0.0, 0.06), (0.07, 0.0, 0.06), 0.008)
    piece.rod(own.steel, (0.065, 0.0, 0.06), (0.065, 0.065, 0.06), 0.008)
    piece.rod(white, (-0.05, 0.0, 0.06), (0.05, 0.0, 0.06), 0.052)
    return piece
