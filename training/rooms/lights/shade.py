"""Light that reaches cameras: materials, lamps, ambient light, one reflection."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.rooms.lights.light import Sites, ambient, direct
from training.rooms.look import LookOptions
from training.rooms.noise import gaussian
from training.rooms.smooth import WIDER, shifted, smooth_on_surfaces
from training.rooms.surfaces.environments import Environments
from training.rooms.surfaces.paint import Painted, paint
from training.rooms.surfaces.textures import Textures
from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.ray_groups import Bundle
from training.rooms.tracing.shapes import NOWHERE
from training.rooms.tracing.tiles import blocks_of_tiles, components, tiled, untiled
from training.rooms.tracing.trace import Hits, cast_bundle

_TURNS = ((0, 8, 2, 10), (12, 4, 14, 6), (3, 11, 1, 9), (15, 7, 13, 5))
"""Numbers (0 to 15) of the rays of the pixels of a 4 x 4 square; rays of neighbours differ strongly."""

_PLASTIC = 0.04
"""Head-on reflectance of all materials except metals."""

_WORTH_A_RAY = 0.06
"""Share of reflected light below which no mirrored ray is cast."""

_SHADOWS, _MIRRORED_SHADOWS = 0.04, 0.2
"""Least shares of the light on a site for which a lamp casts a shadow: on visible surfaces, and in
reflections."""

_STEEPEST = 0.8
"""Largest slope of fine relief in shading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """F pictures to light.

    Attributes:
        batch: the rooms.
        scene: int64 (F,), the room of each picture.
        hits: maps (F, H, H, ...).
        directions: unit float32 (F, H, H, 3), directions of the primary rays.
        pixel: float32 (F,), size of a pixel in metres at 1 m.
        seed: int32 (F,), seed of each picture.
        ambient: float32 (F,), factor on the rooms' ambient light.
        options: options, of which only the switches are used here.
        textures: images of `Surface.PHOTO`, or None.
        environments: panoramas of `Surface.VIEW`, or None.
        memory: bytes for intermediate results of ray casting, or None.
    """

    batch: SceneBatch
    scene: Tensor
    hits: Hits
    directions: Tensor
    pixel: Tensor
    seed: Tensor
    ambient: Tensor
    options: LookOptions
    textures: Textures | None = None
    environments: Environments | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tiles:
    """Data of a shot by tiles: T groups of G pixels."""

    scene: Tensor
    seed: Tensor
    number: Tensor
    turn: Tensor
    hits: Hits
    directions: Tensor
    pixel: Tensor
    ambient: Tensor

    @classmethod
    def of(cls, shot: Shot) -> _Tiles:
        frames, size = shot.hits.distance.shape[:2]
        hits = Hits(**{name: tiled(getattr(shot.hits, name)) for name in Hits.__slots__})
        each = len(hits.distance) // frames
        device = shot.batch.device
        number = torch.arange(size * size, dtype=torch.int32, device=device).reshape(1, size, size)
        cell = torch.arange(size, device=device) % 4
        turn = torch.tensor(_TURNS, dtype=torch.int32, device=device)[cell[:, None], cell[None, :]]
        scene = shot.scene.repeat_interleave(each)
        return cls(
            scene=scene,
            seed=shot.seed.repeat_interleave(each)[:, None],
            number=tiled(number).repeat(frames, 1),
            turn=tiled(turn[None]).repeat(frames, 1),
            hits=hits,
            directions=tiled(shot.directions),
            pixel=shot.pixel.repeat_interleave(each)[:, None],
            ambient=shot.batch.ambient[scene][:, None] * shot.ambient.repeat_interleave(each)[:, None, None],
        )

    def __getitem__(self, rows: Tensor) -> _Tiles:
        hits = Hits(**{name: getattr(self.hits, name)[rows] for name in Hits.__slots__})
        rest = {name: getattr(self, name)[rows] for name in self.__slots__ if name != "hits"}
        return _Tiles(hits=hits, **rest)

    def sites(self, painted: Painted, bumped: Tensor, *, blocks: bool = False) -> Sites:
        return Sites(
            scene=self.scene,
            seed=self.seed,
            pixel=self.number,
            turn=self.turn,
            position=components(self.hits.position),
            normal=components(self.hits.normal),
            bumped=components(bumped),
            view=components(-self.directions),
            roughness=painted.roughness,
            blocks=blocks,
        )

    def footprint(self, so_far: Tensor | float = 0.0) -> Tensor:
        """Return the size of pixels on the surfaces in metres, as the mean of two directions."""
        cosine = -_dot(self.directions, self.hits.normal).clamp(max=-0.08)
        return (self.hits.distance.clamp(max=100) + so_far) * self.pixel / cosine.abs().sqrt()


