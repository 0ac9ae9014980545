"""Download a bank's files before they are needed. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from taskbank.bank.hub import Hub
from taskbank.bank.index import INDEX_NAME, FileEntry, find_entry
from taskbank.bank.source import BankListing, open_listing


@dataclass(frozen=True, slots=True)
class Download:
    """A downloaded bank.

    Attributes:
        bank: source of the files, a repository with its commit.
        folder: folder of the files; it opens as a bank.
        files: weight files, each checked against its sha256.
    """

    bank: BankListing
    folder: Path
    files: tuple[FileEntry, ...]

    @property
    def size(self) -> int:
        """Bytes of the weight files."""
        return sum(file.size for file in self.files)


def download_bank(
    source: str | Path | None = None, tasks: Iterable[str] | None = None, hub: Hub | None = None
) -> Download:
    """Download and check the files of a bank; files already in the cache are only checked.

    Args:
        source: as for `Bank.open`.
        tasks: any of their names; None for all, transfers included.
        hub: access to the Hub; by default, the environment variables of huggingface_hub decide.

    Raises:
        UnknownTaskError: a name is none of the 26 tasks.
        MissingTaskError: the bank does not hold a task.
        BankFormatError: there is no bank, or a file of it is missing.
        ChecksumMismatchError: a file is damaged.
        HubError: the repository cannot be used.
    """
    bank = open_listing(source, hub)
    files = bank.index.files
    if tasks is not None:
        entries = [find_entry(bank.index, task, bank.files.where) for task in tasks]
        # The same task may be given twice, under two of its names.
        files = bank.index.files_of(entries)
    for file in files:
        bank.files.read(file)
    return Download(bank, bank.files.fetch(INDEX_NAME).parent, files)
