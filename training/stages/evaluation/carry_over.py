"""Carry-over: test if good sources on rendered rooms are good sources on real frames.

Every trained transfer of order 1 to a target that has ground truth on real frames is run on them. Sources are
ranked by the error there, and the ranking is compared with the target's column of the affinity tensor.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from taskbank.bank.entries import ForeignEntry
from taskbank.images.reading import read_photo
from taskbank.inference.decode import Reading, decode
from taskbank.inference.preprocess import (
    Preprocessed,
    as_input,
    input_kind,
    preprocess,
    readout_input_kind,
)
from taskbank.nets.build import TransferReadout
from taskbank.options import Fit
from taskbank.tasks.registry import Task, find_task
from taxsolver import AffinityTensor
from taxsolver.analysis.similarity import first_order_matrix
from training.data.real.folder import RealFrame
from training.stages.evaluation.real_truth import REAL_TRUTHS
from training.stages.evaluation.scores import measure_of
from training.stages.transfers.codes import source_encoder
from training.stages.transfers.config import TransfersConfig
from training.stages.transfers.readouts import load_readout
from training.stages.transfers.stage import load_foreign

log = logging.getLogger(__name__)

TARGETS = ("normal", "depth_zbuffer", "segment_semantic")
"""Targets whose carry-over is measured; one metric of each ranks sources, lower is better."""

_FEWEST = 3
_BATCH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOver:
    """Ranking of the sources of one target on real frames.

    Attributes:
        target: canonical name.
        errors: source -> error on real frames: mean angle, scaled AbsRel, or 1 - mIoU.
        spearman: rank correlation of affinity and lower error over the sources; None for fewer than three.
    """

    target: str
    errors: Mapping[str, float]
    spearman: float | None


def carry_over(
    frames: Sequence[RealFrame],
    affinity: AffinityTensor,
    *,
    networks: Path,
    transfers: Path,
    config: TransfersConfig,
    size: int,
    device: str = "cpu",
) -> list[CarryOver]:
    """Rank the sources of every target that has transfers and ground truth.

    Args:
        frames: real frames, all of one size.
        affinity: tensor of stage 3.
        networks: folder of stage 1.
        transfers: folder of stage 2.
        config: settings of stage 2.
        size: side in px of the networks' inputs, as in training.
        device: device of the networks.

    Raises:
        DataError: a network or a transfer is missing.
    """
    seen = [_Seen(frame, preprocess(read_photo(frame.rgb), Fit.CROP, size)) for frame in frames]
    targets = [find_task(name) for name in TARGETS if name in config.targets]
    errors: dict[str, dict[str, float]] = {target.name: {} for target in targets}
    sources: list[str | ForeignEntry] = [*config.sources, *load_foreign(transfers)]
    for source in sources:
        name = source if isinstance(source, str) else source.name
        encoder = source_encoder(source, networks, config.architecture, config.seed).to(device)
        codes = _codes(source, encoder, seen)
        for target in targets:
            readout = load_readout(transfers, target.name, (name,), config.architecture).to(device)
            errors[target.name][name] = _error(target, seen, codes, readout)
    found = [
        CarryOver(target=target, errors=by_source, spearman=agreement(by_source, affinity, target))
        for target, by_source in errors.items()
    ]
    for one in found:
        log.info("%s: sources on real frames and in the tensor, Spearman %s", one.target, one.spearman)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A frame and the networks' input of it."""

    frame: RealFrame
    preprocessed: Preprocessed


@torch.inference_mode()
def _codes(source: str | ForeignEntry, encoder: nn.Module, seen: Sequence[_Seen]) -> list[Tensor]:
    """Compute representations (B, channels, h, w) in batches. All of `TARGETS` take the whole picture."""
    device = next(encoder.parameters()).device
    target = find_task(TARGETS[0])
    shown = readout_input_kind(source, target) if isinstance(source, str) else input_kind(target)
    batches = [seen[start : start + _BATCH] for start in range(0, len(seen), _BATCH)]
    return [
        encoder(as_input(torch.stack([frame.preprocessed.square for frame in batch]).to(device), shown))
        for batch in batches
    ]


@torch.inference_mode()
def _error(target: Task, seen: Sequence[_Seen], codes: Sequence[Tensor], readout: TransferReadout) -> float:
    """Error of one transfer over all frames."""
    measure = measure_of(target)
    raws = (raw for batch in codes for raw in readout(batch).float().cpu())
    for one, raw in zip(seen, raws, strict=True):
        measure.add(
            decode(target, raw, (one.preprocessed,), Reading()).array, REAL_TRUTHS[target.name](one.frame)
        )
    return error_of(target.name, measure.result())


def error_of(target: str, scores: Mapping[str, float]) -> float:
    """Return the number of a target's measure that ranks sources; infinite if nothing was measured."""
    if not scores:
        return math.inf
    if target == "segment_semantic":
        return 1 - scores["miou"]
    return scores["mean" if target == "normal" else "abs_rel_scaled"]


def agreement(errors: Mapping[str, float], affinity: AffinityTensor, target: str) -> float | None:
    """Compute Spearman's rho of order-1 affinity and lower error; 1 if both rank sources equally.

    None if it is not defined.
    """
    if target not in affinity.targets:
        return None
    column = first_order_matrix(affinity)[:, affinity.targets.index(target)]
    pairs = [
        (value, -errors[source])
        for source, value in zip(affinity.tasks, column, strict=True)
        if source in errors and math.isfinite(value) and math.isfinite(errors[source])
    ]
    first, second = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    if len(first) < _FEWEST or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(spearmanr(first, second).statistic)
