"""Whole files or none: results are written beside their place and then moved there."""

from __future__ import annotations

import os
from pathlib import Path

from taxsolver.errors import OutputError


def write_file(path: str | Path, content: str | bytes) -> Path:
    """Write `content` to `path`, replacing a file that is there; text as UTF-8.

    Raises:
        OutputError: the folder is missing, not writable or full, or `path` is a folder.
    """
    place = Path(path)
    check_writable(place)
    data = content.encode() if isinstance(content, str) else content
    try:
        if place.exists() and not place.is_file():
            place.write_bytes(data)  # a pipe or a device has nothing to replace
        else:
            _write_and_rename(place, data)
    except OSError as error:
        raise OutputError(f"cannot write {place}: {error.strerror or error}") from error
    return place


def check_writable(path: str | Path) -> None:
    """Find out before a long computation that its result could not be written.

    Raises:
        OutputError: the folder is missing or not writable, or `path` is a folder.
    """
    place = Path(path)
    folder = place.parent
    if not folder.is_dir():
        raise OutputError(f"cannot write {place}: the folder {folder} does not exist; create it first")
    if place.is_dir():
        raise OutputError(f"cannot write {place}: it is a folder; give a file name")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"cannot write {place}: the folder {folder} is not writable")


def _write_and_rename(place: Path, data: bytes) -> None:
    beside = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        with beside.open("xb") as stream:
            stream.write(data)
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)
