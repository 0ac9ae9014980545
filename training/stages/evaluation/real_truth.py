"""Ground truth of six tasks for real frames with measured depth.

Occlusion edges and reshading are computed from depth and fitted normals by the functions that label rendered
frames. Semantic classes are mapped from NYU40 by `data/real/nyu40.csv`; tables, for example, are unknown, as
NYU40 does not distinguish dining tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from numpy.typing import NDArray

from training.data.labels.edges import edge_occlusion
from training.data.labels.surfaces import reshading
from training.data.real.classes import semantic_labels
from training.data.real.folder import RealFrame
from training.learning.targets import blurred

Truth = NDArray[Any]


def _occlusion_edges(frame: RealFrame) -> Truth:
    """Occlusion edges, blurred as in training; NaN where the blur covers no known depth."""
    edges = edge_occlusion(torch.from_numpy(frame.depth)[None])
    known = edges.isfinite()
    softened = blurred(edges.nan_to_num(0)[:, None])[0, 0]
    return torch.where(known[0], softened, torch.nan).numpy()


def _reshading(frame: RealFrame) -> Truth:
    """Reshading; NaN where there is no reliable normal."""
    points = frame.intrinsics.points(torch.from_numpy(frame.depth)).permute(1, 2, 0)
    upright = points * points.new_tensor([1.0, -1.0, -1.0])
    shaded: Truth = reshading(upright[None], torch.from_numpy(frame.normals)[None])[0].numpy()
    return shaded


REAL_TRUTHS: Mapping[str, Callable[[RealFrame], Truth]] = {
    "normal": lambda frame: frame.normals,
    "depth_zbuffer": lambda frame: frame.depth,
    "depth_euclidean": lambda frame: frame.distance,
    "edge_occlusion": _occlusion_edges,
    "reshading": _reshading,
    "segment_semantic": lambda frame: semantic_labels(frame.labels, frame.depth.shape),
}
"""Task -> function for the ground truth of a frame, as `Prediction.array`: NaN, or label 0, where unknown."""
