"""Facts about networks for a bank's index: their training, and metrics of their stored weights.

Metrics refer to the weights as stored. Win rates are computed from the losses of stage 2, before the weights
were stored in the bank's form, and so belong to the facts of training.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from taskbank.bank.bank import About, Bank, TransferKey
from taskbank.bank.health import BEATS_CONSTANT, CONSTANT_LOSS, HELD_OUT, HELD_OUT_LOSS
from taxsolver import AffinityTensor
from training.stages.evaluation.config import EvaluateConfig
from training.stages.networks import examine

_KEPT = ("image_size", "parameters", "steps", "seconds", "trained_beside", "device")
_SETTINGS = (
    "batch", "learning_rate", "schedule", "warm_up", "weight_decay", "clip", "ema", "precision", "mirror",
    "zoom", "photometric", "adversarial", "seed",
)  # fmt: skip
_ORIGINS = ("pretrained", "real")
_HELD_OUT = {
    HELD_OUT_LOSS: HELD_OUT_LOSS,
    CONSTANT_LOSS: CONSTANT_LOSS,
    examine.BEATS_CONSTANT: BEATS_CONSTANT,
}
_SAMPLES = "samples"


def about_networks(networks: Path, scores: Mapping[str, Any], config: EvaluateConfig) -> dict[str, About]:
    """Collect the facts about each task network.

    Args:
        networks: folder of stage 1.
        scores: scores of `run_evaluation`.
        config: settings of this stage.
    """
    wins = {row["task"]: _rates(row, "beats_average", "beats_random") for row in scores["sanity"]}
    about = {}
    for task in scores["test"]:
        written = json.loads((networks / f"{task}.json").read_text(encoding="utf-8"))
        before = {f"{name}_before": value for name, value in written.get("before", {}).items()}
        metrics = written.get("metrics", {})
        training = {
            "data": config.data,
            "notes": list(config.limits),
            "win_rates": wins.get(task, {}),
            **{name: written[name] for name in _KEPT if name in written},
            **before,
            **{name: written[name] for name in _ORIGINS if name in written},
            HELD_OUT: {name: metrics[key] for key, name in _HELD_OUT.items() if key in metrics},
            "settings": {
                name: value for name, value in written.get("config", {}).items() if name in _SETTINGS
            },
        }
        about[task] = About(licence=config.licence, metrics=task_metrics(scores, task), training=training)
    return about


def about_transfers(
    bank: Bank, scores: Mapping[str, Any], affinity: AffinityTensor, config: EvaluateConfig
) -> dict[TransferKey, About]:
    """Collect the facts about each transfer, and about each network from scratch.

    Args:
        bank: the measured bank.
        scores: scores of `run_evaluation`; those of earlier versions do not compare transfers with a
            constant.
        affinity: tensor of stage 3.
        config: settings of this stage.
    """
    rows = [affinity.transfer(row) for row in range(len(affinity))]
    rates = {
        (frozenset(row.sources), row.target): {
            "affinity": row.affinity, "gain": row.gain, "quality": row.quality,
        }
        for row in rows
        if not row.full_supervision
    }  # fmt: skip
    about = {}
    for entry in bank.index.transfers:
        constant = scores.get("transfers_beat_average", {}).get(entry.name)
        own = {BEATS_CONSTANT: constant, **rates.get((frozenset(entry.sources), entry.target), {})}
        training = {"data": config.data, "win_rates": _rates(own, *own)}
        about[entry.sources, entry.target] = About(
            licence=config.licence, metrics=transfer_metrics(scores, entry.name), training=training
        )
    return about


def task_metrics(scores: Mapping[str, Any], task: str) -> dict[str, float]:
    """Return metrics of a task network: on test frames, on real frames as `real_NAME`, and its health."""
    real = {f"real_{name}": value for name, value in scores.get("real", {}).get(task, {}).items()}
    health: Mapping[str, float] = scores.get("health", {}).get(task, {})
    return _measured(scores["test"].get(task, {})) | real | dict(health)


def transfer_metrics(scores: Mapping[str, Any], name: str) -> dict[str, float]:
    """Return metrics of a transfer on test frames, and its health, by its name as text."""
    health: Mapping[str, float] = scores.get("health", {}).get(name, {})
    return _measured(scores["transfers"].get(name, {})) | dict(health)


def _measured(numbers: Mapping[str, float]) -> dict[str, float]:
    """Drop the number of samples from metrics."""
    return {name: value for name, value in numbers.items() if name != _SAMPLES}


def _rates(row: Mapping[str, float | None], *names: str) -> dict[str, float]:
    """Return the rates that were measured."""
    return {name: value for name in names if (value := row.get(name)) is not None}
