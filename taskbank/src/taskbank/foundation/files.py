"""Files of third-party models from the Hub, its cache or a folder; never pickles, never code."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from taskbank.bank.catalogue import Model
from taskbank.bank.hub import library, quiet_hub
from taskbank.errors import BankFormatError, HubUnreachableError, MissingPackageError, TaskBankError
from taskbank.paths import read_regular

CONFIG = "config.json"
_LARGEST_CONFIG = 2**24  # bytes

_WANTED = ("*.json", "*.safetensors", "*.txt", "*.model", "README.md")
_NOT_WANTED = ("*/*",)  # subfolders hold other forms of the weights
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Files of a model on this machine.

    Attributes:
        folder: with `config.json` and safetensors files.
        revision: the commit; for a folder, `sha256:` and the digest of its weights.
        config: content of `config.json`.
    """

    folder: Path
    revision: str
    config: dict[str, Any]

    @property
    def weights(self) -> list[Path]:
        """The weight files."""
        return sorted(path for path in self.folder.glob("*.safetensors") if path.is_file())


def require(package: str) -> None:
    """Check that the package that loads a model is installed.

    Raises:
        MissingPackageError: it is not; the message states the install command.
    """
    if find_spec(package) is None:
        raise MissingPackageError(
            f"models of {package} need the package {package}: run  pip install 'taskbank[hub]', in a "
            "checkout  pip install '.[hub]'"
        )


def fetch(model: Model) -> Files:
    """Find the files of a model, after a download if they are not in the cache.

    Only JSON, text and safetensors files are fetched.

    Raises:
        BankFormatError: the model has no configuration or no safetensors file.
        HubError: the files cannot be downloaded, and are not in the cache.
        InvalidInputError: the id is not a valid repository name.
    """
    folder = model.folder
    found = _download(model) if folder is None else folder
    if not found.is_dir():
        raise BankFormatError(f"{model.name}: there is no folder {found}: name one, or owner/name on the Hub")
    where = model.id if folder is None else str(found)
    config = read_config(found / CONFIG, where)
    files = Files(folder=found, revision=found.name if folder is None else "", config=config)
    if not files.weights:
        pickled = any(found.glob("*.bin")) or any(found.glob("*.pt*")) or any(found.glob("*.ckpt"))
        raise BankFormatError(
            f"{where} has no *.safetensors: "
            + ("pickled weights are not read" if pickled else "it has no weights")
        )
    if folder is not None:
        digest = hashlib.sha256()
        for path in files.weights:
            with path.open("rb") as file:
                while block := file.read(2**20):
                    digest.update(block)
        return Files(folder=found, revision=f"sha256:{digest.hexdigest()}", config=config)
    return files


def read_config(path: Path, where: str) -> dict[str, Any]:
    """Read a model's configuration.

    Args:
        path: its `config.json`.
        where: the model, for errors.

    Raises:
        BankFormatError: the file is missing or damaged, a pipe or device, or holds no table.
    """
    try:
        config: Any = json.loads(read_regular(path, at_most=_LARGEST_CONFIG) or b"")
    except (OSError, ValueError, RecursionError) as error:
        raise BankFormatError(f"{where}: its {CONFIG} cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise BankFormatError(f"{where}: its {CONFIG} is not a table")
    return config


def resolve(model: Model) -> str:
    """Return the current commit of a model's revision, or the cached one if the Hub cannot be reached.

    Raises:
        HubError: the Hub cannot be reached, and the model is not in the cache.
        BankFormatError: the model has no configuration.
    """
    if model.folder is not None or _COMMIT.fullmatch(model.revision):
        return model.revision
    return _download(model, wanted=(CONFIG,)).name


def _download(model: Model, wanted: tuple[str, ...] = _WANTED) -> Path:
    """Download a repository; return its folder in the Hub's cache, .../snapshots/COMMIT."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    from taskbank.bank.hub_errors import Attempt, translated

    try:
        with translated(Attempt(source=f"{model.id}@{model.revision}")), quiet_hub():
            return Path(
                snapshot_download(
                    model.id,
                    revision=model.revision,
                    allow_patterns=list(wanted),
                    ignore_patterns=list(_NOT_WANTED),
                    **library(),
                )
            )
    except TaskBankError as error:
        cause = error.__cause__
        if isinstance(error, HubUnreachableError) or isinstance(
            cause, LocalEntryNotFoundError | OfflineModeIsEnabled
        ):
            raise HubUnreachableError(
                f"{model.id}@{model.revision} is not in the cache, and the Hub gives no answer or offline "
                "mode is on: check the connection, HF_ENDPOINT and HF_HUB_OFFLINE, or name a folder in a "
                "catalogue of your own (`taskbank models --out FILE`)"
            ) from error
        raise
