"""Win rates: the share of test samples on which a network beats the best constant and a random encoder.

This is the table of the original task bank (https://github.com/StanfordVL/taskonomy, `losses.png`): each
task's network is compared with the average estimator, and with a network whose encoder is random.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from taskbank.bank.entries import TransferEntry
from training.errors import DataError
from training.stages.transfers.config import UNTRAINED
from training.stages.transfers.jobs import AVERAGE, FULL
from training.stages.transfers.loss_files import load_target, sources_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SanityRow:
    """Win rates of one task.

    Attributes:
        task: canonical name.
        beats_average: share of test samples with a lower loss than the average estimator's; ties count half.
        beats_random: the same against the readout of a random encoder; None without one.
        samples: number of test samples.
    """

    task: str
    beats_average: float
    beats_random: float | None
    samples: int


def sanity_table(transfers: Path, tasks: Iterable[str]) -> list[SanityRow]:
    """Compute the rows of all tasks.

    Args:
        transfers: folder of stage 2, with the losses of all controls.
        tasks: canonical names of targets.

    Raises:
        DataError: losses of a task are missing or damaged.
    """
    rows = []
    for task in tasks:
        losses = load_target(transfers, task).by_name
        own, random = losses[FULL], losses.get(UNTRAINED)
        row = SanityRow(
            task=task,
            beats_average=wins(own, losses[AVERAGE]),
            beats_random=None if random is None else wins(own, random),
            samples=len(own),
        )
        rows.append(row)
    return rows


def transfers_beat_average(transfers: Path, entries: Iterable[TransferEntry]) -> dict[str, float]:
    """Compare transfers, and networks from scratch, with the average estimator.

    Args:
        transfers: folder of stage 2, with the losses of all controls.
        entries: the transfers of a bank.

    Returns:
        name of each transfer -> share of test samples with a lower loss; ties count half.

    Raises:
        DataError: losses of a target or of a transfer are missing or damaged.
    """
    shares = {}
    for target, members in groupby(sorted(entries, key=_target), key=_target):
        losses = load_target(transfers, target).by_name
        # Sources are in the order of channels, which may differ from that of names.
        named = {frozenset(sources_of(name)): values for name, values in losses.items()}
        for entry in members:
            own = named.get(frozenset(entry.sources))
            if own is None:
                raise DataError(f"no losses of {entry.name!r} in {transfers}: run stage 2 again")
            shares[entry.name] = wins(own, losses[AVERAGE])
    return shares


def _target(entry: TransferEntry) -> str:
    return entry.target


def wins(losses: NDArray[np.floating], others: NDArray[np.floating]) -> float:
    """Compute the share of samples on which `losses` is lower than `others`; ties count half.

    Args:
        losses: float (N,).
        others: float (N,).
    """
    return float(np.mean((losses < others) + 0.5 * (losses == others)))


def sanity_text(rows: Sequence[SanityRow]) -> str:
    """Format the table as text, with means at the end; shares in percent."""
    against_average = [row.beats_average for row in rows]
    against_random = [row.beats_random for row in rows if row.beats_random is not None]
    return "\n".join(
        [
            f"{'task':18} {'average':>8} {'random':>8} {'samples':>8}",
            *[
                f"{row.task:18} {_percent(row.beats_average)} {_percent(row.beats_random)} {row.samples:8,}"
                for row in rows
            ],
            f"{'mean':18} {_percent(_mean(against_average))} {_percent(_mean(against_random))}",
        ]
    )


def _mean(shares: Sequence[float]) -> float | None:
    return float(np.mean(shares)) if shares else None


def _percent(share: float | None) -> str:
    return f"{'-' if share is None else format(100 * share, '.1f'):>8}"
