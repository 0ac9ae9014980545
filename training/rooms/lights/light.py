"""Light on surfaces: lamps and windows with soft shadows, and ambient light.

Every pixel casts one ray to one point of each light and one into the half space above it. The point and the
direction are chosen by the pixel's number in a pattern of 4 x 4 pixels, so that any 4 x 4 pixels cover all 16
choices; `smooth.py` then averages neighbours on the same surface. Source of the pattern: Keller and Heidrich,
Interleaved Sampling, Rendering Techniques 2001.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from training.rooms.noise import uniform
from training.rooms.scene import LightKind, Surface
from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.curvature import tangents
from training.rooms.tracing.ray_groups import Bundle
from training.rooms.tracing.shapes import NOWHERE, Vector
from training.rooms.tracing.tiles import by_turn, from_turns
from training.rooms.tracing.trace import nearest

_OFFSET = 2e-3
"""Metres above a surface at which rays start."""

_LAMP_STREAM, _AMBIENT_STREAM = 100, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """Lit points of surfaces, in T groups of G, float32 (T, G) unless stated otherwise.

    Attributes:
        scene: int64 (T,), the room of each group.
        seed: int32 (T, 1), seed of the frame.
        pixel: int32 (T, G), number of the pixel in its frame.
        turn: int32 (T, G), 0 to 15, number in the pattern of 4 x 4 pixels.
        position: metres, world, three tensors.
        normal: unit normal of the shape.
        bumped: unit normal of the shape with its fine relief.
        view: unit vector towards the eye.
        roughness: 0 to 1.
        blocks: True if groups are tiles of whole blocks, see `tiles.by_turn`.
    """

    scene: Tensor
    seed: Tensor
    pixel: Tensor
    turn: Tensor
    position: Vector
    normal: Vector
    bumped: Vector
    view: Vector
    roughness: Tensor
    blocks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectLight:
    """Light from the room's lights, each (T, G, 3).

    Attributes:
        open: light without occlusion.
        arriving: light with occlusion; noisy in half shadows.
        relief: factor on this light for the fine relief.
        gloss: light from a glossy coat to the eye per unit of reflectance, without occlusion.
    """

    open: Tensor
    arriving: Tensor
    relief: Tensor
    gloss: Tensor


def direct(
    batch: SceneBatch, sites: Sites, *, shadow_share: float = 0.05, memory: int | None = None
) -> DirectLight:
    """Compute light from lamps and windows.

    Lamps that contribute less than `shadow_share` of all light at a site cast no shadow there; 1 means no
    shadows. The irradiance is the mean over four fixed points of each light; occlusion is tested for one
    random point.
    """
    shape = (*sites.turn.shape, 3)
    opened, arriving, tilted, gloss = (torch.zeros(shape, device=batch.device) for _ in range(4))
    lamps = range(batch.light_kind.shape[1])
    plain = [torch.zeros(shape[:2], device=batch.device) for _ in lamps]
    power = [batch.light_power[sites.scene, number][:, None, :] for number in lamps]
    for number in lamps:
        plain[number], relief, shine = (
            sum(parts) / 4 for parts in zip(*_corners(batch, sites, number), strict=True)
        )
        for total, part in ((opened, plain[number]), (tilted, relief), (gloss, shine)):
            total.add_(part[..., None] * power[number])
    strongest = opened.amax(-1)
    for number in lamps:
        light = plain[number][..., None] * power[number]
        if shadow_share < 1:
            asked = light.amax(-1) > shadow_share * strongest
            light = light * _reached(batch, sites, asked, number, memory)[..., None]
        arriving.add_(light)
    ratio = torch.where(opened > 1e-4, tilted / opened.clamp(min=1e-4), 1.0).clamp(max=2.5)
    return DirectLight(open=opened, arriving=arriving, relief=ratio, gloss=gloss)


def _corners(batch: SceneBatch, sites: Sites, number: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield irradiance, irradiance on the fine relief, and gloss for four points of a light of unit power."""
    for first in (0.25, 0.75):
        for second in (0.25, 0.75):
            place = torch.full_like(sites.roughness, first), torch.full_like(sites.roughness, second)
            target, strength = _lamp(batch, sites, number, *place)
            way = _minus(target, sites.position)
            to = _scaled(way, 1 / _dot(way, way).clamp(min=1e-4).sqrt())
            plain = strength * _dot(sites.normal, to).clamp(min=0)
            relief = strength * _dot(sites.bumped, to).clamp(min=0) * (plain > 0)
            yield plain, relief, relief * _gloss(sites, to)


