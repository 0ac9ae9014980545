"""Pairs and triplets of real frames, found by depth and known poses.

`NAME_pose.txt` holds 16 numbers, a 4 x 4 matrix row by row: camera to world in metres, the camera's axes as
in ScanNet and 7-Scenes, x right, y down, z ahead. Frames whose matrix has numbers that are not finite, as
ScanNet writes for frames that were lost, have no pose. Frames are ordered by name; the part of a name before
its last digits is its sequence (`scene0001-000040`), and frames of two sequences never make a pair.

A frame fixates the point in its middle. As in the original pair lists:

- a **fixated** pair shows one point in both middles, within a tenth of half the side of the square that
  networks see, from directions that differ by five degrees or more; triplets are fixated in pairs;
- a **non-fixated** pair sees a common point, the middle of one of the frames of the sequence; each of its
  own two middles is hidden from the other frame, or farther than three tenths from the middle there;
- a frame sees a point that projects into its square with the depth that was measured there, within 5 %.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from taskbank.geometry import euler_angles
from training.data.frames import CAMERA
from training.data.real.folder import RealFrame

Frames = NDArray[np.int64]

_NEAR, _APART = 0.1, 0.3  # distances from the middle, as shares of half the side
_TURNED = np.cos(np.radians(5))  # least angle between lines of sight to a fixated point
_AGREES, _LEAST_AGREES = 0.05, 0.05  # of the depth, metres
_FRONT = 0.1  # metres
_MIDDLE = 2  # px around the middle over which the median depth is taken
_UPRIGHT = np.diag([1.0, -1.0, -1.0])  # from OpenCV's axes to the axes of poses


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Pairs and triplets as indices of `posed` frames, the lower first.

    Attributes:
        fixated: int64 (N, 2), fixated pairs.
        nonfixated: int64 (N, 2), non-fixated pairs.
        triplets: int64 (N, 3), triplets.
    """

    fixated: Frames
    nonfixated: Frames
    triplets: Frames


def posed(frames: Sequence[RealFrame]) -> list[RealFrame]:
    """Return the frames whose pose is known."""
    return [frame for frame in frames if frame.pose is not None]


def camera_records(frames: Sequence[RealFrame]) -> NDArray[np.void]:
    """Return `CAMERA` records of posed frames: locations and angles; unknown values are NaN or -1."""
    records = np.zeros(len(frames), dtype=CAMERA)
    poses = np.stack([_pose(frame) for frame in frames])
    records["point"] = -1
    for name in ("fov", "fixated", "box"):
        records[name] = np.nan
    records["location"] = poses[:, :3, 3]
    records["angles"] = euler_angles(poses[:, :3, :3] @ _UPRIGHT)
    return records


def find_groups(frames: Sequence[RealFrame], *, seed: int = 0, most: int = 2000) -> Groups:
    """Find pairs and triplets of posed frames.

    Args:
        frames: frames in the order of names.
        seed: seed for drawing groups if there are too many.
        most: largest number of pairs of each kind, and of triplets.
    """
    draw = np.random.default_rng(seed)
    # Frames of one sequence have the same name up to its last digits.
    sequence = np.unique([re.sub(r"\d+$", "", frame.name) for frame in frames], return_inverse=True)[1]
    off, sees = _sightings(frames, sequence)
    poses = np.stack([_pose(frame) for frame in frames])
    points = _middles(frames)
    towards = points[:, None] - poses[None, :, :3, 3]
    towards /= np.linalg.norm(towards, axis=-1, keepdims=True)
    number = np.arange(len(frames))
    # Lines of sight to the point of frame i: its own, and that of frame j.
    turned = (towards[number, number][:, None] * towards).sum(-1) <= _TURNED
    near = sees & (off <= _NEAR) & turned
    fixated = np.triu(near & near.T, 1)
    apart = ~(sees & (off <= _APART))
    common = sees.T.astype(np.int64) @ sees.astype(np.int64) > 0
    nonfixated = np.triu(common & apart & apart.T, 1)
    return Groups(
        fixated=_drawn(np.argwhere(fixated), draw, most),
        nonfixated=_drawn(np.argwhere(nonfixated), draw, most),
        triplets=_drawn(_triplets(fixated, draw, most), draw, most),
    )


def _sightings(
    frames: Sequence[RealFrame], sequence: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Project the fixated points of all frames into the frames of their sequence, (points, frames).

    Returns:
        distance from the middle in half sides, infinite behind the camera; and a mask of the points that are
        seen.
    """
    points = _middles(frames)
    off = np.full((len(frames), len(frames)), np.inf)
    sees = np.zeros((len(frames), len(frames)), dtype=np.bool_)
    for number, frame in enumerate(frames):
        pose, camera, shape = _pose(frame), frame.intrinsics, frame.depth.shape
        x, y, z = ((points - pose[:3, 3]) @ pose[:3, :3]).T
        ahead = np.isfinite(z) & (z > _FRONT) & (sequence == sequence[number])
        z = np.where(ahead, z, 1.0)
        column, row = x / z * camera.fx + camera.cx, y / z * camera.fy + camera.cy
        middle = (np.array(shape) - 1) / 2
        distance = np.maximum(np.abs(row - middle[0]), np.abs(column - middle[1])) / (min(shape) / 2)
        inside = ahead & (distance < 1)
        at = tuple(np.where(inside, np.rint(value), 0).astype(np.int64) for value in (row, column))
        agrees = np.abs(frame.depth[at] - z) <= np.maximum(_AGREES * z, _LEAST_AGREES)
        off[:, number] = np.where(ahead, distance, np.inf)
        sees[:, number] = inside & agrees
    return off, sees


def _middles(frames: Sequence[RealFrame]) -> NDArray[np.float64]:
    """Points that frames fixate, (N, 3) in the world; NaN where their depth is unknown."""
    found = np.full((len(frames), 3), np.nan)
    for number, frame in enumerate(frames):
        (row, column), camera = (np.array(frame.depth.shape) - 1) / 2, frame.intrinsics
        top, left = (max(0, round(at) - _MIDDLE) for at in (row, column))
        about = frame.depth[top : top + 2 * _MIDDLE + 1, left : left + 2 * _MIDDLE + 1]
        known = about[np.isfinite(about)]
        if len(known):
            ray = np.array([(column - camera.cx) / camera.fx, (row - camera.cy) / camera.fy, 1.0])
            pose = _pose(frame)
            found[number] = pose[:3, :3] @ (ray * float(np.median(known))) + pose[:3, 3]
    return found


def _triplets(fixated: NDArray[np.bool_], draw: np.random.Generator, most: int) -> Frames:
    """Triplets of frames that are fixated in pairs; if there are many, from randomly drawn pairs."""
    found: list[tuple[int, int, int]] = []
    for i, j in draw.permutation(np.argwhere(fixated)).tolist():
        found += [(i, j, int(k)) for k in np.flatnonzero(fixated[i] & fixated[j])]
        if len(found) >= most:
            break
    return np.array(found, dtype=np.int64).reshape(-1, 3)


def _drawn(groups: Frames, draw: np.random.Generator, most: int) -> Frames:
    """Draw at most `most` groups, in their order."""
    if len(groups) > most:
        groups = groups[draw.permutation(len(groups))[:most]]
    return np.unique(groups, axis=0)


def _pose(frame: RealFrame) -> NDArray[np.float64]:
    """The pose of a posed frame."""
    if frame.pose is None:
        raise ValueError(f"frame {frame.name} has no pose: give frames of `posed`")
    return frame.pose
