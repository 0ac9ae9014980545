"""Bookcases, shelves on walls, wardrobes, cabinets, chests of drawers. Their back stands at +y."""

# ruff: noqa: PLR0917
# Functions take positions, or spans of sides, in the order x, y, z.
from __future__ import annotations

from math import cos, sin

from training.rooms.draw import Draw
from training.rooms.furniture.piece import Piece, Span, turn
from training.rooms.scene import Shape
from training.rooms.surfaces.materials import Paint, spine
from training.rooms.surfaces.taste import Taste

BOARD = 0.018


def handle(piece: Piece, own: Taste, x: float, y: float, z: float, *, upright: bool, form: str) -> None:
    """A knob, a bar or nothing on a front whose face is at y."""
    if form == "knob":
        piece.ball(own.steel, (x, y - 0.014, z), 0.016)
    elif form == "bar":
        long, r = 0.055, 0.006
        half = (r, long) if upright else (long, r)
        piece.box(
            own.steel, (x - half[0], x + half[0]), (y - 0.028, y), (z - half[1], z + half[1]), edge=0.004
        )


def handle_form(draw: Draw) -> str:
    """One form for all handles of a piece."""
    return draw.weighted({"knob": 0.35, "bar": 0.45, "none": 0.2})


def drawers(piece: Piece, own: Taste, paint: Paint, x: Span, y: Span, z: Span, count: int) -> None:
    """A body with drawers above each other; their fronts stand out to y[0]."""
    front, form = 0.02, handle_form(own.draw)
    piece.box(paint, x, (y[0] + front, y[1]), z, edge=0.002)
    gap, foot = 0.004, 0.05 * (z[0] < 0.01)
    high = (z[1] - z[0] - foot - gap) / count
    for number in range(count):
        bottom = z[0] + foot + number * high
        piece.box(
            paint, (x[0] + gap, x[1] - gap), (y[0], y[0] + front), (bottom + gap, bottom + high), edge=0.003
        )
        handle(piece, own, (x[0] + x[1]) / 2, y[0], bottom + high / 2, upright=False, form=form)


def doors(piece: Piece, own: Taste, paint: Paint, x: Span, y: Span, z: Span, count: int) -> None:
    """A body with doors side by side; their fronts stand out to y[0]."""
    front, form = 0.02, handle_form(own.draw)
    piece.box(paint, x, (y[0] + front, y[1]), z, edge=0.002)
    gap = 0.003
    wide = (x[1] - x[0]) / count
    raised = own.draw.chance(0.35)
    at = z[0] + (0.8 if z[0] < 0.4 and z[1] < 1.2 else 0.5) * (z[1] - z[0])
    at = z[0] + 0.15 * (z[1] - z[0]) if z[0] > 1.0 else at
    for number in range(count):
        span = (x[0] + number * wide + gap, x[0] + (number + 1) * wide - gap)
        piece.box(paint, span, (y[0], y[0] + front), (z[0] + gap, z[1] - gap), edge=0.003)
        if raised:
            rim = min(0.06, 0.2 * wide)
            field = ((span[0] + rim, span[1] - rim), (y[0] - 0.008, y[0]), (z[0] + rim, z[1] - rim))
            piece.box(paint, *field, edge=0.006)
        side = span[1] - 0.035 if number % 2 == 0 and count > 1 else span[0] + 0.035
        handle(piece, own, side, y[0], at, upright=True, form=form)


