"""Ranking of the sources of a novel task, as text and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np

from taskbank.tasks.registry import SCRATCH
from training.atomic_files import write_whole
from training.stages.affinity.target import TargetAffinity
from training.stages.transfers.jobs import AVERAGE
from training.stages.transfers.loss_files import SampleLosses, sources_of

CONTROLS = (SCRATCH, AVERAGE)
_PARITY = 0.5  # share of wins at parity
_COLUMNS = (
    "sources", "order", "loss", "beats_scratch", "beats_scratch_low", "beats_scratch_high",
    "affinity", "affinity_low", "affinity_high",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Results of one transfer.

    Attributes:
        sources: canonical names.
        loss: mean loss on the test photographs.
        wins: share of the test photographs on which it beats training from scratch; a tie counts half.
        wins_interval: least and greatest value of that share over draws of groups.
        affinity: affinity by the analytic hierarchy process over all transfers, which sum to one.
        affinity_interval: least and greatest value of the affinity, likewise.
    """

    sources: tuple[str, ...]
    loss: float
    wins: float
    wins_interval: tuple[float, float]
    affinity: float
    affinity_interval: tuple[float, float]

    @property
    def name(self) -> str:
        """The sources as one string."""
        return "+".join(self.sources)


def ranking(found: TargetAffinity, losses: SampleLosses) -> tuple[Ranked, ...]:
    """Rank all transfers by falling affinity."""
    order = np.argsort(-found.values["affinity"], kind="stable").tolist()
    return tuple(
        Ranked(
            sources=sources_of(found.names[row]),
            loss=_mean(losses, found.names[row]),
            wins=float(found.values["gain"][row]),
            wins_interval=_interval(found, "gain", row),
            affinity=float(found.values["affinity"][row]),
            affinity_interval=_interval(found, "affinity", row),
        )
        for row in order
    )


def control_losses(losses: SampleLosses) -> dict[str, float]:
    """Return the mean test losses of the controls that transfers are compared with."""
    return {name: _mean(losses, name) for name in CONTROLS}


def ranking_text(
    ranked: Sequence[Ranked], controls: Mapping[str, float], *, photographs: int, level: float
) -> str:
    """Format the ranking for a terminal: every single source, then the best set of each higher order.

    Args:
        ranked: transfers, best first.
        controls: losses of the controls that transfers are compared with.
        photographs: number of test photographs.
        level: share of the draws in an interval.
    """
    shown = [one for one in ranked if len(one.sources) == 1]
    higher = sorted({len(one.sources) for one in ranked} - {1})
    shown += [next(one for one in ranked if len(one.sources) == order) for order in higher]
    width = max(len(name) for name in ("sources", *controls, *(one.name for one in shown)))
    lines = [
        f"On {photographs} test photographs; beats scratch: in % of them, with {level:.0%} interval.",
        f"{'sources':{width}}  {'loss':>9}  {'beats scratch':>15}  {'affinity':>8}",
    ]
    for one in shown:
        low, high = (round(100 * end) for end in one.wins_interval)
        wins = f"{100 * one.wins:3.0f} ({low:3}-{high:3})"
        lines.append(f"{one.name:{width}}  {one.loss:9.4g}  {wins:>15}  {one.affinity:8.4f}")
    lines += [f"{name:{width}}  {loss:9.4g}" for name, loss in controls.items()]
    if all(one.wins <= _PARITY for one in ranked):
        lines.append("No transfer beats training from scratch on more than half of the photographs.")
    return "\n".join(lines) + "\n"


def write_ranking(path: Path, ranked: Sequence[Ranked], controls: Mapping[str, float]) -> None:
    """Write all transfers and controls as CSV.

    Raises:
        StorageError: the file cannot be written.
    """
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    for one in ranked:
        numbers = (one.loss, one.wins, *one.wins_interval, one.affinity, *one.affinity_interval)
        table.writerow([one.name, len(one.sources), *(f"{number:.6g}" for number in numbers)])
    for name, loss in controls.items():
        table.writerow([name, "", f"{loss:.6g}", *[""] * 6])
    write_whole(path, lambda file: file.write(text.getvalue().encode()))


def _mean(losses: SampleLosses, name: str) -> float:
    return float(losses.by_name[name].mean(dtype=np.float64))


def _interval(found: TargetAffinity, measure: str, row: int) -> tuple[float, float]:
    low, high = found.intervals[measure][row].tolist()
    return low, high