def _lamp(
    batch: SceneBatch, sites: Sites, number: int, first: Tensor, second: Tensor
) -> tuple[Vector, Tensor]:
    """Direction to a point of a light for each site, and the head-on irradiance per unit of power."""
    axes = batch.light_axes[sites.scene, number]
    half = batch.light_half[sites.scene, number]
    centre = batch.light_centre[sites.scene, number]
    window = (batch.light_kind[sites.scene, number] == LightKind.WINDOW)[:, None]
    level, around = 1 - 2 * second, 2 * math.pi * first
    ring = (1 - level * level).clamp(min=0).sqrt()
    wide = torch.where(window, 2 * first - 1, ring * torch.cos(around)) * half[:, 0, None]
    high = torch.where(window, 2 * second - 1, ring * torch.sin(around)) * half[:, 1, None]
    out = torch.where(window, 0.0, level) * half[:, 0, None]
    own = (wide, high, out)
    x, y, z = (
        centre[:, i, None] + _dot(own, (axes[:, i, 0, None], axes[:, i, 1, None], axes[:, i, 2, None]))
        for i in range(3)
    )
    way = _minus((x, y, z), sites.position)
    squared = _dot(way, way)
    ahead = -_dot(way, (axes[:, 0, 2, None], axes[:, 1, 2, None], axes[:, 2, 2, None]))
    cosine = torch.where(window, (ahead / squared.clamp(min=1e-6).sqrt()).clamp(min=0), 1.0)
    area = torch.where(window, half[:, 0, None] * half[:, 1, None], 0.02)
    there = batch.light_valid[sites.scene, number][:, None]
    return (x, y, z), there * cosine / (squared + 0.5 * area)


def _reached(batch: SceneBatch, sites: Sites, asked: Tensor, number: int, memory: int | None) -> Tensor:
    """1 if a random point of the light is visible from a site, else 0: float32 (T, G)."""
    target, _ = _lamp(batch, sites, number, *_turns(sites, _LAMP_STREAM + number, 0 * sites.pixel))
    way = _minus(target, sites.position)
    groups = asked.any(-1).nonzero()[:, 0]
    start = [p[groups] + _OFFSET * n[groups] for p, n in zip(sites.position, sites.normal, strict=True)]
    # sites that face away from the light need no ray, so theirs is short
    short = [_OFFSET * n[groups] for n in sites.normal]
    rest = [torch.where(asked[groups], w[groups], s) for w, s in zip(way, short, strict=True)]
    end = torch.full((len(groups),), 0.999, device=batch.device)
    bundle = Bundle(sites.scene[groups], (start[0], start[1], start[2]), (rest[0], rest[1], rest[2]), end)
    t, _ = nearest(batch, bundle, counts=_blockers(batch, number), memory=memory)
    reached = torch.ones(asked.shape, device=batch.device)
    reached[groups] = (t == NOWHERE).float()
    return reached


def _blockers(batch: SceneBatch, number: int) -> Tensor:
    """Mark the primitives that cast shadows: no panes, no lamp shades, none that contain the light."""
    surface = batch.surface.gather(1, batch.material)
    names = list(Surface)
    clear = torch.zeros_like(surface, dtype=torch.bool)
    for kind in (Surface.GLOW, Surface.GLASS, Surface.VIEW):
        clear |= surface == names.index(kind)
    away = batch.light_centre[:, number, None] - batch.centre
    inside = ((batch.axes * away[..., :, None]).sum(-2).abs() <= batch.half + 0.02).all(-1)
    return ~(clear | inside)


