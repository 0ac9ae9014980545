"""Files of a bank, read only after a check of their sha256."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Protocol

from taskbank.bank.index import INDEX_NAME, LARGEST_FILE, FileEntry
from taskbank.errors import BankFormatError, ChecksumMismatchError

LARGEST_INDEX = 16 * 2**20
"""Most bytes that a `bank.json` may have: about a hundred times those of one with all tasks and transfers."""


class BankFiles(Protocol):
    """The files of one version of a bank."""

    @property
    def where(self) -> str:
        """Folder or repository, for messages and provenance."""

    def fetch(self, path: str) -> Path:
        """Return the local path of a file, after a download if needed; its content is not checked.

        Args:
            path: place in the bank, with forward slashes.
        """

    def read(self, file: FileEntry) -> bytes:
        """Return the content of a file, after a check of its sha256."""


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """A bank in a folder.

    Attributes:
        root: the folder.
    """

    root: Path

    @property
    def where(self) -> str:
        """The folder as text."""
        return str(self.root)

    def fetch(self, path: str) -> Path:
        """Return the file's path; it may not exist."""
        return self.root / path

    def read(self, file: FileEntry) -> bytes:
        """Return the content of a file.

        Raises:
            BankFormatError: the file cannot be read.
            ChecksumMismatchError: it is another, or damaged.
        """
        return read_checked(self.fetch(file.path), file.sha256, file.size)


def read_index(files: BankFiles) -> bytes:
    """Return the content of the bank's `bank.json`.

    Raises:
        BankFormatError: the file is missing, not a regular file, or too large.
        HubError: it cannot be downloaded.
    """
    path = files.fetch(INDEX_NAME)
    try:
        return _read_regular(path, at_most=LARGEST_INDEX)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise BankFormatError(
            f"no bank at {files.where}: cannot read its {INDEX_NAME} ({error}). A bank is a folder with that "
            "file, or a Hub repository, written hf://owner/name"
        ) from error


def read_checked(path: Path, sha256: str, size: int | None = None) -> bytes:
    """Return a file's content, after a check of its size and sha256.

    Args:
        path: of a regular file, or of a link to one.
        sha256: of the content.
        size: bytes of the content; a file of another size is not read. None accepts any size.

    Raises:
        BankFormatError: the file cannot be read, or is a pipe or a device.
        ChecksumMismatchError: it is another, or damaged.
    """
    try:
        content = _read_regular(path, at_most=LARGEST_FILE if size is None else size)
    except OSError as error:
        raise BankFormatError(f"cannot read {path}: {error}. Get the bank again") from error
    if size is not None and len(content) != size:
        raise ChecksumMismatchError(
            f"{path} has {len(content)} bytes, but the bank's index states {size}: the file is damaged or "
            "was changed. Get it again"
        )
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ChecksumMismatchError(
            f"{path} has sha256 {found}, but the bank's index states {sha256}: the file is damaged or was "
            "changed. Get it again"
        )
    return content


def _read_regular(path: Path, *, at_most: int) -> bytes:
    """Return the content of a regular file of at most `at_most` bytes.

    The file is opened without blocking, so that a pipe does not stop the program. Its type and size are
    checked after opening, so that it cannot be replaced in between. At most `at_most` bytes are read.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
        found = os.fstat(file.fileno())
        if not S_ISREG(found.st_mode):
            raise BankFormatError(f"{path} is not a regular file (a pipe, a device, ...): get the bank again")
        if found.st_size > at_most:
            raise ChecksumMismatchError(
                f"{path} has {found.st_size} bytes, but at most {at_most} are expected: the file is damaged "
                "or was changed. Get it again"
            )
        return file.read(at_most)
