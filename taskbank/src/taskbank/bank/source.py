"""Sources of banks: a folder, a bundled bank, a Hub repository. Imports nothing heavy."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from taskbank.bank.catalogue import names_models
from taskbank.bank.files import BankFiles, FolderFiles, read_index
from taskbank.bank.hub import HUB_PREFIX, Hub, hub_files, parse_hub_source
from taskbank.bank.index import INDEX_NAME, BankIndex, index_from_bytes
from taskbank.errors import InvalidInputError, MissingBankError
from taskbank.paths import home_path

DEFAULT_BANK = "rooms"
"""The default bank: name of a bundled bank, a folder or `hf://owner/name`."""

BANK_VARIABLE = "TASKBANK_BANK"
"""Environment variable that names another default bank."""

BUNDLED = ("rooms",)
"""Names of the banks that come with the package."""

_BUNDLED_FOLDER = Path(__file__).parents[1] / "banks"


@dataclass(frozen=True, slots=True)
class BankListing:
    """Index and files of a bank, without its networks.

    Attributes:
        index: content of `bank.json`.
        digest: sha256 of `bank.json`, which lists the sha256 of every other file.
        files: access to the weight files.
    """

    index: BankIndex
    digest: str
    files: BankFiles


def open_listing(source: str | Path | None = None, hub: Hub | None = None) -> BankListing:
    """Open the listing of a bank by name.

    Raises:
        BankFormatError: the folder or its `bank.json` is missing, damaged or of a later version.
        TaskBankError: as `find_files`.
    """
    files = find_files(source, hub)
    content = read_index(files)
    return BankListing(index_from_bytes(content, files.where), hashlib.sha256(content).hexdigest(), files)


def default_source() -> str:
    """Return the name of the default bank: the value of `TASKBANK_BANK`, or `DEFAULT_BANK`."""
    return os.environ.get(BANK_VARIABLE) or DEFAULT_BANK


def find_files(source: str | Path | None = None, hub: Hub | None = None) -> BankFiles:
    """Find the files of a bank by name.

    Args:
        source: a folder; the name of a bundled bank (write `./rooms` for a folder of that name);
            `hf://owner/name` or `hf://owner/name@revision`; None for the default bank.
        hub: access to the Hub; by default, the environment variables of huggingface_hub decide.

    Raises:
        InvalidInputError: `hf://` is not followed by an owner and a name.
        MissingBankError: this version does not come with that bundled bank.
        HubError: the repository cannot be used.
    """
    named = default_source() if source is None else source
    if isinstance(named, str) and named.startswith(HUB_PREFIX):
        return hub_files(parse_hub_source(named), hub or Hub())
    if names_models(named):
        raise InvalidInputError(
            f"{named} names third-party models, not files of networks: `taskbank models` lists them, and "
            "`taskbank predict --bank` runs them"
        )
    if isinstance(named, str) and named in BUNDLED:
        folder = _BUNDLED_FOLDER / named
        if not (folder / INDEX_NAME).is_file():
            raise MissingBankError(
                f"the bank {named!r} is not bundled with this version of taskbank. Name another one, a "
                "folder or hf://owner/name: as the argument `bank`, with --bank, or in the variable "
                f"{BANK_VARIABLE}. `taskbank convert visualpriors FOLDER` makes one from the original "
                "networks"
            )
        return FolderFiles(folder)
    return FolderFiles(home_path(named))
