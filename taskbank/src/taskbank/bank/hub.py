"""Banks in Hub repositories: huggingface_hub downloads only the files that a call needs.

The transport, its cache and its settings are huggingface_hub's: `HF_ENDPOINT`, `HF_HOME`, `HF_TOKEN`,
`HF_HUB_OFFLINE` and the rest of
https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from taskbank.bank.files import read_checked
from taskbank.bank.index import INDEX_NAME, FileEntry
from taskbank.errors import ChecksumMismatchError, InvalidInputError

HUB_PREFIX = "hf://"
"""Prefix of the names of banks in Hub repositories."""

_SOURCE = re.compile(r"hf://(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[^@\s]+))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """Access to a Hub; for attributes that are None, the environment variables of huggingface_hub decide.

    Attributes:
        endpoint: address of the Hub or of a mirror (`HF_ENDPOINT`).
        cache: folder of downloaded files (`HF_HOME`, `HF_HUB_CACHE`).
        token: of an account (`HF_TOKEN`, or what `hf auth login` stored).
        offline: whether nothing but the cache may be used (`HF_HUB_OFFLINE`).
    """

    endpoint: str | None = None
    cache: Path | None = None
    token: str | None = None
    offline: bool = False


@dataclass(frozen=True, slots=True)
class HubSource:
    """A repository and a revision of it.

    Attributes:
        repo: `owner/name`.
        revision: branch, tag or commit; None for the main branch.
    """

    repo: str
    revision: str | None = None

    def __str__(self) -> str:
        """Return the repository as users write it."""
        return f"{HUB_PREFIX}{self.repo}{f'@{self.revision}' if self.revision else ''}"


@dataclass(frozen=True, slots=True)
class HubFiles:
    """A bank in a Hub repository, at one commit.

    Attributes:
        source: the repository, its revision a commit.
        hub: access to the Hub.
    """

    source: HubSource
    hub: Hub

    @property
    def where(self) -> str:
        """The repository and the commit: opened again, it gives the same bytes."""
        return str(self.source)

    def fetch(self, path: str) -> Path:
        """Return a file's path in the cache, after a download if it is not there yet.

        Raises:
            HubError: the file cannot be downloaded.
            BankFormatError: the repository has no such file.
        """
        return _download(self.source, path, self.hub)

    def read(self, file: FileEntry) -> bytes:
        """Return the content of a file, after a check of its sha256.

        Raises:
            HubError: the file cannot be downloaded.
            BankFormatError: the repository has no such file.
            ChecksumMismatchError: the content has another sha256; the file is then removed from the cache. A
                file whose size differs from the index is not downloaded.
        """
        _check_size(self.source, file, self.hub)
        path = self.fetch(file.path)
        try:
            return read_checked(path, file.sha256, file.size)
        except ChecksumMismatchError as error:
            content = path.resolve()  # `path` is a link in a snapshot of the cache
            path.unlink(missing_ok=True)
            content.unlink(missing_ok=True)
            raise ChecksumMismatchError(
                f"{error}: it was removed from the cache, the next call downloads it again. If that does not "
                f"help, {file.path} in {self.where} is itself not what its {INDEX_NAME} says"
            ) from error


def parse_hub_source(text: str) -> HubSource:
    """Parse the repository and revision in `hf://owner/name` or `hf://owner/name@revision`.

    Raises:
        InvalidInputError: the text is of neither form.
    """
    found = _SOURCE.fullmatch(text)
    if found is None:
        raise InvalidInputError(
            f"{text!r} is not a Hub repository: write hf://owner/name or hf://owner/name@revision"
        )
    return HubSource(found["repo"], found["revision"])


def hub_files(source: HubSource, hub: Hub) -> HubFiles:
    """Open the bank in a repository, fixed to the current commit of its revision.

    Offline, this is the commit that the cache holds for the revision.

    Raises:
        HubError: the repository cannot be used.
        BankFormatError: it holds no bank.
    """
    index = _download(source, INDEX_NAME, hub)
    # The cache's layout: models--OWNER--NAME/snapshots/COMMIT/FILE.
    return HubFiles(HubSource(source.repo, index.parent.name), hub)


def _download(source: HubSource, path: str, hub: Hub) -> Path:
    """Download a file of a repository; return its path in the cache."""
    from huggingface_hub import hf_hub_download

    from taskbank.bank.hub_errors import Attempt, translated

    with translated(Attempt(source=str(source), path=path, endpoint=hub.endpoint)):
        return Path(
            hf_hub_download(
                source.repo,
                path,
                revision=source.revision,
                cache_dir=hub.cache,
                endpoint=hub.endpoint,
                token=hub.token,
                local_files_only=hub.offline,
                **library(),
            )
        )


def _check_size(source: HubSource, file: FileEntry, hub: Hub) -> None:
    """Check a file's size before the download, so that a wrong bank cannot fill the disk.

    Raises:
        ChecksumMismatchError: it has another size than the index states.
        HubError: the Hub does not answer, or has no such file. A size that it does not state is not checked.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url, try_to_load_from_cache

    from taskbank.bank.hub_errors import Attempt, translated

    held = try_to_load_from_cache(source.repo, file.path, cache_dir=hub.cache, revision=source.revision)
    if isinstance(held, str) or hub.offline or constants.HF_HUB_OFFLINE:
        return
    with translated(Attempt(source=str(source), path=file.path, endpoint=hub.endpoint)):
        url = hf_hub_url(source.repo, file.path, revision=source.revision, endpoint=hub.endpoint)
        size = get_hf_file_metadata(url, token=hub.token, **library()).size
    if size is not None and size != file.size:
        raise ChecksumMismatchError(
            f"{file.path} in {source} has {size} bytes, but its {INDEX_NAME} states {file.size}: it is not "
            "downloaded, as the bank is damaged or was changed"
        )


def library() -> dict[str, Any]:
    """Return the name and version that huggingface_hub sends to the Hub."""
    return {"library_name": "taskbank", "library_version": version("taskbank")}


@contextmanager
def quiet_hub() -> Iterator[None]:
    """Silence huggingface_hub's log of every attempt: the raised error reports the failure once."""
    logger = logging.getLogger("huggingface_hub")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
