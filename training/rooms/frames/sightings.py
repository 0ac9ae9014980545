"""Sightings: views that see points fixated by other views."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskbank.geometry import project, rotation
from training.data.frames import SIGHTING
from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.trace import occluded

_NEAREST = 0.2  # least distance in metres of a point in front of a camera
_MARGIN = 0.5  # least distance in px of a point from the picture's border


def find_sightings(
    batch: SceneBatch, scene: Tensor, cameras: NDArray[np.void], size: int
) -> NDArray[np.void]:
    """Find all free lines of sight from cameras to points of their room that they do not fixate.

    Args:
        batch: the rooms.
        scene: int64 (F,), row of each camera's room in the batch.
        cameras: `CAMERA` records, (F,).
        size: side of the pictures in px.

    Returns:
        `SIGHTING` records, by frame and point; x and y run from 0 to `size` from the picture's top left
        corner; the integer parts are column and row.
    """
    # Pairs of a frame and the first frame that fixates each other point of its room.
    keys = np.stack([cameras["room"], cameras["point"]], axis=1)
    _, first = np.unique(keys, axis=0, return_index=True)
    same_room = cameras["room"][:, None] == cameras["room"][first]
    same_point = cameras["point"][:, None] == cameras["point"][first]
    frames, others = np.nonzero(same_room & ~same_point)
    owners = first[others]
    camera = cameras[frames]
    points = cameras["fixated"][owners]
    back = np.swapaxes(rotation(camera["angles"]), -1, -2)
    local = (back @ (points - camera["location"])[..., None])[..., 0]
    local[local[:, 2] > -_NEAREST] = np.nan
    # Slopes are scaled to a field of view of 90 degrees, as fields of view differ.
    local[:, :2] /= np.tan(camera["fov"] / 2)[:, None]
    places = project(local, 90.0) * size
    inside = ((places > _MARGIN) & (places < size - _MARGIN)).all(-1)
    chosen = np.flatnonzero(inside)
    ends = (
        torch.from_numpy(ends[chosen]).to(scene.device, torch.float32)
        for ends in (camera["location"], points)
    )
    hidden = occluded(batch, scene[torch.from_numpy(frames[chosen]).to(scene.device)], *ends).cpu().numpy()
    chosen = chosen[~hidden]
    records = np.zeros(len(chosen), dtype=SIGHTING)
    records["frame"] = frames[chosen]
    records["room"] = camera["room"][chosen]
    records["point"] = cameras["point"][owners][chosen]
    records["x"], records["y"] = places[chosen].T
    return records
