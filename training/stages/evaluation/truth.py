"""Ground truth of samples, in the form and unit of `taskbank`'s predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from taskbank.geometry import compose
from taskbank.labels.codes import decode
from taskbank.tasks.registry import OutputKind, Task
from training.data.frames import FrameStore
from training.data.poses import relative_poses, room_layouts, vanishing_points
from training.learning.samples import Samples, domains_of
from training.learning.targets import blurred

Truth = NDArray[Any]

_DEPTH = "depth_zbuffer"
_NO_SEGMENT = -1


def true_value(task: Task, store: FrameStore, samples: Samples, index: int) -> Truth:
    """Return the perfect prediction for one sample.

    Args:
        task: any task but `random`, and `jigsaw`, whose order the predictor draws.
        store: the frames.
        samples: samples of the task.
        index: number of a sample.

    Returns:
        an array like `Prediction.array` (see `inference.decode`), with NaN or label 0 where unknown; numbers
        of segments (H, W) for embeddings, -1 where unknown; a class number () for classes.
    """
    frames = samples.frames[index]
    if samples.label is not None:
        return np.asarray(samples.label[index])
    if task.output in _FROM_CAMERAS:
        return _FROM_CAMERAS[task.output](store.cameras[frames])
    if task.output in {OutputKind.IMAGE, OutputKind.COLOUR_DISTRIBUTION}:
        return store.read("rgb", frames).astype(np.float32) / 255
    if task.output is OutputKind.CLASSES:
        classes = store.read(task.name, frames)
        return classes if classes.ndim == 0 else np.asarray(classes.argmax())
    # A map; NaN where training ignores pixels because depth is not trusted.
    domain = "principal_curvature" if task.output is OutputKind.CURVATURE else task.name
    codes = store.read(domain, frames)
    values: Truth = decode(domain, torch.from_numpy(codes.astype(np.int32))).numpy()
    if task.name == "edge_occlusion":
        values = blurred(torch.from_numpy(values)[None, None])[0, 0].numpy()
    if _DEPTH in domains_of(task, store):
        unknown = _NO_SEGMENT if task.output is OutputKind.EMBEDDING else np.nan
        depth = decode(_DEPTH, torch.from_numpy(store.read(_DEPTH, frames).astype(np.int32))).numpy()
        values[np.isnan(depth)] = unknown
    if task.output is OutputKind.CURVATURE:
        values[(codes == 0).all(-1)] = np.nan
    if task.name == "reshading":
        values[codes == 0] = np.nan
    return values


def true_poses(cameras: NDArray[np.void]) -> Truth:
    """Compute relative poses of a sample's cameras: one (6,), or 1-2, 2-3 and 1-3 of a triplet, (3, 6)."""
    steps = [relative_poses(*cameras[[i, i + 1]]) for i in range(len(cameras) - 1)]
    return steps[0] if len(steps) == 1 else np.stack([*steps, compose(*steps)])


_FROM_CAMERAS: Mapping[OutputKind, Callable[[NDArray[np.void]], Truth]] = {
    OutputKind.LAYOUT: room_layouts,
    OutputKind.VANISHING_POINTS: lambda camera: vanishing_points(camera).reshape(3, 3),
    OutputKind.POSE: true_poses,
}
