"""Lookup of task names: aliases, spelling variants, nearest matches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from re import compile as pattern

from taxsolver.errors import InvalidInputError, UnknownTaskError

_PUNCTUATION = pattern(r"[\W_]+")


def normalise(name: str) -> str:
    """Normalise a name for comparisons: `Surface Normals` -> `surface_normals`."""
    return _PUNCTUATION.sub("_", name.casefold()).strip("_") or name


@dataclass(frozen=True)
class TaskNames:
    """Task names and aliases of one tensor or table.

    Attributes:
        tasks: canonical names, in the order of the columns.
        aliases: normalised alias -> canonical name; aliases of absent tasks are ignored.
        where: the tensor or table, for messages.
    """

    tasks: tuple[str, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)
    where: str = "the tensor"

    def find(self, name: str) -> str:
        """Return the canonical name of `name`.

        Raises:
            UnknownTaskError: no task has that name or alias; the message lists the nearest ones.
            InvalidInputError: two tasks are spelt alike.
        """
        if name in self.tasks:
            return name
        wanted = normalise(name)
        alike = [task for task in self.tasks if normalise(task) == wanted]
        if len(alike) > 1:
            listed = " or ".join(repr(task) for task in alike)
            raise InvalidInputError(f"{name!r} may be {listed} in {self.where}: spell it exactly")
        spellings = {normalise(task): task for task in self.tasks}
        for alias, task in self.aliases.items():
            if task in self.tasks:
                spellings.setdefault(normalise(alias), task)
        if wanted in spellings:
            return spellings[wanted]
        raise UnknownTaskError(name, {*self.tasks, *spellings}, self.where)

    def find_all(self, names: str | Iterable[str], what: str) -> tuple[str, ...]:
        """Return the canonical names of `names` in order; a string is split at commas.

        Args:
            names: names, or one string of names with commas between.
            what: the parameter, for messages.

        Raises:
            UnknownTaskError: a name is not known.
            InvalidInputError: two of the names are one task.
        """
        listed = split_names(names)
        found = [self.find(name) for name in listed]
        for position, task in enumerate(found):
            if task in found[:position]:
                earlier = listed[found.index(task)]
                raise InvalidInputError(
                    f"{what} names the task {task!r} twice (as {earlier!r} and {listed[position]!r}): "
                    "name it once"
                )
        return tuple(found)


def check_stands_alone(names: Iterable[str], what: str, words: Iterable[str]) -> None:
    """Raise if a word such as `all` is mixed with names of tasks.

    Raises:
        InvalidInputError: the message states the word and the parameter.
    """
    listed = [name.casefold() for name in names]
    for word in words:
        if word in listed and len(set(listed)) > 1:
            raise InvalidInputError(
                f"{what} holds {word!r} and names of tasks: {word!r} stands alone, leave out one of the two"
            )


def split_names(names: str | Iterable[str]) -> Sequence[str]:
    """Return the names in a list or a comma-separated string; empty ones are dropped."""
    if not isinstance(names, Iterable) or getattr(names, "ndim", 1) == 0:
        raise InvalidInputError(
            f"{names!r} names no tasks: give a list of names, or a text with commas between"
        )
    parts = names.split(",") if isinstance(names, str) else list(names)
    for part in parts:
        if not isinstance(part, str):
            raise InvalidInputError(
                f"{part!r} is not a task name: names are text, as in normal,depth_zbuffer"
            )
    return [part.strip() for part in parts if part.strip()]
