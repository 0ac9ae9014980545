"""Results of a novel task: affinities, a ranking, a tensor to plan with, a bank to predict with.

Transfers are ranked on the test photographs, so the score of the best of many is slightly optimistic there.
Use its interval, or new photographs, to judge it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors.numpy import save

from taskbank.bank.bank import Bank
from taskbank.tasks.registry import SCRATCH
from taxsolver import AffinityTensor, save_affinity
from training.atomic_files import write_json, write_whole
from training.stages.affinity.target import TargetAffinity, target_affinity
from training.stages.novel.config import NovelConfig
from training.stages.novel.division import Part
from training.stages.novel.prepare import Prepared
from training.stages.novel.ranking import Ranked, control_losses, ranking, ranking_text, write_ranking
from training.stages.novel.saving import save_bank
from training.stages.novel.tensor import extended, new_tensor
from training.stages.transfers.config import UNTRAINED
from training.stages.transfers.loss_files import load_target

TENSOR, BANK, RANKING, TABLE, REPORT, INTERVALS = (
    "affinity.safetensors", "bank", "ranking.csv", "ranking.txt", "report.json", "intervals.safetensors",
)  # fmt: skip


def conclude(
    out: Path,
    config: NovelConfig,
    bank: Bank,
    prepared: Prepared,
    *,
    transfers: Path,
    base: AffinityTensor | None,
) -> None:
    """Write ranking, report, tensor and bank.

    Args:
        out: folder of the run.
        config: the task.
        bank: bank of the encoders.
        prepared: photographs and their parts.
        transfers: folder of losses and weights.
        base: the tensor to extend by the task; None for a new one.

    Raises:
        ConfigError: the tensor has a task of that name.
        StorageError: a file cannot be written.
        OutputError: the same.
    """
    losses = load_target(transfers, config.name)
    found = target_affinity(
        config.name,
        losses,
        resamples=config.resamples,
        level=config.level,
        seed=config.seed,
        against={"gain": SCRATCH},
    )
    ranked, controls = ranking(found, losses), control_losses(losses)
    write_whole(out / INTERVALS, lambda file: file.write(save(dict(found.intervals))))
    save_bank(out / BANK, config, bank, prepared=prepared, transfers=transfers, ranked=ranked)
    save_affinity(_tensor(config, found, prepared, base), out / TENSOR)
    write_ranking(out / RANKING, ranked, controls)
    text = ranking_text(ranked, controls, photographs=len(prepared.of(Part.TEST)), level=config.level)
    write_whole(out / TABLE, lambda file: file.write(text.encode()))
    write_json(out / REPORT, _report(prepared, ranked) | {"controls": controls})


def _tensor(
    config: NovelConfig, found: TargetAffinity, prepared: Prepared, base: AffinityTensor | None
) -> AffinityTensor:
    """Create a new tensor, or extend `base`."""
    images = len(prepared.of(Part.LEARNED))
    if base is not None:
        return extended(base, found, images)
    about = {"made_by": "training/novel", "dataset": "photographs of a user"}
    return new_tensor(config.name, found, images, about)


def _report(prepared: Prepared, ranked: Sequence[Ranked]) -> dict[str, Any]:
    """Report the best trained sources, and the part of each photograph."""
    best = next(one for one in ranked if UNTRAINED not in one.sources)
    parts = {part.value: [prepared.photographs[one] for one in prepared.of(part)] for part in Part}
    return {"best": list(best.sources), "unreadable": dict(prepared.unreadable), **parts}


def read_report(out: Path) -> dict[str, Any]:
    """Read the report of a finished run: the best sources, losses of controls, parts of photographs."""
    written: dict[str, Any] = json.loads((out / REPORT).read_text(encoding="utf-8"))
    return written
