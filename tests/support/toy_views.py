"""Toy rooms as cameras see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from training.data.labels import surfaces
from training.rooms.frames.views import cast_views
from training.rooms.scene import Cameras, Scene
from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.trace import Hits

from taskbank.geometry import rotation


@dataclass(frozen=True)
class Seen:
    """The views of one room's cameras, in camera frames; maps (F, size, size, ...)."""

    hits: Hits
    points: Tensor
    upright: Tensor
    normal: Tensor
    depth: Tensor
    distance: Tensor
    focal: Tensor


def look(scene: Scene, cameras: Cameras, size: int) -> Seen:
    """Rays of all pixels, and the labels of surfaces that need no neighbours."""
    rows = torch.zeros(len(cameras.fov), dtype=torch.int64)
    hits = cast_views(SceneBatch.of([scene]), rows, cameras, size)
    turn = torch.from_numpy(rotation(cameras.angles)).float()
    points = surfaces.to_camera(hits.position, torch.from_numpy(cameras.location).float(), turn)
    return Seen(
        hits=hits,
        points=points,
        upright=surfaces.turned_to_camera(hits.normal, turn),
        normal=surfaces.normal(hits.normal, turn),
        depth=surfaces.depth_zbuffer(points),
        distance=surfaces.depth_euclidean(points),
        focal=torch.from_numpy(size / 2 / np.tan(cameras.fov / 2)).float(),
    )
