"""Stage 2: representations, transfers of order 1 and controls, then higher orders over the best sources."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from taskbank.bank.entries import ForeignEntry
from taskbank.bank.seeded import describe_untrained
from training.atomic_files import write_json
from training.data.frames import FrameStore
from training.errors import DataError
from training.runs.engine import Engine, LocalEngine
from training.runs.settings import settings_of
from training.runs.stage import run_stage
from training.stages.transfers.choose import rank_sources, source_sets
from training.stages.transfers.config import CodesSettings, TransfersConfig
from training.stages.transfers.divide import divide
from training.stages.transfers.foreign import describe_foreign
from training.stages.transfers.jobs import CONTROLS, CodesJob, ControlJob, TransferJob, Work, as_jobs
from training.stages.transfers.loss_files import HELD_OUT, load_losses, losses_path
from training.stages.transfers.places import Places, TargetData
from training.stages.transfers.ridge import RidgeJob, load_ridge, ridge_agreement

log = logging.getLogger(__name__)

RANKING, RIDGE, COUNTS = "ranking.json", "ridge.json", "counts.json"


def run_transfers(
    config: TransfersConfig,
    networks: Path,
    stores: Mapping[str, Path],
    out: Path,
    *,
    device: str = "cpu",
    engine: Engine | None = None,
    overwrite: bool = False,
) -> Path:
    """Run stage 2.

    Args:
        config: settings of the transfers.
        networks: folder of stage 1 with `TASK.safetensors`.
        stores: stores of frames: `val`, for training transfers, and `test`.
        out: folder of the run, in which `codes` and `transfers` are created.
        device: device of all networks.
        engine: engine that runs the jobs; None for this process.
        overwrite: delete outputs of another configuration.

    Returns:
        the folder of transfers: losses, weights, `ranking.json` and `ridge.json`.

    Raises:
        ConfigError: a foreign source is unknown or not available; also as for `run_stage`.
        TrainingError: as for `run_stage` and the jobs.
    """
    places = Places(
        val=stores["val"],
        test=stores["test"],
        networks=networks,
        codes=out / "codes",
        out=out / "transfers",
        foreign=describe_foreign(config.foreign, config.seed),
    )
    does = engine or LocalEngine()
    inputs = [networks, stores["val"], stores["test"]]
    run_stage(
        places.codes,
        name="codes",
        config=CodesSettings.of(config, places.foreign),
        inputs=inputs,
        body=lambda folder: does.run(as_jobs(codes_jobs(config, places, device), folder)),
        overwrite=overwrite,
    )
    return run_stage(
        places.out,
        name="transfers",
        config=config,
        inputs=[*inputs, places.codes],
        body=lambda _: train_all(config, places, device, does),
        overwrite=overwrite,
    )


def codes_jobs(config: TransfersConfig, places: Places, device: str) -> list[CodesJob]:
    """Create a job for every source in both splits, also with noise if denoising is a target."""
    sources: list[str | ForeignEntry] = [*config.sources, *places.foreign]
    return [
        CodesJob(places=places, config=config, device=device, source=source, split=split, noisy=noisy)
        for split in ("val", "test")
        for noisy in ((False, True) if "denoising" in config.targets else (False,))
        for source in sources
    ]


def first_jobs(config: TransfersConfig, places: Places, device: str) -> list[Work]:
    """Create jobs for order 1, controls and ridge read-outs of every target."""
    works: list[Work] = []
    for target in config.targets:
        sets = source_sets(1, places.sources(config), config, target)
        works.append(
            TransferJob(places=places, config=config, device=device, target=target, order=1, sets=sets)
        )
        works += [
            ControlJob(places=places, config=config, device=device, target=target, control=control)
            for control in CONTROLS
        ]
        works.append(RidgeJob(places=places, config=config, device=device, target=target))
    return works


def higher_jobs(
    config: TransfersConfig, places: Places, device: str, ranking: Mapping[str, tuple[str, ...]]
) -> list[TransferJob]:
    """Create a job for every target and order above 1 that has enough sources."""
    return [
        TransferJob(places=places, config=config, device=device, target=target, order=order, sets=sets)
        for target in config.targets
        for order in config.set_orders
        if (sets := source_sets(order, ranking[target], config, target))
    ]


def train_all(config: TransfersConfig, places: Places, device: str, engine: Engine) -> None:
    """Run both rounds of jobs, the second with the best sources of the first; representations must exist.

    Raises:
        JobsFailedError: some jobs failed.
    """
    engine.run(as_jobs(first_jobs(config, places, device), places.out))
    first = {
        target: load_losses(losses_path(places.out, target, "order_1"), HELD_OUT).by_name
        for target in config.targets
    }
    ranking = {target: rank_sources(losses, target) for target, losses in first.items()}
    write_json(places.out / RANKING, {target: list(best) for target, best in ranking.items()})
    means = {
        target: {source: float(values.mean()) for source, values in losses.items()}
        for target, losses in first.items()
    }
    # Spearman's correlation of ridge errors and trained losses, by target and on average.
    found = {
        target: ridge_agreement(load_ridge(places.out, target), losses) for target, losses in means.items()
    }
    measured = [rho for rho in found.values() if not math.isnan(rho)]
    mean = sum(measured) / len(measured) if measured else None
    log.info("ridge read-outs rank sources as training does: Spearman %s on average", mean)
    spearman = {target: None if math.isnan(rho) else rho for target, rho in found.items()}
    write_json(places.out / RIDGE, {"spearman": spearman, "mean": mean})
    engine.run(as_jobs(higher_jobs(config, places, device, ranking), places.out))
    # Facts about the data, for the tensor's header.
    val, test = FrameStore.open(places.val), FrameStore.open(places.test)
    division = divide(val, config)
    rooms = {
        "learned": val.cameras["room"][division.learned],
        "held_out": val.cameras["room"][division.held_out],
        "test": test.cameras["room"],
    }
    weights = {
        target: known.tolist()
        for target in config.targets
        if (known := TargetData(target, places, config, torch.device("cpu")).class_weights) is not None
    }
    write_json(
        places.out / COUNTS,
        {
            "targets": list(config.targets),
            "class_weights": weights,
            "images_transfer": int(division.learned.sum()),
            **{f"rooms_{part}": len(np.unique(numbers)) for part, numbers in rooms.items()},
            "untrained": asdict(describe_untrained(config.architecture, config.seed)),
            "config": settings_of(config, only_compared=True),
            **({"foreign": [asdict(one) for one in places.foreign]} if places.foreign else {}),
        },
    )


def load_ranking(folder: Path) -> dict[str, tuple[str, ...]]:
    """Load the ranking of sources for the sets of each target, best first."""
    written = json.loads((folder / RANKING).read_text(encoding="utf-8"))
    return {target: tuple(best) for target, best in written.items()}


def load_counts(folder: Path) -> dict[str, Any]:
    """Load targets, numbers of images and rooms, settings and foreign sources of a finished stage.

    Raises:
        DataError: the stage is not finished.
    """
    try:
        counts: dict[str, Any] = json.loads((folder / COUNTS).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{folder} has no {COUNTS}: run stage 2 first") from error
    return counts


def load_foreign(folder: Path) -> tuple[ForeignEntry, ...]:
    """Load the descriptions of the foreign sources of a finished stage; empty if it has none.

    Raises:
        DataError: the stage is not finished.
    """
    return tuple(ForeignEntry(**one) for one in load_counts(folder).get("foreign", ()))
