"""Images and labels of a user's own task as samples for training and measuring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskbank.learning.config import TrainingSettings
from taskbank.learning.losses import losses
from taskbank.learning.parts import Batch, Part, Rows
from taskbank.learning.target import Target
from taskbank.own_task.labels import Learnable
from taskbank.tasks.kinds import OutputKind
from taskbank.tasks.registry import Task

ErrorOf = Callable[[Tensor, Target], Tensor]


class OwnPart(Part):
    """The images of one part: learned from, chosen on, or measured on.

    Args:
        task: the target.
        config: batch size and seed.
        device: of the tensors.
        labels: of all images.
        groups: int32 (images,), of all images.
        rows: int64, the images of the part.
        codes: source -> representations of all images, float16 (N, C, h, w).
        squares: all images, float16 (N, 3, S, S) in [-1, 1].
    """

    def __init__(
        self,
        task: Task,
        config: TrainingSettings,
        device: torch.device,
        *,
        labels: Learnable,
        groups: NDArray[np.int32],
        rows: Rows,
        codes: Mapping[str, NDArray[np.float16]],
        squares: NDArray[np.float16],
    ) -> None:
        super().__init__(task, config, device)
        self._labels = labels
        self._groups = groups
        self._images = rows
        self._codes = codes
        self._squares = squares

    def __len__(self) -> int:
        return len(self._images)

    @property
    def rooms(self) -> NDArray[np.int32]:
        """int32 (samples,): the group of each image."""
        return self._groups[self._images]

    def target(self, rows: Rows, turn: int = 0) -> Target:
        """Return the targets of samples, equal in every turn."""
        values = torch.from_numpy(np.array(self._labels.values[self._images[rows]])).to(self.device)
        if values.ndim < 4:
            return Target(values=values)
        known = values.isfinite().all(1, keepdim=True)
        return Target(values=values.where(known, 0.0), weight=known.float())

    def codes(self, sets: Sequence[Sequence[str]], rows: Rows) -> Tensor:
        """Return representations, float32 (transfers, B, channels of all sources, h, w), on the device."""
        images = self._images[rows]
        joined = [np.concatenate([self._codes[name][images] for name in names], axis=1) for names in sets]
        return torch.from_numpy(np.stack(joined)).to(self.device, non_blocking=True).float()

    def picture_batch(self, rows: Rows, turn: int = 0, size: int | None = None) -> Batch:
        """Return a batch of squares for a whole network, always of the size they are kept in.

        Raises:
            ValueError: `size` is given.
        """
        if size is not None:
            raise ValueError(f"size is {size}, but squares are kept in one size: leave it out")
        target = self.target(rows, turn)
        shown = torch.from_numpy(self._squares[self._images[rows]]).to(self.device).float()
        return shown, lambda output: losses(self.task, output, target)

    def judged(self, batch: Callable[[Rows], Batch], error_of: ErrorOf) -> Callable[[Rows], Batch]:
        """Return batches whose loss is an error that people read."""

        def judge(rows: Rows) -> Batch:
            target = self.target(rows)
            return batch(rows)[0], lambda output: error_of(output, target)

        return judge


def error_of(labels: Learnable) -> tuple[str, ErrorOf]:
    """Return the name of the error that people read, and its function (B, ...) -> (B,).

    It is the share of wrong classes (0 or 1 for each image), or the mean absolute error in the unit.
    """
    target = labels.target
    if target.output is OutputKind.CLASSES:
        return "wrong", lambda output, truth: (output.argmax(1) != truth.values).float()
    if target.output is OutputKind.NUMBERS:
        std = torch.tensor(target.whitening[1] if target.whitening else (1.0,))

        def numbers(output: Tensor, truth: Target) -> Tensor:
            return ((output.float() - truth.values).abs() * std.to(output.device)).mean(1)

        return "mean absolute error", numbers
    low, high = target.value_range or (-1.0, 1.0)

    def maps(output: Tensor, truth: Target) -> Tensor:
        weight = torch.ones_like(output[:, :1]) if truth.weight is None else truth.weight
        missed = (output.float() - truth.values).abs().mean(1, keepdim=True) * weight * (high - low) / 2
        return missed.sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp(min=1)

    return "mean absolute error", maps
