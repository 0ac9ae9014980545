"""Rendering of pictures of rooms, with the hit of every pixel's ray.

A picture depends on its room, its camera, its size, its seed and the options: on one device, its pixels are
equal in any run and any batch. Between devices labels agree up to rounding, and so do pixels, except for
single ones at the edges of objects and shadows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.rooms.cameras.lens import photograph
from training.rooms.lights.edges import softened
from training.rooms.lights.shade import Shot, radiance
from training.rooms.look import LookOptions, Looks
from training.rooms.scene import Cameras
from training.rooms.surfaces.environments import Environments
from training.rooms.surfaces.textures import Textures
from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.ray_groups import Bundle
from training.rooms.tracing.rays import camera_rays
from training.rooms.tracing.tiles import components, tiled, untiled
from training.rooms.tracing.trace import Hits, cast_bundle

_PIXELS_AT_ONCE = 2**21
"""Largest number of pixels that are shaded together on a GPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """F pictures.

    Attributes:
        rgb: uint8 (F, size, size, 3).
        hits: maps (F, size, size, ...) of the hits of rays through the middles of pixels.
        scene: int64 (F,), the room of each picture.
    """

    rgb: Tensor
    hits: Hits
    scene: Tensor


def render_views(
    batch: SceneBatch,
    scene: Tensor,
    cameras: Cameras,
    size: int,
    seeds: Sequence[int],
    *,
    options: LookOptions | None = None,
    textures: Textures | None = None,
    environments: Environments | None = None,
    memory: int | None = None,
) -> Views:
    """Render pictures, and return them with the hits of their pixels.

    Args:
        batch: the rooms.
        scene: int64 (F,), the room of each camera.
        cameras: F views.
        size: side of the pictures in px; a multiple of 8 is fastest.
        seeds: F numbers of at least 0, one per picture.
        options: ranges of the look of pictures; None for the defaults.
        textures: images of `Surface.PHOTO` on the batch's device; None paints plaster there.
        environments: panoramas of `Surface.VIEW` on the batch's device; None paints their mean colours there.
        memory: bytes for intermediate results of ray casting; None for a default of the device.

    Raises:
        ValueError: numbers of rooms, cameras and seeds differ, or there are none.
    """
    if not len(scene) == len(cameras.fov) == len(seeds) > 0:
        raise ValueError(
            "pictures need a room, a camera and a seed each, "
            f"got {len(scene)} rooms, {len(cameras.fov)} cameras and {len(seeds)} seeds"
        )
    options = options or LookOptions()
    at_once = max(1, _PIXELS_AT_ONCE // size**2) if batch.device.type == "cuda" else 1
    with torch.inference_mode():
        parts = []
        for first in range(0, len(scene), at_once):
            part = slice(first, first + at_once)
            looks = Looks.draw(seeds[part], options, batch.device)
            some = Cameras(**{name: getattr(cameras, name)[part] for name in Cameras.__slots__})
            rooms = scene[part].to(batch.device)
            origins, directions = camera_rays(some, size, batch.device)
            hits = _seen(batch, rooms, origins, directions, memory)
            fov = torch.from_numpy(some.fov).to(batch.device, torch.float32)
            shot = Shot(
                batch=batch,
                scene=rooms,
                hits=hits,
                directions=directions,
                pixel=2 * torch.tan(fov / 2) / size,
                seed=looks.seed,
                ambient=looks.ambient,
                options=options,
                textures=textures,
                environments=environments,
                memory=memory,
            )
            light = radiance(shot)
            if options.smooth_edges:
                light = softened(batch, rooms, origins, directions, hits.primitive, light)
            parts.append((photograph(light, hits.distance, looks), hits))
    joined = {name: torch.cat([getattr(one, name) for _, one in parts]) for name in Hits.__slots__}
    return Views(rgb=torch.cat([rgb for rgb, _ in parts]), hits=Hits(**joined), scene=scene.to(batch.device))


def cast_views(
    batch: SceneBatch, scene: Tensor, cameras: Cameras, size: int, *, memory: int | None = None
) -> Hits:
    """Cast the rays of cameras without shading: maps (F, size, size, ...). Arguments as of `render_views`."""
    return _seen(batch, scene.to(batch.device), *camera_rays(cameras, size, batch.device), memory)


def _seen(batch: SceneBatch, scene: Tensor, origins: Tensor, directions: Tensor, memory: int | None) -> Hits:
    rays = tiled(directions)
    each = len(rays) // len(origins)
    room = scene.repeat_interleave(each)
    start = origins.repeat_interleave(each, 0)[:, None]
    bundle = Bundle.endless(batch, room, components(start), components(rays))
    hits = cast_bundle(batch, bundle, memory=memory)
    size = directions.shape[1]
    return Hits(**{name: untiled(getattr(hits, name), size) for name in Hits.__slots__})
