"""Sources from models of timm and transformers in Hub repositories, and in folders of the same form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from taskbank.bank.hub import library, quiet_hub
from taskbank.encoders.source import Source, reopening
from taskbank.encoders.timm_models import open_timm
from taskbank.errors import BankFormatError, HubUnreachableError, InvalidInputError, TaskBankError
from taskbank.foundation.files import CONFIG, read_config
from taskbank.paths import home_path

WEIGHTS = "model.safetensors"


def open_hub(
    repo: str, *, layer: int | None = None, revision: str | None = None, size: int | None = None
) -> Source:
    """Open one level of a model of timm or transformers that a repository or a folder holds.

    Args:
        repo: `owner/name` on the Hub, or a folder with `config.json` and `model.safetensors`, as
            `timm.models.save_for_hf` and `save_pretrained` of transformers write them.
        layer: as for `open_timm`.
        revision: branch, tag or commit of the repository.
        size: as for `open_timm`.

    Raises:
        InvalidInputError: the repository holds a model of another library; also as `open_timm`.
        BankFormatError: a file is missing or damaged.
        HubError: the files cannot be downloaded.
    """
    folder = home_path(repo)
    local = folder.is_dir()
    if local and revision:
        raise InvalidInputError(f"hf:{repo} is a folder, which has no revision {revision!r}: leave it out")
    path = folder / CONFIG if local else _fetch(repo, CONFIG, revision)
    config = read_config(path, f"hf:{repo}")
    architecture = config.get("architecture")
    called = f"hf:{folder.name if local else repo}"
    marks = [revision] if revision else []
    marks += [f"{size}px"] if size else []
    if not isinstance(architecture, str):
        if not isinstance(config.get("model_type"), str):
            raise InvalidInputError(
                f"hf:{repo} is not a model of timm or transformers: its {CONFIG} names neither an "
                "architecture nor a model type"
            )
        from taskbank.encoders.transformers_models import open_transformers

        where = str(folder) if local else repo
        opened = open_transformers(where, layer=layer, revision=revision, size=size, called=called)
        return replace(opened, name="#".join([opened.name, *marks]))
    weights = folder / WEIGHTS if local else _fetch(repo, WEIGHTS, revision)
    if not weights.is_file():
        raise BankFormatError(f"hf:{repo} has no {WEIGHTS}: pickled weights are not read")
    written = config.get("pretrained_cfg")
    facts = dict(written) if isinstance(written, dict) else {}
    if isinstance(config.get("model_args"), dict):
        facts["model_args"] = config["model_args"]
    opened = open_timm(
        architecture, layer=layer, weights=str(weights), size=size, config=facts, called=called
    )
    name = "#".join([opened.name.partition("#")[0], *marks])
    level = opened.name.partition("#")[0].rpartition("@")[2]
    opens = reopening(
        f"hf:{folder.resolve() if local else repo}@{level}",
        revision=None if local else weights.parent.name,  # the cache keeps files below their commit
        size=str(opened.size),
    )
    return replace(opened, name=name, opens=opens)


def _fetch(repo: str, file: str, revision: str | None) -> Path:
    """Download a file of a repository; return its path in the Hub's cache.

    Raises:
        BankFormatError: the repository has no such file.
        HubError: the file cannot be downloaded.
        InvalidInputError: the name is neither a valid repository name nor a folder.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError, OfflineModeIsEnabled

    from taskbank.bank.hub_errors import Attempt, translated

    try:
        with translated(Attempt(source=f"hf:{repo}")), quiet_hub():
            return Path(hf_hub_download(repo, file, revision=revision, **library()))
    except TaskBankError as error:
        cause = error.__cause__
        if isinstance(cause, LocalEntryNotFoundError | OfflineModeIsEnabled):
            raise HubUnreachableError(
                f"hf:{repo}: {file} is not in the cache, and the Hub gives no answer or offline mode is on: "
                "check the connection and HF_HUB_OFFLINE, or name a folder"
            ) from error
        if isinstance(cause, EntryNotFoundError):
            raise BankFormatError(
                f"hf:{repo} has no {file}: name a repository of a model of timm or transformers"
            ) from error
        raise
