"""Affinities, gains and qualities of one target, with bootstrap intervals.

Frames of one room are similar, so samples are not independent: the bootstrap draws rooms, not frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from taskbank.tasks.registry import SCRATCH
from taxsolver import win_rates
from taxsolver.tensors.ahp import preference_ratios, principal_eigenvector
from training.errors import DataError
from training.stages.transfers.jobs import AVERAGE, FULL
from training.stages.transfers.loss_files import LossArray, SampleLosses

FloatArray = NDArray[np.float64]

MEASURES = ("affinity", "gain", "quality")

_AGAINST = {"gain": SCRATCH, "quality": FULL}
"""Measure besides affinity -> control with which transfers are compared."""


@dataclass(frozen=True, slots=True, eq=False)
class TargetAffinity:
    """Comparison of all transfers of one target.

    Attributes:
        target: canonical name.
        names: names of the transfers; `full_supervision` is last.
        values: measure -> float64 (transfers,).
        intervals: measure -> float64 (transfers, 2), least and greatest.
    """

    target: str
    names: tuple[str, ...]
    values: Mapping[str, FloatArray]
    intervals: Mapping[str, FloatArray]


def target_affinity(
    target: str,
    losses: SampleLosses,
    *,
    resamples: int,
    level: float,
    seed: int,
) -> TargetAffinity:
    """Compute affinities, gains and qualities of one target, and their intervals.

    Args:
        target: canonical name.
        losses: losses of its transfers and controls on the same samples.
        resamples: number of draws of rooms.
        level: share of the draws in an interval.
        seed: seed of the draws.

    Raises:
        DataError: losses of a control are missing.
    """
    missing = [name for name in _AGAINST.values() if name not in losses.by_name]
    if missing:
        raise DataError(f"{target} has no losses of {' and '.join(missing)}: run stage 2 again")
    names = (*(name for name in losses.by_name if name not in {SCRATCH, AVERAGE, FULL}), FULL)
    table = np.stack([losses.by_name[name] for name in names], axis=1).astype(np.float64)
    controls = {measure: losses.by_name[name] for measure, name in _AGAINST.items()}
    rooms = _RoomWins.of(table, controls, losses.rooms, names)
    every = rooms.measures(np.ones(len(rooms.samples)))
    draw = np.random.default_rng([seed, len(rooms.samples)])
    share = np.full(len(rooms.samples), 1 / len(rooms.samples))
    weights = draw.multinomial(len(share), share, size=resamples).astype(np.float64)
    drawn = [rooms.measures(weight) for weight in weights]
    ends = (1 - level) / 2, (1 + level) / 2
    return TargetAffinity(
        target=target,
        names=names,
        values=every,
        # In C order, because safetensors writes other arrays in a wrong order.
        intervals={
            measure: np.ascontiguousarray(np.quantile([one[measure] for one in drawn], ends, axis=0).T)
            for measure in every
        },
    )


@dataclass(frozen=True, slots=True, eq=False)
class _RoomWins:
    """Wins per room, so that a draw of rooms is one weighted sum.

    Attributes:
        samples: float64 (rooms,), number of samples.
        pairs: float64 (rooms, transfers, transfers), number of samples on which one beats the other; ties
            count half.
        against: measure -> float64 (rooms, transfers), number of samples on which a transfer beats a control.
    """

    samples: FloatArray
    pairs: FloatArray
    against: Mapping[str, FloatArray]

    @classmethod
    def of(
        cls,
        table: FloatArray,
        against: Mapping[str, LossArray],
        rooms: NDArray[np.int32],
        names: tuple[str, ...],
    ) -> _RoomWins:
        """Count the wins in losses (samples, transfers)."""
        members = [np.flatnonzero(rooms == room) for room in np.unique(rooms)]
        return cls(
            samples=np.array([len(own) for own in members], dtype=np.float64),
            pairs=np.stack([win_rates(table[own], names) * len(own) for own in members]),
            against={
                measure: np.stack([_wins(table[own], control[own]) for own in members])
                for measure, control in against.items()
            },
        )

    def measures(self, weight: FloatArray) -> dict[str, FloatArray]:
        """Compute all measures with a weight for each room."""
        samples = weight @ self.samples
        wins = np.tensordot(weight, self.pairs, 1) / samples
        return {
            "affinity": principal_eigenvector(preference_ratios(wins)),
            **{measure: weight @ counted / samples for measure, counted in self.against.items()},
        }


def _wins(table: FloatArray, control: LossArray) -> FloatArray:
    """Number of samples on which each transfer beats a control, float64 (transfers,); a tie counts half."""
    other = control.astype(np.float64)[:, None]
    counted: FloatArray = (table < other).sum(0) + 0.5 * (table == other).sum(0)
    return counted
