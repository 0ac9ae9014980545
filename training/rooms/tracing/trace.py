"""Ray casting: the nearest surfaces that rays hit, and lines of sight.

Rays are divided into groups of neighbours: the tiles of a picture, or runs of a list. The space that a group
can reach is a box that moves and grows linearly from the rays' origins to their ends; a shape is skipped for
all rays of the group if that swept box never touches its bounding box, along the world's axes or its own. The
remaining pairs of a group and a shape are computed together for each kind of shape.

Skipping shapes does not change any bit of the result, nor do other rays in the batch: every ray's numbers
come from elementwise operations, and the nearest of several hits does not depend on their order (of equal
distances, the lower primitive number wins). Between devices distances agree up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from training.rooms.scene import Shape
from training.rooms.tracing import curvature, shapes
from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.ray_groups import Bundle, close_pairs, grouped
from training.rooms.tracing.shapes import NOWHERE, Vector

_GROUP = 64
"""Rays per group if the caller makes no groups."""

_JUST_OUTSIDE = 1e-4
"""Metres; more than the rounding of points, less than the thickness of any solid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """The first hits of rays. Leading dimensions are those of the rays. Metres, float32.

    Attributes:
        distance: (...), from the ray's origin to the surface; infinity if nothing is hit.
        position: (..., 3), world.
        normal: (..., 3), world, unit length, on the ray's side.
        primitive: int64 (...), row of the room's primitives; -1 if nothing is hit.
        own: (..., 3), position in the primitive's own frame.
        curvature: (..., 2), principal curvatures in 1/m, the first not less than the second; negative where
            the surface bulges towards the viewer (a ball has twice -1/radius), positive where it is hollow.
    """

    distance: Tensor
    position: Tensor
    normal: Tensor
    primitive: Tensor
    own: Tensor
    curvature: Tensor


def cast(
    batch: SceneBatch,
    scene: Tensor | None,
    origins: Tensor,
    directions: Tensor,
    *,
    cull: bool = True,
    memory: int | None = None,
) -> Hits:
    """Find the first surfaces that rays hit.

    Args:
        batch: the rooms.
        scene: int64 (R,), the room of each ray; or None for rays (S, R, 3), with equally many in each room.
        origins: float32 (R, 3) or (S, R, 3), metres, world.
        directions: float32, of the same shape, unit length.
        cull: True skips shapes out of a group's reach, which saves time and does not change the result.
        memory: approximate bytes for intermediate results; None for a default of the device.
    """
    if scene is None:
        rooms, count = origins.shape[:2]
        scene = torch.arange(rooms, device=batch.device).repeat_interleave(count)
        hits = cast(batch, scene, origins.reshape(-1, 3), directions.reshape(-1, 3), cull=cull, memory=memory)
        return _mapped(hits, lambda values: values.reshape(rooms, count, *values.shape[1:]))
    slots, places = grouped(scene, _GROUP)
    rays = _split(origins[slots]), _split(directions[slots])
    bundle = Bundle.endless(batch, scene[slots[:, 0]], *rays)
    hits = cast_bundle(batch, bundle, cull=cull, memory=memory)
    return _mapped(hits, lambda values: values.flatten(0, 1)[places])


def cast_bundle(batch: SceneBatch, bundle: Bundle, *, cull: bool = True, memory: int | None = None) -> Hits:
    """Find the first surfaces that grouped rays of unit length hit, as (T, G) maps."""
    distance, primitive = nearest(batch, bundle, cull=cull, memory=memory)
    shape = distance.shape
    hit = (primitive >= 0).flatten()
    scene = bundle.scene[:, None].expand(shape).flatten()
    solid = scene * batch.shape.shape[1] + primitive.flatten().clamp(min=0)
    t = torch.where(hit, distance.flatten(), 0.0)
    ray = [d.expand(shape).flatten() for d in bundle.direction]
    start = [o.expand(shape).flatten() for o in bundle.origin]
    position = [o + t * d for o, d in zip(start, ray, strict=True)]
    axes = batch.axes.flatten(0, 1)[solid]
    centre = batch.centre.flatten(0, 1)[solid]
    offset = [p - centre[:, i] for i, p in enumerate(position)]
    own = torch.stack(
        [axes[:, 0, i] * offset[0] + axes[:, 1, i] * offset[1] + axes[:, 2, i] * offset[2] for i in range(3)]
    )
    bare, bend = _forms(batch, solid, own)
    normal = [axes[:, i, 0] * bare[0] + axes[:, i, 1] * bare[1] + axes[:, i, 2] * bare[2] for i in range(3)]
    # Turn normals to the rays' side, as rounding may have turned them away at grazing rays.
    away = (normal[0] * ray[0] + normal[1] * ray[1] + normal[2] * ray[2]).clamp(min=0)
    turned = [n - away * d for n, d in zip(normal, ray, strict=True)]
    length = (turned[0] ** 2 + turned[1] ** 2 + turned[2] ** 2).sqrt().clamp(min=1e-12)
    normal = [n / length for n in turned]

    def whole(parts: list[Tensor] | Tensor) -> Tensor:
        stacked = torch.stack(list(parts), -1)
        return stacked.masked_fill_(~hit[:, None], 0.0).reshape(*shape, stacked.shape[1])

    return Hits(
        distance=distance,
        position=whole(position),
        normal=whole(normal),
        primitive=primitive,
        own=whole(own),
        curvature=whole(bend),
    )


