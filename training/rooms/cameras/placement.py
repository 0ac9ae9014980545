"""Placement of cameras in a room: several cameras look at one surface point, for each of several points."""

# ruff: noqa: PLR0917
# Functions take positions, or spans of sides, in the order x, y, z.
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from taskbank.geometry import euler_angles
from training.data.room_classes import nyu40
from training.errors import DataError
from training.rooms.cameras.styles import ROOM, CameraOptions, Subject
from training.rooms.draw import Draw
from training.rooms.scene import Cameras, Scene
from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.rays import camera_rays
from training.rooms.tracing.trace import Hits, cast

Numbers: TypeAlias = NDArray[np.float64]

_SIGHT = 0.01
"""Largest difference between the seen depth and the fixated point's, as a share of the distance."""

_CLEARANCE = (1.0, 1.0, 0.6)
"""Shares of the clearance that are kept at first, when too few views are found, and as a last resort."""

_NEIGHBOURS = 0.4
"""Metres within which other objects count as neighbours of an object."""

_GRID = 8
"""Rays along each side of a view for judging it."""

_BARE = tuple(nyu40(name) for name in ("wall", "floor", "ceiling", "door", "window"))


@dataclass(frozen=True, slots=True)
class _Sight:
    """A surface point and the positions that see it."""

    point: Numbers
    places: Numbers
    pitch: Numbers


def place_cameras(
    scene: Scene,
    seed: int,
    points: int,
    views: int,
    *,
    singles: int = 0,
    styles: Mapping[CameraOptions, float] = MappingProxyType({ROOM: 1.0}),
) -> Cameras:
    """Place cameras in a room.

    Args:
        scene: the room.
        seed: equal seeds give equal cameras.
        points: number of points that several cameras fixate.
        views: number of cameras that fixate each of them.
        singles: number of further points that one camera fixates.
        styles: camera styles and their shares; all cameras of a point have one style. If a room has no
            subject of a style, the first style is used.

    Returns:
        points * views + singles cameras, grouped by point. Each sees its point.

    Raises:
        DataError: the room is so full that too few points are seen from enough positions.
    """
    draw = Draw(seed, 2)
    batch = SceneBatch.of([scene])
    first = next(iter(styles))
    sights: dict[CameraOptions, Iterator[tuple[int, _Sight]]] = {}
    rows: list[Cameras] = []
    for wanted in [views] * points + [1] * singles:
        style = draw.weighted(styles)
        for held in dict.fromkeys((style, first)):
            # each style continues after its last point, so that failed proposals are not tried again
            found = sights.setdefault(held, _proposed(scene, batch, draw, held, points + singles))
            cameras = _next_point(batch, draw, held, found, wanted, [row.fixated[0] for row in rows])
            if cameras is not None:
                point = np.full(wanted, len(rows), dtype=np.int32)
                rows.append(replace(cameras, point=point, view=np.arange(wanted, dtype=np.int32)))
                break
        else:
            raise DataError(
                f"room {scene.seed} has no {points} points that {views} cameras see; ask for fewer"
            )
    return Cameras(**{name: np.concatenate([getattr(r, name) for r in rows]) for name in Cameras.__slots__})


def _proposed(
    scene: Scene, batch: SceneBatch, draw: Draw, options: CameraOptions, points: int
) -> Iterator[tuple[int, _Sight]]:
    """Yield points with the positions that see them, and the strictness level of views: 0, 1, finally 2."""
    found: dict[float, Numbers] = {}
    for level in (0, 0, 1, 1, 2, 2):
        clear = options.clear * _CLEARANCE[level]
        if options.subject is not None:
            sights = _sights_of_subject(scene, batch, draw, options, options.subject, clear)
        else:
            if clear not in found:
                found[clear] = _places(scene, batch, draw, options, clear)
            places = found[clear]
            sights = _sights(batch, draw, options, places, points * options.proposals) if len(places) else []
        yield from ((level, sight) for sight in sights)


def _next_point(
    batch: SceneBatch,
    draw: Draw,
    options: CameraOptions,
    proposed: Iterator[tuple[int, _Sight]],
    views: int,
    seen: list[Numbers],
) -> Cameras | None:
    """Cameras of the next proposed point that enough cameras see and that is far from earlier points."""
    for level, sight in proposed:
        near = any(np.linalg.norm(sight.point - other) < options.apart for other in seen)
        if not near and len(sight.places) >= views:
            held = _views(batch, draw, options, sight, views, level)
            if held is not None:
                return held
    return None


def _places(scene: Scene, batch: SceneBatch, draw: Draw, options: CameraOptions, clear: float) -> Numbers:
    """Draw camera positions in the room, far enough from all solids."""
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
    return spots[_inside(scene, batch, spots, clear)]


