"""Inputs of stage 7: the outputs of stages 1 to 3, and the settings for making a bank of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from training.stages.evaluation.config import EvaluateConfig
from training.stages.transfers.config import TransfersConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The outputs of stages 1 to 3 of a run, with the settings for reading them in stage 7.

    Attributes:
        config: settings of stage 7 for making and measuring the bank.
        transfers_config: settings of stage 2.
        networks: folder of stage 1.
        transfers: folder of stage 2.
        affinity: tensor of stage 3, which ranks transfers.
    """

    config: EvaluateConfig
    transfers_config: TransfersConfig
    networks: Path
    transfers: Path
    affinity: Path

    @property
    def folders(self) -> tuple[Path, Path, Path]:
        """The folders and the file of earlier stages that this stage reads."""
        return self.networks, self.transfers, self.affinity
