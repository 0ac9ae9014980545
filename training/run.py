"""The options of a run, and the paths of its folders."""

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
        engine: runs the jobs of stages that have some.
        data: where the real dataset lies; needed by presets with a section `taskonomy`.
        real: real frames with labels that networks are measured on too; None for none.
        real_train: real frames with depth that networks may learn from; None for none.
        textures: folder of images for the materials of rooms; None for what the preset says.
        environments: folder of panoramas that windows show; None for what the preset says.
        device: cpu, cuda, cuda:1 or mps.
        workers: processes that prepare data, and jobs that stage 1 is split into.
        tasks: canonical names, if not all take part.
        overwrite: whether a stage deletes what was made with other settings.
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
        """Folder of the store of real frames to learn from; None where the run has none."""
        return None if self.real_train is None else self.out / "frames" / "real"

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
