"""Curtains, blinds, rugs, folded cloth and clothes on hooks."""

from __future__ import annotations

from training.rooms.furniture.bathroom import folds
from training.rooms.furniture.piece import Piece, Span, turn
from training.rooms.surfaces.taste import Taste


def curtains(own: Taste, x: Span, z: Span, spare: int) -> Piece:
    """Curtains at both sides of a window on a rod, in the frame of its wall, with the window's own spans.

    Args:
        own: the room's taste.
        x: the window's ends along the wall.
        z: its lower and upper rim, at least 0.1 m below the ceiling.
        spare: largest number of solids.
    """
    draw, piece = own.draw, Piece("curtain")
    cloth, out = own.cloth(), draw.between(0.07, 0.12)
    top, bottom = z[1] + 0.08, z[0] - 0.1 if z[0] > 0.95 or (z[0] > 0.5 and draw.chance(0.4)) else 0.02
    reach = (x[0] - 0.25, x[1] + 0.25)
    piece.rod(own.metal(), (reach[0], -out, top), (reach[1], -out, top), 0.012)
    for at in (reach[0] + 0.05, reach[1] - 0.05):
        piece.rod(own.steel, (at, -out, top), (at, 0.0, top), 0.008)
    wide = draw.between(0.18, 0.5) * (reach[1] - reach[0])
    radius = max(draw.between(0.03, 0.055), wide / max(spare, 1) * 1.5)
    sides = draw.weighted({"both": 0.75, "left": 0.12, "right": 0.13})
    if sides != "right":
        folds(piece, draw, cloth, (reach[0], reach[0] + wide), -out, (bottom, top + 0.012), radius, out)
    if sides != "left":
        folds(piece, draw, cloth, (reach[1] - wide, reach[1]), -out, (bottom, top + 0.012), radius, out)
    return piece


def blinds(own: Taste, x: Span, z: Span) -> Piece:
    """A blind before a window, in the frame of its wall: slats, or one cloth that is let down a part."""
    draw, piece = own.draw, Piece("blinds")
    paint = own.lacquer() if draw.chance(0.7) else own.wood()
    span = (x[0] + 0.01, x[1] - 0.01)
    piece.box(paint, span, (0.0, 0.05), (z[1] - 0.05, z[1]), edge=0.004)
    low = z[1] - (z[1] - z[0]) * draw.between(0.25, 1.0)
    if draw.chance(0.4):
        piece.box(own.cloth(), span, (0.022, 0.028), (low, z[1] - 0.03), edge=0.001)
        piece.rod(paint, (span[0], 0.025, low), (span[1], 0.025, low), 0.012)
        return piece
    gap, tilt = draw.between(0.05, 0.09), turn(0, draw.between(0.2, 1.0))
    for number in range(1, int((z[1] - low) / gap)):
        at = z[1] - 0.03 - number * gap
        piece.box(paint, span, (0.002, 0.048), (at - 0.0015, at + 0.0015), edge=0, axes=tilt)
    for side in (span[0] + 0.1, span[1] - 0.1):
        piece.rod(paint, (side, 0.025, low), (side, 0.025, z[1] - 0.02), 0.0025)
    return piece


def rug(own: Taste) -> Piece:
    """A rug: rectangular, or round."""
    draw, piece, paint = own.draw, Piece("rug"), own.rug()
    w, d, thick = draw.between(0.4, 1.4), draw.between(0.35, 1.0), draw.between(0.006, 0.02)
    if draw.chance(0.2):
        piece.post(paint, (0.0, 0.0), d, (0.0, thick))
    else:
        piece.box(paint, (-max(w, d), max(w, d)), (-d, d), (0.0, thick), edge=0.004)
    return piece


def doormat(own: Taste) -> Piece:
    """A small mat."""
    draw, piece = own.draw, Piece("doormat")
    w, d = draw.between(0.28, 0.45), draw.between(0.2, 0.28)
    piece.box(own.rug(), (-w, w), (-d, d), (0.0, draw.between(0.008, 0.02)), edge=0.004)
    return piece


def folded_cloth(own: Taste) -> Piece:
    """A pile of folded towels or blankets."""
    draw, piece = own.draw, Piece("towel" if own.draw.chance(0.5) else "clothes")
    w, d, z = draw.between(0.12, 0.2), draw.between(0.1, 0.15), 0.0
    for _ in range(draw.whole(1, 4)):
        high = draw.between(0.03, 0.06)
        piece.box(own.cloth(), (-w, w), (-d, d), (z, z + high), edge=0.4 * high)
        z += high - 0.001
    return piece


def coat_rack(own: Taste) -> Piece:
    """Hooks on a board with clothes; the wall is at +y."""
    draw, piece = own.draw, Piece("shelves")
    w, count = draw.between(0.3, 0.6), draw.whole(3, 5)
    piece.box(own.furniture(), (-w, w), (0.06, 0.08), (1.0, 1.1), edge=0.004)
    for number in range(count):
        x = -w + 0.06 + (2 * w - 0.12) * number / (count - 1)
        piece.begin("shelves").rod(own.steel, (x, 0.065, 1.04), (x, 0.0, 1.06), 0.008)
        if draw.chance(0.6):
            low, half = draw.between(0.0, 0.5), draw.between(0.09, 0.16)
            piece.begin("clothes").cushion(
                own.cloth(), (x - half, x + half), (-0.06, 0.055), (low, 1.06), power=draw.between(3, 6)
            )
    return piece
