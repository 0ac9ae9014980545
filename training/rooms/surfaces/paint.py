"""Appearance of materials at hits."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.rooms.scene import Shape, Surface
from training.rooms.surfaces.environments import Environments
from training.rooms.surfaces.patterns import Spots, pattern
from training.rooms.surfaces.textures import Textures
from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.trace import Hits

_SURFACES = tuple(Surface)
_SHELL = (1, 2, 22)
"""NYU40 wall, floor and ceiling, whose patterns continue across solids in the world's frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Painted:
    """Appearance of hits, (T, G) float32 unless stated otherwise.

    Attributes:
        albedo: (T, G, 3), linear RGB in [0, 1].
        height: height of the fine relief, metres.
        roughness: 0 to 1.
        mirror: share of light reflected as by a mirror.
        glow: emitted light per unit of albedo.
        metal: bool; True if reflections have the metal's colour.
    """

    albedo: Tensor
    height: Tensor
    roughness: Tensor
    mirror: Tensor
    glow: Tensor
    metal: Tensor


def paint(
    batch: SceneBatch,
    scene: Tensor,
    hits: Hits,
    footprint: Tensor,
    textures: Textures | None = None,
    *,
    directions: Tensor | None = None,
    environments: Environments | None = None,
) -> Painted:
    """Evaluate materials at hits.

    Args:
        batch: the rooms.
        scene: int64 (T,), the room of each group.
        hits: (T, G).
        footprint: float32 (T, G), size of a pixel in metres.
        textures: images of `Surface.PHOTO`; None paints plaster instead.
        directions: float32 (T, G, 3), unit directions of the rays; needed for views through windows.
        environments: panoramas of `Surface.VIEW`; None paints their mean colours instead.
    """
    shape = hits.primitive.shape
    room = scene[:, None].expand(shape).flatten()
    solid = room * batch.shape.shape[1] + hits.primitive.flatten().clamp(min=0)
    material = room * batch.surface.shape[1] + batch.material.flatten()[solid]
    surface = batch.surface.flatten()[material]
    places = _places(batch, solid, hits)
    albedo = torch.zeros((len(solid), 3), device=batch.device)
    height = torch.zeros(len(solid), device=batch.device)
    for number, kind in enumerate(_SURFACES):
        rows = (surface == number).nonzero()[:, 0]
        if len(rows) == 0:
            continue
        made_of = material[rows]
        spots = Spots(
            u=places.u[rows],
            v=places.v[rows],
            wide=places.wide[rows],
            high=places.high[rows],
            footprint=footprint.flatten()[rows],
            seed=batch.pattern_seed.flatten()[made_of].to(torch.int32),
            face=places.face[rows],
            colours=batch.colours.flatten(0, 1)[made_of],
            scale=batch.scale.flatten()[made_of].clamp(min=1e-3),
            strength=batch.strength.flatten()[made_of],
        )
        albedo[rows], height[rows] = pattern(kind, spots)
        if kind is Surface.PHOTO and textures is not None:
            albedo[rows] = textures.colours(spots)
        if kind is Surface.VIEW and environments is not None and directions is not None:
            albedo[rows] = environments.colours(directions.reshape(-1, 3)[rows], spots.seed, spots.scale)

    def of_material(values: Tensor) -> Tensor:
        return values.flatten()[material].reshape(shape)

    return Painted(
        albedo=albedo.reshape(*shape, 3),
        height=height.reshape(shape),
        roughness=of_material(batch.roughness),
        mirror=of_material(batch.mirror),
        glow=of_material(batch.glow),
        metal=(surface == _SURFACES.index(Surface.METAL)).reshape(shape),
    )


@dataclass(frozen=True, slots=True)
class _Places:
    """The positions of hits on their faces, (R,) each, see `Spots`."""

    u: Tensor
    v: Tensor
    wide: Tensor
    high: Tensor
    face: Tensor


def _places(batch: SceneBatch, solid: Tensor, hits: Hits) -> _Places:
    """Find faces by the axis closest to the normal; cylinders and cones are unrolled."""
    own, world = hits.own.reshape(-1, 3), hits.position.reshape(-1, 3)
    bare = hits.normal.reshape(-1, 3)
    axes, half = batch.axes.flatten(0, 1)[solid], batch.half.flatten(0, 1)[solid]
    label = batch.label.flatten()[solid]
    shell = torch.zeros_like(label, dtype=torch.bool)
    for number in _SHELL:
        shell |= label == number
    own_normal = torch.stack(
        [
            axes[:, 0, i] * bare[:, 0] + axes[:, 1, i] * bare[:, 1] + axes[:, 2, i] * bare[:, 2]
            for i in range(3)
        ],
        1,
    )
    normal = torch.where(shell[:, None], bare, own_normal)
    point = torch.where(shell[:, None], world, own)
    x, y, z = normal.abs().unbind(1)
    axis = torch.where((z >= x) & (z >= y), 2, torch.where(x > y, 0, 1))
    side = normal.gather(1, axis[:, None])[:, 0] > 0
    u = torch.where(axis == 0, point[:, 1], point[:, 0])
    v = torch.where(axis == 2, point[:, 1], point[:, 2])
    wide = torch.where(axis == 0, half[:, 1], half[:, 0])
    high = torch.where(axis == 2, half[:, 1], half[:, 2])
    kind = batch.shape.flatten()[solid]
    rolled = ((kind == Shape.CYLINDER) | (kind == Shape.CONE)) & (axis != 2)
    radius = (half[:, 0] + half[:, 1]) / 2
    u = torch.where(rolled, torch.atan2(own[:, 1], own[:, 0]) * radius, u)
    wide = torch.where(rolled, torch.pi * radius, wide)
    solids = torch.where(shell, 0, solid % batch.shape.shape[1])
    face = torch.where(rolled, 0, axis * 2 + side) + 8 * solids
    return _Places(u, v, wide, high, face.to(torch.int32))
