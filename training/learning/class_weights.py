"""Weights of semantic classes, computed from their frequencies in a store."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskbank.tasks.registry import OutputKind, Task
from training.data.frames import FrameStore

_SMOOTHING = 0.5  # share of the uniform distribution


def class_weights(labels: Tensor, classes: int) -> Tensor:
    """Compute weights of classes that increase the influence of rare ones.

    w = 1 / ((1 - s) p + s / C) with s = 1/2, scaled so that the mean weight of a pixel is 1 (Zhang et al.,
    "Colorful Image Colorization", ECCV 2016, section 2.2).

    Args:
        labels: codes on disk of any shape, 0 is unknown, class c is c + 1.
        classes: number of classes.

    Returns:
        float32 (classes,).
    """
    count = torch.bincount(labels.reshape(-1).long(), minlength=classes + 1)[1 : classes + 1].double()
    share = count / count.sum().clamp(min=1)
    weights = 1 / ((1 - _SMOOTHING) * share + _SMOOTHING / classes)
    return (weights / (weights * share).sum().clamp(min=1e-9)).float()


def evenly(frames: int, most: int = 256) -> NDArray[np.int64]:
    """Return the numbers of at most `most` frames of a store, evenly spread."""
    return np.unique(np.linspace(0, frames - 1, most).astype(np.int64))


def semantic_weights(task: Task, store: FrameStore, frames: NDArray[np.int64]) -> Tensor | None:
    """Measure the weights of a task's classes; None for tasks without a map of classes.

    Args:
        task: any task.
        store: frames with their labels.
        frames: numbers of the frames whose pixels are counted.

    Returns:
        float32 (classes,).
    """
    if task.output is not OutputKind.SEMANTIC_MAP or not store.has(task.name):
        return None
    return class_weights(torch.from_numpy(store.read(task.name, frames)), task.channels)