def _inside(scene: Scene, batch: SceneBatch, spots: Numbers, clear: float) -> NDArray[np.bool_]:
    """True for positions far enough from solids and in the room, where rays to all sides hit surfaces."""
    angles = np.arange(8) * np.pi / 4 + 0.1
    level = np.stack([np.cos(angles), np.sin(angles), np.zeros(8)], axis=-1)
    ways = np.concatenate([level, [[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]])
    # Metres from each position to the nearest box around a solid; 0 inside.
    solids = scene.primitives
    between = spots[:, None, :] - solids.centre[None].astype(np.float64)
    own = np.einsum("pni,nij->pnj", between, solids.axes.astype(np.float64))
    out = np.maximum(np.abs(own) - solids.half[None], 0.0)
    good: NDArray[np.bool_] = np.linalg.norm(out, axis=-1).min(1) >= clear
    hits = _cast(batch, np.repeat(spots[good], len(ways), axis=0), np.tile(ways, (int(good.sum()), 1)))
    good[good] = (hits.primitive >= 0).reshape(-1, len(ways)).all(1).numpy()
    return good


def _sights(
    batch: SceneBatch, draw: Draw, options: CameraOptions, places: Numbers, count: int
) -> list[_Sight]:
    """Cast random rays from the positions, and find the positions that see the points that they hit."""
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
    return _seen(batch, options, points, normals, [places] * len(points))


def _sights_of_subject(
    scene: Scene, batch: SceneBatch, draw: Draw, options: CameraOptions, subject: Subject, clear: float
) -> list[_Sight]:
    """Choose points of objects, and positions around each that see it."""
    things = _subjects(scene, subject)
    if not things:
        return []
    solids = scene.primitives
    low, high = np.log(options.far)
    aims, spots = [], []
    for _ in range(options.proposals):
        candidates = [draw.one_of(draw.one_of(things)) for _ in range(subject.choice)]
        solid = draw.one_of(max(candidates, key=lambda rows: _company(scene, rows)))
        off = [draw.between(-0.6, 0.6) * half for half in solids.half[solid].tolist()]
        aim = solids.centre[solid].astype(np.float64) + solids.axes[solid].astype(np.float64) @ off
        aims.append(aim)
        middle = draw.between(-180, 180)
        for _ in range(options.positions):
            around = np.radians(middle + draw.between(-subject.around, subject.around))
            steep = np.radians(draw.normal(subject.elevation, subject.elevation_sigma, -10.0, 75.0))
            out = np.array([np.cos(steep) * np.cos(around), np.cos(steep) * np.sin(around), np.sin(steep)])
            spots.append(aim + np.exp(draw.between(low, high)) * out)
    tried = np.array(spots)
    usable = (tried[:, 2] >= options.height[0]) & (tried[:, 2] <= options.height[1])
    usable[usable] = _inside(scene, batch, tried[usable], clear)
    around_each = [
        some[kept]
        for some, kept in zip(tried.reshape(len(aims), -1, 3), usable.reshape(len(aims), -1), strict=True)
    ]
    reachable = [number for number, places in enumerate(around_each) if len(places)]
    if not reachable:
        return []
    # the point is the first hit of a ray from the first position towards the object
    start = np.stack([around_each[number][0] for number in reachable])
    way = np.stack([aims[number] for number in reachable]) - start
    hits = _cast(batch, start, way / np.linalg.norm(way, axis=1, keepdims=True))
    label = batch.label[0][hits.primitive.clamp(min=0)].numpy()
    good = np.flatnonzero((hits.primitive.numpy() >= 0) & ~np.isin(label, _BARE))
    points = hits.position.numpy().astype(np.float64)[good]
    normals = hits.normal.numpy().astype(np.float64)[good]
    return _seen(batch, options, points, normals, [around_each[reachable[number]] for number in good])


def _subjects(scene: Scene, subject: Subject) -> list[list[list[int]]]:
    """List fitting objects, each as the rows of its solids, by label; labels repeat as in the subject."""
    solids = scene.primitives
    reach = np.abs(solids.axes * solids.half[:, None, :]).sum(-1)
    low, high = solids.centre - reach, solids.centre + reach
    carries = ~np.isin(solids.label, _BARE)
    found: dict[int, dict[int, list[int]]] = {}
    for row in np.flatnonzero(np.isin(solids.label, subject.labels)).tolist():
        things = found.setdefault(int(solids.label[row]), {})
        things.setdefault(int(solids.thing[row]), []).append(row)
    fitting: dict[int, list[list[int]]] = {}
    for label, things in found.items():
        for thing, rows in things.items():
            bottom, top = low[rows].min(0), high[rows].max(0)
            x, y, _ = (bottom + top) / 2
            fits = subject.size[0] <= (top - bottom).max() <= subject.size[1]
            fits &= subject.height[0] - 0.01 <= bottom[2] <= subject.height[1]
            if fits and subject.standing:
                under = carries & (solids.thing != thing) & (np.abs(high[:, 2] - bottom[2]) < 0.03)
                under &= (low[:, 0] < x) & (x < high[:, 0]) & (low[:, 1] < y) & (y < high[:, 1])
                fits = bool(under.any())
            if fits:
                fitting.setdefault(label, []).append(rows)
    return [fitting[label] for label in subject.labels if label in fitting]


def _company(scene: Scene, rows: Sequence[int]) -> int:
    """Count the kinds of objects near an object."""
    solids = scene.primitives
    apart = np.linalg.norm(solids.centre - solids.centre[rows[0]], axis=1)
    return len(np.unique(solids.category[(apart < _NEIGHBOURS) & ~np.isin(solids.label, _BARE)]))


def _seen(
    batch: SceneBatch, options: CameraOptions, points: Numbers, normals: Numbers, places: list[Numbers]
) -> list[_Sight]:
    """Find the positions that see each point."""
    if not len(points):
        return []
    each = np.array([len(some) for some in places])
    owner, start = np.repeat(np.arange(len(points)), each), np.concatenate(places)
    way = points[owner] - start
    length = np.linalg.norm(way, axis=-1)
    way /= length[:, None]
    reached = _cast(batch, start, way).distance.numpy()
    steep = -np.einsum("ki,ki->k", way, normals[owner])
    visible = (np.abs(reached - length) <= _SIGHT * length) & (steep > 0.15)
    visible &= (length >= options.far[0]) & (length <= options.far[1])
    up = np.degrees(np.arcsin(way[:, 2]))
    rows = [np.flatnonzero(visible & (owner == number)) for number in range(len(points))]
    return [_Sight(point, start[row], up[row]) for point, row in zip(points, rows, strict=True)]


def _pitch(draw: Draw, options: CameraOptions) -> float:
    return draw.normal(options.pitch_mean, options.pitch_sigma, *options.pitch)


def _views(
    batch: SceneBatch, draw: Draw, options: CameraOptions, sight: _Sight, views: int, level: int
) -> Cameras | None:
    """Cameras at distant positions whose pitch fits and whose pictures pass `_judged`."""
    # Order positions so that their pitches follow the wanted distribution.
    left = list(range(len(sight.places)))
    order: list[int] = []
    while left and len(order) < 3 * views:
        wanted = _pitch(draw, options)
        best = min(left, key=lambda number: abs(sight.pitch[number] - wanted))
        left.remove(best)
        order.append(best)
    # All look at the point, rotated about their axis by a roll.
    location, angles = sight.places[order], []
    for place in location:
        sigma = options.roll_sigma * (4.0 if draw.chance(options.tilted) else 1.0)
        roll = float(np.radians(draw.normal(0.0, sigma, -options.roll, options.roll)))
        way = sight.point - place
        back = -way / np.linalg.norm(way)
        right = np.array([-back[1], back[0], 0.0]) / np.hypot(back[0], back[1])
        up = np.cross(back, right)
        c, s = np.cos(roll), np.sin(roll)
        angles.append(euler_angles(np.stack([c * right + s * up, c * up - s * right, back], axis=-1)))
    fov = [draw.normal(options.fov_mean, options.fov_sigma, *options.fov) for _ in order]
    held = Cameras(
        location=location,
        angles=np.array(angles).reshape(-1, 3),
        fov=np.radians(fov),
        point=np.zeros(len(order), dtype=np.int32),
        view=np.zeros(len(order), dtype=np.int32),
        fixated=np.tile(sight.point, (len(order), 1)),
    )
    good = _judged(batch, options, held, level)
    kept: list[int] = []
    for number in np.flatnonzero(good):
        apart = [np.linalg.norm(held.location[number] - held.location[other]) for other in kept]
        if min(apart, default=9.0) > options.apart * (1.0 if level < 2 else 1 / 3):
            kept.append(int(number))
        if len(kept) == views:
            return Cameras(**{name: getattr(held, name)[kept] for name in Cameras.__slots__})
    return None


def _judged(batch: SceneBatch, options: CameraOptions, held: Cameras, level: int) -> NDArray[np.bool_]:
    """Return True for views of a room: little very near, no object filling the view, not only walls."""
    count = len(held.fov)
    origins, ways = camera_rays(held, _GRID)
    rays = ways.reshape(count, -1, 3)
    every = torch.zeros(count * rays.shape[1], dtype=torch.long)
    starts = origins[:, None, :].expand_as(rays).reshape(-1, 3)
    hits = cast(batch, every, starts, rays.reshape(-1, 3))
    distance = hits.distance.reshape(count, -1).numpy()
    thing = batch.thing[0][hits.primitive.clamp(min=0)].reshape(count, -1).numpy()
    bare = np.isin(batch.label[0][hits.primitive.clamp(min=0)].reshape(count, -1).numpy(), _BARE)
    near = np.quantile(distance, 0.08, axis=1) > options.nearest[level]
    open_enough = np.median(distance, axis=1) > options.median[level]
    shown = (
        np.array([np.unique(row, return_counts=True)[1].max() for row in thing])
        < options.largest[level] * thing.shape[1]
    )
    several = np.array([len(np.unique(row)) for row in thing]) >= options.things[level]
    furnished = bare.mean(1) < options.barest[level]
    good: NDArray[np.bool_] = near & open_enough & shown & several & furnished & np.isfinite(distance).all(1)
    return good


def _cast(batch: SceneBatch, origins: Numbers, ways: Numbers) -> Hits:
    every = torch.zeros(len(origins), dtype=torch.long)
    return cast(batch, every, torch.from_numpy(origins).float(), torch.from_numpy(ways).float())
