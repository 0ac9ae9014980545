"""Extension of an affinity tensor by the novel task.

Columns of targets are independent in a tensor, so rows are added and nothing else changes. The novel task is
a target only: it has no encoder, so it is no source, and it cannot be labelled in full.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from taskbank.tasks.registry import ALIASES, normalise
from taxsolver import AffinityTensor
from training.errors import ConfigError
from training.stages.affinity.target import TargetAffinity
from training.stages.transfers.config import UNTRAINED
from training.stages.transfers.loss_files import sources_of


def new_tensor(name: str, found: TargetAffinity, images: int, about: Mapping[str, str]) -> AffinityTensor:
    """Create a tensor whose only target is the novel task.

    Args:
        name: name of the tensor.
        found: affinities of the task's transfers.
        images: number of training images of transfers.
        about: texts of its header.
    """
    tasks = (*sorted({source for names in map(sources_of, found.names) for source in names}), found.target)
    return AffinityTensor(
        name=name,
        tasks=tasks,
        targets=(found.target,),
        aliases={alias: task for alias, task in ALIASES.items() if task in tasks},
        untrained=tuple(task for task in (UNTRAINED,) if task in tasks),
        images_transfer=images,
        about={**about, f"novel_{found.target}": _said(found, images)},
        **_rows(found, tasks),
    )


def check_new(base: AffinityTensor, name: str) -> None:
    """Raise if a tensor has a task of this name.

    Raises:
        ConfigError: the tensor has a task with this name or alias.
    """
    if name in {normalise(known) for known in (*base.tasks, *base.aliases)}:
        raise ConfigError(f"the affinity tensor {base.name!r} has a task {name!r}: choose another --name")


def extended(base: AffinityTensor, found: TargetAffinity, images: int) -> AffinityTensor:
    """Add the novel task to a tensor.

    Args:
        base: the tensor; its rows stay unchanged.
        found: affinities of the task's transfers; unknown sources are added to the tensor's tasks.
        images: number of training images of transfers.

    Raises:
        ConfigError: the tensor has a task of that name.
    """
    check_new(base, found.target)
    sources = sorted({source for names in map(sources_of, found.names) for source in names})
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
        untrained=(*base.untrained, *(task for task in (UNTRAINED,) if task in added)),
        about={**base.about, f"novel_{found.target}": _said(found, images)},
        **joined,
    )


def _rows(found: TargetAffinity, tasks: Sequence[str]) -> dict[str, Any]:
    """Arrays of the novel task's transfers, without a comparison with full supervision."""
    column = {task: number for number, task in enumerate(tasks)}
    sources = np.zeros((len(found.names), len(tasks)), dtype=bool)
    for row, name in enumerate(found.names):
        sources[row, [column[source] for source in sources_of(name)]] = True
    count = len(found.names)
    return {
        "sources": sources,
        "target": np.full(count, column[found.target], dtype=np.int32),
        "affinity": found.values["affinity"].clip(0, 1),
        "gain": found.values["gain"].clip(0, 1),
        "quality": np.full(count, np.nan),
        "full_supervision": np.zeros(count, dtype=bool),
    }


def _said(found: TargetAffinity, images: int) -> str:
    """Describe the novel task for the tensor's header."""
    return (
        f"a user's own task, {len(found.names)} transfers learned from {images} photographs, compared among "
        "each other and with training from scratch; a target only"
    )
