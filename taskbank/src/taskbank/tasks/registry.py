"""The 26 tasks and their names: the one registry. Nothing heavy is imported here."""

from __future__ import annotations

import re
from difflib import get_close_matches
from types import MappingProxyType

from taskbank.errors import UnknownTaskError
from taskbank.tasks.kinds import DecoderForm, Group, Loss, OutputKind, Task
from taskbank.tasks.table import ALL_TASKS

__all__ = [
    "ALIASES",
    "SCRATCH",
    "TASKS",
    "DecoderForm",
    "Group",
    "Loss",
    "OutputKind",
    "Task",
    "find_source",
    "find_task",
    "normalise",
]

TASKS: MappingProxyType[str, Task] = MappingProxyType({task.name: task for task in ALL_TASKS})
"""Canonical name -> task, in the order of the original tables."""

ALIASES: MappingProxyType[str, str] = MappingProxyType(
    {alias: task.name for task in ALL_TASKS for alias in task.aliases}
)
"""Normalised other spelling -> canonical name. Canonical names themselves are not in it."""

SCRATCH = "scratch"
"""In place of a transfer's sources: the target's whole network, trained on no more images than transfers."""


def normalise(name: str) -> str:
    """The spelling under which names are compared: `Object Class. (1000)` -> `object_class_1000`."""
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def find_task(name: str) -> Task:
    """The task of that name, alias or figure label, in any case and with any separators.

    Raises:
        UnknownTaskError: no task has that name; the nearest ones are named.

    Example:
        >>> import taskbank
        >>> taskbank.find_task("normals").name
        'normal'
    """
    wanted = normalise(name)
    found = TASKS.get(ALIASES.get(wanted, wanted))
    if found is None:
        raise UnknownTaskError(name, nearest_tasks(wanted))
    return found


def find_source(name: str) -> str:
    """The canonical name of what a target is read out from: a task by any of its names, or `scratch`.

    Raises:
        UnknownTaskError: nothing has that name; the nearest tasks are named.
    """
    return SCRATCH if normalise(name) == SCRATCH else find_task(name).name


def is_task(name: str) -> bool:
    """Tell whether one of the 26 tasks has this name, in any spelling that `find_task` takes."""
    wanted = normalise(name)
    return wanted in TASKS or wanted in ALIASES


def nearest_tasks(wanted: str) -> list[str]:
    """Canonical names of the tasks with the spellings closest to `wanted`, best first."""
    spellings = get_close_matches(wanted, [*TASKS, *ALIASES], n=6, cutoff=0.6)
    return list(dict.fromkeys(ALIASES.get(spelling, spelling) for spelling in spellings))[:3]
