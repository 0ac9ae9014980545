"""Stage 3: the affinity tensor with its uncertainty, from the losses of all test samples.

Losses of one target are compared pair by pair; `taxsolver.ahp` computes affinities from the win rates (Zamir
et al., CVPR 2018, section 3.3). As in the published tensors, a target's fully supervised network is compared
with its transfers and has a row of its own; `scratch` and the average estimator have no rows. Gain is the win
rate against `scratch`.

Frames of one room are similar, so samples are not independent: intervals are bootstrapped over rooms.
Resampling frames would make them too narrow.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save

from taskbank.tasks.registry import ALIASES
from taxsolver import AffinityTensor, save_affinity
from training.atomic_files import write_whole
from training.data.frames import FrameStore
from training.errors import ConfigError
from training.runs.provenance import digest_file
from training.runs.stage import run_stage
from training.stages.affinity.target import MEASURES, FloatArray, TargetAffinity, target_affinity
from training.stages.transfers.config import UNTRAINED
from training.stages.transfers.jobs import FULL
from training.stages.transfers.loss_files import load_target, sources_of
from training.stages.transfers.stage import load_counts

log = logging.getLogger(__name__)

INTERVALS = "intervals.safetensors"
TENSOR_LEVEL = 0.9  # level of the intervals in an affinity tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class AffinityConfig:
    """Settings of stage 3.

    Attributes:
        name: name of the tensor and of its files.
        dataset: description of the frames.
        licence: licence of the tensor.
        resamples: number of bootstrap draws of rooms.
        level: share of the draws in an interval.
        seed: seed of the draws.
    """

    name: str = "rooms"
    dataset: str = "rooms, rendered by training/rooms"
    licence: str = "MIT"
    resamples: int = 200
    level: float = 0.9
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the settings of intervals.

        Raises:
            ConfigError: a value is not allowed; the message names the field.
        """
        if self.resamples < 1 or not 0 < self.level < 1:
            raise ConfigError(
                f"resamples {self.resamples} must be at least 1, level {self.level} between 0 and 1"
            )


def run_affinity(
    config: AffinityConfig,
    transfers: Path,
    stores: Mapping[str, Path],
    out: Path,
    *,
    overwrite: bool = False,
) -> Path:
    """Run stage 3.

    Args:
        config: names and intervals.
        transfers: folder of stage 2.
        stores: stores of frames; `train` holds the training frames of stage 1.
        out: folder of the run, in which `affinity` is created.
        overwrite: delete outputs of another configuration.

    Returns:
        path of the tensor; its folder also holds it as CSV, and `intervals.safetensors`.

    Raises:
        TrainingError: as for `run_stage`, or losses are missing.
    """
    folder = out / "affinity"

    def body(where: Path) -> None:
        tensor, intervals = affinity_of(config, transfers, images_full=len(FrameStore.open(stores["train"])))
        write_whole(where / INTERVALS, lambda file: file.write(save(intervals)))
        save_affinity(tensor, where / f"{config.name}.csv")
        save_affinity(tensor, where / f"{config.name}.safetensors")

    run_stage(
        folder,
        name="affinity",
        config=config,
        inputs=[transfers, stores["train"]],
        body=body,
        overwrite=overwrite,
    )
    return folder / f"{config.name}.safetensors"


def affinity_of(
    config: AffinityConfig, transfers: Path, *, images_full: int | None = None
) -> tuple[AffinityTensor, dict[str, FloatArray]]:
    """Compute the tensor, and intervals of its measures.

    Args:
        config: names and intervals.
        transfers: folder of stage 2.
        images_full: number of training frames of stage 1.

    Returns:
        the tensor, and float64 (transfers, 2) by measure, row by row.

    Raises:
        DataError: losses are missing.
    """
    counts = load_counts(transfers)
    found = []
    for target in counts["targets"]:
        losses = load_target(transfers, target)
        found.append(
            target_affinity(target, losses, resamples=config.resamples, level=config.level, seed=config.seed)
        )
        log.info("%s: affinities of %d transfers", target, len(found[-1].names))
    digest = hashlib.sha256()  # over all files of losses, in the order of their names
    for path in sorted(transfers.glob("*/*.losses.safetensors")):
        digest.update(f"{path.relative_to(transfers).as_posix()}\0{digest_file(path)}\0".encode())
    about = {
        "dataset": config.dataset,
        "made_by": "training/stages/affinity/stage.py",
        "licence": config.licence,
        "citation": "Zamir et al., Taskonomy, CVPR 2018 (the method): https://arxiv.org/abs/1804.08328",
        "splits": (
            "by room, disjoint: task networks learned on train, transfers on val, affinities are of test; "
            f"{counts['rooms_learned']} rooms learned from, {counts['rooms_held_out']} held out to rank "
            f"sources, {counts['rooms_test']} tested on"
        ),
        "scratch": "the target's whole encoder and decoder, trained on what its transfers learned from",
        "full_supervision": "the task network of train; compared as one more row of its target",
        "random": "an encoder that was never trained, drawn from the seed",
        "average": "the best constant for each target's loss; its losses are kept, it is no row",
        "intervals": (
            f"{INTERVALS}: {config.level:.0%} of {config.resamples} bootstrap draws of test rooms "
            "(frames of one room are not independent)"
        ),
        "losses_sha256": digest.hexdigest(),
        **({"foreign": json.dumps(counts["foreign"], sort_keys=True)} if "foreign" in counts else {}),
        "transfers": json.dumps(counts["config"], sort_keys=True),
    }
    tensor = _tensor(config, found, about, images_full, counts["images_transfer"])
    intervals = {measure: np.concatenate([one.intervals[measure] for one in found]) for measure in MEASURES}
    if config.level == TENSOR_LEVEL:
        # Rounding may swap the ends of an interval of zero width.
        ends = {measure: np.sort(pair.clip(0, 1), axis=1) for measure, pair in intervals.items()}
        tensor = replace(tensor, intervals=ends)
    return tensor, intervals


def load_intervals(folder: Path) -> dict[str, FloatArray]:
    """Load the least and greatest value of each row of the tensor by measure: float64 (transfers, 2)."""
    intervals: dict[str, FloatArray] = load_file(folder / INTERVALS)
    return intervals


def _tensor(
    config: AffinityConfig,
    found: list[TargetAffinity],
    about: dict[str, str],
    images_full: int | None,
    images_transfer: int,
) -> AffinityTensor:
    """Build the tensor from the rows of all targets."""
    rows = [(one.target, name) for one in found for name in one.names]
    sets = [(target,) if name == FULL else sources_of(name) for target, name in rows]
    tasks = tuple(sorted({task for sources in sets for task in sources} | {one.target for one in found}))
    column = {task: number for number, task in enumerate(tasks)}
    sources = np.zeros((len(rows), len(tasks)), dtype=bool)
    for number, names in enumerate(sets):
        sources[number, [column[name] for name in names]] = True
    measured = {
        measure: np.concatenate([one.values[measure] for one in found]).clip(0, 1) for measure in MEASURES
    }
    return AffinityTensor(
        name=config.name,
        tasks=tasks,
        targets=tuple(sorted(one.target for one in found)),
        sources=sources,
        target=np.array([column[target] for target, _ in rows], dtype=np.int32),
        full_supervision=np.array([name == FULL for _, name in rows]),
        aliases={alias: task for alias, task in ALIASES.items() if task in column and alias not in column},
        untrained=(UNTRAINED,) if UNTRAINED in column else (),
        images_full=images_full,
        images_transfer=images_transfer,
        about=about,
        affinity=measured["affinity"],
        gain=measured["gain"],
        quality=measured["quality"],
    )
