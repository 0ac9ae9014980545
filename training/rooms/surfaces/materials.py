"""Paints: materials and colours of objects."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from training.rooms.draw import Draw
from training.rooms.scene import Surface

Colour: TypeAlias = tuple[float, float, float]

WHITES = ("#f4f2ec", "#ffffff", "#eeeae0", "#f7f3e9", "#e9e9e7", "#f1efe9")
WALLS = (
    *WHITES, "#e6dcc8", "#ddd5c3", "#d8cbb3", "#c9c4b8", "#cfd6d6", "#c3ccd2", "#b9c6b5", "#d6c6b8",
    "#e8d9a8",
    "#d9b9a0", "#a8b5b8", "#8d9aa0", "#9db0c4", "#b98d7b", "#7f8f7a", "#5e6b73", "#46555f", "#a3473d",
    "#6c4a57",
)  # fmt: skip
WOODS = (
    "#c8a27a", "#b98a5a", "#a9744a", "#8f5c37", "#7a4a2b", "#5d3a23", "#45291a", "#d9bd94", "#e3cfad",
    "#9c7b5b",
    "#b5651d", "#84563c", "#33231a", "#c99b66", "#6e5845",
)  # fmt: skip
FABRICS = (
    "#8c8578", "#b7ae9d", "#d5ccba", "#6f6a63", "#4b4a4a", "#2f3136", "#3f4d63", "#5a6f8c", "#7d8fa3",
    "#6b7a5e",
    "#8f9a78", "#a35b45", "#8e3b38", "#b8864b", "#c9a35f", "#70543f", "#513a2d", "#a98c86", "#c3a9a0",
    "#e8e2d5",
    "#375a56", "#7b5d78", "#9b2f3a", "#274472", "#d9c7a0", "#f2efe8",
)  # fmt: skip
ACCENTS = (
    "#c0392b", "#d35400", "#e0a526", "#2e7d4f", "#1f6f8b", "#2b4c9b", "#6b3a8a", "#b03a72", "#efe6c8",
    "#1d1d1f",
    "#f5f5f5", "#7fb7be", "#f0c8a0", "#94a84b",
)  # fmt: skip
FLOOR_STONES = (
    "#d8d2c6",
    "#c4bcae",
    "#a69f94",
    "#857f77",
    "#e8e4dc",
    "#b7a58d",
    "#6d6a66",
    "#c98f6b",
    "#efece6",
)
GREENS = ("#3d6b35", "#557a3a", "#2d5a3a", "#7a9a4a", "#4a7d5a", "#6b8f55", "#8fae6a")
METALS = ("#c9c9c7", "#a9a9a8", "#8f9092", "#d8d4cc", "#5a5a5c", "#2a2a2c", "#c2a35f", "#b08d57")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    """One material, see `scene.Materials`; colours in linear RGB."""

    surface: Surface
    colours: tuple[Colour, Colour, Colour]
    scale: float = 0.2
    strength: float = 0.5
    roughness: float = 0.8
    mirror: float = 0.0
    glow: float = 0.0
    seed: int = 0


Maker: TypeAlias = Callable[[Draw], Paint]


def linear(code: str) -> Colour:
    """Convert a web colour (#rrggbb) to linear RGB."""
    shares = [int(code[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return (red, green, blue)


def any_colour(draw: Draw) -> Colour:
    """Draw any colour."""
    red, green, blue = colorsys.hsv_to_rgb(draw.share(), draw.share(), 0.15 + 0.85 * draw.share())
    return (red**2.2, green**2.2, blue**2.2)


def vary(draw: Draw, colour: Colour, amount: float = 0.08) -> Colour:
    """Draw a similar colour, with slightly different lightness and hue."""
    lightness = 1 + draw.between(-2, 2) * amount
    red, green, blue = (
        min(max(part * lightness * (1 + draw.between(-amount, amount)), 0.003), 0.93) for part in colour
    )
    return (red, green, blue)


def shades(colour: Colour, spread: float) -> tuple[Colour, Colour, Colour]:
    """Return the colour itself, a darker and a lighter one."""
    dark, light = 1 - spread, 1 + spread
    return (colour, _times(colour, dark), _times(colour, light))


def _times(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(max(part * factor, 0.0), 0.95) for part in colour)
    return (red, green, blue)


def plain(draw: Draw, colour: Colour, *, gloss: float | None = None) -> Paint:
    """Lacquer, plastic, ceramics: one colour, dull or glossy (0 to 1; None for random)."""
    shine = draw.share() ** 2 if gloss is None else gloss
    return Paint(
        surface=Surface.PLAIN,
        colours=shades(colour, 0.1),
        scale=draw.between(0.1, 0.6),
        strength=draw.between(0.0, 0.3),
        roughness=0.95 - 0.75 * shine,
        mirror=0.06 * shine**2,
        seed=draw.number(),
    )


def wood(draw: Draw, colour: Colour) -> Paint:
    """Wood with its grain, matt or varnished."""
    shine = draw.share() ** 2
    return Paint(
        surface=Surface.WOOD,
        colours=shades(colour, draw.between(0.15, 0.45)),
        scale=draw.between(0.04, 0.25),
        strength=draw.between(0.3, 1.0),
        roughness=0.85 - 0.55 * shine,
        mirror=0.04 * shine,
        seed=draw.number(),
    )


def fabric(draw: Draw, colour: Colour) -> Paint:
    """Cloth: woven, striped, or with a printed pattern."""
    second = linear(draw.one_of(FABRICS)) if draw.chance(0.5) else _times(colour, draw.between(0.4, 1.6))
    kind = draw.weighted(
        {Surface.FABRIC: 0.66, Surface.STRIPES: 0.16, Surface.WALLPAPER: 0.12, Surface.PLAIN: 0.06}
    )
    scales = {Surface.FABRIC: (0.004, 0.03), Surface.STRIPES: (0.02, 0.2), Surface.WALLPAPER: (0.05, 0.3)}
    low, high = scales.get(kind, (0.1, 0.3))
    return Paint(
        surface=kind,
        colours=(colour, second, _times(colour, draw.between(0.5, 1.5))),
        scale=draw.between(low, high),
        strength=draw.between(0.3, 1.0),
        roughness=draw.between(0.85, 1.0),
        seed=draw.number(),
    )


def carpet(draw: Draw, colour: Colour) -> Paint:
    """Deep pile, one colour."""
    return Paint(
        surface=Surface.CARPET,
        colours=(colour, linear(draw.one_of(FABRICS)), linear(draw.one_of(FABRICS))),
        scale=draw.between(0.1, 0.5),
        strength=draw.between(0.4, 1.0),
        roughness=1.0,
        seed=draw.number(),
    )


def metal(draw: Draw, colour: Colour | None = None) -> Paint:
    """Steel, chrome, brass, black iron."""
    tint = linear(draw.one_of(METALS)) if colour is None else colour
    polish = draw.share() ** 2
    return Paint(
        surface=Surface.METAL,
        colours=shades(tint, 0.15),
        scale=draw.between(0.02, 0.2),
        strength=draw.between(0.1, 0.6),
        roughness=0.6 - 0.5 * polish,
        mirror=0.1 + 0.5 * polish,
        seed=draw.number(),
    )


def stone(draw: Draw, colour: Colour) -> Paint:
    """Granite, marble, terrazzo."""
    shine = draw.share()
    return Paint(
        surface=Surface.STONE,
        colours=shades(colour, draw.between(0.1, 0.45)),
        scale=draw.between(0.05, 0.5),
        strength=draw.between(0.3, 1.0),
        roughness=0.85 - 0.65 * shine,
        mirror=0.08 * shine**2,
        seed=draw.number(),
    )


def tiles(draw: Draw, colour: Colour, low: float = 0.1, high: float = 0.6) -> Paint:
    """Tiles with joints, sometimes as a chequerboard."""
    joint = linear(draw.one_of(("#d9d6d0", "#a8a49d", "#6f6c68", "#f0eee9")))
    other = linear(draw.one_of(FLOOR_STONES)) if draw.chance(0.2) else _times(colour, draw.between(0.85, 1.0))
    shine = draw.share()
    return Paint(
        surface=Surface.TILES,
        colours=(colour, other, joint),
        scale=draw.between(low, high),
        strength=draw.between(0.4, 1.0),
        roughness=0.7 - 0.5 * shine,
        mirror=0.1 * shine**2,
        seed=draw.number(),
    )


def picture(draw: Draw, *, glow: float = 0.0, photos: int = 0) -> Paint:
    """A painting, a poster or a screen; one of the given photographs if there are any."""
    rim = linear(draw.one_of(WHITES)) if draw.chance(0.5) else linear(draw.one_of(ACCENTS + FABRICS))
    tones = [rim, *(linear(draw.one_of(ACCENTS + FABRICS)) for _ in range(2))]
    photo = photos > 0 and draw.chance(0.8)
    return Paint(
        surface=Surface.PHOTO if photo else Surface.PICTURE,
        colours=(tones[0], tones[1], tones[2]),
        scale=draw.between(0.1, 0.8),
        strength=1.0,
        roughness=draw.between(0.2, 0.9),
        glow=glow,
        seed=draw.whole(0, photos - 1) if photo else draw.number(),
    )


def mirror(draw: Draw) -> Paint:
    """Silvered glass."""
    share = draw.between(0.8, 0.95)
    grey = (0.1, 0.1, 0.1)
    return Paint(
        surface=Surface.MIRROR, colours=(grey, grey, grey), strength=0.0, roughness=0.02, mirror=share
    )


def glass(draw: Draw, colour: Colour) -> Paint:
    """Something glass-like: smooth, tinted, with reflections."""
    return Paint(
        surface=Surface.GLASS,
        colours=shades(colour, 0.2),
        strength=draw.between(0.0, 0.4),
        roughness=draw.between(0.02, 0.15),
        mirror=draw.between(0.15, 0.4),
        seed=draw.number(),
    )


def glow(colour: Colour, power: float) -> Paint:
    """A surface that emits light."""
    most = max(*colour, 1e-6)
    tone = _times(colour, 0.95 / most)
    return Paint(
        surface=Surface.GLOW, colours=(tone, tone, tone), strength=0.0, roughness=1.0, glow=power * most
    )


def view(draw: Draw, number: int, tint: Colour, power: float) -> Paint:
    """A panorama behind a window, at a random angle; `tint` is its mean colour."""
    tone = _times(tint, 0.6)
    return Paint(
        surface=Surface.VIEW,
        colours=(tone, tone, tone),
        scale=draw.between(0.01, 6.28),
        strength=0.0,
        roughness=1.0,
        glow=power,
        seed=number,
    )


def spine(draw: Draw) -> Paint:
    """The cover of a book."""
    base = linear(draw.one_of(ACCENTS + FABRICS))
    print_colour = linear(draw.one_of(("#f5f0dc", "#d9b44a", "#1d1d1f", "#ffffff")))
    return Paint(
        surface=Surface.BOOK,
        colours=(vary(draw, base, 0.2), print_colour, _times(base, 0.6)),
        scale=draw.between(0.1, 0.3),
        strength=draw.between(0.5, 1.0),
        roughness=draw.between(0.4, 0.9),
        seed=draw.number(),
    )


def foliage(draw: Draw) -> Paint:
    """Leaves."""
    return Paint(
        surface=Surface.FOLIAGE,
        colours=shades(vary(draw, linear(draw.one_of(GREENS)), 0.15), 0.35),
        scale=draw.between(0.02, 0.1),
        strength=draw.between(0.3, 0.9),
        roughness=draw.between(0.4, 0.8),
        seed=draw.number(),
    )


def wild(draw: Draw) -> Paint:
    """Any surface in any colours, for domain-randomised rooms."""
    kinds = [
        kind for kind in Surface if kind not in (Surface.MIRROR, Surface.GLOW, Surface.PHOTO, Surface.VIEW)
    ]
    shiny = draw.share() ** 4
    return Paint(
        surface=draw.one_of(kinds),
        colours=(any_colour(draw), any_colour(draw), any_colour(draw)),
        scale=0.02 * 40 ** draw.share(),
        strength=draw.share(),
        roughness=1 - 0.9 * shiny,
        mirror=0.3 * shiny,
        seed=draw.number(),
    )


def faded(paint: Paint, share: float) -> Paint:
    """The same material with less contrast."""
    return replace(paint, strength=paint.strength * share)
