"""Where a bank's files lie, and how one is read: only after a look at its sha256."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from taskbank.bank_index import INDEX_NAME, FileEntry
from taskbank.errors import BankFormatError, ChecksumMismatchError


class BankFiles(Protocol):
    """The files of one bank at one moment."""

    @property
    def where(self) -> str:
        """Folder or repository, for messages and provenance."""

    def fetch(self, path: str) -> Path:
        """A file of the bank on this machine, not checked.

        Args:
            path: place in the bank, with forward slashes.
        """

    def read(self, file: FileEntry) -> bytes:
        """The content of a file, checked."""


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
        """The file's place; whether it is there shows when it is read."""
        return self.root / path

    def read(self, file: FileEntry) -> bytes:
        """The content of a file.

        Raises:
            BankFormatError: the file cannot be read.
            ChecksumMismatchError: it is another, or damaged.
        """
        return read_checked(self.fetch(file.path), file.sha256)


def read_index(files: BankFiles) -> bytes:
    """The content of the bank's `bank.json`.

    Raises:
        BankFormatError: there is none.
        HubError: it cannot be had from the Hub.
    """
    path = files.fetch(INDEX_NAME)
    try:
        return path.read_bytes()
    except OSError as error:
        raise BankFormatError(
            f"no bank at {files.where}: cannot read its {INDEX_NAME} ({error}). A bank is a folder with that "
            "file, or a Hub repository, written hf://owner/name"
        ) from error


def read_checked(path: Path, sha256: str) -> bytes:
    """A file's content, once it is known to be the one meant.

    Raises:
        BankFormatError: the file cannot be read.
        ChecksumMismatchError: it is another, or damaged.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BankFormatError(f"cannot read {path}: {error}. Get the bank again") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ChecksumMismatchError(
            f"{path} has sha256 {found}, but the bank's index states {sha256}: the file is damaged or was "
            "changed. Get it again"
        )
    return content