def radiance(shot: Shot) -> Tensor:
    """Compute the linear RGB of every pixel: float32 (F, H, H, 3), 0 or more."""
    size = shot.hits.distance.shape[1]
    tiles = _Tiles.of(shot)
    painted = _painted(shot, tiles)
    bumped = tiled(_bumped(shot.hits, untiled(painted.height, size)))
    sites = tiles.sites(painted, bumped, blocks=blocks_of_tiles(size))
    light = direct(
        shot.batch, sites, shadow_share=_SHADOWS if shot.options.shadows else 1.0, memory=shot.memory
    )
    around = torch.ones_like(light.open)
    if shot.options.shadows:
        around = ambient(shot.batch, sites, shot.options.occlusion_reach, memory=shot.memory)
    noisy = untiled(torch.cat([light.arriving / light.open.clamp(min=1e-6), around], -1), size)
    surface = shot.hits.position, shot.hits.normal, shot.hits.distance
    calm = smooth_on_surfaces(noisy, *surface)
    reached, around = tiled(calm[..., :3]), tiled(smooth_on_surfaces(calm[..., 3:], *surface, taps=WIDER))
    incoming = light.open * reached * light.relief
    incoming = incoming + tiles.ambient * around * (0.85 + 0.15 * bumped[..., 2:])
    gloss = light.gloss * reached
    # Share of light that is mirrored, (T, G, 1), larger at grazing angles; and its tint, (T, G, 3).
    cosine = -_dot(tiles.directions, tiles.hits.normal).clamp(-1, 0)
    smooth = (1 - painted.roughness).clamp(0, 1) ** 2
    grazing = (1 - cosine).clamp(0, 1) ** 5 * smooth
    share = (painted.mirror + (1 - painted.mirror) * 0.7 * grazing)[..., None]
    tint = torch.where(painted.metal[..., None], painted.albedo.clamp(min=0.05).sqrt(), 1.0)
    seen = _matt(painted, incoming) + _PLASTIC * gloss
    if shot.options.reflections:
        seen = seen * (1 - share) + tint * share * _mirrored(shot, tiles, painted, bumped, share)
    return untiled(seen, size)


def _painted(shot: Shot, tiles: _Tiles, so_far: Tensor | float = 0.0) -> Painted:
    """Paint hits that are seen over a distance of `so_far` metres plus their own."""
    return paint(
        shot.batch,
        tiles.scene,
        tiles.hits,
        tiles.footprint(so_far),
        shot.textures,
        directions=tiles.directions,
        environments=shot.environments,
    )


def _matt(painted: Painted, incoming: Tensor) -> Tensor:
    """Diffuse light and emitted light."""
    return painted.albedo * (incoming + painted.glow[..., None])


def _mirrored(shot: Shot, tiles: _Tiles, painted: Painted, bumped: Tensor, share: Tensor) -> Tensor:
    """Trace one reflection, with shadows, (T, G, 3); surfaces that reflect little get ambient light."""
    seen = (0.5 * tiles.ambient).expand(*share.shape[:-1], 3).clone()
    rows = (share[..., 0] > _WORTH_A_RAY).any(-1).nonzero()[:, 0]
    if len(rows) == 0:
        return seen
    near = tiles[rows]
    # Mirrored directions, scattered where the surface is rough: unit (T, G, 3), away from the surface.
    noise = [gaussian(near.number, near.seed, 300 + i) for i in range(3)]
    spread = (0.35 * painted.roughness[rows].clamp(0, 1) ** 2)[..., None]
    normal = _unit(bumped[rows] + spread * torch.stack(noise, -1).clamp(-2, 2))
    away = near.directions - 2 * _dot(near.directions, normal)[..., None] * normal
    below = _dot(away, near.hits.normal).clamp(max=0)[..., None]
    directions = _unit(away - 2 * below * near.hits.normal + 1e-3 * near.hits.normal)
    start = components(near.hits.position + 2e-3 * near.hits.normal)
    bundle = Bundle.endless(shot.batch, near.scene, start, components(directions))
    hits = cast_bundle(shot.batch, bundle, memory=shot.memory)
    far = _Tiles(
        hits=hits,
        directions=directions,
        **{name: getattr(near, name) for name in near.__slots__ if name not in ("hits", "directions")},
    )
    there = _painted(shot, far, near.hits.distance)
    sites = far.sites(there, hits.normal)
    light = direct(
        shot.batch, sites, shadow_share=_MIRRORED_SHADOWS if shot.options.shadows else 1.0, memory=shot.memory
    )
    found = _matt(there, light.arriving + 0.8 * far.ambient)
    # there is one ray per pixel, so bright reflections on rough surfaces are limited to avoid sparkle
    brightest = 0.6 / (painted.roughness[rows] ** 2 + 0.01)
    found = torch.minimum(found, brightest[..., None])
    seen[rows] = torch.where((hits.distance < NOWHERE)[..., None], found, seen[rows])
    return seen


def _bumped(hits: Hits, height: Tensor) -> Tensor:
    """Normals (F, H, W, 3) tilted by relief (F, H, W) in metres, from differences between pixels.

    Source of the formula: Mikkelsen, Bump Mapping Unparametrized Surfaces on the GPU, 2010.
    """
    gradient = torch.zeros_like(hits.normal)
    change, step = [], []
    for axis in (2, 1):
        same = shifted(hits.primitive, 1, axis) == hits.primitive
        change.append(torch.where(same, shifted(height, 1, axis) - height, 0.0)[..., None])
        step.append(shifted(hits.position, 1, axis) - hits.position)
    right, down = _cross(step[1], hits.normal), _cross(hits.normal, step[0])
    area = _dot(step[0], right)[..., None]
    gradient = (change[0] * right + change[1] * down) * area.sign() / area.abs().clamp(min=1e-10)
    steep = _dot(gradient, gradient).sqrt()[..., None]
    return _unit(hits.normal - gradient * (_STEEPEST / steep.clamp(min=_STEEPEST)))


def _dot(one: Tensor, two: Tensor) -> Tensor:
    return one[..., 0] * two[..., 0] + one[..., 1] * two[..., 1] + one[..., 2] * two[..., 2]


def _cross(one: Tensor, two: Tensor) -> Tensor:
    (a, b, c), (x, y, z) = one.unbind(-1), two.unbind(-1)
    return torch.stack([b * z - c * y, c * x - a * z, a * y - b * x], -1)


def _unit(vectors: Tensor) -> Tensor:
    return vectors / _dot(vectors, vectors).clamp(min=1e-12).sqrt()[..., None]
