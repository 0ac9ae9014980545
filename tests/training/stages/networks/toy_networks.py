"""Toys for tests of stage 1: networks of a few weights, six steps, three tasks of different kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from training.data.frames import FrameStore
from training.learning.batches import BatchReader
from training.learning.draws import seeds_of
from training.learning.samples import samples_of
from training.stages.networks.config import TaskNetworksConfig
from training.stages.networks.feed import Batch, samples_a_step

from taskbank.nets.architecture import Compact
from taskbank.nets.compact import CompactWidths
from taskbank.tasks.registry import TASKS, Task

WIDTHS = CompactWidths(
    stem=4, stages=(4, 8, 8), blocks=(1, 1, 1), decoder=(8, 4, 4, 4), decoder_blocks=(1, 1, 1), head=(8, 8, 8)
)
CONFIG = TaskNetworksConfig(
    architecture=Compact(widths=WIDTHS),
    steps=6,
    batch=8,
    warm_up=1,
    ema=0.8,
    zoom=0.7,
    recalibration=2,
    held_out=0.2,
    held_out_samples=4,
    log_every=2,
    check_every=4,
)
LEARNED = [task for task in TASKS.values() if task.name != "random"]
THREE = ("normal", "egomotion", "class_object")  # a map, a head with dropout on tuples, labels with gaps
CPU = torch.device("cpu")


def same_weights(first: Path, second: Path, tasks: tuple[str, ...] = THREE) -> bool:
    names = [f"{task}.safetensors" for task in tasks]
    return all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def batch_of(task: Task, store: FrameStore, config: TaskNetworksConfig = CONFIG) -> Batch:
    samples = samples_of(task, store, 0)
    rows = np.arange(samples_a_step(task, config.batch))
    return Batch(
        BatchReader(store).load([task], samples, rows),
        seeds_of(torch.from_numpy(rows), 0),
        config,
        varied=False,
    )