def bookcase(own: Taste, *, wide: float = 0.0, high: float = 0.0) -> Piece:
    """A bookcase: sides, back and boards, which carry books and other objects."""
    draw, piece, paint = own.draw, Piece("bookcase"), own.furniture()
    w, d = (wide or draw.between(0.5, 1.3)) / 2, draw.between(0.12, 0.19)
    top = high or draw.one_of((draw.between(0.75, 1.3), draw.between(1.6, 2.15), draw.between(1.8, 2.1)))
    for x in ((-w, -w + BOARD), (w - BOARD, w)):
        piece.box(paint, x, (-d, d), (0.0, top), edge=0.002)
    if draw.chance(0.75):
        piece.box(paint, (-w + BOARD, w - BOARD), (d - 0.008, d), (0.02, top), edge=0.001)
    count = max(2, round(top / draw.between(0.28, 0.42)))
    foot = draw.between(0.0, 0.08)
    step = (top - BOARD - foot) / count
    for number in range(count + 1):
        z = foot + number * step
        piece.box(paint, (-w + BOARD, w - BOARD), (-d, d - 0.008), (z, z + BOARD), edge=0.002)
        clear = step - BOARD - 0.01 if number < count else 0.5
        piece.top((-w + BOARD + 0.005, w - BOARD - 0.005), (-d + 0.01, d - 0.012), z + BOARD, clear, "shelf")
    return piece


def wall_shelf(own: Taste) -> Piece:
    """Boards on a wall, one to three above each other, on brackets."""
    draw, piece, paint = own.draw, Piece("shelves"), own.furniture()
    w, d, thick = draw.between(0.25, 0.7), draw.between(0.09, 0.14), draw.between(0.015, 0.04)
    gap, bracket = draw.between(0.25, 0.38), draw.chance(0.5)
    for number in range(draw.weighted({1: 0.45, 2: 0.35, 3: 0.2})):
        z = number * gap + 0.1
        piece.box(paint, (-w, w), (-d, d), (z, z + thick), edge=0.003)
        piece.top((-w + 0.01, w - 0.01), (-d + 0.01, d - 0.01), z + thick, gap - thick - 0.02, "shelf")
        if bracket:
            for x in (-0.75 * w, 0.75 * w):
                piece.box(own.steel, (x - 0.01, x + 0.01), (d - 0.012, d), (z - 0.09, z), edge=0.002)
                piece.box(own.steel, (x - 0.01, x + 0.01), (-d * 0.6, d), (z - 0.012, z), edge=0.002)
    return piece


def wardrobe(own: Taste) -> Piece:
    """A tall cupboard for clothes with two to four doors."""
    draw, piece, paint = own.draw, Piece("wardrobe"), own.furniture()
    count = draw.whole(2, 4)
    w, d, top = count * draw.between(0.4, 0.55) / 2, draw.between(0.26, 0.31), draw.between(1.75, 2.2)
    z = (draw.between(0.0, 0.12), top)
    if z[0] > 0.01:
        piece.box(paint, (-w + 0.02, w - 0.02), (-d + 0.04, d - 0.02), (0.0, z[0] + 0.003), edge=0.002)
    if draw.chance(0.3):
        low = draw.between(0.35, 0.55)
        drawers(piece, own, paint, (-w, w), (-d, d), (z[0], low), draw.whole(1, 2))
        doors(piece, own, paint, (-w, w), (-d, d), (low, top), count)
    else:
        doors(piece, own, paint, (-w, w), (-d, d), z, count)
    if draw.chance(0.3):
        piece.box(paint, (-w - 0.02, w + 0.02), (-d - 0.02, d), (top, top + 0.04), edge=0.008)
        top += 0.04
    piece.top((-w + 0.03, w - 0.03), (-d + 0.05, d - 0.05), top, 0.3)
    piece.front = 0.45
    return piece


def dresser(own: Taste) -> Piece:
    """A chest of drawers."""
    draw, piece, paint = own.draw, Piece("dresser"), own.furniture()
    w, d, top = draw.between(0.35, 0.75), draw.between(0.2, 0.26), draw.between(0.7, 1.1)
    foot = _foot(draw, 0.14)
    _feet(piece, paint, w, d, foot)
    columns = 2 if w > 0.5 else 1
    for number in range(columns):
        x = (-w + number * 2 * w / columns, -w + (number + 1) * 2 * w / columns)
        drawers(piece, own, paint, x, (-d + 0.01, d), (foot, top - 0.02), draw.whole(3, 5))
    piece.box(paint, (-w - 0.01, w + 0.01), (-d, d), (top - 0.02, top), edge=0.004)
    piece.top((-w + 0.03, w - 0.03), (-d + 0.03, d - 0.03), top)
    piece.front = 0.4
    return piece


