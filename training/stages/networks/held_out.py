"""Held-out rooms of the training split, for monitoring networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from taskbank.tasks.registry import Task
from training.data.frames import FrameStore
from training.errors import DataError
from training.learning.batches import BatchReader
from training.learning.draws import seeds_of
from training.learning.samples import Samples, samples_of
from training.stages.networks.config import TaskNetworksConfig
from training.stages.networks.feed import Batch, samples_a_step
from training.stages.networks.learner import Learner

_SPLIT = 7  # keys of random draws
_CHOICE = 8


def learned_from(store: FrameStore, config: TaskNetworksConfig) -> NDArray[np.bool_]:
    """Mark the training frames: one bool per frame.

    If `config.held_out` is above 0, at least one room is held out. All frames of a store of one room are
    training frames.
    """
    rooms = np.unique(store.cameras["room"])
    count = min(len(rooms) - 1, max(1, round(config.held_out * len(rooms)))) if config.held_out else 0
    drawn = np.random.default_rng([config.seed, _SPLIT]).permutation(rooms)[:count]
    return ~np.isin(store.cameras["room"], drawn)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """A task's held-out samples.

    Attributes:
        task: the task.
        samples: all samples in the store.
        index: int64, numbers of the held-out samples.
    """

    task: Task
    samples: Samples
    index: NDArray[np.int64]

    @classmethod
    def of(
        cls, task: Task, store: FrameStore, among: NDArray[np.bool_], config: TaskNetworksConfig
    ) -> HeldOut | None:
        """Draw samples among the given frames; None if there are none."""
        try:
            samples = samples_of(task, store, config.seed, among=among)
        except DataError:
            return None
        draw = np.random.default_rng([config.seed, _CHOICE])
        index = np.sort(draw.permutation(len(samples))[: config.held_out_samples])
        return cls(task, samples, index)

    def batch(self, reader: BatchReader, rows: NDArray[np.int64], config: TaskNetworksConfig) -> Batch:
        """Load some of the samples, without augmentation."""
        raw = reader.load([self.task], self.samples, rows)
        return Batch(raw, seeds_of(torch.from_numpy(rows).to(reader.device), 0), config, varied=False)

    def batches(self, reader: BatchReader, config: TaskNetworksConfig) -> Iterator[Batch]:
        """Load all held-out samples in batches."""
        count = samples_a_step(self.task, config.batch)
        for start in range(0, len(self.index), count):
            yield self.batch(reader, self.index[start : start + count], config)

    def loss(self, learner: Learner, reader: BatchReader, config: TaskNetworksConfig) -> float:
        """Measure the mean loss of the averaged weights."""
        batches = self.batches(reader, config)
        each = [learner.compare(*batch.pair(self.task, learner.weights)) for batch in batches]
        return float(torch.cat(each).mean())
