"""Groups of rays, and the primitives that a group can reach."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.shapes import Vector

_SLACK = 1e-3
"""Metres by which bounding boxes are enlarged, so that rounding loses no hit."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Rays in T groups of G: origins and directions of any length, as three tensors (T, G) or (T, 1) each.

    `end` is the largest valid ray parameter, (T,).
    """

    scene: Tensor
    origin: Vector
    direction: Vector
    end: Tensor

    @classmethod
    def endless(cls, batch: SceneBatch, scene: Tensor, origin: Vector, direction: Vector) -> Bundle:
        """Create rays of unit length that end beyond all solids of their rooms."""
        away = (origin[0] ** 2 + origin[1] ** 2 + origin[2] ** 2).amax(-1).sqrt()
        return cls(scene, origin, direction, batch.radius[scene] + away)


def grouped(scene: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Divide rays into groups of one room (or one frame) each.

    Args:
        scene: int64 (R,), the room of each ray.
        width: number of rays per group.

    Returns:
        The ray in each slot, int64 (T, width), where the last ray of a room fills incomplete groups; and the
        slot of each ray, int64 (R,), in 0 to T * width - 1.
    """
    order = torch.sort(scene, stable=True).indices
    rooms = int(scene.max()) + 1 if len(scene) else 0
    counts = torch.bincount(scene, minlength=rooms)
    padded = (counts + width - 1) // width * width
    starts, slots = counts.cumsum(0) - counts, padded.cumsum(0) - padded
    room = torch.repeat_interleave(torch.arange(rooms, device=scene.device), padded)
    rank = torch.arange(len(room), device=scene.device) - slots[room]
    chosen = order[starts[room] + torch.minimum(rank, counts[room] - 1)]
    places = torch.empty_like(scene)
    places[order] = torch.arange(len(scene), device=scene.device) - starts[scene[order]] + slots[scene[order]]
    return chosen.view(-1, width), places


def close_pairs(batch: SceneBatch, bundle: Bundle, part: slice, there: Tensor) -> tuple[Tensor, Tensor]:
    """Find pairs of a group and a primitive whose bounding box the group's swept box touches, by group."""
    scene = bundle.scene[part]
    start = torch.stack([o[part] for o in bundle.origin])
    end = start + torch.stack([d[part] for d in bundle.direction]) * bundle.end[part, None]
    (start_middle, start_half), (end_middle, end_half) = _box_around(start), _box_around(end)
    centre, extent = batch.centre[scene], batch.extent[scene]
    meets = _swept(
        [start_middle[i, :, None] - centre[..., i] for i in range(3)],
        [end_middle[i, :, None] - centre[..., i] for i in range(3)],
        [start_half[i, :, None] + extent[..., i] for i in range(3)],
        [end_half[i, :, None] + extent[..., i] for i in range(3)],
    )
    group, primitive = (meets & there[scene]).nonzero(as_tuple=True)
    solid = scene[group] * batch.shape.shape[1] + primitive
    centre, half = batch.centre.flatten(0, 1)[solid].T, batch.half.flatten(0, 1)[solid]
    axes = batch.axes.flatten(0, 1)[solid].movedim(0, -1).contiguous()

    def turned(vector: Tensor, matrix: Tensor) -> list[Tensor]:
        return [
            matrix[0, i] * vector[0] + matrix[1, i] * vector[1] + matrix[2, i] * vector[2] for i in range(3)
        ]

    meets = _swept(
        turned(start_middle[:, group] - centre, axes),
        turned(end_middle[:, group] - centre, axes),
        [size + half[:, i] for i, size in enumerate(turned(start_half[:, group], axes.abs()))],
        [size + half[:, i] for i, size in enumerate(turned(end_half[:, group], axes.abs()))],
    )
    return group[meets], primitive[meets]


def _box_around(points: Tensor) -> tuple[Tensor, Tensor]:
    """Middles and half sizes (3, T) of the boxes around groups of points (3, T, G)."""
    low, high = points.amin(-1), points.amax(-1)
    return (low + high) / 2, (high - low) / 2


def _swept(
    start: list[Tensor], end: list[Tensor], start_half: list[Tensor], end_half: list[Tensor]
) -> Tensor:
    """True if boxes that move and grow linearly ever contain the origin; lists have a tensor per axis."""
    # |start + s (end - start)| <= start_half + s (end_half - start_half) for some s in [0, 1], on all axes
    lower, upper = torch.zeros_like(start[0]), torch.ones_like(start[0])
    possible = torch.ones_like(lower, dtype=torch.bool)
    for axis in range(3):
        for sign in (1, -1):
            here = sign * start[axis] - start_half[axis] - _SLACK
            there = sign * end[axis] - end_half[axis] - _SLACK
            change = there - here
            cross = -here / torch.where(change == 0, 1e-20, change)
            upper = torch.where(change > 0, torch.minimum(upper, cross), upper)
            lower = torch.where(change < 0, torch.maximum(lower, cross), lower)
            possible &= (here <= 0) | (there <= 0)
    return possible & (lower <= upper + 1e-4)
