"""Affinity tensors of a learned task: a new one, or one more target in another.

Targets are independent of each other in a tensor, so rows are added and nothing else changes. The task is a
target only: it has no encoder, so it cannot be a source or be labelled in full.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from taskbank.errors import InvalidInputError
from taskbank.tasks.registry import ALIASES, SCRATCH, normalise
from taxsolver import AffinityTensor, ahp

if TYPE_CHECKING:
    from taskbank.own_task.result import Learned

DRAWS = 100
"""Number of bootstrap draws in a new tensor, for `taxsolver stability`."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Affinities:
    """Affinities of the transfers to one task.

    Attributes:
        target: the task.
        sets: sources of each transfer.
        affinity: float64 (transfers,), by the analytic hierarchy process over losses of the measured images.
        gain: float64 (transfers,), share of images on which it beats a network from scratch; NaN without one.
        draws: measure -> float64 (draws, transfers), over bootstrap draws of groups.
        images: number of images that were learned from.
    """

    target: str
    sets: tuple[tuple[str, ...], ...]
    affinity: FloatArray
    gain: FloatArray
    draws: dict[str, FloatArray]
    images: int


def affinities_of(learned: Learned, seed: int) -> Affinities:
    """Compute the affinities of a learned task's transfers.

    Args:
        learned: with losses of the measured images.
        seed: of the draws.
    """
    from taskbank.probing.division import draws

    names = [score.name for score in learned.transfers]
    table = np.stack([learned.losses[name] for name in names], axis=1).astype(np.float64)
    wins = np.full(table.shape, np.nan)
    if SCRATCH in learned.losses:
        scratch = learned.losses[SCRATCH].astype(np.float64)[:, None]
        wins = (table < scratch) + 0.5 * (table == scratch)

    def affinity(rows: FloatArray) -> FloatArray:
        return ahp(rows, names) if len(names) > 1 else np.ones(1)

    counts = draws(learned.groups, DRAWS, seed).astype(np.int64)
    drawn = {"affinity": np.stack([affinity(np.repeat(table, times, axis=0)) for times in counts])}
    if SCRATCH in learned.losses:
        drawn["gain"] = np.stack([np.repeat(wins, times, axis=0).mean(0) for times in counts])
    return Affinities(
        target=learned.task,
        sets=tuple(score.sources for score in learned.transfers),
        affinity=affinity(table),
        gain=wins.mean(0),
        draws=drawn,
        images=len(learned.images["learned"]),
    )


def new_tensor(found: Affinities) -> AffinityTensor:
    """Create a tensor whose only target is the task."""
    tasks = (*sorted({source for sources in found.sets for source in sources}), found.target)
    return AffinityTensor(
        name=found.target,
        tasks=tasks,
        targets=(found.target,),
        aliases={alias: task for alias, task in ALIASES.items() if task in tasks},
        images_transfer=found.images,
        draws=found.draws,
        about={
            "made_by": "taskbank learn",
            "dataset": "images of a user",
            f"learned_{found.target}": _said(found),
        },
        **_rows(found, tasks),
    )


def check_new(base: AffinityTensor, name: str) -> None:
    """Raise if a tensor has a task of this name.

    Raises:
        InvalidInputError: the tensor has a task with this name or alias.
    """
    if name in {normalise(known) for known in (*base.tasks, *base.aliases)}:
        raise InvalidInputError(
            f"the affinity tensor {base.name!r} has a task {name!r}: choose another --name"
        )


def extended(base: AffinityTensor, found: Affinities) -> AffinityTensor:
    """Add the task to a tensor; draws and intervals of other rows, which it lacks, are left out.

    Args:
        base: the tensor; its rows stay unchanged.
        found: affinities of the task's transfers; unknown sources are added to the tensor's tasks.

    Raises:
        InvalidInputError: the tensor has a task of that name.
    """
    check_new(base, found.target)
    sources = sorted({source for names in found.sets for source in names})
    added = (*(source for source in sources if source not in base.tasks), found.target)
    tasks = (*base.tasks, *added)
    rows = _rows(found, tasks)
    wider = np.pad(base.sources, ((0, 0), (0, len(added))))
    joined: dict[str, Any] = {"sources": np.concatenate([wider, rows.pop("sources")])}
    joined |= {field: np.concatenate([getattr(base, field), values]) for field, values in rows.items()}
    return replace(
        base,
        tasks=tasks,
        targets=(*base.targets, found.target),
        draws={},
        intervals={},
        about={**base.about, f"learned_{found.target}": _said(found)},
        **joined,
    )


def _rows(found: Affinities, tasks: tuple[str, ...]) -> dict[str, Any]:
    """Return the arrays of the task's transfers, without a comparison with full supervision."""
    column = {task: number for number, task in enumerate(tasks)}
    sources = np.zeros((len(found.sets), len(tasks)), dtype=bool)
    for row, names in enumerate(found.sets):
        sources[row, [column[name] for name in names]] = True
    count = len(found.sets)
    return {
        "sources": sources,
        "target": np.full(count, column[found.target], dtype=np.int32),
        "affinity": found.affinity.clip(0, 1),
        "gain": found.gain.clip(0, 1),
        "quality": np.full(count, np.nan),
        "full_supervision": np.zeros(count, dtype=bool),
    }


def _said(found: Affinities) -> str:
    """Describe the task for the tensor's header."""
    return (
        f"a user's own task, {len(found.sets)} transfers learned from {found.images} images, compared among "
        "each other; a target only"
    )
