"""Stage 7, second half: the bank with its measurements, the affinity tensor, and the card.

The weights must be those that were measured: hashes of all files are compared.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from taskbank.bank import About, Bank, TransferKey
from taskbank.card import model_card
from taxsolver import AffinityTensor, load_affinity
from training.errors import DataError
from training.evaluate.assemble import assemble_bank
from training.evaluate.config import EvaluateConfig
from training.evaluate.report import report_text
from training.evaluate.stage import BANK, SCORES
from training.stage import run_stage
from training.transfers.config import TransfersConfig
from training.whole_files import write_whole

CARD, TENSOR = "MODEL_CARD.md", "affinity.safetensors"


def run_publishing(
    config: EvaluateConfig,
    transfers_config: TransfersConfig,
    *,
    networks: Path,
    transfers: Path,
    affinity: Path,
    evaluation: Path,
    out: Path,
    card: str = "",
    overwrite: bool = False,
) -> Path:
    """Write the bank with its measurements, the affinity tensor and the card.

    Args:
        config: of this stage.
        transfers_config: of stage 2.
        networks: folder of stage 1.
        transfers: folder of stage 2.
        affinity: tensor of stage 3.
        evaluation: folder of `run_evaluation`.
        out: gets `bank/`, `affinity.safetensors` and `MODEL_CARD.md`.
        card: what earlier stages have to say on the card, Markdown.
        overwrite: delete what another configuration left.

    Returns:
        the folder.

    Raises:
        DataError: the weights are not those that were measured.
        TrainingError: something is missing or cannot be written.
    """

    def body(folder: Path) -> None:
        scores = json.loads((evaluation / SCORES).read_text(encoding="utf-8"))
        tensor = load_affinity(affinity)
        shutil.rmtree(folder / BANK, ignore_errors=True)
        bank = assemble_bank(
            folder / BANK,
            config,
            transfers_config,
            networks=networks,
            transfers=transfers,
            affinity=tensor,
            about=about_networks(networks, scores, config),
            about_transfers=about_transfers(tensor, config),
        )
        check_same_weights(bank, Bank.open(evaluation / BANK))
        shutil.copyfile(affinity, folder / TENSOR)
        text = model_card(bank.index, bank.digest, config.name)
        text += "\n".join(["", card, "## Measured", "", "```text", report_text(scores), "```", ""])
        for path in (folder / CARD, folder / BANK / "README.md"):
            write_whole(path, lambda file: file.write(text.encode()))

    return run_stage(
        out, name="publishing", config=config, inputs=[networks, transfers, affinity, evaluation], body=body,
        overwrite=overwrite,
    )  # fmt: skip


def about_networks(networks: Path, scores: Mapping[str, Any], config: EvaluateConfig) -> dict[str, About]:
    """What is known about each task network: how it was trained, and its scores on frames it never saw."""
    beats = {row["task"]: row for row in scores["sanity"]}
    about = {}
    for task, measured in scores["test"].items():
        metrics = {name: value for name, value in measured.items() if name != "samples"}
        if task in beats:
            metrics["beats_average"] = beats[task]["beats_average"]
        metrics |= {f"real_{name}": value for name, value in scores.get("real", {}).get(task, {}).items()}
        training = {
            "data": config.data,
            "notes": list(config.limits),
            **_how_trained(networks / f"{task}.json"),
        }
        about[task] = About(licence=config.licence, metrics=metrics, training=training)
    return about


def _how_trained(facts: Path) -> dict[str, Any]:
    """Steps, seconds and device of stage 1."""
    written = json.loads(facts.read_text(encoding="utf-8"))
    return {name: written[name] for name in ("steps", "seconds", "device") if name in written}


def about_transfers(affinity: AffinityTensor, config: EvaluateConfig) -> dict[TransferKey, About]:
    """What is known about each transfer: its win rates."""
    about = {}
    for row in range(len(affinity)):
        transfer = affinity.transfer(row)
        rates = {"affinity": transfer.affinity, "gain": transfer.gain, "quality": transfer.quality}
        metrics = {name: value for name, value in rates.items() if value is not None}
        training = {"data": config.data}
        about[transfer.sources, transfer.target] = About(
            licence=config.licence, metrics=metrics, training=training
        )
    return about


def check_same_weights(bank: Bank, measured: Bank) -> None:
    """Refuse to publish numbers of other weights.

    Raises:
        DataError: a file differs.
    """
    known = {file.path: file.sha256 for file in measured.index.files}
    for file in bank.index.files:
        if known.get(file.path) != file.sha256:
            raise DataError(
                f"{file.path} is not what was measured: networks or transfers changed since the evaluation, "
                "run it again"
            )
