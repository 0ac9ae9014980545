"""Variations of frames that leave labels true, drawn for each sample from its seed, in batches on the device.

**Mirror**: left and right change places, in pictures, maps and numbers. It is exact for all tasks: the mirror
image of a room is a room, and its labels follow from the labels (`mirrored`). The conventions of layouts and
vanishing points single out axes by where the camera looks, which a mirror does not change.

**Zoom**: the middle part of a frame, enlarged. It is what a camera of longer focal length sees from the
same place, so normals, curvature, reshading, classes, layouts and poses stay as they are. Nothing in a
picture tells its focal length, so depths become what they would be for the lens of the frame: things that
look twice as large are half as far away (the canonical camera of Metric3D, Yin et al., ICCV 2023,
arXiv:2307.10984). With depths as they are, zoomed frames show one size of things at many depths, and a
network learned worse from them than from whole frames; from whole frames alone it learns by heart. Tasks of
`SHIFTED` are shown parts off the middle, too: depths and kinds of things do not ask where the camera's axis
is. Normals, poses and layouts do, and no camera whose axis is in the middle of its picture sees such a
part. Measured on z-depth with `compact` of 128 px, 900 steps of 16 more of a trained network, AbsRel after
one scale per image on held-out rooms and on 200 real frames: whole frames 0.232 and 0.214, zoomed 0.222 and
0.204, zoomed and shifted 0.222 and 0.201. Tasks of `UNZOOMED` are left out: the size in px of what they
respond to is part of their labels (edges, keypoints, 2-D segments), or the picture itself is, and blur
would be learned.

**Photometry**: exposure, gamma, contrast, colour, greyscale, blur, vignetting, noise and JPEG, for inputs
only (`learning.photometry`). Tasks of `UNTOUCHED` are left out: their labels are the picture, or are computed
from its pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum, auto

import torch
from torch import Tensor
from torch.nn import functional

from taskbank.labels.codes import TRUSTED_DEPTH
from training.learning.draws import uniform

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
"""Tasks whose zoomed frames need not be the middles."""


class View(Enum):
    """The part of a frame that a network is shown."""

    WHOLE = auto()
    MIDDLE = auto()
    PART = auto()


_MIRROR, _ZOOM, _SHIFT = 301, 302, 303  # salts

Raw = Mapping[str, Tensor]


def drawn_mirror(seeds: Tensor) -> Tensor:
    """Draw the samples that are mirrored, half of them on average: bool (B,)."""
    return uniform(seeds, 1, _MIRROR)[:, 0] < 0.5


def view_of(task: str) -> View:
    """Return the part of zoomed frames that a task is shown, by its canonical name."""
    if task in UNZOOMED:
        return View.WHOLE
    return View.PART if task in SHIFTED else View.MIDDLE


def drawn_zoom(seeds: Tensor, least: float) -> Tensor:
    """Shares of the side that are kept, from `least` to 1: float (B,)."""
    return 1 - (1 - least) * uniform(seeds, 1, _ZOOM)[:, 0]


def drawn_shift(seeds: Tensor, shares: Tensor) -> Tensor:
    """Draw how far parts of those shares lie off the middle: float (B, 2), across and down, in half sides."""
    return (1 - shares[:, None]) * (2 * uniform(seeds, 2, _SHIFT) - 1)


def mirrored(raw: Raw, which: Tensor) -> dict[str, Tensor]:
    """Samples with left and right exchanged; all images of a tuple together.

    Args:
        raw: what `BatchReader.load` gave.
        which: bool (B,).
    """
    return {name: _where(which, _mirror(name, value), value) for name, value in raw.items()}


def _where(which: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    return torch.where(which.reshape(-1, *[1] * (no.ndim - 1)), yes, no)


def _mirror(name: str, value: Tensor) -> Tensor:
    """All samples of one kind of label mirrored."""
    match name:
        case "room_layout":
            # Mirrored world and camera: R' = diag(1, -1, 1) R diag(-1, 1, 1) = Rz(pi - z) Ry(-y) Rx(x).
            x, y, z, about_x, about_y, about_z, *edges = value.unbind(1)
            turned = torch.remainder(2 * math.pi - about_z, 2 * math.pi) - math.pi
            return torch.stack([-x, y, z, about_x, -about_y, turned, *edges], dim=1)
        case "vanishing_point":
            # Directions x and y change places, or they would be a left-handed system.
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
    """A part of each sample's frames enlarged to the whole: pictures bilinear, labels nearest.

    Depths shrink by as much, unknown ones stay unknown.

    Args:
        raw: what `BatchReader.load` gave.
        shares: float (B,), parts of the side that are kept, at most 1.
        shifts: float (B, 2) as `drawn_shift` gives them; None for the middles.
    """
    if shifts is None:
        shifts = shares.new_zeros(len(shares), 2)
    return {
        name: _zoom(name, value, shares, shifts) if value.ndim > 2 else value for name, value in raw.items()
    }


def _zoom(name: str, value: Tensor, shares: Tensor, shifts: Tensor) -> Tensor:
    """One kind of label; maps (B, ..., H, W)."""
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
    return _nearer(found, shares) if name in _DEPTHS else found


def _nearer(codes: Tensor, shares: Tensor) -> Tensor:
    """Codes of depth, as far away as things look that are enlarged so much."""
    shrunk = (codes * shares.reshape(-1, *[1] * (codes.ndim - 1))).round().to(codes.dtype)
    return torch.where(codes < TRUSTED_DEPTH, shrunk, codes)


def _kept(side: int, shares: Tensor, shifts: Tensor) -> Tensor:
    """Rows or columns that are shown after zooming: int64 (B, side)."""
    places = torch.arange(side, device=shares.device) + 0.5 - side / 2
    middles = side / 2 * (1 + shifts[:, None])
    return (middles + places * shares[:, None]).floor().long().clamp(0, side - 1)
