"""The files of a bank onto this machine, before they are needed. Nothing heavy is imported."""

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
        bank: the bank it came from, a repository with its commit.
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
    """Fetch and check files of a bank; those that are there already are checked only.

    Args:
        source: as for `Bank.open`.
        tasks: any of their names; None for all, transfers included.
        hub: how a Hub is reached, by default what the variables of huggingface_hub say.

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
        # A task may be named twice, by two of its names.
        files = bank.index.files_of(entries)
    for file in files:
        bank.files.read(file)
    return Download(bank, bank.files.fetch(INDEX_NAME).parent, files)
