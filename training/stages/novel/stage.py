"""Stage 5: from photographs and labels to a ranking of sources, an affinity tensor and a bank."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from taskbank.bank.bank import Bank
from taskbank.tasks.registry import SCRATCH
from taxsolver import AffinityTensor, load_affinity
from training.errors import DataError
from training.runs.engine import Engine, LocalEngine
from training.runs.markers import BEGUN
from training.runs.stage import run_stage
from training.stages.novel.conclude import conclude
from training.stages.novel.config import NovelConfig
from training.stages.novel.data import NovelPlaces
from training.stages.novel.encode import EncodeJob
from training.stages.novel.prepare import prepare
from training.stages.novel.tensor import check_new
from training.stages.transfers.choose import rank_sources, source_sets
from training.stages.transfers.config import TransfersConfig
from training.stages.transfers.jobs import AVERAGE, ControlJob, TransferJob, Work, as_jobs
from training.stages.transfers.loss_files import HELD_OUT, load_losses, losses_path

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NovelSettings:
    """Settings that determine a run.

    Attributes:
        novel: the task.
        sources: source tasks.
        bank: sha256 of the bank's index.
        affinity: the tensor to extend; None for a new one.
    """

    novel: NovelConfig
    sources: tuple[str, ...]
    bank: str
    affinity: str | None


def run_novel(
    config: NovelConfig,
    *,
    images: Path,
    labels: Path,
    bank: str,
    out: Path,
    sources: Sequence[str] | None = None,
    affinity: str | None = None,
    device: str = "cpu",
    engine: Engine | None = None,
    overwrite: bool = False,
) -> Path:
    """Run stage 5.

    Args:
        config: the task, and the settings of training its transfers.
        images: folder of photographs.
        labels: folder of maps or of classes, or a CSV file.
        bank: a bank as for `Bank.open`.
        out: folder of `affinity.safetensors`, `bank/`, `ranking.csv` and intermediate files.
        sources: names or aliases of source tasks; None for all of the bank.
        affinity: name or path of a tensor to extend by the task; None for a new tensor.
        device: device of all networks.
        engine: engine that runs the jobs; None for this process.
        overwrite: delete outputs of other settings.

    Returns:
        `out`.

    Raises:
        TrainingError: as for `run_stage`, `prepare` and the jobs, or there are too few encoders.
        TaskBankError: the bank cannot be read.
        TaxSolverError: the tensor cannot be read.
    """
    opened = Bank.open(bank)
    read = opened.tasks if sources is None else tuple({opened.entry(name).task: None for name in sources})
    if len(read) < 2:
        raise DataError(
            f"{len(read)} encoder(s) of the bank {opened.where} are sources: they can be ranked from two on"
        )
    base = None if affinity is None else load_affinity(affinity)
    if base is not None:
        check_new(base, config.name)  # fail early, before hours of training
    is_file = affinity is not None and Path(affinity).is_file()
    training = config.transfers(read, opened.architecture)
    source = str(Path(bank).resolve()) if Path(bank).is_dir() else bank  # workers may run in another folder
    work = _Work(config, training, opened, source, out, device, engine or LocalEngine())
    return run_stage(
        out,
        name="novel",
        config=NovelSettings(
            novel=config,
            sources=read,
            bank=opened.digest,
            affinity=None if base is None else base.name,
        ),
        inputs=[images, labels, *([Path(str(affinity))] if is_file else [])],
        body=lambda _: work.do(images, labels, base),
        overwrite=overwrite or _only_begun(out),
    )


def _only_begun(out: Path) -> bool:
    """Return True if an earlier run wrote no outputs, so that labels may have changed since."""
    return all(path.name == BEGUN for path in out.rglob("*") if path.is_file() and path.name[0] != ".")


@dataclass(frozen=True, slots=True)
class _Work:
    """One run of the stage."""

    config: NovelConfig
    training: TransfersConfig
    bank: Bank
    bank_source: str
    out: Path
    device: str
    engine: Engine

    @property
    def places(self) -> NovelPlaces:
        """Folders."""
        out = self.out.resolve()
        return NovelPlaces(prepared=out / "prepared", codes=out / "codes", out=out / "transfers")

    def do(self, images: Path, labels: Path, base: AffinityTensor | None) -> None:
        """Run all steps; finished jobs are skipped."""
        prepared = prepare(self.config, images, labels, self.places.prepared)
        self._encode()
        self._train()
        conclude(self.out, self.config, self.bank, prepared, transfers=self.places.out, base=base)

    def _encode(self) -> None:
        """Compute representations by every encoder."""
        jobs = [
            EncodeJob(places=self.places, bank=self.bank_source, source=source, device=self.device)
            for source in self.training.sources
        ]
        self.engine.run(as_jobs(jobs, self.places.codes))
        log.info("%d encoders of %s", len(jobs), self.bank.where)

    def _train(self) -> None:
        """Train order 1 and controls, then sets of the best sources."""
        name, training, places = self.config.name, self.training, self.places
        first: list[Work] = [
            self._transfers(1, ()),
            *(
                ControlJob(places=places, config=training, device=self.device, target=name, control=control)
                for control in (SCRATCH, AVERAGE)
            ),
        ]
        self.engine.run(as_jobs(first, places.out))
        ranked = rank_sources(load_losses(losses_path(places.out, name, "order_1"), HELD_OUT).by_name, name)
        higher = [self._transfers(order, ranked) for order in training.set_orders]
        self.engine.run(as_jobs([job for job in higher if job.sets], places.out))

    def _transfers(self, order: int, ranked: tuple[str, ...]) -> TransferJob:
        name, training = self.config.name, self.training
        sets = source_sets(order, ranked, training, name)
        return TransferJob(
            places=self.places, config=training, device=self.device, target=name, order=order, sets=sets
        )
