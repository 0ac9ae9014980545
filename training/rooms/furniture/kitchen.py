"""Kitchens: a run of cabinets under a counter, and the machines. Backs stand at +y."""

# ruff: noqa: PLR0917
# Functions take positions, or spans of sides, in the order x, y, z.
from __future__ import annotations

from training.rooms.furniture.piece import Piece, Span
from training.rooms.furniture.storage import doors, drawers
from training.rooms.surfaces.materials import Paint, glass, plain
from training.rooms.surfaces.taste import Taste

DEEP = 0.3
"""Half the depth of a base cabinet in metres."""

HIGH = 0.86
"""Metres to the underside of the counter."""


def _cabinets(own: Taste) -> tuple[Paint, Paint, float]:
    """Paint of the fronts, material of the counter, and width of a unit in metres."""
    front, slab = own.furniture(), own.stone() if own.draw.chance(0.6) else own.wood()
    return front, slab, own.draw.between(0.48, 0.62)


def counter_run(own: Taste, units: int) -> Piece:
    """Base cabinets side by side, with a stove and a sink among them, under one counter."""
    draw, piece = own.draw, Piece("kitchen cabinet")
    paint, slab, wide = _cabinets(own)
    jobs = ["stove", "sink"] + [
        draw.weighted({"doors": 0.55, "drawers": 0.25, "dishwasher": 0.2}) for _ in range(8)
    ]
    order = draw.shuffled(jobs[:units])
    start = -units * wide / 2
    hole = None
    for number, job in enumerate(order):
        x = (start + number * wide, start + (number + 1) * wide)
        if job == "stove":
            _stove(piece, own, x)
        elif job == "dishwasher":
            machine(piece.begin("dishwasher"), own, x, (-DEEP, DEEP), (0.08, HIGH))
        elif job == "drawers":
            drawers(
                piece.begin("kitchen cabinet"), own, paint, x, (-DEEP, DEEP), (0.08, HIGH), draw.whole(3, 4)
            )
        else:
            doors(
                piece.begin("kitchen cabinet"), own, paint, x, (-DEEP, DEEP), (0.08, HIGH), draw.whole(1, 2)
            )
        hole = x if job == "sink" else hole
        if job != "stove":
            _counter(piece, slab, x, job == "sink")
    piece.begin("kitchen cabinet").box(
        own.lacquer(), (start, -start), (-DEEP + 0.06, DEEP), (0.0, 0.085), edge=0
    )
    piece.block((start, -start), (-DEEP - 0.05, DEEP), (0.0, HIGH + 0.045))
    if hole:
        _sink(piece, own, hole)
        middle = (hole[0] + hole[1]) / 2
        piece.block((middle - 0.03, middle + 0.03), (DEEP - 0.3, DEEP - 0.06), (HIGH, HIGH + 0.35))
    piece.front = 0.5
    return piece


def island(own: Taste, units: int) -> Piece:
    """Cabinets that stand free under one counter, which reaches out over a side to sit at."""
    draw, piece = own.draw, Piece("kitchen cabinet")
    paint, slab, wide = _cabinets(own)
    start, out = -units * wide / 2, draw.between(0.02, 0.3)
    for number in range(units):
        x = (start + number * wide, start + (number + 1) * wide)
        fill = doors if draw.chance(0.6) else drawers
        fill(piece.begin("kitchen cabinet"), own, paint, x, (-DEEP, DEEP), (0.0, HIGH), draw.whole(2, 3))
    around = (start - 0.02, 0.02 - start)
    piece.begin("counter").box(slab, around, (-DEEP - 0.02, DEEP + out), (HIGH, HIGH + 0.04), edge=0.006)
    piece.top(around, (-DEEP, DEEP + out - 0.02), HIGH + 0.04, 0.8, "kitchen")
    piece.front = 0.5
    return piece


