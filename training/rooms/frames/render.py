"""Rendering of frames from rooms and cameras: pictures and labels of all domains, in the dataset's codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskbank.geometry import rotation
from taskbank.labels.codes import DOMAINS, encode
from training.data.frames import CAMERA
from training.data.labels import surfaces
from training.data.labels.classes import class_object
from training.data.labels.edges import edge_occlusion, edge_texture
from training.data.labels.keypoints2d import keypoints2d
from training.data.labels.keypoints3d import keypoints3d
from training.data.labels.segments import segment_unsup2d, segment_unsup25d
from training.data.room_classes import semantic_channels
from training.rooms.frames.sightings import find_sightings
from training.rooms.frames.views import Views, render_views
from training.rooms.scene import Cameras, Scene
from training.rooms.surfaces.environments import Environments
from training.rooms.surfaces.textures import Textures
from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.trace import Hits

_UNSEEN = 128.0  # depth in metres of rays that hit nothing, for labels that use neighbours
_PIXELS_AT_ONCE = 2**22  # pixels whose labels are in memory at once, about a gigabyte
_MOST_VIEWS = 2**16  # views per room, at most; picture seed = room seed * this + view


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """Rendered frames, as `FrameWriter.write_shard` takes them.

    Attributes:
        labels: domain -> codes, (F, size, size[, channels]) or (F,).
        cameras: `CAMERA` records, (F,).
        sightings: `SIGHTING` records; frames are numbered from 0.
    """

    labels: Mapping[str, NDArray[Any]]
    cameras: NDArray[np.void]
    sightings: NDArray[np.void]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewedRoom:
    """A room with its number and the cameras in it."""

    number: int
    scene: Scene
    cameras: Cameras


@torch.inference_mode()
def render_frames(
    rooms: Sequence[ViewedRoom],
    size: int,
    *,
    textures: Textures | None = None,
    environments: Environments | None = None,
    device: torch.device | str = "cpu",
    pool: Executor | None = None,
    labelled: bool = True,
) -> Frames:
    """Render the frames of all cameras of some rooms, with the labels of all domains.

    A frame depends only on its room's number, scene and cameras.

    Args:
        rooms: at least one room; frames are grouped by room.
        size: side of the pictures in px.
        textures: images of materials, on the device; needed if rooms use some.
        environments: panoramas behind windows, on the device; needed if rooms use some.
        device: device for casting rays; segments are found on the CPU.
        pool: executor for finding segments; None for this thread.
        labelled: False for pictures and classes of rooms only, without other labels.
    """
    cameras = joined([room.cameras for room in rooms])
    rows = _repeated(range(len(rooms)), rooms)
    scene = torch.from_numpy(rows).to(device)
    batch = SceneBatch.of([room.scene for room in rooms], device)
    seeds = [room.scene.seed * _MOST_VIEWS + view for room in rooms for view in range(len(room.cameras.fov))]
    at_once = max(1, _PIXELS_AT_ONCE // size**2)
    parts = []
    for start in range(0, len(seeds), at_once):
        part = slice(start, start + at_once)
        one = (batch, scene[part], _some(cameras, part), size, seeds[part])
        views = render_views(*one, textures=textures, environments=environments)
        if labelled:
            parts.append(_labels(batch, views, _some(cameras, part), pool))
        else:
            kinds = batch.scene_class[views.scene].to(torch.int16)
            parts.append({"rgb": views.rgb.cpu().numpy(), "class_scene": kinds.cpu().numpy()})
    # Segments are requested last, so that a pool finds them while the next frames are rendered.
    labels = [{name: np.stack(list(codes)) for name, codes in part.items()} for part in parts]
    records = camera_records(rooms, cameras)
    return Frames(
        labels={name: np.concatenate([part[name] for part in labels]) for name in labels[0]},
        cameras=records,
        sightings=find_sightings(batch, scene, records, size),
    )


def _labels(
    batch: SceneBatch, views: Views, cameras: Cameras, pool: Executor | None
) -> dict[str, Iterable[NDArray[Any]]]:
    """Codes of all domains, frame by frame."""
    colours = views.rgb.float() / 255
    values = _of_geometry(views.hits, cameras)
    values |= {"edge_texture": edge_texture(colours), "keypoints2d": keypoints2d(colours)}
    coded = {domain: encode(domain, label) for domain, label in values.items()}
    # Classes of objects, and of the room.
    scene, unseen = views.scene, views.hits.primitive < 0
    rows = (scene[:, None, None], views.hits.primitive.clamp(min=0))
    semantic = semantic_channels(batch.label.cpu().numpy(), batch.category.cpu().numpy()) + 1
    coded |= {
        "rgb": views.rgb,
        "segment_semantic": torch.from_numpy(semantic).to(scene.device)[rows].masked_fill(unseen, 0),
        "class_object": class_object(batch.category[rows].masked_fill(unseen, -1)),
        "class_scene": batch.scene_class[scene],
    }
    # The smallest dtype that holds the codes; classes may be -1.
    dtypes = {domain: np.uint8 if coding.bits == 8 else np.uint16 for domain, coding in DOMAINS.items()}
    stored = {
        domain: codes.cpu().numpy().astype(dtypes.get(domain, np.int16)) for domain, codes in coded.items()
    }
    # Segments are found lazily, frame by frame.
    run = map if pool is None else pool.map
    depth = values["depth_zbuffer"].nan_to_num(_UNSEEN).cpu().numpy()
    others = [values[name].nan_to_num(0).cpu().numpy() for name in ("normal", "edge_occlusion")]
    return {
        **stored,
        "segment_unsup25d": run(segment_unsup25d, depth, *others),
        "segment_unsup2d": run(segment_unsup2d, views.rgb.cpu().numpy()),
    }


def _of_geometry(hits: Hits, cameras: Cameras) -> dict[str, Tensor]:
    """Labels computed from surfaces, in their units."""
    device = hits.distance.device
    turn = torch.from_numpy(rotation(cameras.angles)).to(device, torch.float32)
    location = torch.from_numpy(cameras.location).to(device, torch.float32)
    size = hits.distance.shape[-1]
    focal = torch.from_numpy(size / 2 / np.tan(cameras.fov / 2)).to(device, torch.float32)
    seen = hits.primitive >= 0
    points = surfaces.to_camera(hits.position, location, turn)
    points = torch.where(seen[..., None], points, points.new_tensor([0.0, 0.0, -_UNSEEN]))
    upright = surfaces.turned_to_camera(hits.normal, turn)
    normal = surfaces.normal(hits.normal, turn)
    depth = surfaces.depth_zbuffer(points)
    labels = {
        "depth_zbuffer": depth,
        "depth_euclidean": surfaces.depth_euclidean(points),
        "normal": normal,
        "principal_curvature": hits.curvature,
        "reshading": surfaces.reshading(points, normal),
        "edge_occlusion": edge_occlusion(depth),
        "keypoints3d": keypoints3d(points, upright, focal),
    }
    unseen = ~seen
    return {
        name: label.masked_fill(unseen if label.dim() == 3 else unseen[..., None], torch.nan)
        for name, label in labels.items()
    }


def joined(parts: Sequence[Cameras]) -> Cameras:
    """Concatenate the cameras of several rooms."""
    return Cameras(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in Cameras.__slots__}
    )


def _some(cameras: Cameras, part: slice) -> Cameras:
    return Cameras(**{name: getattr(cameras, name)[part] for name in Cameras.__slots__})


def camera_records(rooms: Sequence[ViewedRoom], cameras: Cameras) -> NDArray[np.void]:
    """Return `CAMERA` records of the joined cameras of rooms."""
    records = np.zeros(len(cameras.fov), dtype=CAMERA)
    records["room"] = _repeated([room.number for room in rooms], rooms)
    records["box"] = np.stack([room.scene.box for room in rooms])[_repeated(range(len(rooms)), rooms)]
    for name in Cameras.__slots__:
        records[name] = getattr(cameras, name)
    return records


def _repeated(values: Iterable[int], rooms: Sequence[ViewedRoom]) -> NDArray[np.int64]:
    """Repeat one value per room for each of its frames."""
    return np.repeat(np.array(list(values), dtype=np.int64), [len(room.cameras.fov) for room in rooms])
