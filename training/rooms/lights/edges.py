"""Anti-aliased edges: pixels at the borders of solids average the light at their corners.

Only those pixels cast four more rays, which find the solids at the corners; the light is copied from the
pixel or the neighbour that sees the same solid.
"""

from __future__ import annotations

import torch
from torch import Tensor

from training.rooms.smooth import shifted
from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.ray_groups import Bundle, grouped
from training.rooms.tracing.tiles import components, tiled
from training.rooms.tracing.trace import nearest

_PIXELS = 16
"""Pixels per group of rays."""

_CORNERS = ((1, 1), (1, -1), (-1, 1), (-1, -1))
_OFFSET = 0.25
"""Distance of a corner's ray from the pixel's middle, px."""


def softened(  # noqa: PLR0917 (arguments of the rays)
    batch: SceneBatch, scene: Tensor, origins: Tensor, directions: Tensor, primitive: Tensor, light: Tensor
) -> Tensor:
    """Average light at the edges of solids.

    Args:
        batch: the rooms.
        scene: int64 (F,), the room of each picture.
        origins: float32 (F, 3), metres.
        directions: unit float32 (F, H, H, 3).
        primitive: int64 (F, H, H), primitives at the middles of pixels.
        light: float32 (F, H, H, 3).

    Returns:
        float32 (F, H, H, 3).
    """
    size = primitive.shape[1]
    # Numbers of pixels beside another solid, by tiles so that neighbours are close: int64 (E,).
    differs = torch.zeros_like(primitive, dtype=torch.bool)
    for axis in (1, 2):
        for step in (-1, 1):
            differs |= shifted(primitive, step, axis) != primitive
    number = torch.arange(primitive.numel(), device=primitive.device).reshape(primitive.shape)
    places: Tensor = tiled(number)[tiled(differs)]
    if len(places) == 0:
        return light
    frame, inside = places // size**2, places % size**2
    row, column = inside // size, inside % size
    slots, back = grouped(frame, _PIXELS)
    rays = [_corner(directions, frame, row, column, corner)[slots] for corner in _CORNERS]
    of_group = frame[slots[:, 0]]
    start = components(origins[of_group][:, None])
    bundle = Bundle.endless(batch, scene[of_group], start, components(torch.cat(rays, 1)))
    _, found = nearest(batch, bundle)
    flat, solids = light.flatten(0, 2), primitive.flatten()
    total = torch.zeros_like(flat[places])
    for corner, (right, down) in enumerate(_CORNERS):
        wanted = found[:, corner * _PIXELS : (corner + 1) * _PIXELS].flatten()[back]
        source = places
        # the nearest is written last and so remains
        for over, fall in ((right, down), (0, down), (right, 0), (0, 0)):
            near = (column + over).clamp(0, size - 1) + size * (row + fall).clamp(0, size - 1)
            near = near + frame * size**2
            source = torch.where(solids[near] == wanted, near, source)
        total = total + flat[source]
    result = flat.clone()
    result[places] = total / len(_CORNERS)
    return result.reshape(light.shape)


def _corner(
    directions: Tensor, frame: Tensor, row: Tensor, column: Tensor, corner: tuple[int, int]
) -> Tensor:
    """Unit rays (E, 3) through a corner of pixels, interpolated between the neighbours' rays."""
    last = directions.shape[1] - 1
    right, down = corner
    middle = directions[frame, row, column]
    across = directions[frame, row, (column + right).clamp(0, last)] - middle
    along = directions[frame, (row + down).clamp(0, last), column] - middle
    ray = middle + _OFFSET * (across + along)
    length = (ray[:, 0] ** 2 + ray[:, 1] ** 2 + ray[:, 2] ** 2).sqrt()
    return ray / length[:, None]