def _gloss(sites: Sites, to: Vector) -> Tensor:
    """Factor from irradiance to glossy radiance: Blinn's half vector, GGX distribution, shadowing."""
    half = tuple(a + b for a, b in zip(to, sites.view, strict=True))
    half = _scaled((half[0], half[1], half[2]), 1 / _dot(half, half).clamp(min=1e-6).sqrt())
    rough = sites.roughness.clamp(min=0.12)
    alpha = (rough * rough) ** 2
    # half of the relief, as the full relief would sparkle in single pixels
    along = (_dot(sites.bumped, half) + _dot(sites.normal, half)).clamp(0, 2) / 2
    cosine = _dot(to, half).clamp(min=0.1)
    spread = along * along * (alpha - 1) + 1
    return (alpha / (4 * cosine * cosine * (rough + 0.5) * spread * spread)).clamp(max=20)


def ambient(batch: SceneBatch, sites: Sites, reach: float, *, memory: int | None = None) -> Tensor:
    """Compute light from all directions in units of the room's ambient light: float32 (T, G, 3).

    A ray into the half space over each site contributes ambient light if it hits nothing within `reach`
    metres; a nearer surface contributes less light, with its colour and glow. This covers occlusion and one
    bounce.
    """
    first, second = _turns(sites, _AMBIENT_STREAM, sites.pixel)
    radius, around = first.sqrt(), 2 * math.pi * second
    one, two = tangents(sites.normal)
    up = (1 - first).clamp(min=0).sqrt()
    parts = [
        a * (radius * torch.cos(around)) + b * (radius * torch.sin(around)) + n * up
        for a, b, n in zip(one, two, sites.normal, strict=True)
    ]
    start = [p + _OFFSET * n for p, n in zip(sites.position, sites.normal, strict=True)]
    end = torch.full(sites.scene.shape, reach, device=batch.device)
    # rays of one turn have similar directions, so that few solids are in their way
    o, d = ([by_turn(part) if sites.blocks else part for part in some] for some in (start, parts))
    bundle = Bundle(sites.scene, (o[0], o[1], o[2]), (d[0], d[1], d[2]), end)
    t, owner = nearest(batch, bundle, memory=memory)
    if sites.blocks:
        t, owner = from_turns(t), from_turns(owner)
    # The mean colour of every primitive, its glow included: float32 (S, N, 3).
    mean = batch.colours.mean(-2) * (1 + batch.glow.clamp(max=4)[..., None])
    colours = mean.gather(1, batch.material[..., None].expand(-1, -1, 3))
    colour = colours[sites.scene[:, None], owner.clamp(min=0)]
    open_share = torch.where(t < NOWHERE, (t / reach) ** 2, 1.0)[..., None]
    return 0.7 * colour * (1 - open_share) + open_share


def _turns(sites: Sites, stream: int, place: Tensor) -> tuple[Tensor, Tensor]:
    """Two numbers in [0, 1) per site: its cell of 4 x 4, shuffled by frame and stream, and a position in it.

    The positions in the cells are hashed from `place`: 0 makes them equal for all pixels of a turn.
    """
    shift = (uniform(sites.seed, stream) * 16).to(torch.int32)
    cell = (sites.turn + shift) & 15
    first = uniform(cell, sites.seed, stream, place * 2)
    second = uniform(cell, sites.seed, stream, place * 2 + 1)
    return ((cell & 3) + first) / 4, ((cell >> 2) + second) / 4


def _dot(one: Vector | tuple[Tensor, ...], two: Vector | tuple[Tensor, ...]) -> Tensor:
    return one[0] * two[0] + one[1] * two[1] + one[2] * two[2]


def _minus(one: Vector, two: Vector) -> Vector:
    return one[0] - two[0], one[1] - two[1], one[2] - two[2]


def _scaled(vector: Vector, factor: Tensor) -> Vector:
    return vector[0] * factor, vector[1] * factor, vector[2] * factor