def _foot(draw: Draw, most: float) -> float:
    """Metres of a piece above the floor: 0, or enough for visible feet."""
    high = draw.between(0.0, most)
    return high if high > 0.03 else 0.0


def _feet(piece: Piece, paint: Paint, w: float, d: float, high: float) -> None:
    if not high:
        return
    for x in (-w + 0.04, w - 0.04):
        for y in (-d + 0.05, d - 0.04):
            piece.post(paint, (x, y), 0.02, (0.0, high + 0.003))


def cabinet(own: Taste) -> Piece:
    """A sideboard, or a low cupboard, with doors, and drawers beside them."""
    draw, piece, paint = own.draw, Piece("cabinet"), own.furniture()
    w, d, top = draw.between(0.4, 0.95), draw.between(0.18, 0.25), draw.between(0.6, 1.0)
    foot = _foot(draw, 0.18)
    _feet(piece, own.legs(), w, d, foot)
    split = draw.between(-0.3, 0.3) * w if draw.chance(0.5) else w
    count = max(1, round((split + w) / 0.45))
    doors(piece, own, paint, (-w, split), (-d, d), (foot, top - 0.02), count)
    if split < w:
        drawers(piece, own, paint, (split, w), (-d, d), (foot, top - 0.02), draw.whole(2, 4))
    piece.box(paint, (-w - 0.008, w + 0.008), (-d - 0.008, d), (top - 0.02, top), edge=0.004)
    piece.top((-w + 0.03, w - 0.03), (-d + 0.03, d - 0.03), top)
    piece.front = 0.4
    return piece


def tv_stand(own: Taste) -> Piece:
    """A long, low piece for a television."""
    draw, piece, paint = own.draw, Piece("tv stand"), own.furniture()
    w, d = draw.between(0.5, 0.9), draw.between(0.18, 0.23)
    top, foot = draw.between(0.38, 0.6), _foot(draw, 0.1)
    _feet(piece, paint, w, d, foot)
    piece.box(paint, (-w, w), (-d, d), (top - 0.025, top), edge=0.003)
    piece.box(paint, (-w, w), (-d, d), (foot, foot + 0.025), edge=0.003)
    third = 2 * w / 3
    for number in range(3):
        x = (-w + number * third, -w + (number + 1) * third)
        if draw.chance(0.5):
            drawers(piece, own, paint, x, (-d, d), (foot + 0.025, top - 0.025), draw.whole(1, 2))
        else:
            for at in (x[0], x[1] - BOARD):
                piece.box(paint, (at, at + BOARD), (-d, d), (foot + 0.02, top - 0.02), edge=0.002)
            clear = top - foot - 0.06
            piece.top((x[0] + 0.03, x[1] - 0.03), (-d + 0.03, d - 0.03), foot + 0.025, clear, "shelf")
    piece.top((-w + 0.03, w - 0.03), (-d + 0.03, d - 0.03), top, 1.0)
    return piece


def night_stand(own: Taste) -> Piece:
    """A small piece beside a bed: drawers, or a shelf on legs."""
    draw, piece, paint = own.draw, Piece("night stand"), own.furniture()
    w, d, top = draw.between(0.18, 0.27), draw.between(0.17, 0.22), draw.between(0.42, 0.65)
    foot = _foot(draw, 0.15)
    _feet(piece, paint, w, d, foot)
    if draw.chance(0.6):
        drawers(piece, own, paint, (-w, w), (-d, d), (foot, top), draw.whole(1, 3))
    else:
        for x in ((-w, -w + BOARD), (w - BOARD, w)):
            piece.box(paint, x, (-d, d), (foot, top), edge=0.003)
        for z in (foot, foot + 0.6 * (top - foot), top - BOARD):
            piece.box(paint, (-w, w), (-d, d), (z, z + BOARD), edge=0.002)
        piece.top((-w + 0.03, w - 0.03), (-d + 0.02, d - 0.02), foot + BOARD, 0.55 * (top - foot) - 0.03)
    piece.top((-w + 0.02, w - 0.02), (-d + 0.02, d - 0.02), top)
    return piece


