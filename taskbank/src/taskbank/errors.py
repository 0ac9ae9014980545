"""What can go wrong, named by the condition.

TaskBankError
├── InvalidInputError         an argument, an image or a configuration holds a value that is not allowed
│   └── UnknownTaskError      a name that is none of the 26 tasks
├── MissingTaskError          a task that the bank at hand does not hold
├── BankFormatError           a bank or a weight file is damaged or not of the expected kind
│   └── ChecksumMismatchError a file's sha256 is not the one that `bank.json` states
└── OutputError               a result cannot be written
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class TaskBankError(Exception):
    """Base of every error that taskbank raises on purpose."""


class InvalidInputError(TaskBankError, ValueError):
    """An argument, an image or a configuration holds a value that is not allowed."""


class UnknownTaskError(InvalidInputError):
    """A name that is none of the 26 tasks.

    Attributes:
        name: what was asked for.
        nearest: canonical names of the tasks whose spellings look alike, best first; may be empty.
    """

    def __init__(self, name: str, nearest: Iterable[str]) -> None:
        self.name = name
        self.nearest = tuple(nearest)
        hint = f"did you mean {' or '.join(self.nearest)}? " if self.nearest else ""
        super().__init__(f"unknown task {name!r}: {hint}`taskbank tasks` lists all tasks")


class MissingTaskError(TaskBankError, LookupError):
    """A task that the bank at hand does not hold.

    Attributes:
        name: what was asked for, such as `normal` or `normal+reshading -> depth_zbuffer`.
        nearest: what the bank holds and looks alike, best first; may be empty.
    """

    def __init__(self, name: str, held: Iterable[str], where: str, what: str = "task") -> None:
        self.name = name
        names = sorted(held)
        self.nearest = tuple(get_close_matches(name, names, n=3, cutoff=0.6))
        listed = ", ".join(self.nearest or names) or "nothing"
        kind = "nearest are" if self.nearest else "it holds"
        super().__init__(f"no {what} {name!r} in {where}: {kind} {listed}")


class BankFormatError(TaskBankError, ValueError):
    """A bank or a weight file is damaged or not of the expected kind."""


class ChecksumMismatchError(BankFormatError):
    """A file's sha256 is not the one that `bank.json` states."""


class OutputError(TaskBankError, OSError):
    """A result cannot be written where it was asked for."""
