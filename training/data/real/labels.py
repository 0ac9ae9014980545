"""Labels of a view of a real frame: the domains of a store, in the codes of the dataset.

Depth is measured, and all other geometry is computed from it, where possible by the functions that label
rendered frames:

- **Normals and reshading** are those of planes fitted to windows, as in the evaluation on real frames. They
  are unknown where the plane does not fit or is nearly parallel to the line of sight.
- **Occlusion edges, 3-D keypoints and 2.5-D segments** use differences of neighbours, which are noise in
  measured depth; so they are computed on flat patches, and on the measured depth elsewhere.
- **Curvature** cannot be measured at the scale of centimetres that rendered frames use. It is 0 on large flat
  patches and unknown elsewhere.
- **Classes**: `nyu40.csv` maps classes of NYU40 to classes of the task or to unknown.

Codes of unknown values are those of `taskbank.labels.codes`, and 0 for reshading.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from taskbank.labels.codes import DOMAINS, encode
from training.data.labels import surfaces
from training.data.labels.edges import edge_occlusion, edge_texture
from training.data.labels.keypoints2d import keypoints2d
from training.data.labels.keypoints3d import keypoints3d
from training.data.labels.segments import segment_unsup2d, segment_unsup25d
from training.data.real.classes import semantic_labels
from training.data.real.folder import RealFrame
from training.data.real.patches import JOINED_FIT, LEAST_JOINED
from training.data.real.planes import LEAST_FACING
from training.data.real.views import SquareView, nearest, resampled_depth, resampled_picture

_UNSEEN = 128.0  # depth of unknown pixels in metres for labels of differences, as in rendered frames
_FLAT = 0.25  # square metres per centimetre of residual; the curvature is then at most about 1/m
_MARGIN = 3  # px; borders of patches, beside which the surface may be curved


@torch.inference_mode()
def label_view(frame: RealFrame, view: SquareView, size: int) -> dict[str, NDArray[Any]]:
    """Compute the codes of all domains that are pictures.

    Args:
        frame: a real frame.
        view: a view of the frame.
        size: side of the labels in px.

    Returns:
        domain -> uint8 or uint16 (size, size[, channels]); labels of geometry are unknown beside pixels of
        unknown depth, too.
    """
    places = view.places(frame.intrinsics, size)
    turn, rays = torch.from_numpy(view.turn), view.rays(size)
    outer = torch.einsum("ij,jhw->ihw", turn, rays)  # the rays in the frame's camera
    measured = resampled_depth(frame.depth, places)
    known = functional.max_pool2d(measured.isnan()[None].double(), 3, 1, 1)[0] == 0

    normals = nearest(torch.from_numpy(frame.planes.normals), places).double()
    facing = -(normals.movedim(-1, 0) * outer).sum(0) / outer.square().sum(0).sqrt()
    reliable = nearest(torch.from_numpy(frame.planes.reliable), places) & (facing > LEAST_FACING)

    patches = frame.patches
    number = nearest(torch.from_numpy(patches.number), places)
    flat_normals = torch.from_numpy(patches.normals)[number]
    slant = (flat_normals.movedim(-1, 0) * outer).sum(0)
    flat_depth = torch.from_numpy(patches.offsets)[number] / slant.clamp(max=-1e-6) * outer[2]
    flat = (number > 0) & (-slant > LEAST_FACING * outer.square().sum(0).sqrt())
    smooth = torch.where(flat, flat_depth, measured)
    smooth_normals = torch.where(flat[..., None], flat_normals, normals) @ turn

    # So far, depths are along the frame's axis; points and directions of the view use the axes of the
    # dataset's poses.
    upright = torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64)
    points, surface = ((rays * (depth / outer[2])).movedim(0, -1) * upright for depth in (measured, smooth))
    surface = torch.where(
        measured.isfinite()[..., None], surface, torch.tensor([0.0, 0.0, -_UNSEEN], dtype=torch.float64)
    )
    points, surface = points.float(), surface.float()
    normals = (normals @ turn).float()
    focal = torch.tensor([size / 2 / view.tangent], dtype=torch.float32)
    depth = surfaces.depth_zbuffer(surface)
    edges = edge_occlusion(depth[None])[0]
    corners = keypoints3d(surface[None], (smooth_normals * upright).float()[None], focal)[0]
    values = {
        "depth_zbuffer": surfaces.depth_zbuffer(points),
        "depth_euclidean": surfaces.depth_euclidean(points),
        "normal": normals.masked_fill(~reliable[..., None], torch.nan),
        "reshading": surfaces.reshading(points, normals).masked_fill(~reliable, torch.nan),
        "principal_curvature": _curvature(
            number.where(flat, 0), torch.from_numpy(patches.areas)[number], measured
        ),
        "edge_occlusion": edges,
        "keypoints3d": corners,
    }
    values = {
        name: label.masked_fill(~known if label.dim() == 2 else ~known[..., None], torch.nan)
        for name, label in values.items()
    }
    rgb = resampled_picture(frame.rgb, view, frame.intrinsics, size)
    colours = torch.from_numpy(rgb)[None].float() / 255
    values |= {"edge_texture": edge_texture(colours)[0], "keypoints2d": keypoints2d(colours)[0]}
    classes = semantic_labels(frame.labels, frame.depth.shape)
    return {
        "rgb": rgb,
        **{
            name: encode(name, label).numpy().astype(np.uint8 if DOMAINS[name].bits == 8 else np.uint16)
            for name, label in values.items()
        },
        "segment_semantic": nearest(torch.from_numpy(classes), places).numpy(),
        "segment_unsup25d": segment_unsup25d(depth.numpy(), smooth_normals.float().numpy(), edges.numpy()),
        "segment_unsup2d": segment_unsup2d(rgb),
    }


def _curvature(number: Tensor, area: Tensor, depth: Tensor) -> Tensor:
    """Return zeros (H, W, 2) well inside large patches, NaN elsewhere; the arguments are (H, W)."""
    wide = number[None].double()
    side = 2 * _MARGIN + 1
    highest = functional.max_pool2d(wide, side, 1, _MARGIN)
    lowest = -functional.max_pool2d(-wide, side, 1, _MARGIN)
    # The residual of patches may be a centimetre, or a share of the depth farther away.
    least = _FLAT * (JOINED_FIT * depth / LEAST_JOINED).clamp(min=1)
    flat = (highest == lowest)[0] & (number > 0) & (area >= least)
    return torch.where(flat, 0.0, torch.nan)[..., None].expand(*number.shape, 2).float()
