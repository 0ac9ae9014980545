"""Cameras in a room: several that look at one point of a surface, for each of several points.

Heights, pitches, rolls and fields of view are those of photographs of rooms: about at the height of the eyes,
nearly level, looking down a little more often than up.
"""

# ruff: noqa: PLR0917
# What stands somewhere is called with its place, what has sides with their spans, in the order x, y, z.
from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from taskbank.geometry import euler_angles
from training.data.rooms.batch import SceneBatch
from training.data.rooms.classes import nyu40
from training.data.rooms.draw import Draw
from training.data.rooms.rays import camera_rays
from training.data.rooms.scene import Cameras, Scene
from training.data.rooms.trace import Hits, cast
from training.errors import DataError

Numbers: TypeAlias = NDArray[np.float64]

_SIGHT = 0.01
"""Share of the distance by which what is seen may lie nearer or further than the fixated point."""

_GRID = 8
"""Rays along each side of a view that is judged."""

_BARE = tuple(nyu40(name) for name in ("wall", "floor", "ceiling", "door", "window"))

# What views must show, at first, when too few do, and at last.
_NEAREST = (0.75, 0.5, 0.3)
_MEDIAN = (1.9, 1.4, 0.8)
_LARGEST = (0.55, 0.65, 0.8)
_THINGS = (7, 5, 3)
_BAREST = (0.45, 0.6, 0.9)
_CLEAR = (1.0, 1.0, 0.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraOptions:
    """How cameras are held. Metres and degrees; pairs are least and greatest.

    Attributes:
        height: above the floor; around its middle.
        clear: from any solid.
        far: from the fixated point.
        fov, fov_mean, fov_sigma: field of view; around a mean.
        pitch_mean, pitch_sigma: upwards, and its spread.
        roll_sigma, tilted: spread of the roll; one camera in `tilted` has four times as much.
        bare: share of proposed points on walls, floor, ceiling, doors and windows that are kept.
        reach: of proposed points that are nearer, a share is kept that grows with the distance.
        positions: how many places in the room are tried.
        proposals: how many points are tried for each that is wanted.
    """

    height: tuple[float, float] = (0.9, 2.2)
    clear: float = 0.25
    far: tuple[float, float] = (0.8, 10.0)
    fov: tuple[float, float] = (40.0, 90.0)
    fov_mean: float = 53.0
    fov_sigma: float = 12.0
    pitch_mean: float = -6.5
    pitch_sigma: float = 13.0
    roll_sigma: float = 1.3
    tilted: float = 0.1
    bare: float = 0.12
    reach: float = 5.0
    positions: int = 180
    proposals: int = 16


@dataclass(frozen=True, slots=True)
class _Sight:
    """A point of a surface, and the places that see it."""

    point: Numbers
    places: Numbers
    pitch: Numbers


def place_cameras(
    scene: Scene, seed: int, points: int, views: int, options: CameraOptions | None = None
) -> Cameras:
    """Place cameras in a room.

    Args:
        scene: the room.
        seed: the same number, the same cameras.
        points: how many points are fixated.
        views: how many cameras look at each of them.
        options: how cameras are held.

    Returns:
        points * views cameras, those of one point after another. Each sees its point.

    Raises:
        DataError: the room is so full that no point is seen from that many places.
    """
    chosen, draw = options or CameraOptions(), Draw(seed, 2)
    batch = SceneBatch.of([scene])
    rows: list[Cameras] = []
    seen: list[Numbers] = []
    found: dict[float, Numbers] = {}
    for level in (0, 0, 1, 1, 2, 2):
        clear = chosen.clear * _CLEAR[level]
        if clear not in found:
            found[clear] = _places(scene, batch, draw, chosen, clear)
        places = found[clear]
        if len(places) < views:
            continue
        for sight in _sights(batch, draw, chosen, places, points * chosen.proposals):
            near = any(np.linalg.norm(sight.point - other) < 0.3 for other in seen)
            if len(rows) == points or near or len(sight.places) < views:
                continue
            held = _views(batch, draw, chosen, sight, views, level)
            if held is not None:
                seen.append(sight.point)
                rows.append(_numbered(held, len(rows)))
        if len(rows) == points:
            return Cameras(
                **{name: np.concatenate([getattr(row, name) for row in rows]) for name in Cameras.__slots__}
            )
    raise DataError(f"room {scene.seed} has no {points} points that {views} cameras see; ask for fewer")


def _places(scene: Scene, batch: SceneBatch, draw: Draw, options: CameraOptions, clear: float) -> Numbers:
    """Places for cameras: far enough from all solids, and inside: rays to all sides hit something."""
    (x0, y0, _), (x1, y1, top) = scene.box
    low, high = options.height
    high = min(high, top - options.clear)
    middle = min(1.5, (low + high) / 2)
    spots = np.array(
        [
            (draw.between(x0, x1), draw.between(y0, y1), draw.normal(middle, 0.22, low, high))
            for _ in range(options.positions)
        ]
    )
    spots = spots[_clearance(scene, spots) >= clear]
    angles = np.arange(8) * np.pi / 4 + 0.1
    level = np.stack([np.cos(angles), np.sin(angles), np.zeros(8)], axis=-1)
    ways = np.concatenate([level, [[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]])
    hits = _cast(batch, np.repeat(spots, len(ways), axis=0), np.tile(ways, (len(spots), 1)))
    closed = (hits.primitive >= 0).reshape(-1, len(ways)).all(1).numpy()
    inside: Numbers = spots[closed]
    return inside


def _clearance(scene: Scene, spots: Numbers) -> Numbers:
    """Metres from places (P, 3) to the nearest box around a solid; 0 inside."""
    solids = scene.primitives
    between = spots[:, None, :] - solids.centre[None].astype(np.float64)
    own = np.einsum("pni,nij->pnj", between, solids.axes.astype(np.float64))
    out = np.maximum(np.abs(own) - solids.half[None], 0.0)
    nearest: Numbers = np.linalg.norm(out, axis=-1).min(1)
    return nearest


def _sights(
    batch: SceneBatch, draw: Draw, options: CameraOptions, places: Numbers, count: int
) -> list[_Sight]:
    """Points of surfaces that are seen from one of the places, and from which others they are seen."""
    start = np.array([draw.whole(0, len(places) - 1) for _ in range(count)])
    yaw = np.array([draw.between(-np.pi, np.pi) for _ in range(count)])
    pitch = np.radians([_pitch(draw, options) for _ in range(count)])
    ways = np.stack([np.cos(pitch) * np.cos(yaw), np.cos(pitch) * np.sin(yaw), np.sin(pitch)], axis=-1)
    hits = _cast(batch, places[start], ways)
    distance = hits.distance.numpy()
    good = np.isfinite(distance) & (distance >= options.far[0]) & (distance <= options.far[1])
    bare = np.isin(batch.label[0][hits.primitive.clamp(min=0)].numpy(), _BARE)
    good &= ~bare | (np.array([draw.share() for _ in range(count)]) < options.bare)
    good &= np.array([draw.share() for _ in range(count)]) * options.reach < distance
    points = hits.position.numpy().astype(np.float64)[good]
    normals = hits.normal.numpy().astype(np.float64)[good]
    if not len(points):
        return []
    way = points[:, None, :] - places[None, :, :]
    length = np.linalg.norm(way, axis=-1)
    way /= length[..., None]
    rays = _cast(batch, np.tile(places, (len(points), 1)), way.reshape(-1, 3))
    reached = rays.distance.numpy().reshape(length.shape)
    steep = -np.einsum("pki,pi->pk", way, normals)
    visible = (np.abs(reached - length) <= _SIGHT * length) & (steep > 0.15)
    visible &= (length >= options.far[0]) & (length <= options.far[1])
    up = np.degrees(np.arcsin(way[..., 2]))
    return [
        _Sight(point, places[row], up_row[row])
        for point, row, up_row in zip(points, visible, up, strict=True)
    ]


def _pitch(draw: Draw, options: CameraOptions) -> float:
    return draw.normal(options.pitch_mean, options.pitch_sigma, -50.0, 40.0)


def _views(
    batch: SceneBatch, draw: Draw, options: CameraOptions, sight: _Sight, views: int, level: int
) -> Cameras | None:
    """Cameras at places whose pitch fits and whose pictures show something, apart from each other."""
    order = _preferred(draw, options, sight, 3 * views)
    held = _held(draw, options, sight, order)
    good = _judged(batch, held, level)
    kept: list[int] = []
    for number in np.flatnonzero(good):
        apart = [np.linalg.norm(held.location[number] - held.location[other]) for other in kept]
        if min(apart, default=9.0) > (0.3 if level < 2 else 0.1):
            kept.append(int(number))
        if len(kept) == views:
            return Cameras(**{name: getattr(held, name)[kept] for name in Cameras.__slots__})
    return None


def _preferred(draw: Draw, options: CameraOptions, sight: _Sight, most: int) -> list[int]:
    """Numbers of places in an order in which pitches are spread as they shall be."""
    left = list(range(len(sight.places)))
    order: list[int] = []
    while left and len(order) < most:
        wanted = _pitch(draw, options)
        best = min(left, key=lambda number: abs(sight.pitch[number] - wanted))
        left.remove(best)
        order.append(best)
    return order


def _held(draw: Draw, options: CameraOptions, sight: _Sight, order: list[int]) -> Cameras:
    """Cameras at these places that look at the point."""
    location = sight.places[order]
    angles = [_angles(sight.point - place, _roll(draw, options)) for place in location]
    fov = [draw.normal(options.fov_mean, options.fov_sigma, *options.fov) for _ in order]
    count = len(order)
    return Cameras(
        location=location,
        angles=np.array(angles).reshape(-1, 3),
        fov=np.radians(fov),
        point=np.zeros(count, dtype=np.int32),
        view=np.zeros(count, dtype=np.int32),
        fixated=np.tile(sight.point, (count, 1)),
    )


def _roll(draw: Draw, options: CameraOptions) -> float:
    sigma = options.roll_sigma * (4.0 if draw.chance(options.tilted) else 1.0)
    return float(np.radians(draw.normal(0.0, sigma, -15.0, 15.0)))


def _angles(way: Numbers, roll: float) -> Numbers:
    """Angles of a camera that looks that way, turned about its axis by a roll in radians."""
    back = -way / np.linalg.norm(way)
    right = np.array([-back[1], back[0], 0.0]) / np.hypot(back[0], back[1])
    up = np.cross(back, right)
    c, s = np.cos(roll), np.sin(roll)
    return euler_angles(np.stack([c * right + s * up, c * up - s * right, back], axis=-1))


def _judged(batch: SceneBatch, held: Cameras, level: int) -> NDArray[np.bool_]:
    """Whether views show a room: not much very near, no one thing that fills them, not walls alone."""
    count = len(held.fov)
    origins, ways = camera_rays(held, _GRID)
    rays = ways.reshape(count, -1, 3)
    every = torch.zeros(count * rays.shape[1], dtype=torch.long)
    starts = origins[:, None, :].expand_as(rays).reshape(-1, 3)
    hits = cast(batch, every, starts, rays.reshape(-1, 3))
    distance = hits.distance.reshape(count, -1).numpy()
    thing = batch.thing[0][hits.primitive.clamp(min=0)].reshape(count, -1).numpy()
    bare = np.isin(batch.label[0][hits.primitive.clamp(min=0)].reshape(count, -1).numpy(), _BARE)
    near = np.quantile(distance, 0.08, axis=1) > _NEAREST[level]
    open_enough = np.median(distance, axis=1) > _MEDIAN[level]
    shown = (
        np.array([np.unique(row, return_counts=True)[1].max() for row in thing])
        < _LARGEST[level] * thing.shape[1]
    )
    several = np.array([len(np.unique(row)) for row in thing]) >= _THINGS[level]
    furnished = bare.mean(1) < _BAREST[level]
    good: NDArray[np.bool_] = near & open_enough & shown & several & furnished & np.isfinite(distance).all(1)
    return good


def _cast(batch: SceneBatch, origins: Numbers, ways: Numbers) -> Hits:
    every = torch.zeros(len(origins), dtype=torch.long)
    return cast(batch, every, torch.from_numpy(origins).float(), torch.from_numpy(ways).float())


def _numbered(cameras: Cameras, point: int) -> Cameras:
    """The same cameras as those of a point with this number."""
    count = len(cameras.fov)
    return Cameras(
        location=cameras.location,
        angles=cameras.angles,
        fov=cameras.fov,
        point=np.full(count, point, dtype=np.int32),
        view=np.arange(count, dtype=np.int32),
        fixated=cameras.fixated,
    )
