"""Parts of a target's data that transfers learn from and are measured on, whatever the samples' origin."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from taskbank.tasks.registry import Task
from training.learning.losses import losses
from training.learning.targets import Target
from training.stages.transfers.config import TransfersConfig
from training.stages.transfers.stack import LossOf

Rows = NDArray[np.int64]

Batch = tuple[Tensor, LossOf]
"""Inputs, and the loss of an output for them."""


class Part(ABC):
    """Samples of one target: learned from, held out to rank sources, or tested on.

    Args:
        task: the target.
        config: batch, size and seed.
        device: where tensors are wanted.
    """

    def __init__(self, task: Task, config: TransfersConfig, device: torch.device) -> None:
        self.task = task
        self.config = config
        self.device = device

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of samples."""

    @property
    @abstractmethod
    def rooms(self) -> NDArray[np.int32]:
        """int32 (samples,): the room, or place, of each sample; samples of one are alike."""

    @abstractmethod
    def target(self, rows: Rows, turn: int = 0) -> Target:
        """Return the targets of samples.

        Args:
            rows: numbers of samples.
            turn: another one draws other points of segmentations.
        """

    @abstractmethod
    def codes(self, sets: Sequence[Sequence[str]], rows: Rows) -> Tensor:
        """Float32 (transfers, B, [P,] 8 * sources, h, w) on the device."""

    @abstractmethod
    def picture_batch(self, rows: Rows, turn: int = 0) -> Batch:
        """A batch for a whole network, of the very pictures whose representations transfers read."""

    def code_batch(self, sets: Sequence[Sequence[str]], rows: Rows, turn: int = 0) -> Batch:
        """A batch for transfers; arguments as for `codes` and `target`."""
        return self.codes(sets, rows), self.blind_batch(rows, turn)[1]

    def blind_batch(self, rows: Rows, turn: int = 0) -> Batch:
        """Return a batch for the constant baseline: inputs are zeros, float (B,)."""
        target = self.target(rows, turn)
        nothing = torch.zeros(len(rows), device=self.device)
        return nothing, lambda output: losses(self.task, output, target)

    def in_turn(self) -> Iterator[Rows]:
        """All samples once, in batches."""
        for start in range(0, len(self), self.config.batch):
            yield np.arange(start, min(start + self.config.batch, len(self)))

    def drawn(self, steps: int) -> Iterator[Rows]:
        """Batches to learn from: whole rounds over the samples, each in a new order.

        A batch may reach over the end of a round, so that all are of one size; it is smaller only where there
        are fewer samples than that.
        """
        draw = np.random.default_rng([self.config.seed, len(self)])
        size = min(self.config.batch, len(self))
        waiting = np.empty(0, dtype=np.int64)
        for _ in range(steps):
            if len(waiting) < size:
                waiting = np.concatenate([waiting, draw.permutation(len(self))])
            rows, waiting = waiting[:size], waiting[size:]
            yield rows


class TargetParts(Protocol):
    """The data of one target, in its three parts."""

    task: Task
    device: torch.device

    @property
    def size(self) -> int:
        """Side of maps in px."""

    @property
    def learned(self) -> Part:
        """The samples that transfers learn from."""

    @property
    def held_out(self) -> Part:
        """The samples that rank the sources."""

    @property
    def test(self) -> Part:
        """The samples that everything is compared on."""

    def full_supervision(self) -> nn.Module:
        """The target's own network, trained on all its labels.

        Raises:
            DataError: there is none.
        """
