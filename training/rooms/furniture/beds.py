"""Beds: frame, headboard, mattress, quilt, pillows. The head stands at +y, against the wall."""

# ruff: noqa: PLR0917
# Functions take positions, or spans of sides, in the order x, y, z.
from __future__ import annotations

from training.rooms.furniture.bathroom import folds
from training.rooms.furniture.piece import Piece, Span, turn
from training.rooms.furniture.rumpled import lumps
from training.rooms.surfaces.materials import Paint
from training.rooms.surfaces.taste import Taste


def bed(own: Taste, *, wide: float = 0.0) -> Piece:
    """A bed for one or two."""
    draw, piece = own.draw, Piece("bed")
    w = (wide or draw.one_of((0.9, 1.0, 1.2, 1.4, 1.6, 1.8))) / 2
    d, paint = draw.between(0.97, 1.05), own.furniture()
    top, mattress = draw.between(0.25, 0.4), draw.between(0.16, 0.28)
    _frame(piece, own, paint, w, d, top)
    _headboard(piece, own, paint, w, d, draw.between(0.8, 1.25))
    lying = top + mattress
    white = own.lacquer() if draw.chance(0.6) else own.cloth()
    piece.box(white, (-w + 0.02, w - 0.02), (-d + 0.03, d - 0.05), (top - 0.02, lying), edge=0.05)
    _pillows(piece, own, white, w, d, lying)
    cover, end = _quilt(piece, own, w, d, (top, lying)) if draw.chance(0.92) else (lying, d - 0.6)
    piece.top((-w + 0.1, w - 0.1), (-d + 0.1, end - 0.02), cover, 0.6, "seat")
    return piece


def four_poster(own: Taste) -> Piece:
    """A bed with four posts and rails above it."""
    draw, piece = own.draw, Piece("four-poster")
    inner = bed(own, wide=draw.one_of((1.4, 1.6, 1.8)))
    for solid in inner.solids:
        piece.solids.append(solid._replace(kind="four-poster" if solid.kind == "bed" else solid.kind))
    piece.tops = inner.tops
    around, paint, high = inner.bounds(), own.wood(), draw.between(1.9, 2.15)
    x, y, r = (around.x0, around.x1), (around.y0, around.y1), draw.between(0.025, 0.045)
    for at_x in (x[0] + r, x[1] - r):
        for at_y in (y[0] + r, y[1] - r):
            piece.box(paint, (at_x - r, at_x + r), (at_y - r, at_y + r), (0.0, high), edge=0.005)
        piece.box(paint, (at_x - r, at_x + r), (y[0] + r, y[1] - r), (high - 0.06, high - 0.01), edge=0.005)
    for at_y in (y[0] + r, y[1] - r):
        piece.box(paint, (x[0] + r, x[1] - r), (at_y - r, at_y + r), (high - 0.06, high - 0.01), edge=0.005)
    return piece


def bunk_bed(own: Taste) -> Piece:
    """Two beds above each other with a ladder."""
    draw, piece, paint = own.draw, Piece("bed"), own.furniture()
    w, d, r, high = 0.47, 1.02, 0.035, draw.between(1.6, 1.75)
    for at in (-w + r, w - r):
        for y in (-d + r, d - r):
            piece.box(paint, (at - r, at + r), (y - r, y + r), (0.0, high), edge=0.004)
    for z in (draw.between(0.28, 0.38), draw.between(1.2, 1.3)):
        for x in ((-w, -w + 0.025), (w - 0.025, w)):
            piece.box(paint, x, (-d + r, d - r), (z - 0.12, z + 0.04), edge=0.004)
        piece.box(own.cloth(), (-w + 0.025, w - 0.025), (-d + 0.05, d - 0.05), (z - 0.08, z + 0.1), edge=0.04)
        piece.box(own.cloth(), (-w + 0.02, w - 0.02), (-d + 0.06, d - 0.55), (z + 0.05, z + 0.15), edge=0.035)
        _pillow(piece, own.lacquer(), (0.0, d - 0.3, z + 0.1), 0.3)
    piece.begin("bed")
    for z in (high - 0.2, high - 0.05):
        piece.box(paint, (-w, -w + 0.02), (-d + r, d - r), (z - 0.03, z + 0.03), edge=0.004)
    for at in (w - 0.38, w - 0.08):
        piece.box(paint, (at - 0.02, at + 0.02), (-d - 0.03, -d), (0.0, high), edge=0.004)
    for number in range(5):
        z = 0.25 + 0.28 * number
        piece.rod(paint, (w - 0.38, -d - 0.015, z), (w - 0.08, -d - 0.015, z), 0.014)
    return piece


