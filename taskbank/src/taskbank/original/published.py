"""List and download of the published checkpoints of the original networks.

Names, hashes and addresses are those that the installed package `visualpriors` lists
(https://github.com/alexsax/visual-prior, MIT licence).
"""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.client import HTTPException
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from taskbank.errors import ChecksumMismatchError, DownloadError, MissingPackageError, MissingTaskError
from taskbank.original.checkpoints import Checkpoints, parse_name
from taskbank.tasks.registry import TASKS, find_task

_BLOCK = 1 << 20
_TIMEOUT = 30.0  # seconds without data


def published_urls() -> dict[str, str]:
    """Return the address of every published checkpoint by file name.

    Raises:
        MissingPackageError: `visualpriors`, which lists the addresses, is not installed.
    """
    try:
        listed: Any = import_module("visualpriors.taskonomy_network")
    except ImportError as error:
        raise MissingPackageError(
            f"the package that lists the published checkpoints cannot be imported ({error}): "
            "`pip install visualpriors`, or name a folder that holds the files"
        ) from error
    template: str = listed.TASKONOMY_PRETRAINED_WEIGHT_URL_TEMPLATE
    return {name: template.format(filename=name) for name in listed.TASKONOMY_PRETRAINED_WEIGHT_FILES}


def download_published(
    folder: Path, tasks: Iterable[str] | None = None, report: Callable[[str], None] | None = None
) -> Checkpoints:
    """Find the published checkpoints in a folder, after a download of missing ones.

    Args:
        folder: is created; an interrupted download is continued.
        tasks: any of their names; None for all.
        report: called with a line of text about each download.

    Raises:
        MissingPackageError: `visualpriors` is not installed.
        UnknownTaskError: a name is none of the 26 tasks.
        MissingTaskError: no network of that task was published.
        DownloadError: a file cannot be downloaded.
        ChecksumMismatchError: a downloaded file's sha256 is not that of its name.
    """
    urls = published_urls()
    parsed = [name for name in map(parse_name, urls) if name is not None]
    wanted = published = {name.task for name in parsed}
    if tasks is not None:
        wanted = {find_task(task).name for task in tasks}
        for missing in sorted(wanted - published):
            raise MissingTaskError(missing, published, "the published checkpoints")
    chosen = {(name.part, name.task): name for name in parsed if name.task in wanted}
    for name in chosen.values():
        if not (folder / name.file).is_file():
            if report:
                report(f"downloading {urls[name.file]}")
            download(urls[name.file], folder / name.file, name.digest)
    encoders, decoders = (
        {task: chosen[part, task] for task in TASKS if (part, task) in chosen}
        for part in ("encoder", "decoder")
    )
    return Checkpoints(folder, encoders, decoders)


def download(url: str, target: Path, digest: str) -> None:
    """Download a file atomically; the next call continues an interrupted download.

    Args:
        url: http or https.
        target: path of the file, which appears once it is complete and checked.
        digest: first digits of its sha256.

    Raises:
        DownloadError: the server does not send the file, or the folder cannot be written.
        ChecksumMismatchError: the content has another sha256; it is deleted.
    """
    partial = target.with_name(f"{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch(url, partial)
        with partial.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found.startswith(digest):
            partial.replace(target)
            return
        partial.unlink()
    except (OSError, ValueError, HTTPException) as error:
        raise DownloadError(
            f"cannot download {url} ({error}): check the connection and try again, the part that has arrived "
            f"is kept. Or put the file into {target.parent} yourself"
        ) from error
    raise ChecksumMismatchError(
        f"{url} has sha256 {found}, not {digest} as its name says: try again; if it stays so, the file at "
        "that address was changed"
    )


def _fetch(url: str, partial: Path) -> None:
    """Download the missing rest of a file."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError("not an http or https address")
    start = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={start}-"} if start else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the scheme was checked
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT)  # noqa: S310 - likewise
    except urllib.error.HTTPError as error:
        # The file is complete: the last call was interrupted after the last byte.
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return
        raise
    # A server without support for ranges sends the whole file.
    mode = "ab" if answer.status == HTTPStatus.PARTIAL_CONTENT else "wb"
    expected = answer.headers.get("Content-Length")
    received = 0
    with answer, partial.open(mode) as file:
        while block := answer.read(_BLOCK):
            file.write(block)
            received += len(block)
    if expected is not None and received != int(expected):
        raise OSError(f"the connection broke after {received} of {expected} bytes")
