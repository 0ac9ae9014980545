"""Prepared photographs as training, held-out and test parts of a target's data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from taskbank.learning.losses import losses
from taskbank.learning.parts import Batch, Rows
from taskbank.learning.parts import Part as TransferPart
from training.errors import DataError
from training.learning.targets import Target
from training.stages.novel.division import Part
from training.stages.novel.prepare import LABELS, SQUARES, load_prepared
from training.stages.transfers.codes import Codes
from training.stages.transfers.config import TransfersConfig
from training.stages.transfers.places import TargetParts


@dataclass(frozen=True, slots=True, kw_only=True)
class NovelPlaces:
    """Folders of a novel task.

    Attributes:
        prepared: folder of photographs and labels.
        codes: folder of representations.
        out: folder of transfers.
    """

    prepared: Path
    codes: Path
    out: Path

    def data_of(self, target: str, config: TransfersConfig, device: torch.device) -> TargetParts:
        """Return the data of the novel task, the only target."""
        return NovelData(target, self, config, device)


class NovelData:
    """A user's photographs, in three parts.

    Args:
        name: name of the task.
        places: folders.
        config: batch size and seed.
        device: device of the tensors.
    """

    def __init__(self, name: str, places: NovelPlaces, config: TransfersConfig, device: torch.device) -> None:
        self._prepared = load_prepared(places.prepared)
        self.task = self._prepared.target.as_task(name)
        self.device = device
        self._places = places
        self._config = config

    @cached_property
    def _squares(self) -> NDArray[np.float16]:
        mapped: NDArray[np.float16] = np.load(self._places.prepared / SQUARES, mmap_mode="r")
        return mapped

    @cached_property
    def _labels(self) -> NDArray[np.generic]:
        mapped: NDArray[np.generic] = np.load(self._places.prepared / LABELS, mmap_mode="r")
        return mapped

    @property
    def size(self) -> int:
        """Side of maps in px."""
        return int(self._squares.shape[-1])

    @cached_property
    def learned(self) -> TransferPart:
        """The training samples of transfers and `scratch`."""
        return self._part(Part.LEARNED)

    @cached_property
    def held_out(self) -> TransferPart:
        """The samples for ranking sources."""
        return self._part(Part.HELD_OUT)

    @cached_property
    def test(self) -> TransferPart:
        """The test samples."""
        return self._part(Part.TEST)

    def full_supervision(self) -> tuple[nn.Module, int]:
        """Raise an error, as a novel task has no network of its own.

        Raises:
            DataError: always, as a novel task is labelled for transfers only.
        """
        raise DataError(f"{self.task.name} is a novel task: it has no network of its own")

    def _part(self, part: Part) -> TransferPart:
        return NovelPart(self, self._config, Codes(self._places.codes, self.task.name), part)

    def shown(self, frames: NDArray[np.int64]) -> Tensor:
        """Return inputs, float32 (B, 3, S, S) in [-1, 1], on the device."""
        return torch.from_numpy(self._squares[frames]).to(self.device).float()

    def labels(self, frames: NDArray[np.int64]) -> Target:
        """Return the targets of some photographs."""
        values = torch.from_numpy(np.array(self._labels[frames])).to(self.device)
        if values.ndim < 4:
            return Target(values=values)
        known = values.isfinite().all(1, keepdim=True)
        return Target(values=values.where(known, 0.0), weight=known.float())

    def photographs(self, part: Part) -> NDArray[np.int64]:
        """Return the numbers of the photographs of a part, int64."""
        return self._prepared.of(part)

    def groups(self, frames: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the group of each photograph, int32."""
        return np.array(self._prepared.groups, dtype=np.int32)[frames]


class NovelPart(TransferPart):
    """One of the three parts.

    Args:
        data: all photographs.
        config: batch size and seed.
        codes: representations.
        part: the part.
    """

    def __init__(self, data: NovelData, config: TransfersConfig, codes: Codes, part: Part) -> None:
        super().__init__(data.task, config, data.device)
        self._data = data
        self._codes = codes
        self._photographs = data.photographs(part)

    def __len__(self) -> int:
        return len(self._photographs)

    @property
    def rooms(self) -> NDArray[np.int32]:
        """int32 (samples,): the group of each photograph."""
        return self._data.groups(self._photographs)

    def target(self, rows: Rows, turn: int = 0) -> Target:
        """Return the targets of samples, equal in every turn."""
        return self._data.labels(self._photographs[rows])

    def codes(self, sets: Sequence[Sequence[str]], rows: Rows) -> Tensor:
        """Return representations, float32 (transfers, B, 8 * sources, h, w), on the device."""
        return self._codes.read(sets, self._photographs[rows]).to(self.device, non_blocking=True).float()

    def picture_batch(self, rows: Rows, turn: int = 0, size: int | None = None) -> Batch:
        """Return a batch of pictures for training a whole network, always of the size they are kept in.

        Raises:
            ValueError: `size` is given.
        """
        if size is not None:
            raise ValueError(f"size is {size}, but novel tasks keep pictures of one size: leave it out")
        target = self.target(rows, turn)
        return self._data.shown(self._photographs[rows]), lambda output: losses(self.task, output, target)
