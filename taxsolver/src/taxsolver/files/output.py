"""Atomic writing: results are written to a temporary file beside the target and then moved there."""

from __future__ import annotations

import os
import re
import secrets
import time
from contextlib import suppress
from pathlib import Path

from taxsolver.errors import InvalidInputError, OutputError

_DAY = 24 * 60 * 60  # seconds
_LEFTOVER = re.compile(r"\.[0-9a-f]{16}\.part")


def check_path(path: object) -> Path:
    """Return the argument as a path.

    Raises:
        InvalidInputError: the argument is neither text nor a path.
    """
    if isinstance(path, str | os.PathLike):
        return Path(path)
    raise InvalidInputError(f"the path is {path!r}, expected text or a pathlib.Path")


def write_file(path: str | Path, content: str | bytes) -> Path:
    """Write `content` to `path`, replacing an existing file; text is encoded as UTF-8.

    Raises:
        OutputError: the folder is missing, not writable or full, or `path` is a folder.
    """
    place = Path(path)
    check_writable(place)
    data = content.encode() if isinstance(content, str) else content
    try:
        if _is_stream(place):
            place.write_bytes(data)
        else:
            target = Path(os.path.realpath(place))  # a link stays a link
            # Remove temporary files of killed processes that are at least a day old; writing takes seconds.
            for left in target.parent.glob(".*.part"):
                with suppress(OSError):
                    if _LEFTOVER.fullmatch(left.name) and time.time() - left.lstat().st_mtime > _DAY:
                        left.unlink()
            beside = target.with_name(f".{secrets.token_hex(8)}.part")
            try:
                with beside.open("xb") as stream:  # exclusive creation follows no planted link
                    stream.write(data)
                    stream.flush()
                    # Without it, a power cut could leave an empty file under the new name.
                    os.fsync(stream.fileno())
                beside.replace(target)
            finally:
                beside.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {place}: {error.strerror or error}") from error
    return place


def check_writable(path: str | Path) -> None:
    """Raise if a file cannot be written to `path`; called before long computations.

    Raises:
        OutputError: the folder is missing or not writable, or `path` is a folder.
    """
    place = Path(path)
    try:
        fault = _fault(place)
    except OSError as error:  # for example a name that is too long, or a folder without permission
        fault = error.strerror or str(error)
    if fault is not None:
        raise OutputError(f"cannot write {place}: {fault}")


def _fault(place: Path) -> str | None:
    folder = place.parent
    if "\0" in str(place):
        return "it is not a file name"
    if folder.exists() and not folder.is_dir():
        return f"{folder} is not a folder"
    if not folder.is_dir():
        return f"the folder {folder} does not exist; create it first"
    if place.is_dir():
        return "it is a folder; give a file name"
    if not _is_stream(place) and not os.access(folder, os.W_OK):
        return f"the folder {folder} is not writable"
    return None


def _is_stream(place: Path) -> bool:
    """Return True for a pipe or a device, which is written to instead of being replaced."""
    return place.exists() and not place.is_file() and not place.is_dir()
