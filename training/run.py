"""Options of a run, and paths of its folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from training.runs.presets import Preset

if TYPE_CHECKING:
    from training.data.real.folder import RealFolder
    from training.runs.engine import Engine

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """The options of a run.

    Attributes:
        preset: settings of all stages.
        out: folder of the run.
        engine: engine for the jobs of stages.
        data: folder of the Taskonomy dataset; needed by presets with a section `taskonomy`.
        real: real frames with labels for additional measurements; None for none.
        real_train: real frames with depth that networks may learn from; None for none.
        textures: folder of images for the materials of rooms; None for the preset's value.
        environments: folder of panoramas behind windows; None for the preset's value.
        device: cpu, cuda, cuda:1 or mps.
        workers: number of processes that prepare data, and of jobs in stage 1.
        tasks: canonical names of the tasks to use; empty for all.
        overwrite: True if stages delete outputs of other settings.
    """

    preset: Preset
    out: Path
    engine: Engine
    data: Path | None = None
    real: RealFolder | None = None
    real_train: RealFolder | None = None
    textures: Path | None = None
    environments: Path | None = None
    device: str = "cpu"
    workers: int = 1
    tasks: tuple[str, ...] | None = None
    overwrite: bool = False

    @property
    def frames(self) -> dict[str, Path]:
        """Folders of the stores by split."""
        return {split: self.out / "frames" / split for split in SPLITS}

    @property
    def real_frames(self) -> Path | None:
        """Folder of the store of real frames to learn from; None if the run has none."""
        return None if self.real_train is None else self.out / "frames" / "real"

    @property
    def additional_frames(self) -> Path | None:
        """Folder of the store of additional rooms to learn from; None if the run has none."""
        folder = self.out / "frames" / "additional"
        return folder if folder.is_dir() else None

    @property
    def networks(self) -> Path:
        """Folder of stage 1."""
        return self.out / "networks"

    @property
    def transfers(self) -> Path:
        """Folder of stage 2."""
        return self.out / "transfers"

    @property
    def tensor(self) -> Path:
        """The affinity tensor of stage 3."""
        from training.stages.affinity.stage import AffinityConfig

        name = self.preset.settings("affinity", AffinityConfig).name
        return self.out / "affinity" / f"{name}.safetensors"
