"""Representations of photographs by the encoders of a bank, one file per encoder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from taskbank.bank.bank import Bank
from taskbank.inference.preprocess import as_input, encoder_input_kind
from taskbank.nets.encoder import CODE_CHANNELS
from taskbank.tasks.registry import find_task
from training.atomic_files import write_whole
from training.errors import DivergedError
from training.stages.novel.data import NovelPlaces
from training.stages.novel.prepare import SQUARES
from training.stages.transfers.codes import codes_path

_AT_ONCE = 16  # photographs per batch
_CELL = 16  # px per cell of a representation


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeJob:
    """Job for the representations of one encoder.

    Attributes:
        places: folders of photographs and representations.
        bank: a bank as for `Bank.open`.
        source: canonical name of the encoder's task.
        device: device of the encoder.
    """

    places: NovelPlaces
    bank: str
    source: str
    device: str

    @property
    def output(self) -> Path:
        """The representations, float16 (N, 8, h, w)."""
        return codes_path(self.places.codes, self.source, noisy=False)

    def run(self) -> None:
        """Compute and write the representations.

        Raises:
            DivergedError: a representation is not finite in 16 bits.
            TaskBankError: the encoder cannot be loaded.
        """
        encoder = Bank.open(self.bank).load_encoder(self.source).to(self.device)
        codes = self._encoded(encoder)
        if not np.isfinite(codes).all():
            raise DivergedError(f"{self.source} gives representations beyond what 16 bits hold")
        write_whole(self.output, lambda file: np.save(file, codes, allow_pickle=False))

    @torch.inference_mode()
    def _encoded(self, encoder: nn.Module) -> NDArray[np.float16]:
        squares: NDArray[np.float16] = np.load(self.places.prepared / SQUARES, mmap_mode="r")
        side = squares.shape[-1] // _CELL
        codes = np.empty((len(squares), CODE_CHANNELS, side, side), dtype=np.float16)
        shown, channels = encoder_input_kind(find_task(self.source)), next(encoder.parameters()).shape[1]
        for start in range(0, len(squares), _AT_ONCE):
            batch = torch.from_numpy(squares[start : start + _AT_ONCE].astype(np.float32)).to(self.device)
            codes[start : start + _AT_ONCE] = encoder(as_input(batch, shown, channels)).half().cpu().numpy()
        return codes
