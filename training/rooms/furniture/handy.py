"""Small everyday objects: cutlery, food, pens, books, remote controls, packets; each on z = 0."""

from __future__ import annotations

from math import cos, pi, sin

from training.rooms.furniture.piece import Piece, turn
from training.rooms.furniture.tableware import bottle, bowl, cup, mug
from training.rooms.scene import Shape
from training.rooms.surfaces.materials import glass, linear, metal, plain, vary
from training.rooms.surfaces.taste import Taste

_FRUIT = (
    ("orange", "#e07b1a", 0.036, 1.0), ("lemon", "#e8d03a", 0.028, 1.3), ("apple", "#7fae2e", 0.037, 0.9),
    ("apple", "#b3232b", 0.037, 0.9), ("strawberry", "#c3202b", 0.016, 1.1),
)  # fmt: skip


def cutlery(own: Taste) -> Piece:
    """A knife, a fork or a spoon, or two beside each other."""
    draw, piece = own.draw, Piece("spoon")
    paint = own.steel if draw.chance(0.8) else own.wood()
    for number in range(draw.whole(1, 2)):
        piece.begin("spoon")
        x, long = 0.035 * number, draw.between(0.08, 0.11)
        piece.box(paint, (x - 0.005, x + 0.005), (-long, 0.3 * long), (0.0, 0.004), edge=0.0015)
        if draw.chance(0.5):
            piece.cushion(paint, (x - 0.018, x + 0.018), (0.2 * long, long), (0.0, 0.011), power=2.2)
        else:
            piece.box(paint, (x - 0.011, x + 0.011), (0.25 * long, long), (0.0, 0.0035), edge=0.001)
    return piece


def place_setting(own: Taste) -> Piece:
    """A plate on a mat or without one, with a meal or a bowl, cutlery at its sides, a glass or a mug."""
    draw, piece, low = own.draw, Piece("plate"), 0.0
    if draw.chance(0.5):
        low = 0.003
        piece.begin("throw").box(own.cloth(), (-0.21, 0.21), (-0.15, 0.15), (0.0, low), edge=0.001)
    china = own.ceramic()
    r = draw.between(0.1, 0.135)
    piece.begin("plate").post(china, (0.0, 0.0), 0.65 * r, (low, low + 0.008))
    piece.post(china, (0.0, 0.0), r, (low + 0.006, low + 0.014))
    piece.add(Shape.TORUS, china, (0.0, 0.0, low + 0.016), (r, r, 0.005))
    what = draw.weighted({"meal": 0.45, "bowl": 0.2, "nothing": 0.35})
    if what == "bowl":
        piece.join(bowl(own), z=low + 0.013)
    if what == "meal":
        for _ in range(draw.whole(2, 5)):
            food = plain(draw, vary(draw, linear(draw.one_of(_FOODS)), 0.2), gloss=0.2)
            s, h = draw.between(0.02, 0.045), draw.between(0.006, 0.022)
            x, y = draw.between(-0.4, 0.4) * r, draw.between(-0.4, 0.4) * r
            bottom = low + 0.013
            piece.begin("meal").cushion(food, (x - s, x + s), (y - s, y + s), (bottom, bottom + h), power=2.5)
    for side in (-1, 1):
        if draw.chance(0.8):
            piece.join(cutlery(own), side * (r + 0.035), 0.0, low)
    if draw.chance(0.7):
        piece.join(cup(own) if draw.chance(0.6) else mug(own), 0.8 * r, r + 0.06)
    return piece


_FOODS = ("#b5813f", "#7a4a22", "#c94f2a", "#d9b45a", "#5f8a35", "#e9dcb4", "#8f2f25")


