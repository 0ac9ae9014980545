"""Patterns of materials: a colour and a height for every point, from formulas.

Points are given in the plane of their face (`Spots`), so patterns follow faces. Details smaller than a pixel
are left out of the pattern instead of being sampled at random.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TypeAlias

import torch
from torch import Tensor

from training.rooms.noise import cloud, faded, uniform, value_noise
from training.rooms.scene import Surface

Look: TypeAlias = tuple[Tensor, Tensor]
"""Linear RGB albedo (R, 3) in [0, 1], and height in metres (R,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spots:
    """R points of surfaces, float32 unless stated otherwise.

    Attributes:
        u: (R,), metres along the face: horizontal on walls, around cylinders.
        v: (R,), metres along the face, upwards on walls and cylinders.
        wide: (R,), half the face's size along u, metres.
        high: (R,), half the face's size along v, metres.
        footprint: (R,), size of a pixel in metres.
        seed: int32 (R,), seed of the material.
        face: int32 (R,), number of the face: primitive, axis and side.
        colours: (R, 3, 3), colours of the material.
        scale: (R,), scale of the material.
        strength: (R,), strength of the material.
    """

    u: Tensor
    v: Tensor
    wide: Tensor
    high: Tensor
    footprint: Tensor
    seed: Tensor
    face: Tensor
    colours: Tensor
    scale: Tensor
    strength: Tensor

    def __getitem__(self, rows: Tensor) -> Spots:
        """Select some of the points."""
        return Spots(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def pattern(surface: Surface, spots: Spots) -> Look:
    """Return colour and height of a kind of surface at points; photographs (see `textures`) as plaster."""
    return _PATTERNS[surface](spots)


def _mixed(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    return first + (second - first) * share.clamp(0, 1)[:, None]


def _shaded(colour: Tensor, change: Tensor) -> Tensor:
    return (colour * (1 + change)[:, None]).clamp(0, 1)


def _edge(distance: Tensor, footprint: Tensor) -> Tensor:
    """1 where a signed distance is positive, 0 where negative, with a transition one pixel wide."""
    return (distance / footprint.clamp(min=1e-6) + 0.5).clamp(0, 1)


def _line(phase: Tensor, width: Tensor | float, footprint: Tensor) -> Tensor:
    """Return the share of a pixel that is on lines at whole numbers; all arguments are in periods."""
    near = torch.minimum(phase - phase.floor(), phase.ceil() - phase)
    drawn = _edge(width / 2 - near, footprint)
    return torch.lerp(drawn.new_zeros(()) + width, drawn, faded(footprint))


def _plain(s: Spots) -> Look:
    dirt = cloud(s.u / s.scale, s.v / s.scale, s.seed, s.footprint / s.scale, 3)
    return _shaded(s.colours[:, 0], 0.08 * s.strength * dirt), 0.0 * dirt


def _plaster(s: Spots) -> Look:
    size = s.scale.clamp(min=0.2)
    stains = cloud(s.u / size, s.v / size, s.seed, s.footprint / size, 4)
    grain = cloud(s.u / 0.03, s.v / 0.03, s.seed + 9, s.footprint / 0.03, 3)
    colour = _mixed(s.colours[:, 0], s.colours[:, 1], 0.25 * s.strength * (stains + 0.5))
    return _shaded(colour, 0.05 * s.strength * grain), 0.0012 * s.strength * grain


def _grain(s: Spots, u: Tensor, v: Tensor, seed: Tensor) -> Tensor:
    """Wood grain along u, in metres: 0 light to 1 dark."""
    ring = 0.25 * s.scale.clamp(0.06, 0.4)
    foot = s.footprint / ring
    warp = value_noise(u / (ring * 12), v / (ring * 3), seed) * 2 + 0.3 * value_noise(
        u / ring, v / ring, seed + 3
    )
    phase = v / ring + warp * 1.5
    bands = 0.5 - 0.5 * torch.cos(2 * math.pi * (phase - phase.floor()) ** 1.5)
    bands = torch.lerp(torch.full_like(bands, 0.45), bands, faded(foot))
    fibres = value_noise(u / 0.06, v / 0.004, seed + 5) * faded(s.footprint / 0.008)
    streaks = value_noise(u / 0.5, v / 0.025, seed + 7) * faded(s.footprint / 0.05)
    return 0.55 * bands + 0.3 * fibres + 0.35 * streaks


def _wood(s: Spots) -> Look:
    lying = s.wide >= s.high
    u, v = torch.where(lying, s.u, s.v), torch.where(lying, s.v, s.u)
    dark = _grain(s, u, v, s.seed + s.face)
    colour = _mixed(s.colours[:, 0], s.colours[:, 1], s.strength * dark)
    return _shaded(colour, -0.6 * s.strength * (dark - 0.7).clamp(min=0)), -0.0003 * dark


def _planks(s: Spots) -> Look:
    turned = (s.seed & 1) == 1
    u, v = torch.where(turned, s.u, s.v), torch.where(turned, s.v, s.u)
    row = (v / s.scale).floor()
    along = u / (s.scale * 7) + uniform(row.to(torch.int32), s.seed)
    plank = uniform(row.to(torch.int32), along.floor().to(torch.int32), s.seed + 1)
    dark = _grain(s, u, v + plank * 9, s.seed + (plank * 1000).to(torch.int32))
    tint = torch.lerp(torch.full_like(plank, 0.5), plank, faded(0.5 * s.footprint / s.scale))
    colour = _mixed(s.colours[:, 0], s.colours[:, 1], s.strength * (0.5 * dark + 0.7 * tint - 0.1))
    gap = torch.maximum(
        _line(v / s.scale, 0.004 / s.scale, s.footprint / s.scale),
        _line(along, 0.003 / (s.scale * 7), s.footprint / (s.scale * 7)),
    )
    return _shaded(colour, -0.75 * gap), -0.002 * gap - 0.0002 * dark


def _tiles(s: Spots) -> Look:
    u, v = s.u / s.scale, s.v / s.scale
    i, j = u.floor().to(torch.int32), v.floor().to(torch.int32)
    foot = s.footprint / s.scale
    alone = uniform(i, j, s.seed)
    checks = ((i + j) & 1).float()
    share = torch.where((s.seed & 3) == 0, checks, 0.4 * alone) * s.strength
    share = torch.lerp(0.3 * s.strength, share, faded(foot * 0.5))
    marbled = cloud(u * 2 + alone * 40, v * 2, s.seed + 2, foot * 2, 3)
    colour = _shaded(_mixed(s.colours[:, 0], s.colours[:, 2], share), 0.1 * s.strength * marbled)
    width = (0.004 / s.scale).clamp(0.01, 0.08)
    grout = torch.maximum(_line(u, width, foot), _line(v, width, foot))
    return _mixed(colour, s.colours[:, 1], grout), -0.002 * grout


def _bricks(s: Spots) -> Look:
    v = s.v / (s.scale * 0.34)
    row = v.floor().to(torch.int32)
    u = s.u / s.scale + (row & 1) * 0.5
    brick = uniform(u.floor().to(torch.int32), row, s.seed)
    rough = cloud(s.u / 0.04, s.v / 0.04, s.seed + 3, s.footprint / 0.04, 4)
    colour = _mixed(s.colours[:, 0], s.colours[:, 1], brick * s.strength)
    colour = _shaded(colour, 0.25 * s.strength * rough + 0.3 * (brick - 0.5))
    mortar = torch.maximum(
        _line(u, 0.05, s.footprint / s.scale), _line(v, 0.14, s.footprint / (s.scale * 0.34))
    )
    return _mixed(colour, s.colours[:, 2], mortar), -0.006 * mortar + 0.0015 * rough


def _fabric(s: Spots) -> Look:
    thread = s.scale.clamp(0.002, 0.02)
    weight = faded(s.footprint / thread)
    across = torch.sin(2 * math.pi * s.u / thread) * torch.sin(2 * math.pi * s.v / thread) * weight
    fold = cloud(s.u / 0.3, s.v / 0.3, s.seed + s.face, s.footprint / 0.3, 4)
    lint = value_noise(s.u / 0.012, s.v / 0.012, s.seed + 2) * faded(s.footprint / 0.012)
    colour = s.colours[:, 0]
    period = (12 * s.scale).clamp(0.04, 0.4)
    foot = s.footprint / period
    check = _band(s.u / period, foot) + _band(s.v / period, foot)
    checked = (s.seed % 4 == 0).float()
    colour = _mixed(colour, s.colours[:, 1], checked * s.strength * 0.5 * check)
    dots = _dots(s.u / period, s.v / period, foot)
    colour = _mixed(colour, s.colours[:, 2], (s.seed % 4 == 1).float() * s.strength * dots)
    change = s.strength * (0.12 * fold + 0.12 * lint + 0.15 * across)
    return _shaded(colour, change), 0.004 * fold + 0.0006 * lint


def _band(phase: Tensor, footprint: Tensor) -> Tensor:
    """Bands of half a period."""
    inside = 0.25 - (phase - phase.floor() - 0.5).abs()
    return torch.lerp(torch.full_like(phase, 0.5), _edge(inside, footprint), faded(footprint))


def _dots(u: Tensor, v: Tensor, footprint: Tensor) -> Tensor:
    """A disc in the middle of every unit square, with rows shifted by half."""
    row = v.floor()
    x, y = u + 0.5 * row, v
    x, y = x - x.floor() - 0.5, y - row - 0.5
    drawn = _edge(0.22 - (x * x + y * y).sqrt(), footprint)
    return torch.lerp(torch.full_like(drawn, 0.15), drawn, faded(footprint))


def _stripes(s: Spots) -> Look:
    lying = s.seed % 3 == 0
    phase = torch.where(lying, s.v, s.u) / s.scale
    foot = s.footprint / s.scale
    colour = _mixed(s.colours[:, 0], s.colours[:, 1], s.strength * _band(phase, foot))
    thin = _line(phase + 0.5, 0.08, foot)
    colour = _mixed(colour, s.colours[:, 2], thin * s.strength * (s.seed % 2).float())
    fold = cloud(s.u / 0.25, s.v / 0.25, s.seed, s.footprint / 0.25, 3)
    return _shaded(colour, 0.08 * fold), 0.002 * fold


def _stone(s: Spots) -> Look:
    size = s.scale.clamp(min=0.1)
    u, v, foot = s.u / size, s.v / size, s.footprint / size
    warp = cloud(u, v, s.seed, foot, 3)
    vein = (1 - 6 * cloud(u * 1.3 + warp, v * 1.3 - warp, s.seed + 4, foot, 4).abs()).clamp(0, 1)
    marble = _mixed(s.colours[:, 0], s.colours[:, 1], s.strength * vein)
    marble = _shaded(marble, 0.12 * s.strength * warp)
    speckle = _chips(s, (0.12 * s.scale).clamp(0.008, 0.05))
    return torch.where((s.seed % 2 == 0)[:, None], marble, speckle), 0.0 * warp


def _chips(s: Spots, size: Tensor) -> Tensor:
    """Terrazzo: chips of two colours in a third colour."""
    foot = s.footprint / size
    one = value_noise(s.u / size, s.v / size, s.seed + 6)
    two = value_noise(s.u / size / 1.7, s.v / size / 1.7, s.seed + 7)
    weight = faded(foot * 0.7)
    first = torch.lerp(torch.full_like(one, 0.25), _edge(one - 0.3, foot * 2), weight)
    second = torch.lerp(torch.full_like(two, 0.25), _edge(two - 0.35, foot), weight)
    colour = _mixed(s.colours[:, 0], s.colours[:, 1], first * s.strength)
    return _mixed(colour, s.colours[:, 2], second * s.strength)


def _carpet(s: Spots) -> Look:
    tuft = s.scale.clamp(0.005, 0.03)
    pile = value_noise(s.u / tuft, s.v / tuft, s.seed) * faded(s.footprint / tuft)
    clumps = cloud(s.u / 0.08, s.v / 0.08, s.seed + 1, s.footprint / 0.08, 3)
    least = torch.minimum(s.wide, s.high)
    to_edge = torch.minimum(s.wide - s.u.abs(), s.high - s.v.abs()) / least.clamp(min=1e-3)
    foot = s.footprint / least.clamp(min=1e-3)
    rug = (least < 2).float() * s.strength
    border = _edge(0.3 - to_edge, foot) * _edge(to_edge - 0.12, foot)
    period = (10 * s.scale).clamp(0.15, 0.6)
    x, y = 2 * math.pi * s.u / period, 2 * math.pi * s.v / period
    motif = _edge(torch.cos(x) + torch.cos(y) - 0.6, s.footprint / period * 8)
    colour = _mixed(s.colours[:, 0], s.colours[:, 2], rug * motif * (s.seed % 2).float())
    colour = _mixed(colour, s.colours[:, 1], rug * border)
    change = s.strength * (0.25 * pile + 0.2 * clumps)
    return _shaded(colour, change), 0.004 * pile + 0.004 * clumps


def _wallpaper(s: Spots) -> Look:
    u, v, foot = s.u / s.scale, s.v / s.scale, s.footprint / s.scale
    row = v.floor()
    x = (u + 0.5 * row - (u + 0.5 * row).floor() - 0.5).abs()
    y = v - row
    leaf = cloud(x * 5, y * 5, s.seed, foot * 5, 2) + 0.6 * torch.cos(9 * x) * torch.sin(math.pi * y)
    weight = faded(foot * 0.7)
    motif = torch.lerp(torch.full_like(leaf, 0.4), _edge(leaf - 0.25, foot * 4), weight)
    ornament = _mixed(s.colours[:, 0], s.colours[:, 1], s.strength * motif)
    stripes = _mixed(s.colours[:, 0], s.colours[:, 1], s.strength * _band(u, foot))
    chosen = torch.where((s.seed % 3 == 0)[:, None], stripes, ornament)
    stain = cloud(s.u, s.v, s.seed + 8, s.footprint, 3)
    return _shaded(chosen, 0.05 * stain), 0.0 * stain


def _metal(s: Spots) -> Look:
    lying = s.wide >= s.high
    u, v = torch.where(lying, s.u, s.v), torch.where(lying, s.v, s.u)
    brushed = value_noise(u / 0.3, v / 0.003, s.seed) * faded(s.footprint / 0.006)
    stains = cloud(s.u / 0.2, s.v / 0.2, s.seed + 1, s.footprint / 0.2, 3)
    return _shaded(s.colours[:, 0], s.strength * (0.15 * brushed + 0.12 * stains)), 0.0002 * brushed


def _even(s: Spots) -> Look:
    return s.colours[:, 0], torch.zeros_like(s.u)


def _foliage(s: Spots) -> Look:
    size = s.scale.clamp(0.02, 0.12)
    foot = s.footprint / size
    leaves = value_noise(s.u / size, s.v / size, s.seed + s.face) * faded(foot * 0.7)
    veins = value_noise(s.u / size * 2.3 + leaves, s.v / size * 2.3, s.seed + 1) * faded(foot * 1.5)
    light = 0.5 + 0.6 * leaves + 0.3 * veins
    colour = _mixed(s.colours[:, 0], s.colours[:, 1], light)
    shadow = (-leaves - 0.15).clamp(min=0) * 1.4
    colour = _mixed(colour, s.colours[:, 2], veins * 0.5)
    return _shaded(colour, -shadow.clamp(max=0.85)), 0.02 * leaves


def _picture(s: Spots) -> Look:
    x, y = s.u / s.wide.clamp(min=1e-3), s.v / s.high.clamp(min=1e-3)
    foot = s.footprint / torch.minimum(s.wide, s.high).clamp(min=1e-3)
    seed = s.seed + s.face
    wave = cloud(x * 1.5, y * 1.5, seed, foot, 4)
    horizon = 0.8 * uniform(seed, 1) - 0.5
    land = _edge(horizon + 0.3 * wave - y, foot)
    sky = _mixed(_paint(seed, 2), _paint(seed, 3), 0.5 + 0.5 * y + 0.3 * wave)
    colour = _mixed(sky, _mixed(_paint(seed, 4), _paint(seed, 5), 0.5 + wave), land)
    for number in range(6, 12):
        p, q = 1.6 * uniform(seed, number, 1) - 0.8, 1.6 * uniform(seed, number, 2) - 0.8
        a, b = 0.1 + 0.4 * uniform(seed, number, 3), 0.1 + 0.4 * uniform(seed, number, 4)
        round_one = 1 - (((x - p) / a) ** 2 + ((y - q) / b) ** 2).sqrt() + 0.2 * wave
        square_one = 1 - torch.maximum((x - p).abs() / a, (y - q).abs() / b)
        inside = torch.where(uniform(seed, number, 5) < 0.5, round_one, square_one)
        colour = _mixed(colour, _paint(seed, number), _edge(inside * torch.minimum(a, b), foot))
    border = 0.15 * uniform(seed, 0)
    inner = _edge(1 - border - torch.maximum(x.abs(), y.abs()), foot)
    return _mixed(s.colours[:, 0], _shaded(colour, 0.2 * wave), inner), torch.zeros_like(x)


def _paint(seed: Tensor, number: int) -> Tensor:
    """A colour from a seed, sometimes strong and sometimes dull."""
    dull = uniform(seed, number, 60)
    value = 0.08 + 0.7 * uniform(seed, number, 61)
    parts = torch.stack([uniform(seed, number, 62 + i) for i in range(3)], -1)
    return value[:, None] * (parts + (1 - parts) * 0.7 * dull[:, None])


def _book(s: Spots) -> Look:
    upright = s.high >= s.wide
    x = torch.where(upright, s.u / s.wide.clamp(min=1e-3), s.v / s.high.clamp(min=1e-3))
    y = torch.where(upright, s.v / s.high.clamp(min=1e-3), s.u / s.wide.clamp(min=1e-3))
    foot = s.footprint / torch.maximum(s.wide, s.high).clamp(min=1e-3)
    seed = s.seed
    colour = s.colours[:, 0]
    place = 0.4 + 0.5 * uniform(seed, 1)
    bands = _edge(0.06 - (y.abs() - place).abs(), foot)
    colour = _mixed(colour, s.colours[:, 1], bands * (uniform(seed, 2) < 0.6).float())
    reach = 0.15 + 0.25 * uniform(seed, 3)
    letters = (value_noise(y * 22, torch.zeros_like(y), seed) > -0.3).float() * _edge(reach - y.abs(), foot)
    title = letters * _edge(0.45 - x.abs(), 2 * foot) * faded(foot * 12)
    faint = 0.3 * _edge(reach - y.abs(), foot) * _edge(0.45 - x.abs(), 2 * foot)
    colour = _mixed(colour, s.colours[:, 2], torch.maximum(title, faint * (1 - faded(foot * 12))))
    worn = value_noise(x * 2, y * 6, seed + 4)
    return _shaded(colour, 0.1 * s.strength * worn), torch.zeros_like(x)


_PATTERNS: dict[Surface, Callable[[Spots], Look]] = {
    Surface.PLAIN: _plain,
    Surface.WOOD: _wood,
    Surface.PLANKS: _planks,
    Surface.TILES: _tiles,
    Surface.BRICKS: _bricks,
    Surface.FABRIC: _fabric,
    Surface.STRIPES: _stripes,
    Surface.STONE: _stone,
    Surface.PLASTER: _plaster,
    Surface.CARPET: _carpet,
    Surface.WALLPAPER: _wallpaper,
    Surface.METAL: _metal,
    Surface.GLASS: _even,
    Surface.MIRROR: _even,
    Surface.FOLIAGE: _foliage,
    Surface.PICTURE: _picture,
    Surface.BOOK: _book,
    Surface.GLOW: _even,
    Surface.VIEW: _even,
    Surface.PHOTO: _plaster,
}
