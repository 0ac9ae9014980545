"""Parts of a target's data for training and measuring transfers, independent of the samples' origin."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskbank.learning.config import TrainingSettings
from taskbank.learning.losses import losses
from taskbank.learning.stack import LossOf
from taskbank.learning.target import Target
from taskbank.tasks.registry import Task

Rows = NDArray[np.int64]

Batch = tuple[Tensor, LossOf]
"""Inputs, and the loss function of their outputs."""


class Part(ABC):
    """Training, held-out or test samples of one target.

    Args:
        task: the target.
        config: batch size and seed.
        device: device of the tensors.
    """

    def __init__(self, task: Task, config: TrainingSettings, device: torch.device) -> None:
        self.task = task
        self.config = config
        self.device = device

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of samples."""

    @property
    @abstractmethod
    def rooms(self) -> NDArray[np.int32]:
        """int32 (samples,): the room or group of each sample; samples of one room are similar."""

    @abstractmethod
    def target(self, rows: Rows, turn: int = 0) -> Target:
        """Return the targets of samples.

        Args:
            rows: numbers of samples.
            turn: each turn draws other points of segmentations.
        """

    @abstractmethod
    def codes(self, sets: Sequence[Sequence[str]], rows: Rows) -> Tensor:
        """Return representations, float32 (transfers, B, [P,] 8 * sources, h, w), on the device."""

    @abstractmethod
    def picture_batch(self, rows: Rows, turn: int = 0, size: int | None = None) -> Batch:
        """Return a batch for a whole network, of the pictures whose representations transfers read.

        Args:
            rows: numbers of samples.
            turn: each turn draws other points of segmentations.
            size: side in px of the pictures; None for that of transfers. The network's maps are resized to
                the targets'.
        """

    def code_batch(self, sets: Sequence[Sequence[str]], rows: Rows, turn: int = 0) -> Batch:
        """Return a batch for transfers; arguments as for `codes` and `target`."""
        return self.codes(sets, rows), self.blind_batch(rows, turn)[1]

    def blind_batch(self, rows: Rows, turn: int = 0) -> Batch:
        """Return a batch for the constant baseline: inputs are zeros, float (B,)."""
        target = self.target(rows, turn)
        nothing = torch.zeros(len(rows), device=self.device)
        return nothing, lambda output: losses(self.task, output, target)

    def in_turn(self) -> Iterator[Rows]:
        """Yield all samples once, in batches."""
        for start in range(0, len(self), self.config.batch):
            yield np.arange(start, min(start + self.config.batch, len(self)))

    def drawn(self, steps: int) -> Iterator[Rows]:
        """Yield training batches of whole epochs, each in a new order.

        A batch may cross the end of an epoch, so that all have one size; batches are smaller only if there
        are fewer samples.
        """
        draw = np.random.default_rng([self.config.seed, len(self)])
        size = min(self.config.batch, len(self))
        waiting = np.empty(0, dtype=np.int64)
        for _ in range(steps):
            if len(waiting) < size:
                waiting = np.concatenate([waiting, draw.permutation(len(self))])
            rows, waiting = waiting[:size], waiting[size:]
            yield rows