def _counter(piece: Piece, slab: Paint, x: Span, sink: bool) -> None:
    """The counter over one unit, with a hole where the sink is."""
    piece.begin("counter")
    y, z = (-DEEP - 0.02, DEEP), (HIGH, HIGH + 0.04)
    if not sink:
        piece.box(slab, x, y, z, edge=0.004)
        piece.top((x[0] + 0.02, x[1] - 0.02), (-DEEP, DEEP - 0.02), z[1], 0.45, "kitchen")
        return
    rim = 0.06
    piece.box(slab, x, (y[0], -DEEP + 0.08), z, edge=0.003)
    piece.box(slab, x, (DEEP - 0.14, y[1]), z, edge=0.003)
    for side in ((x[0], x[0] + rim), (x[1] - rim, x[1])):
        piece.box(slab, side, (-DEEP + 0.08, DEEP - 0.14), z, edge=0.003)


def _sink(piece: Piece, own: Taste, x: Span) -> None:
    """A basin let into the counter, and its tap."""
    steel = own.steel if own.draw.chance(0.7) else own.ceramic()
    piece.begin("sink")
    left, right, front, back = x[0] + 0.06, x[1] - 0.06, -DEEP + 0.08, DEEP - 0.14
    low, high, thin = HIGH - 0.13, HIGH + 0.043, 0.012
    piece.box(steel, (left, right), (front, back), (low, low + thin), edge=0.003)
    for side in ((left, left + thin), (right - thin, right)):
        piece.box(steel, side, (front, back), (low, high), edge=0.004)
    for side in ((front, front + thin), (back - thin, back)):
        piece.box(steel, (left, right), side, (low, high), edge=0.004)
    tap(piece, own, (left + right) / 2, back + 0.04, HIGH + 0.03, back - 0.12)


def tap(piece: Piece, own: Taste, x: float, y: float, z: float, end: float) -> None:
    """A tap at (x, y) whose spout reaches to y = end."""
    high = z + own.draw.between(0.12, 0.3)
    piece.post(own.steel, (x, y), 0.016, (z, high))
    piece.rod(own.steel, (x, y, high - 0.012), (x, end, high - 0.012), 0.012)
    piece.post(own.steel, (x, end + 0.008), 0.01, (high - 0.045, high - 0.012))


def _stove(piece: Piece, own: Taste, x: Span) -> None:
    """An oven with a door of glass, knobs, and plates on top."""
    draw = own.draw
    body, dark = (
        own.metal() if draw.chance(0.5) else own.ceramic(),
        plain(draw, (0.02, 0.02, 0.022), gloss=0.8),
    )
    piece.begin("oven")
    top = HIGH + 0.04
    piece.box(body, (x[0] + 0.003, x[1] - 0.003), (-DEEP, DEEP), (0.0, top), edge=0.004)
    piece.box(
        glass(draw, (0.03, 0.03, 0.03)), (x[0] + 0.06, x[1] - 0.06), (-DEEP - 0.012, -DEEP), (0.3, 0.62)
    )
    bar = 0.68
    piece.rod(own.steel, (x[0] + 0.05, -DEEP - 0.03, bar), (x[1] - 0.05, -DEEP - 0.03, bar), 0.01)
    for side in (x[0] + 0.06, x[1] - 0.06):
        piece.rod(own.steel, (side, -DEEP, bar), (side, -DEEP - 0.03, bar), 0.008)
    for number in range(4):
        at = x[0] + 0.1 + (x[1] - x[0] - 0.2) * number / 3
        piece.rod(dark, (at, -DEEP - 0.02, 0.8), (at, -DEEP + 0.005, 0.8), 0.018)
    middle, step = (x[0] + x[1]) / 2, 0.115
    piece.box(dark, (x[0] + 0.02, x[1] - 0.02), (-DEEP + 0.02, DEEP - 0.03), (top, top + 0.006), edge=0.002)
    for sx in (-1, 1):
        for y in (-0.12, 0.12):
            r = draw.between(0.07, 0.095)
            piece.post(dark, (middle + sx * step, y), r, (top + 0.004, top + 0.016))
    piece.top((x[0] + 0.06, x[1] - 0.06), (-DEEP + 0.08, DEEP - 0.08), top + 0.016, 0.4, "stove")


