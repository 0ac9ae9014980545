"""Stage 7, first half: the bank of a run is put together and measured.

The folder gets `bank/`, the bank that is measured, `scores.json` with all numbers, and `report.txt` with the
same for people.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from taxsolver import load_affinity
from training.data.frames import FrameStore
from training.evaluate.assemble import assemble_bank
from training.evaluate.carry_over import carry_over
from training.evaluate.config import EvaluateConfig
from training.evaluate.real_frames import Intrinsics, RealFolder
from training.evaluate.real_scores import score_constant, score_real
from training.evaluate.report import report_text
from training.evaluate.sanity import sanity_table
from training.evaluate.scores import score_bank
from training.stage import run_stage
from training.transfers.config import TransfersConfig
from training.whole_files import write_json, write_whole

SCORES, REPORT, BANK, CARD, TENSOR = (
    "scores.json",
    "report.txt",
    "bank",
    "MODEL_CARD.md",
    "affinity.safetensors",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSettings:
    """What evaluations are compared by.

    Attributes:
        measured: which bank, and how much of it.
        camera: of the real frames; None where there are none.
    """

    measured: EvaluateConfig
    camera: Intrinsics | None


def run_evaluation(
    config: EvaluateConfig,
    transfers_config: TransfersConfig,
    *,
    networks: Path,
    transfers: Path,
    affinity: Path,
    test: Path,
    out: Path,
    real: RealFolder | None = None,
    device: str = "auto",
    overwrite: bool = False,
) -> Path:
    """Put the bank of a run together and measure it.

    Args:
        config: of this stage.
        transfers_config: of stage 2.
        networks: folder of stage 1.
        transfers: folder of stage 2.
        affinity: tensor of stage 3.
        test: store that nothing was learned from.
        out: folder of this stage.
        real: real frames; None for none.
        device: where networks run.
        overwrite: delete what another configuration left.

    Returns:
        the folder.

    Raises:
        TrainingError: something is missing or cannot be written.
    """

    def body(folder: Path) -> None:
        tensor, store = load_affinity(affinity), FrameStore.open(test)
        shutil.rmtree(folder / BANK, ignore_errors=True)
        bank = assemble_bank(
            folder / BANK,
            config,
            transfers_config,
            networks=networks,
            transfers=transfers,
            affinity=tensor,
        )
        scores: dict[str, Any] = {
            "bank": bank.digest,
            "test": score_bank(bank, store, limit=config.samples, device=device),
            "sanity": [asdict(row) for row in sanity_table(transfers, tensor.targets)],
        }
        if real is not None:
            frames = list(real.frames())
            scores["real_frames"] = len(frames)
            size = transfers_config.size or store.size
            scores["real"] = score_real(bank, frames, size=size, device=device)
            scores["real_constant"] = score_constant(frames, scores["real"])
            step = -(-len(frames) // config.carried_over)
            carried = carry_over(
                frames[::step],
                tensor,
                networks=networks,
                transfers=transfers,
                config=transfers_config,
                size=size,
                device=device,
            )
            scores["carry_over"] = [asdict(one) for one in carried]
        write_json(folder / SCORES, scores)
        text = report_text(scores)
        write_whole(folder / REPORT, lambda file: file.write(text.encode()))

    inputs = [networks, transfers, affinity, test, *([] if real is None else [real.root])]
    settings = EvaluationSettings(measured=config, camera=None if real is None else real.intrinsics)
    return run_stage(out, name="evaluation", config=settings, inputs=inputs, body=body, overwrite=overwrite)