def saucer(own: Taste) -> Piece:
    """A cup of coffee on its saucer, with a spoon."""
    draw, piece, china = own.draw, Piece("coffee mug"), own.ceramic()
    r, high = draw.between(0.034, 0.048), draw.between(0.05, 0.075)
    piece.begin("plate").post(china, (0.0, 0.0), 1.75 * r, (0.0, 0.009))
    body = piece.begin("coffee mug").post(china, (0.0, 0.0), r, (0.008, high), taper=draw.between(0.6, 0.85))
    piece.solids[-1] = body._replace(axes=turn(0, pi))
    coffee = plain(draw, vary(draw, linear(draw.one_of(("#2a1608", "#8a5a34", "#b98d62"))), 0.1), gloss=0.6)
    piece.post(coffee, (0.0, 0.0), 0.9 * r, (high - 0.008, high + 0.0006))
    axes = turn(0, pi / 2)
    piece.add(Shape.TORUS, china, (r, 0.0, 0.55 * high), (0.32 * high, 0.32 * high, 0.005), axes=axes)
    if draw.chance(0.6):
        piece.begin("spoon").rod(own.steel, (-1.3 * r, -1.2 * r, 0.012), (1.0 * r, -1.4 * r, 0.013), 0.0035)
    return piece


def fruit(own: Taste) -> Piece:
    """Some pieces of fruit that lie about."""
    draw = own.draw
    name, code, r, long = draw.one_of(_FRUIT)
    piece, skin = Piece(name), plain(draw, vary(draw, linear(code), 0.1), gloss=0.35)
    for number in range(draw.whole(1, 4)):
        x, y = 2.4 * r * number + draw.between(-0.2, 0.2) * r, draw.between(-1.2, 1.2) * r
        axes = turn(2, draw.between(0, pi))
        size = (long * r, r, r)
        piece.begin(name).add(Shape.ELLIPSOID, skin, (x, y, r), size, axes=axes)
    return piece


def bread(own: Taste) -> Piece:
    """A loaf on a board, some of it sliced."""
    draw, piece = own.draw, Piece("tray")
    crust = plain(draw, vary(draw, linear("#a8682c"), 0.15), gloss=0.1)
    piece.box(own.wood(), (-0.17, 0.17), (-0.11, 0.11), (0.0, 0.018), edge=0.004)
    long, high = draw.between(0.07, 0.14), draw.between(0.07, 0.1)
    piece.begin("bread").cushion(crust, (-long, long), (-0.055, 0.055), (0.015, 0.015 + high), power=3)
    for number in range(draw.whole(0, 3)):
        x = long + 0.02 * (number + 1)
        if x < 0.16:
            axes = turn(1, draw.between(0.1, 0.5))
            slab = (x - 0.006, x + 0.006), (-0.05, 0.05), (0.016, 0.016 + 0.9 * high)
            piece.begin("bread").box(crust, *slab, edge=0.004, axes=axes)
    return piece.grounded()


def jar(own: Taste) -> Piece:
    """A jar with a lid and a label."""
    draw, piece = own.draw, Piece("jar")
    r, high = draw.between(0.03, 0.05), draw.between(0.07, 0.15)
    full = draw.one_of(("#7a2a1f", "#c98a2a", "#e8dcc0", "#4f6b2a", "#3a2412"))
    content = glass(draw, linear(full)) if draw.chance(0.6) else own.ceramic()
    piece.post(content, (0.0, 0.0), r, (0.0, high))
    piece.post(
        own.metal() if draw.chance(0.5) else own.accent(), (0.0, 0.0), 0.95 * r, (high - 0.002, high + 0.014)
    )
    if draw.chance(0.7):
        piece.post(own.picture(), (0.0, 0.0), 1.015 * r, (0.25 * high, 0.75 * high))
    return piece


def can(own: Taste) -> Piece:
    """A can of a drink or of food, sometimes two."""
    draw, piece = own.draw, Piece("can")
    r, high = (0.033, 0.12) if draw.chance(0.6) else (draw.between(0.035, 0.05), draw.between(0.06, 0.11))
    for number in range(draw.whole(1, 2)):
        x = number * (2 * r + 0.004)
        piece.begin("can").post(own.steel, (x, 0.0), 0.94 * r, (0.0, high))
        paint = own.picture() if draw.chance(0.6) else own.accent()
        piece.post(paint, (x, 0.0), r, (0.006, high - 0.006))
    return piece


