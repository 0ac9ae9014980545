"""Benefit of a taxonomy for a task with few labels: the paper's comparison on novel tasks.

Each target in turn is treated as new: its own network may be neither a source nor serve it, and all other
tasks may be labelled up to the budget. The transfer that the taxonomy chooses for it is compared with
training from scratch, with one self-supervised source each, and with full supervision (Zamir et al., CVPR
2018, section 4.2 and figure 9).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from taskbank.tasks.registry import SCRATCH
from taxsolver import AffinityTensor, solve
from training.stages.transfers.jobs import AVERAGE, FULL
from training.stages.transfers.loss_files import (
    load_target,
    sources_of,
    transfer_name,
)

SELF_SUPERVISED = ("autoencoding", "colorization", "denoising", "inpainting", "jigsaw", "random")
RIVALS = (AVERAGE, SCRATCH, *SELF_SUPERVISED, FULL)


@dataclass(frozen=True, slots=True)
class NovelRow:
    """One target as a novel task.

    Attributes:
        target: canonical name.
        sources: sources of its transfer in the taxonomy.
        loss: mean test loss of that transfer, in the target's own unit.
        wins: rival -> share of test samples on which the transfer has the lower loss, in [0, 1]; NaN where
            the rival was not measured, or reads the target's own network.
        losses: rival -> mean test loss.
    """

    target: str
    sources: tuple[str, ...]
    loss: float
    wins: Mapping[str, float]
    losses: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with None in place of NaN."""
        return {
            "sources": list(self.sources),
            "loss": self.loss,
            "wins": {rival: _number(value) for rival, value in self.wins.items()},
            "losses": {rival: _number(value) for rival, value in self.losses.items()},
        }

    def to_flat(self) -> dict[str, Any]:
        """Return the same values as one row of a table."""
        return {
            "target": self.target,
            "sources": list(self.sources),
            "loss": self.loss,
            **{f"wins_vs_{rival}": _number(self.wins[rival]) for rival in RIVALS},
            **{f"loss_of_{rival}": _number(self.losses[rival]) for rival in RIVALS},
        }


def novel_table(
    tensor: AffinityTensor,
    transfers: Path,
    *,
    budget: float,
    max_order: int,
    owned: Mapping[str, float] | None = None,
) -> tuple[NovelRow, ...]:
    """Compute a row for every target that has transfers from other tasks.

    Args:
        tensor: tensor of stage 3.
        transfers: folder of stage 2.
        budget: largest number of tasks labelled in full for the novel one.
        max_order: largest number of sources.
        owned: shares of owned labels, by source.

    Raises:
        DataError: losses are missing.
    """
    rows = []
    for target in tensor.targets:
        plan = solve(tensor, target, budget, max_order=max_order, supervise_targets=False, owned=owned or {})
        sources, losses = plan.transfers[0].sources, load_target(transfers, target).by_name
        # The losses of this transfer, whatever the order of sources in its name.
        names = {frozenset(sources_of(name)): name for name in losses}
        own = losses[names.get(frozenset(sources), transfer_name(sources))]
        wins, means = dict.fromkeys(RIVALS, math.nan), dict.fromkeys(RIVALS, math.nan)
        for rival in RIVALS:
            other = losses.get(rival)
            if other is not None and rival != target:
                wins[rival] = float((own < other).mean() + 0.5 * (own == other).mean())
                means[rival] = float(other.mean(dtype=np.float64))
        loss = float(own.mean(dtype=np.float64))
        rows.append(NovelRow(target=target, sources=sources, loss=loss, wins=wins, losses=means))
    return tuple(rows)


def table_text(rows: Sequence[NovelRow]) -> str:
    """Format the table for a terminal: win rates of the taxonomy's transfer in percent, losses below them."""
    names = [rival.replace("full_supervision", "full") for rival in RIVALS]
    width = max([len(row.target) for row in rows] + [6])
    lines = ["Share of test samples on which the taxonomy's transfer beats, in %; mean losses below."]
    lines.append(
        "  ".join([f"{'target':{width}}", f"{'taxonomy':>9}", *(f"{name:>12}" for name in names), "sources"])
    )
    for row in rows:
        wins = [_cell(100 * row.wins[rival], 12, 0) for rival in RIVALS]
        lines.append("  ".join([f"{row.target:{width}}", " " * 9, *wins, " + ".join(row.sources)]))
        losses = [_cell(row.losses[rival], 12, 4) for rival in RIVALS]
        lines.append("  ".join([" " * width, _cell(row.loss, 9, 4), *losses]).rstrip())
    if rows:
        means = [_cell(100 * mean_wins(rows, rival), 12, 0) for rival in RIVALS]
        lines.append("  ".join([f"{'mean':{width}}", " " * 9, *means]))
    return "\n".join(lines) + "\n"


def mean_wins(rows: Sequence[NovelRow], rival: str) -> float:
    """Compute the mean win rate over the targets with a measured rival; NaN if there are none."""
    measured = [row.wins[rival] for row in rows if not math.isnan(row.wins[rival])]
    return sum(measured) / len(measured) if measured else math.nan


def _cell(value: float, width: int, digits: int) -> str:
    return " " * (width - 1) + "-" if math.isnan(value) else f"{value:{width}.{digits}f}"


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