def wall_units(own: Taste, units: int) -> Piece:
    """Cabinets that hang on the wall above a counter, some places left free for a hood or a shelf."""
    draw, piece, paint = own.draw, Piece("kitchen cabinet"), own.furniture()
    wide, high = draw.between(0.48, 0.62), draw.between(0.5, 0.8)
    start, d = -units * wide / 2, draw.between(0.15, 0.18)
    for number in range(units):
        x = (start + number * wide, start + (number + 1) * wide)
        form = draw.weighted({"doors": 0.7, "shelf": 0.2, "hood": 0.1})
        if form == "doors":
            doors(piece.begin("kitchen cabinet"), own, paint, x, (-d, d), (0.0, high), draw.whole(1, 2))
        elif form == "hood":
            hood(piece, own, (x[0] + x[1]) / 2, wide / 2, d, high)
        else:
            piece.begin("shelves")
            for z in (0.0, 0.45 * high):
                piece.box(paint, x, (-d, d), (z, z + 0.022))
                piece.top((x[0] + 0.02, x[1] - 0.02), (-d + 0.01, d - 0.02), z + 0.022, 0.4 * high, "kitchen")
    return piece


def hood(piece: Piece, own: Taste, x: float, half: float, deep: float, high: float) -> None:
    """A hood over a stove with its chimney."""
    paint = own.metal()
    piece.begin("hood")
    piece.box(paint, (x - half, x + half), (-deep - 0.1, deep), (0.0, 0.07), edge=0.003)
    piece.box(paint, (x - 0.14, x + 0.14), (deep - 0.26, deep), (0.06, high + 0.1), edge=0.003)


def machine(piece: Piece, own: Taste, x: Span, y: Span, z: Span) -> Piece:
    """A body with a front and a bar to pull: dishwashers and the like."""
    paint = own.metal() if own.draw.chance(0.4) else own.ceramic()
    piece.box(paint, (x[0] + 0.003, x[1] - 0.003), (y[0] + 0.01, y[1]), z, edge=0.004)
    piece.box(
        paint, (x[0] + 0.006, x[1] - 0.006), (y[0], y[0] + 0.012), (z[0] + 0.06, z[1] - 0.12), edge=0.004
    )
    at = z[1] - 0.09
    piece.box(
        own.steel, (x[0] + 0.1, x[1] - 0.1), (y[0] - 0.02, y[0] + 0.012), (at - 0.012, at + 0.012), edge=0.006
    )
    return piece


def refrigerator(own: Taste) -> Piece:
    """A refrigerator with one, two or three doors and their handles."""
    draw, piece = own.draw, Piece("refrigerator")
    w, d, top = draw.between(0.28, 0.46), draw.between(0.29, 0.36), draw.one_of((0.86, 1.45, 1.7, 1.8, 1.95))
    paint = own.metal() if draw.chance(0.4) else own.ceramic()
    piece.box(paint, (-w, w), (-d + 0.06, d), (0.0, top), edge=0.008)
    split = 0.03 + (top - 0.03) * draw.one_of((0.35, 0.45, 0.68))
    fronts = [((-w, w), (0.03, split - 0.004)), ((-w, w), (split, top))]
    if w > 0.42:
        fronts = [((-w, -0.003), (0.03, top)), ((0.003, w), (0.03, top))]
    elif top < 1:
        fronts = [((-w, w), (0.03, top))]
    for number, (x, z) in enumerate(fronts):
        piece.box(paint, x, (-d, -d + 0.06), z, edge=0.015)
        side = x[1] - 0.05 if number == 0 else x[0] + 0.05
        side = side if w > 0.42 else w - 0.05
        long = min(0.4, 0.6 * (z[1] - z[0]))
        bottom = z[1] - long - 0.05 if number == 0 else z[0] + 0.05
        piece.box(
            own.steel, (side - 0.012, side + 0.012), (-d - 0.04, -d), (bottom, bottom + long), edge=0.01
        )
    piece.top((-w + 0.05, w - 0.05), (-d + 0.1, d - 0.05), top, 0.35, "kitchen")
    piece.front = 0.4
    return piece