def packet(own: Taste) -> Piece:
    """Packed food: a box or a bag with a printed front."""
    draw, piece = own.draw, Piece("packet")
    w, d, high = draw.between(0.05, 0.1), draw.between(0.02, 0.045), draw.between(0.1, 0.28)
    front = own.picture()
    if draw.chance(0.65):
        piece.box(own.accent(), (-w, w), (-d, d), (0.0, high), edge=0.002)
        piece.box(front, (-w + 0.003, w - 0.003), (-d - 0.0012, -d + 0.002), (0.006, high - 0.006), edge=0)
        return piece
    piece.cushion(front, (-w, w), (-d, d), (0.0, high), power=4)
    return piece


def pens(own: Taste) -> Piece:
    """A cup with pens."""
    draw, piece = own.draw, Piece("pen")
    r, high = draw.between(0.03, 0.042), draw.between(0.08, 0.11)
    piece.begin("cup").post(own.small(), (0.0, 0.0), r, (0.0, high))
    piece.post(plain(draw, (0.02, 0.02, 0.02)), (0.0, 0.0), 0.88 * r, (high - 0.01, high + 0.0006))
    for _ in range(draw.whole(2, 6)):
        angle, lean = draw.between(0, 2 * pi), draw.between(0.4, 0.8) * r
        x, y = lean * cos(angle), lean * sin(angle)
        top = (1.5 * x, 1.5 * y, high + draw.between(0.04, 0.08))
        piece.begin("pen").rod(own.accent(), (0.4 * x, 0.4 * y, 0.4 * high), top, 0.004)
    return piece


def pen(own: Taste) -> Piece:
    """A pen that lies, or a few."""
    draw, piece = own.draw, Piece("pen")
    for number in range(draw.whole(1, 3)):
        angle, y = draw.normal(0, 0.4, -1.2, 1.2), 0.025 * number
        c, s = 0.07 * cos(angle), 0.07 * sin(angle)
        piece.begin("pen").rod(own.accent(), (-c, y - s, 0.0045), (c, y + s, 0.0045), 0.0045)
    return piece


def open_book(own: Taste) -> Piece:
    """A book that lies open, both halves a little curved."""
    draw, piece = own.draw, Piece("book")
    w, d, thick = draw.between(0.1, 0.15), draw.between(0.1, 0.15), draw.between(0.008, 0.022)
    page = own.picture() if draw.chance(0.4) else plain(draw, linear("#f1ede0"), gloss=0.0)
    piece.box(own.accent(), (-w - 0.004, w + 0.004), (-d - 0.004, d + 0.004), (0.0, 0.004), edge=0.001)
    for side in (-1, 1):
        x = (min(0.0, side * w), max(0.0, side * w))
        piece.cushion(page, x, (-d, d), (0.002, 0.004 + thick), power=6)
    return piece


def notebook(own: Taste) -> Piece:
    """A closed notebook or magazines, and a pen on them."""
    draw, piece, z = own.draw, Piece("paper"), 0.0
    for _ in range(draw.whole(1, 3)):
        w, d, high = draw.between(0.07, 0.115), draw.between(0.1, 0.15), draw.between(0.003, 0.014)
        axes = turn(2, draw.normal(0, 0.2, -0.8, 0.8))
        cover = own.picture() if draw.chance(0.6) else own.accent()
        piece.begin("paper").box(cover, (-w, w), (-d, d), (z, z + high), edge=0.001, axes=axes)
        z += high
    if draw.chance(0.4):
        piece.join(pen(own), z=z)
    return piece