def chest(own: Taste) -> Piece:
    """A wooden chest with a lid."""
    draw, piece, paint = own.draw, Piece("chest"), own.wood()
    w, d, top = draw.between(0.35, 0.6), draw.between(0.2, 0.27), draw.between(0.38, 0.52)
    piece.box(paint, (-w, w), (-d, d), (0.0, top - 0.06), edge=0.006)
    piece.box(paint, (-w - 0.01, w + 0.01), (-d - 0.01, d), (top - 0.06, top), edge=0.015)
    piece.box(own.steel, (-0.03, 0.03), (-d - 0.018, -d), (top - 0.13, top - 0.03), edge=0.003)
    piece.top((-w + 0.03, w - 0.03), (-d + 0.03, d - 0.03), top)
    return piece


def filing_cabinet(own: Taste) -> Piece:
    """A narrow steel body with deep drawers."""
    draw, piece, paint = own.draw, Piece("filing cabinet"), own.lacquer()
    count = draw.whole(2, 4)
    w, d, top = draw.between(0.2, 0.24), draw.between(0.25, 0.32), count * 0.33
    drawers(piece, own, paint, (-w, w), (-d, d), (0.0, top), count)
    piece.top((-w + 0.02, w - 0.02), (-d + 0.02, d - 0.02), top)
    return piece


def rack(own: Taste) -> Piece:
    """Open shelves on four posts, for store rooms, pantries and garages."""
    draw, piece, paint = own.draw, Piece("shelves"), own.metal() if own.draw.chance(0.6) else own.wood()
    w, d, top = draw.between(0.4, 0.8), draw.between(0.16, 0.26), draw.between(1.3, 2.1)
    for x in (-w + 0.015, w - 0.015):
        for y in (-d + 0.015, d - 0.015):
            piece.box(paint, (x - 0.015, x + 0.015), (y - 0.015, y + 0.015), (0.0, top), edge=0.002)
    count = draw.whole(3, 5)
    step = (top - 0.1) / count
    for number in range(count + 1):
        z = 0.07 + number * step
        piece.box(paint, (-w, w), (-d, d), (z, z + 0.025), edge=0.003)
        clear = step - 0.05 if number < count else 0.35
        piece.top((-w + 0.04, w - 0.04), (-d + 0.02, d - 0.02), z + 0.025, clear, "shelf")
    return piece


def books(own: Taste, length: float, deep: float, clear: float) -> Piece:
    """A row of books or folders along x, some leaning, with their own sizes; their spines look to -y.

    Args:
        own: the room's taste.
        length: largest length of the row in metres.
        deep: largest depth in metres.
        clear: free height above the board in metres.
    """
    draw, piece = own.draw, Piece("book")
    slim = draw.between(0.02, 0.05)
    x, tall = -length / 2, min(clear * 0.95, draw.between(0.18, 0.32))
    while True:
        thick, high = slim * draw.between(0.9, 2.1), tall * draw.between(0.72, 1.0)
        lean = draw.between(0.06, 0.25) if draw.chance(0.1) else 0.0
        step = thick + 1.1 * lean * high
        if x + step > length / 2:
            return piece
        _book(piece, draw, (x, x + thick), min(deep, draw.between(0.12, 0.2)) / 2, high, lean)
        x += step + 0.001


def _book(piece: Piece, draw: Draw, x: Span, half_deep: float, high: float, lean: float) -> None:
    """A book that stands, leaning to the left by an angle, its lowest edge on the board."""
    thick = x[1] - x[0]
    rise = (high * cos(lean) + thick * sin(lean)) / 2
    middle = x[0] + (thick * cos(lean) + high * sin(lean)) / 2
    centre = (middle, draw.between(-0.01, 0.01), rise)
    piece.begin("book")
    half = (thick / 2, half_deep, high / 2)
    piece.add(Shape.BOX, spine(draw), centre, half, detail=0.002, axes=turn(1, -lean))
