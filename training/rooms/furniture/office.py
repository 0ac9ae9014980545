"""Screens, keyboards, computers, and televisions that stand."""

from __future__ import annotations

from training.rooms.furniture.piece import Piece, turn
from training.rooms.surfaces.materials import Paint, plain
from training.rooms.surfaces.taste import Taste


def _dark(own: Taste) -> Paint:
    return plain(own.draw, (0.015, 0.015, 0.018), gloss=0.7)


def _screen(own: Taste, on: float) -> Paint:
    return own.picture(glow=own.draw.between(0.5, 1.0)) if own.draw.chance(on) else _dark(own)


def monitor(own: Taste) -> Piece:
    """A flat monitor on its foot."""
    draw, piece, case = own.draw, Piece("monitor"), _dark(own) if own.draw.chance(0.7) else own.lacquer()
    w = draw.between(0.2, 0.34)
    high, low = w * draw.between(1.1, 1.3), draw.between(0.07, 0.14)
    piece.box(case, (-0.6 * w, 0.6 * w), (-0.09, 0.09), (0.0, 0.015), edge=0.005)
    piece.box(case, (-0.03, 0.03), (0.01, 0.04), (0.01, low + 0.1), edge=0.005)
    piece.box(case, (-w, w), (-0.02, 0.02), (low, low + high), edge=0.006)
    piece.box(
        _screen(own, 0.6), (-w + 0.01, w - 0.01), (-0.022, -0.01), (low + 0.02, low + high - 0.01), edge=0
    )
    return piece


def workplace(own: Taste) -> Piece:
    """Monitor, keyboard and mouse, or a laptop, for a desk about 0.6 m deep."""
    draw, piece = own.draw, Piece("laptop")
    if draw.chance(0.3):
        case = own.metal()
        piece.box(case, (-0.17, 0.17), (-0.12, 0.12), (0.0, 0.018), edge=0.004)
        piece.box(_dark(own), (-0.15, 0.15), (-0.03, 0.1), (0.017, 0.0195), edge=0)
        lid = turn(0, -0.3)
        piece.box(case, (-0.17, 0.17), (0.145, 0.153), (0.01, 0.24), edge=0.003, axes=lid)
        piece.box(_screen(own, 0.7), (-0.16, 0.16), (0.143, 0.15), (0.03, 0.23), edge=0, axes=lid)
        return piece
    piece.join(monitor(own), 0.0, 0.12)
    if draw.chance(0.2):
        piece.join(monitor(own), 0.6, 0.1, 0.0, -0.3)
    keys = _dark(own) if draw.chance(0.5) else own.lacquer()
    piece.begin("keyboard").box(keys, (-0.22, 0.22), (-0.2, -0.07), (0.0, 0.025), edge=0.005)
    piece.begin("mouse").cushion(keys, (0.28, 0.34), (-0.19, -0.09), (0.0, 0.035), power=3)
    return piece


def printer(own: Taste) -> Piece:
    """A printer with its paper."""
    draw, piece, case = own.draw, Piece("printer"), own.lacquer()
    w, d, high = draw.between(0.19, 0.25), draw.between(0.16, 0.22), draw.between(0.15, 0.3)
    piece.box(case, (-w, w), (-d, d), (0.0, high), edge=0.012)
    piece.box(_dark(own), (-0.8 * w, 0.8 * w), (-d - 0.003, -d + 0.02), (0.3 * high, 0.6 * high), edge=0.002)
    piece.box(
        own.ceramic(), (-0.11, 0.11), (-d - 0.1, -d + 0.02), (0.3 * high, 0.3 * high + 0.01), edge=0.002
    )
    return piece


def computer(own: Taste) -> Piece:
    """The box of a computer."""
    draw, piece = own.draw, Piece("computer")
    w, d, high = draw.between(0.08, 0.11), draw.between(0.18, 0.23), draw.between(0.32, 0.46)
    piece.box(_dark(own) if draw.chance(0.6) else own.lacquer(), (-w, w), (-d, d), (0.0, high), edge=0.006)
    piece.box(own.metal(), (-0.7 * w, 0.7 * w), (-d - 0.003, -d), (0.7 * high, 0.85 * high), edge=0.001)
    return piece


def television(own: Taste) -> Piece:
    """A television on its foot: flat, or an old one with a deep body."""
    draw, piece, case = own.draw, Piece("television"), _dark(own)
    if draw.chance(0.15):
        w = draw.between(0.22, 0.35)
        piece.box(case, (-w, w), (-0.2, 0.02), (0.0, 1.5 * w), edge=0.02)
        piece.box(case, (-0.7 * w, 0.7 * w), (0.01, 0.2), (0.15 * w, 1.3 * w), edge=0.03)
        piece.box(_screen(own, 0.4), (-w + 0.04, w - 0.04), (-0.21, -0.19), (0.2 * w, 1.4 * w), edge=0.009)
        return piece
    w = draw.between(0.35, 0.68)
    high, low = w * 9 / 8, draw.between(0.03, 0.08)
    piece.box(case, (-0.5 * w, 0.5 * w), (-0.1, 0.1), (0.0, 0.015), edge=0.005)
    piece.box(case, (-0.06, 0.06), (0.0, 0.03), (0.01, low + 0.1), edge=0.004)
    piece.box(case, (-w, w), (-0.025, 0.025), (low, low + high), edge=0.006)
    piece.box(
        _screen(own, 0.4), (-w + 0.012, w - 0.012), (-0.027, -0.01), (low + 0.02, low + high - 0.012), edge=0
    )
    return piece
