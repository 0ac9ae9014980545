"""The published checkpoints of the original networks: which there are, and how to get them.

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
_TIMEOUT = 30.0  # seconds without a byte


def published_urls() -> dict[str, str]:
    """File name -> address of every published checkpoint.

    Raises:
        MissingPackageError: `visualpriors`, which lists them, is not installed.
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
    """The published checkpoints in a folder; those that are not there yet are downloaded.

    Args:
        folder: is made; what an interrupted download left there is continued.
        tasks: any of their names; None for all.
        report: is told what is downloaded.

    Raises:
        MissingPackageError: `visualpriors` is not installed.
        UnknownTaskError: a name is none of the 26 tasks.
        MissingTaskError: no network of that task was published.
        DownloadError: a file cannot be had.
        ChecksumMismatchError: a downloaded file is not what its name says.
    """
    urls = published_urls()
    parsed = [name for name in map(parse_name, urls) if name is not None]
    wanted = _wanted(tasks, {name.task for name in parsed})
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


def _wanted(tasks: Iterable[str] | None, published: set[str]) -> set[str]:
    """Canonical names of the tasks asked for."""
    if tasks is None:
        return published
    names = {find_task(task).name for task in tasks}
    for name in sorted(names - published):
        raise MissingTaskError(name, published, "the published checkpoints")
    return names


def download(url: str, target: Path, digest: str) -> None:
    """Fetch a file whole; what came before an interruption is kept beside it, and the next call goes on.

    Args:
        url: http or https.
        target: where the file goes once it is complete and right.
        digest: how its sha256 begins.

    Raises:
        DownloadError: the server does not give it, or the folder cannot be written.
        ChecksumMismatchError: the content is another; it is deleted.
    """
    partial = target.with_name(f"{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch(url, partial)
        found = _sha256(partial)
        if found.startswith(digest):
            partial.replace(target)
            return
        partial.unlink()
    except (OSError, ValueError, HTTPException) as error:
        raise DownloadError(
            f"cannot download {url} ({error}): check the connection and try again, what has arrived is kept. "
            f"Or put the file into {target.parent} yourself"
        ) from error
    raise ChecksumMismatchError(
        f"{url} has sha256 {found}, not {digest} as its name says: try again; if it stays so, the file at "
        "that address was changed"
    )


def _fetch(url: str, partial: Path) -> None:
    """Append what is missing to a file."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError("not an http or https address")
    start = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={start}-"} if start else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the scheme was checked
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT)  # noqa: S310 - likewise
    except urllib.error.HTTPError as error:
        # Nothing is missing: the last call was stopped after the last byte.
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return
        raise
    # A server that does not know ranges sends everything again.
    mode = "ab" if answer.status == HTTPStatus.PARTIAL_CONTENT else "wb"
    with answer, partial.open(mode) as file:
        _copy(answer, file)


def _copy(answer: Any, file: Any) -> None:
    """Write an answer's body as it comes; too short a body is an error."""
    expected = answer.headers.get("Content-Length")
    received = 0
    while block := answer.read(_BLOCK):
        file.write(block)
        received += len(block)
    if expected is not None and received != int(expected):
        raise OSError(f"the connection broke after {received} of {expected} bytes")


def _sha256(path: Path) -> str:
    """Hexadecimal sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
