"""Errors of huggingface_hub, translated into this package's own."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from huggingface_hub import constants, errors

from taskbank.bank.index import INDEX_NAME
from taskbank.errors import (
    BankFormatError,
    HubAccessError,
    HubError,
    HubNotFoundError,
    HubUnreachableError,
    InvalidInputError,
    TaskBankError,
    first_line,
)

# Base class of the HTTP errors: of requests, httpx or httpx2, depending on huggingface_hub's version.
_TRANSPORT: type[Exception] = next(
    kind for kind in reversed(errors.HfHubHTTPError.__mro__) if kind.__module__ != "builtins"
)
_DISK = (errno.EACCES, errno.EDQUOT, errno.ENOSPC, errno.ENOTDIR, errno.EPERM, errno.EROFS)
_ACCESS, _SERVER_FAULT = (401, 403), 500
_LOG_IN = "log in with `hf auth login` or set HF_TOKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt to read from or write to a Hub repository, for messages.

    Attributes:
        source: the repository, as users write it.
        path: the file to download; None for uploads.
        endpoint: address of the Hub; None for that of huggingface_hub.
    """

    source: str
    path: str | None = None
    endpoint: str | None = None

    @property
    def address(self) -> str:
        """Address of the Hub."""
        return self.endpoint or constants.ENDPOINT


@contextmanager
def translated(attempt: Attempt) -> Iterator[None]:
    """Turn errors of huggingface_hub into this package's.

    Raises:
        TaskBankError: the subclass that fits the error.
    """
    try:
        yield
    except (OSError, ValueError, RuntimeError, errors.EntryNotFoundError, _TRANSPORT) as error:
        raise _translate(error, attempt) from error


def _translate(error: BaseException, attempt: Attempt) -> TaskBankError:
    """Return the error of this package for an error of huggingface_hub."""
    # These two classes state only that something failed; their cause states the reason.
    if isinstance(error, errors.LocalEntryNotFoundError | RuntimeError) and error.__cause__ is not None:
        return _translate(error.__cause__, attempt)
    for kinds, meaning in _MEANINGS:
        if isinstance(error, kinds):
            return meaning(error, attempt)
    if isinstance(error, OSError) and error.errno in _DISK:
        where = "its cache" if error.filename is None else f"{error.filename}, in its cache,"
        return HubError(
            f"{attempt.source}: {where} cannot be written ({error.strerror}): set HF_HOME to a folder with "
            "space that can be written"
        )
    return HubError(f"{attempt.source}: {first_line(error)}")


def _wrong_name(error: BaseException, attempt: Attempt) -> TaskBankError:
    return InvalidInputError(f"{attempt.source} cannot be a repository: {first_line(error)}")


def _no_revision(_: BaseException, attempt: Attempt) -> TaskBankError:
    return HubNotFoundError(
        f"{attempt.source}: the repository has no such revision: name a branch, a tag or a commit, or none"
    )


def _gated(error: BaseException, attempt: Attempt) -> TaskBankError:
    return HubAccessError(
        f"{attempt.source} is gated: ask for access at {attempt.address}, then {_LOG_IN} ({_reply(error)})"
    )


def _no_repository(_: BaseException, attempt: Attempt) -> TaskBankError:
    return HubNotFoundError(
        f"{attempt.source}: {attempt.address} shows no such repository: check owner and name; if it is "
        f"private, {_LOG_IN}"
    )


def _offline(_: BaseException, attempt: Attempt) -> TaskBankError:
    if attempt.path is None:
        return HubUnreachableError(
            f"{attempt.source}: offline mode is on: unset HF_HUB_OFFLINE to reach the Hub"
        )
    return HubUnreachableError(
        f"{attempt.source}: {attempt.path} is not in the cache, and offline mode is on: unset HF_HUB_OFFLINE "
        f"and get it once with `taskbank download {attempt.source}`"
    )


def _no_file(_: BaseException, attempt: Attempt) -> TaskBankError:
    if attempt.path == INDEX_NAME:
        return BankFormatError(f"{attempt.source} is not a bank: the repository has no {INDEX_NAME}")
    return BankFormatError(
        f"{attempt.source} lacks the file {attempt.path} that its {INDEX_NAME} names: tell its owner, or "
        "name another revision"
    )


def _refused(error: BaseException, attempt: Attempt) -> TaskBankError:
    status = _status(error)
    if status in _ACCESS:
        return HubAccessError(
            f"{attempt.source}: {attempt.address} does not allow this ({_reply(error)}): {_LOG_IN}"
        )
    if status >= _SERVER_FAULT:
        return HubUnreachableError(
            f"{attempt.source}: {attempt.address} is out of order ({_reply(error)}): try again later"
        )
    return HubError(f"{attempt.source}: {attempt.address} refuses ({_reply(error)})")


def _no_answer(error: BaseException, attempt: Attempt) -> TaskBankError:
    wanted = f"{attempt.path} is not in the cache, and " if attempt.path else ""
    return HubUnreachableError(
        f"{attempt.source}: {wanted}{attempt.address} does not answer ({first_line(error)}): check the "
        "connection and HF_ENDPOINT and try again; files that arrived whole are kept"
    )


_Kinds = type[BaseException] | tuple[type[BaseException], ...]
# The first matching row applies, so subclasses come before base classes.
_MEANINGS: tuple[tuple[_Kinds, Callable[[BaseException, Attempt], TaskBankError]], ...] = (
    (errors.HFValidationError, _wrong_name),
    (errors.RevisionNotFoundError, _no_revision),
    (errors.GatedRepoError, _gated),
    (errors.RepositoryNotFoundError, _no_repository),
    ((errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError), _offline),
    (errors.EntryNotFoundError, _no_file),
    (errors.HfHubHTTPError, _refused),
    (_TRANSPORT, _no_answer),
)


def _status(error: BaseException) -> int:
    """Return the HTTP status code of the Hub's answer."""
    return error.response.status_code if isinstance(error, errors.HfHubHTTPError) else 0


def _reply(error: BaseException) -> str:
    """Return the Hub's message, or else the HTTP status code."""
    said = error.server_message if isinstance(error, errors.HfHubHTTPError) else None
    return said or f"status {_status(error)}"