def crib(own: Taste) -> Piece:
    """A baby's bed with bars."""
    draw, piece, paint = own.draw, Piece("crib"), own.furniture()
    w, d, high = 0.63, 0.34, draw.between(0.85, 0.95)
    for x in (-w + 0.02, w - 0.02):
        for y in (-d + 0.02, d - 0.02):
            piece.box(paint, (x - 0.02, x + 0.02), (y - 0.02, y + 0.02), (0.0, high), edge=0.005)
        piece.box(paint, (x - 0.012, x + 0.012), (-d + 0.03, d - 0.03), (0.25, high), edge=0.005)
    piece.box(own.cloth(), (-w + 0.03, w - 0.03), (-d + 0.03, d - 0.03), (0.3, 0.45), edge=0.03)
    for y in (-d + 0.02, d - 0.02):
        for z in (0.28, high - 0.03):
            piece.box(
                paint, (-w + 0.03, w - 0.03), (y - 0.012, y + 0.012), (z - 0.025, z + 0.025), edge=0.004
            )
        for number in range(8):
            x = -w + 0.12 + (2 * w - 0.24) * number / 7
            piece.post(paint, (x, y), 0.009, (0.28, high - 0.03))
    piece.top((-w + 0.1, w - 0.1), (-d + 0.08, d - 0.08), 0.45, 0.4, "seat")
    return piece


def _frame(piece: Piece, own: Taste, paint: Paint, w: float, d: float, top: float) -> None:
    draw = own.draw
    if draw.chance(0.35):
        piece.box(own.upholstery(), (-w, w), (-d, d), (draw.between(0.0, 0.08), top), edge=0.02)
        piece.box(paint, (-w + 0.1, w - 0.1), (-d + 0.1, d - 0.1), (0.0, 0.1), edge=0.003)
        return
    rail, r = draw.between(0.1, 0.2), 0.03
    for x in ((-w, -w + 0.03), (w - 0.03, w)):
        piece.box(paint, x, (-d, d), (top - rail, top), edge=0.004)
    piece.box(paint, (-w + 0.03, w - 0.03), (-d, -d + 0.03), (top - rail, top), edge=0.004)
    piece.box(paint, (-w + 0.03, w - 0.03), (-d + 0.03, d), (top - 0.05, top - 0.01), edge=0.002)
    foot = top + 0.1 * draw.chance(0.3)
    for at in (-w + r, w - r):
        piece.box(paint, (at - r, at + r), (-d - 0.005, -d + 2 * r), (0.0, foot), edge=0.005)
        piece.box(paint, (at - r, at + r), (d - 2 * r, d), (0.0, top), edge=0.005)


def _headboard(piece: Piece, own: Taste, paint: Paint, w: float, d: float, high: float) -> None:
    draw = own.draw
    form = draw.weighted({"panel": 0.4, "soft": 0.25, "bars": 0.2, "none": 0.15})
    if form == "panel":
        piece.box(paint, (-w - 0.01, w + 0.01), (d, d + 0.04), (0.1, high), edge=0.01)
    elif form == "soft":
        piece.box(own.upholstery(), (-w - 0.02, w + 0.02), (d, d + 0.09), (0.1, high), edge=0.035)
    elif form == "bars":
        for x in (-w + 0.02, w - 0.02):
            piece.post(paint, (x, d + 0.02), 0.02, (0.0, high))
        piece.rod(paint, (-w + 0.02, d + 0.02, high - 0.02), (w - 0.02, d + 0.02, high - 0.02), 0.018)
        count = round(2 * w / 0.16)
        for number in range(1, count):
            piece.post(
                paint, (-w + 0.02 + (2 * w - 0.04) * number / count, d + 0.02), 0.009, (0.2, high - 0.02)
            )
        piece.rod(paint, (-w + 0.02, d + 0.02, 0.3), (w - 0.02, d + 0.02, 0.3), 0.012)