def washer(own: Taste) -> Piece:
    """A washing machine with its round door."""
    draw, piece, paint = own.draw, Piece("washer"), own.ceramic()
    w, d, top, r = 0.3, draw.between(0.26, 0.3), 0.85, draw.between(0.15, 0.18)
    piece.box(paint, (-w, w), (-d, d), (0.0, top), edge=0.008)
    piece.rod(own.metal(), (0.0, -d - 0.025, 0.43), (0.0, -d + 0.01, 0.43), r)
    piece.rod(glass(draw, (0.05, 0.06, 0.07)), (0.0, -d - 0.035, 0.43), (0.0, -d, 0.43), 0.75 * r)
    piece.box(own.lacquer(), (-w + 0.02, w - 0.02), (-d - 0.005, -d + 0.01), (0.74, 0.83), edge=0.003)
    piece.rod(own.metal(), (0.18, -d - 0.025, 0.785), (0.18, -d, 0.785), 0.028)
    piece.top((-w + 0.03, w - 0.03), (-d + 0.03, d - 0.03), top)
    return piece


def microwave(own: Taste) -> Piece:
    """A microwave oven."""
    draw, piece = own.draw, Piece("microwave")
    paint = own.metal() if draw.chance(0.5) else own.ceramic()
    w, d, top = draw.between(0.22, 0.27), draw.between(0.16, 0.2), draw.between(0.26, 0.31)
    piece.box(paint, (-w, w), (-d, d), (0.0, top), edge=0.006)
    piece.box(glass(draw, (0.02, 0.02, 0.02)), (-w + 0.02, w - 0.14), (-d - 0.012, -d), (0.03, top - 0.03))
    piece.box(own.accent(), (w - 0.12, w - 0.02), (-d - 0.004, -d), (0.03, top - 0.03), edge=0.001)
    return piece


def toaster(own: Taste) -> Piece:
    """A toaster with two slots."""
    draw, piece, paint = own.draw, Piece("toaster"), own.metal() if own.draw.chance(0.6) else own.accent()
    w, d, top = draw.between(0.13, 0.17), draw.between(0.07, 0.1), draw.between(0.17, 0.21)
    dark = plain(draw, (0.02, 0.02, 0.02))
    piece.box(paint, (-w, w), (-d, d), (0.0, top), edge=0.035)
    for y in (-0.4 * d, 0.4 * d):
        piece.box(dark, (-0.7 * w, 0.7 * w), (y - 0.012, y + 0.012), (top - 0.01, top + 0.001), edge=0)
    piece.box(dark, (w, w + 0.02), (-0.02, 0.02), (0.6 * top, 0.7 * top), edge=0.004)
    return piece


def espresso_maker(own: Taste) -> Piece:
    """A coffee machine."""
    draw, piece, paint = (
        own.draw,
        Piece("espresso maker"),
        own.metal() if own.draw.chance(0.5) else own.accent(),
    )
    w, d, top = draw.between(0.08, 0.13), draw.between(0.11, 0.15), draw.between(0.26, 0.36)
    piece.box(paint, (-w, w), (0.2 * d, d), (0.0, top), edge=0.01)
    piece.box(paint, (-w, w), (-d, 0.3 * d), (0.0, 0.05), edge=0.008)
    piece.box(paint, (-w, w), (-d, 0.3 * d), (top - 0.1, top), edge=0.012)
    piece.post(own.steel, (0.0, -0.35 * d), 0.03, (top - 0.14, top - 0.09))
    piece.post(own.ceramic(), (0.0, -0.35 * d), 0.035, (0.05, 0.12))
    return piece
