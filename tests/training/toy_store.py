"""A small store with labels of every domain: smooth relief in front of cameras that fixate shared points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from training.data.frames import CAMERA, SIGHTING, FrameStore, FrameWriter

from taskbank.geometry import euler_angles, rotation

Numbers = NDArray[np.float64]


def toy_store(
    root: Path,
    *,
    rooms: int = 4,
    points: int = 3,
    views: int = 3,
    size: int = 32,
    seed: int = 0,
    first_room: int = 0,
    gaps: bool = True,
) -> FrameStore:
    """A finished store of rooms * points * views frames, two rooms a shard.

    Args:
        root: an empty folder.
        rooms: how many.
        points: fixated points of a room.
        views: cameras that fixate each.
        size: side of the images in px.
        seed: of everything.
        first_room: number of the first room, so that splits can differ.
        gaps: whether some labels are unknown: a hole in every 5th depth map, no object in every 7th frame,
            and no box in the last room where there are more than two.
    """
    writer = FrameWriter(root, size=size, about={"made_by": "toy_store", "seed": seed})
    numbers = list(range(first_room, first_room + rooms))
    shards = [numbers[start : start + 2] for start in range(0, rooms, 2)]
    for shard, members in enumerate(shards):
        cameras = np.concatenate([_cameras(seed, room, points, views) for room in members])
        if gaps and rooms > 2:
            cameras["box"][cameras["room"] == numbers[-1]] = np.nan
        frames = [_labels(seed, camera, size) for camera in cameras]
        labels = {name: np.stack([frame[name] for frame in frames]) for name in frames[0]}
        if gaps:
            labels["depth_zbuffer"][::5, :3, :3] = 65535
            labels["depth_euclidean"][::5, :3, :3] = 65535
            labels["class_object"][::7] = -1
        writer.write_shard(shard, labels, cameras, _sightings(cameras, size))
    return writer.finish(len(shards))


def _cameras(seed: int, room: int, points: int, views: int) -> NDArray[np.void]:
    """Cameras of one room, each looking straight at its point."""
    draw = np.random.default_rng([seed, room])
    box = np.array([[0.0, 0.0, 0.0], draw.uniform([4, 4, 2.4], [7, 6, 3.2])]) + draw.normal(0, 3, 3)
    cameras = np.zeros(points * views, CAMERA)
    for number in range(points):
        fixated = box[0] + (box[1] - box[0]) * draw.uniform(0.35, 0.65, 3)
        for view in range(views):
            camera = cameras[number * views + view]
            around = draw.uniform(0, 2 * np.pi)
            away = np.array([np.cos(around), np.sin(around), draw.uniform(-0.2, 0.3)])
            camera["location"] = fixated + away * draw.uniform(1.2, 2.0)
            camera["angles"] = _looking(fixated - camera["location"])
            camera["room"], camera["point"], camera["view"] = room, number, view
            camera["fov"], camera["fixated"], camera["box"] = draw.uniform(0.8, 1.5), fixated, box
    return cameras


def _looking(ahead: Numbers) -> Numbers:
    """Angles of a level camera that looks along a direction."""
    back = -ahead / np.linalg.norm(ahead)
    right = np.cross([0, 0, 1.0], back)
    right /= np.linalg.norm(right)
    return euler_angles(np.stack([right, np.cross(back, right), back], axis=1))


def _sightings(cameras: NDArray[np.void], size: int) -> NDArray[np.void]:
    """Find the frames that see points they do not fixate."""
    found = []
    for frame, camera in enumerate(cameras):
        mates = cameras[cameras["room"] == camera["room"]]
        for point in np.unique(mates["point"]):
            if point == camera["point"]:
                continue
            target = mates[mates["point"] == point][0]["fixated"]
            x, y, z = rotation(camera["angles"]).T @ (target - camera["location"])
            focal = size / 2 / np.tan(camera["fov"] / 2)
            column, row = size / 2 - focal * x / z, size / 2 + focal * y / z
            if z < 0 and min(column, row) >= 0 and max(column, row) < size:
                found.append((frame, camera["room"], point, column, row))
    return np.array(found, dtype=SIGHTING)


def _labels(seed: int, camera: NDArray[np.void], size: int) -> dict[str, NDArray[np.generic]]:
    """Codes of one frame. The picture shows depth, slope and a stripe, so that there is something to learn."""
    draw = np.random.default_rng([seed, *(int(camera[name]) for name in ("room", "point", "view"))])
    across = np.linspace(-1, 1, size)
    x, y = np.meshgrid(across, across)
    depth = 2.5 + 0.6 * draw.normal() * x + 0.6 * draw.normal() * y
    for _ in range(3):
        fx, fy, phase = draw.uniform(-3, 3), draw.uniform(-3, 3), draw.uniform(0, 6)
        depth = depth + 0.25 * np.sin(fx * x + fy * y + phase)
    depth = depth.clip(0.5, 8)
    tangent = np.tan(float(camera["fov"]) / 2)
    normal = _normals(depth, tangent, across)
    stripes = 0.5 + 0.5 * np.sin(8 * depth)
    rgb = np.stack(
        [1 - depth / 8, normal[..., 0] / 2 + 0.5, 0.7 * (0.5 - normal[..., 1] / 2) + 0.3 * stripes], -1
    )
    rgb = (rgb + draw.normal(0, 0.01, rgb.shape)).clip(0, 1)
    slope_y, slope_x = np.gradient(np.sqrt(depth))
    grey_y, grey_x = np.gradient(rgb.mean(-1))
    bend_x, bend_y = np.gradient(slope_x, axis=1), np.gradient(slope_y, axis=0)
    rays = np.sqrt(1 + (tangent * x) ** 2 + (tangent * y) ** 2)
    levels = np.floor(depth / 0.4).astype(np.uint8)
    return {
        "rgb": _bytes(rgb),
        "depth_zbuffer": (depth * 512).round().astype(np.uint16),
        "depth_euclidean": (depth * rays * 512).round().astype(np.uint16),
        "normal": np.floor((normal + 1) * 127.5).clip(0, 255).astype(np.uint8),
        "principal_curvature": (127 + 600 * np.stack([bend_x, bend_y], -1))
        .clip(1, 254)
        .round()
        .astype(np.uint8),
        "reshading": _bytes((-normal[..., 2] * 4 / depth**2).clip(0, 1)),
        "edge_occlusion": _words(np.hypot(slope_x, slope_y) / 20),
        "edge_texture": _words(np.hypot(grey_x, grey_y) / 2),
        "keypoints2d": _words(np.abs(grey_x * grey_y)),
        "keypoints3d": _words((np.abs(bend_x) + np.abs(bend_y)) * 40),
        "segment_unsup2d": (rgb.mean(-1) * 12).astype(np.uint8),
        "segment_unsup25d": levels,
        "segment_semantic": (1 + levels % 17).astype(np.uint8) * (rgb[..., 0] > 0.2),
        "class_object": np.asarray(int(depth.mean() * 4) % 1000, dtype=np.int16),
        "class_scene": np.asarray(int(camera["room"]) % 63, dtype=np.int16),
    }


def _normals(depth: Numbers, tangent: float, across: Numbers) -> Numbers:
    """Unit normals towards the camera out of depth; x right, y down, z into the scene."""
    x, y = np.meshgrid(across, across)
    surface = np.stack([tangent * x * depth, tangent * y * depth, depth], axis=-1)
    down, right = np.gradient(surface, axis=(0, 1))
    normal = np.cross(down, right)
    unit: Numbers = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
    return unit


def _bytes(share: Numbers) -> NDArray[np.uint8]:
    return (share * 255).round().astype(np.uint8)


def _words(share: Numbers) -> NDArray[np.uint16]:
    return (share * 65535).round().clip(0, 65535).astype(np.uint16)