def remote(own: Taste) -> Piece:
    """A remote control with its buttons."""
    draw, piece = own.draw, Piece("remote")
    w, long = draw.between(0.018, 0.026), draw.between(0.07, 0.11)
    case = plain(draw, (0.02, 0.02, 0.022)) if draw.chance(0.7) else own.lacquer()
    piece.box(case, (-w, w), (-long, long), (0.0, 0.018), edge=0.006)
    for row in range(draw.whole(2, 5)):
        y = long * (0.75 - 0.3 * row)
        button = own.ceramic() if row else plain(draw, linear("#b8232b"))
        piece.box(button, (-0.6 * w, 0.6 * w), (y - 0.005, y + 0.005), (0.017, 0.0205), edge=0.001)
    return piece


def smartphone(own: Taste) -> Piece:
    """A telephone that lies, its screen dark or on."""
    draw, piece = own.draw, Piece("phone")
    dark = plain(draw, (0.015, 0.015, 0.018), gloss=0.9)
    piece.box(own.small(), (-0.037, 0.037), (-0.074, 0.074), (0.0, 0.008), edge=0.003)
    screen = own.picture(glow=0.8) if draw.chance(0.3) else dark
    piece.box(screen, (-0.034, 0.034), (-0.071, 0.071), (0.0075, 0.0088), edge=0)
    return piece


def spectacles(own: Taste) -> Piece:
    """Spectacles with their sides folded open."""
    draw, piece = own.draw, Piece("spectacles")
    rim = plain(draw, (0.02, 0.02, 0.02)) if draw.chance(0.6) else metal(draw)
    for x in (-0.032, 0.032):
        up = turn(0, pi / 2)
        piece.add(Shape.TORUS, rim, (x, 0.0, 0.024), (0.026, 0.026, 0.0025), axes=up)
        side = 0.058 if x > 0 else -0.058
        piece.rod(rim, (side, 0.0, 0.028), (side, 0.12, 0.003), 0.0025)
    piece.rod(rim, (-0.008, 0.0, 0.03), (0.008, 0.0, 0.03), 0.0025)
    return piece.grounded()


def tissues(own: Taste) -> Piece:
    """A box of tissues with one pulled out."""
    draw, piece = own.draw, Piece("box")
    w, d, high = draw.between(0.06, 0.12), draw.between(0.055, 0.065), draw.between(0.06, 0.12)
    piece.box(own.picture() if draw.chance(0.6) else own.accent(), (-w, w), (-d, d), (0.0, high), edge=0.002)
    white = plain(draw, linear("#f6f5f2"), gloss=0.0)
    for lean in (-0.3, 0.35):
        axes = turn(1, lean + draw.between(-0.2, 0.2))
        sheet = (-0.03, 0.03), (-0.003, 0.003), (high - 0.02, high + draw.between(0.03, 0.06))
        piece.begin("paper").box(white, *sheet, edge=0.001, axes=axes)
    return piece


def basket(own: Taste) -> Piece:
    """A low basket or a dish with fruit, jars or other objects."""
    draw, piece, paint = own.draw, Piece("bowl"), own.wood() if own.draw.chance(0.6) else own.small()
    w, d, high = draw.between(0.1, 0.18), draw.between(0.08, 0.13), draw.between(0.05, 0.09)
    piece.box(paint, (-w, w), (-d, d), (0.0, 0.01), edge=0.003)
    for x in ((-w, -w + 0.008), (w - 0.008, w)):
        piece.box(paint, x, (-d, d), (0.0, high), edge=0.003)
    for y in ((-d, -d + 0.008), (d - 0.008, d)):
        piece.box(paint, (-w, w), y, (0.0, high), edge=0.003)
    for side in (-0.5 * w, 0.5 * w):
        inner = draw.one_of((fruit, can, jar, bottle, smartphone, packet))(own)
        around = inner.bounds()
        if around.x1 - around.x0 < w and around.y1 - around.y0 < 1.8 * d:
            mx, my = (around.x0 + around.x1) / 2, (around.y0 + around.y1) / 2
            piece.join(inner, side - mx, -my, 0.01)
    return piece
