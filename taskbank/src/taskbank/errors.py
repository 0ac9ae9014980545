"""The errors of taskbank, named by their condition.

TaskBankError
├── InvalidInputError         an argument, an image or a configuration holds a value that is not allowed
│   ├── ImageError            an image cannot be read, or the file is not an image
│   ├── VideoError            a video cannot be read, or the file is not a video
│   └── UnknownTaskError      a name that is none of the 26 tasks
├── MissingTaskError          a task that the bank does not hold
├── BankFormatError           a bank or a weight file is damaged or not of the expected kind
│   └── ChecksumMismatchError a file's sha256 is not the one that `bank.json` states
├── MissingBankError          a bank by name that is not bundled with this version
├── HubError                  a Hub repository cannot be used
│   ├── HubNotFoundError      no such repository or revision, or a private one
│   ├── HubAccessError        the repository is gated, or the token is wrong or may not do that
│   └── HubUnreachableError   no answer, or offline, and the file is not in the cache
├── DownloadError             a file cannot be downloaded from its public address
├── MissingPackageError       a package that this step needs is not installed
├── DivergedError             a loss is no longer a finite number
├── ExportError               a network cannot be exported, or the exported file computes other outputs
└── OutputError               a result cannot be written
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its class name if the message is empty."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


class TaskBankError(Exception):
    """Base of every error that taskbank raises on purpose."""


class InvalidInputError(TaskBankError, ValueError):
    """An argument, an image or a configuration holds a value that is not allowed."""


class ImageError(InvalidInputError):
    """An image cannot be read, or its shape, type or values are not those of an image."""


class VideoError(InvalidInputError):
    """A video cannot be read, or the file is not a video."""


class UnknownTaskError(InvalidInputError):
    """A name that is none of the 26 tasks.

    Attributes:
        name: the name that was requested.
        nearest: canonical names of the tasks whose spellings look alike, best first; may be empty.
    """

    def __init__(self, name: str, nearest: Iterable[str]) -> None:
        self.name = name
        self.nearest = tuple(nearest)
        hint = f"did you mean {' or '.join(self.nearest)}? " if self.nearest else ""
        super().__init__(f"unknown task {name!r}: {hint}`taskbank tasks` lists all tasks")


class MissingTaskError(TaskBankError, LookupError):
    """A task that the bank does not hold.

    Attributes:
        name: the name that was requested, such as `normal` or `normal+reshading -> depth_zbuffer`.
        nearest: similar names that the bank holds, best first; may be empty.
    """

    def __init__(
        self, name: str, held: Iterable[str], where: str, what: str = "task", instead: str = ""
    ) -> None:
        self.name = name
        names = sorted(held)
        self.nearest = tuple(get_close_matches(name, names, n=3, cutoff=0.6))
        listed = ", ".join(self.nearest or names) or "nothing"
        kind = "nearest are" if self.nearest else "it holds"
        super().__init__(f"no {what} {name!r} in {where}: {instead or f'{kind} {listed}'}")


class BankFormatError(TaskBankError, ValueError):
    """A bank or a weight file is damaged or not of the expected kind."""


class ChecksumMismatchError(BankFormatError):
    """A file's sha256 is not the one that `bank.json` states."""


class MissingBankError(TaskBankError, LookupError):
    """A bank by name that is not bundled with this version."""


class HubError(TaskBankError, OSError):
    """A Hub repository cannot be used."""


class HubNotFoundError(HubError):
    """No such repository or revision; a private repository looks the same from outside."""


class HubAccessError(HubError):
    """The repository is gated, or the token is wrong or does not allow what was tried."""


class HubUnreachableError(HubError):
    """The Hub gives no answer, or offline mode is on, and the file is not in the cache."""


class DownloadError(TaskBankError, OSError):
    """A file cannot be downloaded from its public address."""


class MissingPackageError(TaskBankError, ImportError):
    """A package that this step needs is not installed."""


class DivergedError(TaskBankError, ArithmeticError):
    """A loss is no longer a finite number."""


class ExportError(TaskBankError, RuntimeError):
    """A network cannot be exported, or the exported file gives other values than the network."""


class OutputError(TaskBankError, OSError):
    """A result cannot be written to the requested path."""