def nearest(
    batch: SceneBatch,
    bundle: Bundle,
    *,
    counts: Tensor | None = None,
    cull: bool = True,
    memory: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Find the ray parameters of the first hits before the rays' ends, and their primitives.

    Args:
        batch: the rooms.
        bundle: the rays.
        counts: bool (S, N), primitives to use; None for all.
        cull: as in `cast`.
        memory: likewise.

    Returns:
        ray parameters float32 (T, G), infinity without a hit; and primitives int64 (T, G), -1 without a hit.
    """
    groups, width = len(bundle.scene), bundle.direction[0].shape[1]
    best = bundle.direction[0].new_full((groups, width), NOWHERE)
    owner = torch.full((groups, width), -1, dtype=torch.int64, device=best.device)
    there = batch.valid if counts is None else batch.valid & counts
    # Small chunks stay in the CPU's cache.
    memory = memory or (2 * 1024**3 if best.device.type == "cuda" else 16 * 1024**2)
    for first, last, pairs in _worklists(batch, bundle, there, cull, memory):
        t = _entries(batch, bundle, pairs)
        t.masked_fill_(t >= bundle.end[pairs[0]][:, None], NOWHERE)
        rows = (pairs[0] - first)[:, None].expand(-1, width)
        least = best[first:last].scatter_reduce_(0, rows, t, "amin")
        best[first:last] = least
        won = t == least.gather(0, rows)
        numbers = torch.where(won, pairs[1][:, None], batch.shape.shape[1])
        owners = torch.full_like(owner[first:last], batch.shape.shape[1])
        owner[first:last] = owners.scatter_reduce_(0, rows, numbers, "amin")
    return best, torch.where(best < NOWHERE, owner, -1)


def occluded(
    batch: SceneBatch,
    scene: Tensor,
    points_from: Tensor,
    points_to: Tensor,
    *,
    tolerance: float = 0.01,
) -> Tensor:
    """Return True if a solid is between two points.

    Args:
        batch: the rooms.
        scene: int64 (R,), the room of each pair.
        points_from: float32 (R, 3), metres, world.
        points_to: float32 (R, 3).
        tolerance: metres before the second point that are ignored, as it may be on a surface.

    Returns:
        bool (R,).
    """
    slots, places = grouped(scene, _GROUP)
    line = points_to - points_from
    length = line.square().sum(-1, keepdim=True).sqrt().clamp(min=1e-9)
    step = line / length
    # start just outside, so that a line from a surface through its own solid is occluded
    start = points_from - step * _JUST_OUTSIDE
    rest = step * (length - tolerance + _JUST_OUTSIDE).clamp(min=_JUST_OUTSIDE)
    room = scene[slots[:, 0]]
    bundle = Bundle(room, _split(start[slots]), _split(rest[slots]), torch.ones_like(room, dtype=line.dtype))
    return (nearest(batch, bundle)[0] < NOWHERE).flatten()[places]


def _entries(batch: SceneBatch, bundle: Bundle, pairs: tuple[Tensor, Tensor]) -> Tensor:
    """Ray parameters of all pairs (P, G): first for bounding boxes, then by kind for rays that hit them."""
    group, primitive = pairs
    solid = bundle.scene[group] * batch.shape.shape[1] + primitive
    kind, detail = batch.shape.flatten()[solid], batch.detail.flatten()[solid]
    kind = torch.where((kind == Shape.BOX) & (detail > 0), shapes.ROUND_BOX, kind)
    axes, centre = batch.axes.flatten(0, 1)[solid], batch.centre.flatten(0, 1)[solid]
    origin = _turned(axes, [o[group] - centre[:, i, None] for i, o in enumerate(bundle.origin)])
    direction = _turned(axes, [d[group] for d in bundle.direction])
    half = batch.half.flatten(0, 1)[solid]
    near, far = shapes.slabs(origin, direction, _split(half[:, None]))
    meets = (near < far) & (far > 0) & (near < bundle.end[group][:, None])
    sharp = (kind == Shape.BOX)[:, None]
    t = torch.where(meets & sharp & (near > 0), near, NOWHERE)
    places = (meets & ~sharp).flatten().nonzero()[:, 0]
    row = places // near.shape[1]
    kinds = kind[row]
    for number in (*Shape, shapes.ROUND_BOX):
        chosen = (kinds == number).nonzero()[:, 0]
        if len(chosen) == 0:
            continue
        place, owner = places[chosen], row[chosen]
        o, d = ([v.expand(near.shape).flatten()[place] for v in some] for some in (origin, direction))
        rays = (o[0], o[1], o[2]), (d[0], d[1], d[2]), _split(half[owner]), detail[owner]
        t.view(-1)[place] = shapes.entry_in_box(number, rays, near.flatten()[place], far.flatten()[place])
    return t


def _turned(axes: Tensor, vector: list[Tensor]) -> Vector:
    """Rotate world vectors to the primitives' frames."""
    x, y, z = (
        axes[:, 0, i, None] * vector[0] + axes[:, 1, i, None] * vector[1] + axes[:, 2, i, None] * vector[2]
        for i in range(3)
    )
    return x, y, z


def _worklists(
    batch: SceneBatch, bundle: Bundle, there: Tensor, cull: bool, memory: int
) -> Iterator[tuple[int, int, tuple[Tensor, Tensor]]]:
    """Yield runs of groups with their pairs (group, primitive) that fit into `memory`."""
    groups, width = len(bundle.scene), bundle.direction[0].shape[1]
    primitives = batch.shape.shape[1]
    wide = max(1, memory // (primitives * 4 * 40))
    most = max(1, memory // (width * 4 * 40))
    for begin in range(0, groups, wide):
        part = slice(begin, min(begin + wide, groups))
        if cull:
            group, primitive = close_pairs(batch, bundle, part, there)
        else:
            group, primitive = there[bundle.scene[part]].nonzero(as_tuple=True)
        starts = torch.searchsorted(group, torch.arange(part.stop - begin + 1, device=group.device)).tolist()
        first = 0
        while first < part.stop - begin:
            last = first + 1
            while last < part.stop - begin and starts[last + 1] - starts[first] <= most:
                last += 1
            run = slice(starts[first], starts[last])
            if run.stop > run.start:
                yield begin + first, begin + last, (group[run] + begin, primitive[run])
            first = last


def _forms(batch: SceneBatch, solid: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
    """Own normals (3, R) and curvatures (2, R)."""
    kind = batch.shape.flatten()[solid]
    half = batch.half.flatten(0, 1)[solid].T
    detail = batch.detail.flatten()[solid]
    normal, bend = torch.empty_like(own), torch.empty_like(own[:2])
    for number in Shape:
        rows = (kind == number).nonzero()[:, 0]
        if len(rows) == 0:
            continue
        made = curvature.form(
            number,
            (own[0, rows], own[1, rows], own[2, rows]),
            (half[0, rows], half[1, rows], half[2, rows]),
            detail[rows],
        )
        normal[:, rows] = torch.stack(made.normal)
        bend[:, rows] = torch.stack([made.first, made.second])
    return normal, bend


def _split(vectors: Tensor) -> Vector:
    """Split vectors into three contiguous tensors, one per component."""
    x, y, z = (vectors[..., i].contiguous() for i in range(3))
    return x, y, z


def _mapped(hits: Hits, change: Callable[[Tensor], Tensor]) -> Hits:
    return Hits(**{name: change(getattr(hits, name)) for name in Hits.__slots__})
