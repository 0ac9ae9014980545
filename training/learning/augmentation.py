"""Augmentation that keeps labels valid, drawn for each sample from its seed, in batches on the device.

**Mirror**: left and right are exchanged, in pictures, maps and numbers. It is exact for all tasks: the mirror
image of a room is a room, and its labels follow from the original labels (`mirrored`). The conventions of
layouts and vanishing points choose axes by the camera's direction, which a mirror does not change.

**Zoom**: the middle part of a frame, enlarged. It equals the picture of a camera with a longer focal length
at the same place, so normals, curvature, reshading, classes, layouts and poses stay unchanged. A picture does
not show its focal length, so depths are changed to fit the frame's own lens: objects that look twice as large
are half as far away (the canonical camera of Metric3D, Yin et al., ICCV 2023, arXiv:2307.10984). With
unchanged depths, objects of one apparent size have many depths, and a network learned worse than from whole
frames; from whole frames alone it overfits. Tasks of `SHIFTED` also get parts off the middle: depth and
object classes do not depend on the camera's axis. Normals, poses and layouts do, and no camera with a central
axis sees such a part. Measured on z-depth with `compact` of 128 px, after 900 further steps of 16 of a
trained network, as AbsRel after one scale per image on held-out rooms and on 200 real frames: whole frames
0.232 and 0.214, zoomed 0.222 and 0.204, zoomed and shifted 0.222 and 0.201. Tasks of `UNZOOMED` are left out:
their labels depend on the size of structures in px (edges, keypoints, 2-D segments), or are the picture
itself, so that networks would learn blur.

**Order**: the frames of a pair or triplet are exchanged; its poses follow from the cameras in their new
order. A room has few pairs, which networks memorised.

**Photometry**: exposure, gamma, contrast, colour, greyscale, blur, vignetting, noise and JPEG, of inputs only
(`learning.photometry`). Tasks of `UNTOUCHED` are left out: their labels are the picture, or are computed from
its pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum, auto

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from taskbank.labels.codes import TRUSTED_DEPTH
from training.learning.draws import uniform
from training.learning.samples import Samples

UNTOUCHED = frozenset(
    {
        "autoencoding", "colorization", "denoising", "inpainting",
        "edge_texture", "keypoints2d", "segment_unsup2d",
    }
)  # fmt: skip
"""Tasks whose inputs keep their colours and sharpness."""

UNZOOMED = UNTOUCHED | {"edge_occlusion", "jigsaw", "keypoints3d"}
"""Tasks whose frames are not zoomed."""

_DEPTHS = ("depth_euclidean", "depth_zbuffer")

SHIFTED = frozenset({*_DEPTHS, "segment_semantic"})
"""Tasks whose zoomed frames may be off the middle."""


class Crop(Enum):
    """Part of a frame that a network gets."""

    WHOLE = auto()
    MIDDLE = auto()
    PART = auto()


_MIRROR, _ZOOM, _SHIFT, _ORDER = 301, 302, 303, 304  # salts

Raw = Mapping[str, Tensor]


def drawn_mirror(seeds: Tensor) -> Tensor:
    """Draw the samples to mirror, half of them on average: bool (B,)."""
    return uniform(seeds, 1, _MIRROR)[:, 0] < 0.5


def in_drawn_order(samples: Samples, rows: NDArray[np.int64], seeds: Tensor) -> Samples:
    """Draw the order of the frames within each of some samples; samples of one frame stay as they are.

    Args:
        samples: samples of a task.
        rows: int64 (B,), numbers of the samples to take.
        seeds: int64 (B,), on the CPU.

    Returns:
        the B samples.
    """
    frames = samples.frames[rows]
    if frames.ndim > 1:
        order = uniform(seeds, frames.shape[1], _ORDER).argsort(1).numpy()
        frames = np.take_along_axis(frames, order, axis=1)
    return replace(samples, frames=frames, label=None if samples.label is None else samples.label[rows])


def crop_of(task: str) -> Crop:
    """Return the part of zoomed frames that a task gets, by its canonical name."""
    if task in UNZOOMED:
        return Crop.WHOLE
    return Crop.PART if task in SHIFTED else Crop.MIDDLE


def drawn_zoom(seeds: Tensor, least: float) -> Tensor:
    """Draw the shares of the side that are kept, from `least` to 1: float (B,)."""
    return 1 - (1 - least) * uniform(seeds, 1, _ZOOM)[:, 0]


def drawn_shift(seeds: Tensor, shares: Tensor) -> Tensor:
    """Draw offsets of zoomed parts from the middle of a frame: float (B, 2), x and y in half sides."""
    return (1 - shares[:, None]) * (2 * uniform(seeds, 2, _SHIFT) - 1)


def mirrored(raw: Raw, which: Tensor) -> dict[str, Tensor]:
    """Exchange left and right of samples; all images of a tuple together.

    Args:
        raw: a batch of `BatchReader.load`.
        which: bool (B,), the samples to mirror.
    """
    return {
        name: torch.where(which.reshape(-1, *[1] * (value.ndim - 1)), _mirror(name, value), value)
        for name, value in raw.items()
    }


def _mirror(name: str, value: Tensor) -> Tensor:
    """Mirror all samples of one kind of label."""
    match name:
        case "room_layout":
            # Mirrored world and camera: R' = diag(1, -1, 1) R diag(-1, 1, 1) = Rz(pi - z) Ry(-y) Rx(x).
            x, y, z, about_x, about_y, about_z, *edges = value.unbind(1)
            turned = torch.remainder(2 * math.pi - about_z, 2 * math.pi) - math.pi
            return torch.stack([-x, y, z, about_x, -about_y, turned, *edges], dim=1)
        case "vanishing_point":
            # Directions x and y are exchanged, so that the system stays right-handed.
            axes = value.reshape(-1, 3, 3)[:, [1, 0, 2]] * value.new_tensor([-1, 1, 1])
            return axes.reshape(value.shape)
        case "fixated_pose" | "nonfixated_pose" | "egomotion":
            signs = value.new_tensor([1, -1, -1, -1, 1, 1]).repeat(value.shape[1] // 6)
            return value * signs
        case "normal":
            flipped = value.flip(-1)
            # A code is the floor of (n + 1) 127.5: the least of n is the greatest of -n.
            across = (254 - flipped[:, :1].to(torch.int16)).clamp(min=0).to(value.dtype)
            return torch.cat([across, flipped[:, 1:]], dim=1)
        case _:
            return value.flip(-1) if value.ndim > 2 else value


def zoomed(raw: Raw, shares: Tensor, shifts: Tensor | None = None) -> dict[str, Tensor]:
    """Enlarge a part of each sample's frames to the full size: pictures bilinearly, labels by nearest pixel.

    Depths shrink by the same factor; unknown ones stay unknown.

    Args:
        raw: a batch of `BatchReader.load`.
        shares: float (B,), shares of the side that are kept, at most 1.
        shifts: float (B, 2) as from `drawn_shift`; None for the middles.
    """
    if shifts is None:
        shifts = shares.new_zeros(len(shares), 2)
    return {
        name: _zoom(name, value, shares, shifts) if value.ndim > 2 else value for name, value in raw.items()
    }


def _zoom(name: str, value: Tensor, shares: Tensor, shifts: Tensor) -> Tensor:
    """Zoom one kind of label; maps are (B, ..., H, W)."""
    flat = value.reshape(len(value), -1, *value.shape[-2:])
    if name == "rgb":
        theta = shares.new_zeros(len(shares), 2, 3)
        theta[:, 0, 0] = theta[:, 1, 1] = shares
        theta[:, :, 2] = shifts
        grid = functional.affine_grid(theta, list(flat.shape), align_corners=False)
        unit = flat.to(torch.float32)
        enlarged = functional.grid_sample(unit, grid, padding_mode="border", align_corners=False)
        return enlarged.round().to(value.dtype).reshape(value.shape)
    height, width = value.shape[-2:]
    rows, columns = _kept(height, shares, shifts[:, 1]), _kept(width, shares, shifts[:, 0])
    sample = torch.arange(len(value), device=value.device)[:, None, None]
    picked = flat.movedim(1, -1)[sample, rows[:, :, None], columns[:, None, :]]
    found = picked.movedim(-1, 1).reshape(value.shape)
    if name not in _DEPTHS:
        return found
    # Depths shrink by the enlargement.
    shrunk = (found * shares.reshape(-1, *[1] * (found.ndim - 1))).round().to(found.dtype)
    return torch.where(found < TRUSTED_DEPTH, shrunk, found)


def _kept(side: int, shares: Tensor, shifts: Tensor) -> Tensor:
    """Rows or columns of the source for each pixel after zooming: int64 (B, side)."""
    places = torch.arange(side, device=shares.device) + 0.5 - side / 2
    middles = side / 2 * (1 + shifts[:, None])
    return (middles + places * shares[:, None]).floor().long().clamp(0, side - 1)
