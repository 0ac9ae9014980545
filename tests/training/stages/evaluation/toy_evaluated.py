"""A run as far as stage 7 needs it: two targets, four sources, three steps, and real frames of a wall."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tests.training.stages.transfers.toy_run import toy_config, toy_places
from training.data.real.camera import Intrinsics
from training.data.real.folder import RealFolder
from training.stages.affinity.stage import AffinityConfig, run_affinity
from training.stages.evaluation.config import EvaluateConfig
from training.stages.evaluation.trained import Trained
from training.stages.transfers.config import TransfersConfig
from training.stages.transfers.stage import run_transfers


@dataclass(frozen=True)
class ToyRun:
    """A toy run of stages 1 to 3: its settings and folders."""

    root: Path
    config: TransfersConfig
    frames: dict[str, Path]
    networks: Path
    transfers: Path
    affinity: Path
    test: Path
    real: RealFolder

    def trained(self, config: EvaluateConfig) -> Trained:
        """The same for stage 7."""
        return Trained(
            config=config,
            transfers_config=self.config,
            networks=self.networks,
            transfers=self.transfers,
            affinity=self.affinity,
        )


def toy_run(root: Path) -> ToyRun:
    """Stages 2 and 3 over untrained networks."""
    places = toy_places(root)
    for weights in places.networks.glob("*.safetensors"):
        weights.with_suffix(".json").write_text(
            '{"steps": 3, "seconds": 1.5, "device": "cpu", "image_size": 32, "metrics": '
            '{"held_out_loss": 0.4, "constant_loss": 0.5, "beats_constant": 0.75, "dead_channels": 0.0}}'
        )
    stores = {split: root / "frames" / split for split in ("train", "val", "test")}
    config = toy_config(
        steps=3, batch=4, targets=("normal", "depth_zbuffer"), ridge_samples=16, average_samples=8
    )
    transfers = run_transfers(config, places.networks, stores, root)
    affinity = run_affinity(AffinityConfig(resamples=3), transfers, stores, root)
    return ToyRun(
        root, config, stores, places.networks, transfers, affinity, stores["test"], real_folder(root / "real")
    )


def real_folder(root: Path) -> RealFolder:
    """Three frames of a slanted wall."""
    root.mkdir()
    draw = np.random.default_rng(0)
    for number in range(3):
        depth = 2000 + 20 * number * np.arange(64) + np.zeros((64, 1))
        Image.fromarray(depth.astype(np.uint16)).save(root / f"{number}_depth.png")
        Image.fromarray(draw.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(root / f"{number}_rgb.png")
    return RealFolder(root, Intrinsics(fx=80, fy=80, cx=31.5, cy=31.5))