def _pillow(
    piece: Piece, paint: Paint, at: tuple[float, float, float], half: float, tilt: float = 0.0
) -> None:
    x, y, z = at
    deep = 0.2
    piece.begin("pillow").cushion(
        paint, (x - half, x + half), (y - deep, y + deep), (z - 0.05, z + 0.09), power=3.5, axes=turn(0, tilt)
    )


def _pillows(piece: Piece, own: Taste, white: Paint, w: float, d: float, z: float) -> None:
    draw = own.draw
    side_by_side = 2 if w > 0.6 else 1
    half = min(w / side_by_side - 0.03, 0.38)
    for row in range(draw.weighted({1: 0.7, 2: 0.3})):
        paint = white if row == 0 and draw.chance(0.6) else own.cloth()
        tilt = draw.between(0.0, 0.9)
        for number in range(side_by_side):
            x = (number - (side_by_side - 1) / 2) * w
            y = d - 0.3 - 0.22 * row
            _pillow(
                piece, paint, (x + draw.between(-0.02, 0.02), y, z + 0.18 * tilt), half - 0.06 * row, tilt
            )


def _quilt(piece: Piece, own: Taste, w: float, d: float, z: Span) -> tuple[float, float]:
    """A quilt over the mattress that hangs down at the sides, or lies folded back.

    Returns:
        Height of its upper side, and position of its end towards the head.
    """
    draw, cover, piece = own.draw, own.cloth(), piece.begin("quilt")
    thick, out = draw.between(0.03, 0.08), draw.between(0.01, 0.04)
    end = d - draw.between(0.5, 1.2)
    hang = draw.between(-0.05, 0.12)
    low = max(z[0] - hang, 0.06)
    piece.box(cover, (-w - out, w + out), (-d - out, end), (z[1] - 0.03, z[1] + thick), edge=0.9 * thick)
    if draw.chance(0.75):
        for x in ((-w - out, -w + 0.02), (w - 0.02, w + out)):
            piece.box(cover, x, (-d - out + 0.01, end - 0.02), (low, z[1]), edge=0.02)
        if draw.chance(0.4):
            folds(piece, draw, cover, (-w - out, w + out), -d, (low, z[1] + 0.5 * thick), 0.13, 0.06)
        else:
            piece.box(cover, (-w, w), (-d - out, -d + 0.03), (low, z[1]), edge=0.02)
    if draw.chance(0.8):
        high = draw.between(0.05, 0.2)
        lumps(piece, draw, cover, (-w, w), (-d, end), z[1] + thick, draw.whole(5, 11), high)
    if draw.chance(0.6):
        fold = (end - draw.between(0.1, 0.3), end + 0.02)
        paint = own.cloth() if draw.chance(0.5) else cover
        piece.box(paint, (-w - out, w + out), fold, (z[1] - 0.02, z[1] + thick + 0.04), edge=0.04)
        lumps(piece, draw, paint, (-w, w), (fold[0] - 0.1, fold[1] + 0.1), z[1] + thick + 0.02, 3, 0.06)
    if draw.chance(0.3):
        throw = -d + draw.between(0.05, 0.5)
        around = (-w - out - 0.01, w + out + 0.01)
        piece.box(own.cloth(), around, (throw, throw + 0.4), (z[1], z[1] + thick + 0.02), edge=0.015)
    return z[1] + thick, end - 0.35
