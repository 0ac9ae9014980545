"""The tasks of a tensor for the page: with labels, in the groups of the paper's task tree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from taskbank.tasks.kinds import Group
from taskbank.tasks.registry import TASKS
from taxsolver.tensors.affinity import AffinityTensor

OTHER = "other tasks"
HEADINGS: Mapping[str, str] = {
    Group.TWO_D: "2D",
    Group.THREE_D: "3D",
    Group.SEMANTIC: "Semantic",
    Group.LOW_DIMENSIONAL: "Pose, layout and matching",
    Group.DENOISING: "Denoising",
    OTHER: "Other tasks",
}
_LONGEST = 40
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCard:
    """One task of a tensor.

    Attributes:
        task: its name in the tensor.
        label: its name on pages.
        group: a key of `HEADINGS`.
        target: whether transfers to it were measured.
        untrained: whether it is a source without a trained network, which needs no labels.
    """

    task: str
    label: str
    group: str
    target: bool
    untrained: bool


def task_cards(tensor: AffinityTensor) -> tuple[TaskCard, ...]:
    """Make one card for every task, in the order of `HEADINGS` and then of the tensor."""
    cards = [
        TaskCard(
            task=task,
            label=label_of(task),
            group=_group_of(task),
            target=task in tensor.targets,
            untrained=task in tensor.untrained,
        )
        for task in tensor.tasks
    ]
    return tuple(sorted(cards, key=lambda card: list(HEADINGS).index(card.group)))


def label_of(task: str) -> str:
    """Return the label of a task on pages: that of the paper's figures, or its name without underscores."""
    if task in TASKS:
        return TASKS[task].label
    words = _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", " ".join(task.replace("_", " ").split()) or task)
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1].rstrip() + "…"


def labels_of(tasks: tuple[str, ...]) -> str:
    """Write a set of sources as text."""
    return " + ".join(label_of(task) for task in tasks)


def _group_of(task: str) -> str:
    """Return the group of a known task; class_object_100, a variant, has the group of class_object."""
    known = [name for name in TASKS if task == name or task.startswith(f"{name}_")]
    group = TASKS[max(known, key=len)].group if known else OTHER
    return group if group in HEADINGS else OTHER
