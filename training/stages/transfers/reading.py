"""Data of transfers to one target from one store: samples, representations, pictures, targets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskbank.learning.losses import losses
from taskbank.learning.parts import Batch, Part, Rows
from taskbank.learning.target import Target
from taskbank.tasks.registry import DecoderForm, Task
from training.data.frames import FrameStore
from training.learning.batches import BatchReader
from training.learning.draws import seeds_of
from training.learning.inputs import as_unit, network_input, resized
from training.learning.samples import samples_of
from training.learning.targets import make_target
from training.stages.transfers.codes import Codes, input_seeds
from training.stages.transfers.config import TransfersConfig


class Reading(Part):
    """The samples of one target in one store, or in a part of it.

    Args:
        task: the target.
        store: store of frames and labels.
        codes: folder of the store's representations.
        config: batch size, image size and seed.
        device: device of the tensors.
        among: bool (frames,), True for frames that may be used; None for all.
        weights: float (17,), weights of semantic classes; None for the original's.

    Raises:
        DataError: the store has no sample of the task.
    """

    config: TransfersConfig

    def __init__(
        self,
        task: Task,
        store: FrameStore,
        codes: Path,
        config: TransfersConfig,
        device: torch.device,
        *,
        among: NDArray[np.bool_] | None = None,
        weights: Tensor | None = None,
    ) -> None:
        super().__init__(task, config, device)
        self.samples = samples_of(task, store, config.seed, among=among)
        self._reader = BatchReader(store, device)
        self._codes = Codes(codes, task.name)
        self._weights = weights

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def rooms(self) -> NDArray[np.int32]:
        """int32 (samples,): the room of each sample; all frames of a sample are in one room."""
        frames = self.samples.frames
        rooms: NDArray[np.int32] = self._reader.store.cameras["room"][
            frames if frames.ndim == 1 else frames[:, 0]
        ]
        return rooms

    def target(self, rows: Rows, turn: int = 0) -> Target:
        """Return the targets of samples.

        Args:
            rows: numbers of samples.
            turn: number of the pass over the samples; each pass draws other points of segmentations.
        """
        return self._target(self._load(rows), self._seeds(rows, turn))

    def codes(self, sets: Sequence[Sequence[str]], rows: Rows) -> Tensor:
        """Return representations, float32 (transfers, B, [P,] 8 * sources, h, w), on the device."""
        found = self._codes.read(sets, self.samples.frames[rows])
        return found.to(self.device, non_blocking=True).float()

    def picture_batch(self, rows: Rows, turn: int = 0, size: int | None = None) -> Batch:
        """Return a batch of pictures for a whole network.

        Pictures of denoising have the same noise in every pass: that of the noisy representations.
        """
        raw = self._load(rows)
        target = self._target(raw, self._seeds(rows, turn))
        side = self.config.size or raw["rgb"].shape[-2]
        pictures = resized(as_unit(raw["rgb"]), size or side)
        shown = network_input(self.task, pictures, self._seeds(rows, 0))
        maps = self.task.decoder in {DecoderForm.PIXEL, DecoderForm.COLORIZATION}

        def loss_of(output: Tensor) -> Tensor:
            # Maps of colours are smaller than the pictures, so the ratio of sizes counts.
            reduced = resized(output, output.shape[-1] * side // size) if maps and size else output
            return losses(self.task, reduced, target)

        return shown, loss_of

    def _seeds(self, rows: Rows, turn: int) -> Tensor:
        seeds = input_seeds(self.config.seed, self.samples, rows).to(self.device)
        return seeds_of(seeds, turn) if turn else seeds

    def _load(self, rows: Rows) -> dict[str, Tensor]:
        return self._reader.load([self.task], self.samples, rows)

    def _target(self, raw: dict[str, Tensor], seeds: Tensor) -> Target:
        return make_target(self.task, raw, seeds, size=self.config.size, weights=self._weights)
