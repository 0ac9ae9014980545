"""Registry of the 26 tasks and their names. Imports nothing heavy."""

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
"""Normalised alias or figure label -> canonical name. Canonical names are not included."""

SCRATCH = "scratch"
"""Source name of networks from scratch: whole networks, trained on no more images than transfers."""


def normalise(name: str) -> str:
    """Normalise the spelling of a name for comparison: `Object Class. (1000)` -> `object_class_1000`."""
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def find_task(name: str) -> Task:
    """Find a task by its name, alias or figure label, in any case and with any separators.

    Raises:
        UnknownTaskError: no task has that name; the message lists the nearest ones.

    Examples:
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
    """Return the canonical name of a source: a task by any of its names, or `scratch`.

    Raises:
        UnknownTaskError: nothing has that name; the message lists the nearest tasks.
    """
    return SCRATCH if normalise(name) == SCRATCH else find_task(name).name


def is_task(name: str) -> bool:
    """Return True if one of the 26 tasks has this name, in any spelling that `find_task` accepts."""
    wanted = normalise(name)
    return wanted in TASKS or wanted in ALIASES


def nearest_tasks(wanted: str) -> list[str]:
    """Return canonical names of the tasks with the spellings closest to `wanted`, best first."""
    spellings = get_close_matches(wanted, [*TASKS, *ALIASES], n=6, cutoff=0.6)
    return list(dict.fromkeys(ALIASES.get(spelling, spelling) for spelling in spellings))[:3]
