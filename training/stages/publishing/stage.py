"""Stage 7, second half: the bank with its measurements, the affinity tensor, and the card.

The weights must be the measured ones, so the hashes of all files are compared.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from taskbank.bank.bank import Bank
from taskbank.bank.card import model_card
from taxsolver import load_affinity
from training.atomic_files import write_whole
from training.runs.stage import run_stage
from training.stages.evaluation.assemble import assemble_bank
from training.stages.evaluation.facts import about_networks, about_transfers
from training.stages.evaluation.stage import BANK, PICTURES, SCORES
from training.stages.evaluation.trained import Trained
from training.stages.evaluation.weights import check_measured
from training.stages.publishing.card import card_sections, origins
from training.stages.publishing.check import NOTICE

CARD, TENSOR, BANK_CARD = "MODEL_CARD.md", "affinity.safetensors", "README.md"


def run_publishing(
    trained: Trained,
    *,
    frames: Mapping[str, Path],
    evaluation: Path,
    out: Path,
    card: str = "",
    overwrite: bool = False,
) -> Path:
    """Write the bank with its measurements, the affinity tensor and the card.

    Args:
        trained: the outputs of stages 1 to 3 that were measured.
        frames: stores by split, for the card.
        evaluation: folder of `run_evaluation`.
        out: folder of `bank/` (weights, scores, card and pictures), `affinity.safetensors` and
            `MODEL_CARD.md`.
        card: Markdown of earlier stages for the card.
        overwrite: delete outputs of another configuration.

    Returns:
        the folder.

    Raises:
        DataError: the weights are not those that were measured.
        TrainingError: a file is missing or cannot be written.
    """
    config = trained.config

    def body(folder: Path) -> None:
        scores = json.loads((evaluation / SCORES).read_text(encoding="utf-8"))
        tensor = load_affinity(trained.affinity)
        shutil.rmtree(folder / BANK, ignore_errors=True)
        bank = assemble_bank(
            folder / BANK,
            trained,
            about=about_networks(trained.networks, scores, config),
            about_transfers=about_transfers(Bank.open(evaluation / BANK), scores, tensor, config),
        )
        check_measured(bank.index, scores["weights"])
        shutil.copyfile(trained.affinity, folder / TENSOR)
        shutil.copyfile(evaluation / SCORES, folder / BANK / SCORES)
        if (evaluation / PICTURES).is_dir():
            shutil.copytree(evaluation / PICTURES, folder / BANK / PICTURES)
        notice = "\n".join([f"{config.name}: what these weights owe to others", "", *origins(bank.index), ""])
        write_whole(folder / BANK / NOTICE, lambda file: file.write(notice.encode()))
        text = model_card(bank.index, bank.digest, config.name)
        text += "\n".join(["", card, card_sections(bank.index, scores, frames), ""])
        for path in (folder / CARD, folder / BANK / BANK_CARD):
            write_whole(path, lambda file: file.write(text.encode()))

    inputs = [*trained.folders, evaluation, *frames.values()]
    return run_stage(out, name="publishing", config=config, inputs=inputs, body=body, overwrite=overwrite)
