"""Atomic writing of files and folders. Imports nothing heavy."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from taskbank.errors import OutputError, TaskBankError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment] # no file locks there

_DAY = 24 * 60 * 60  # seconds
_PARTIAL = re.compile(r"\.[0-9a-f]{16}\.partial")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary file that replaces `path` when the block ends without an error.

    If the block fails or is interrupted, `path` stays as it was and the temporary file is removed. Threads,
    processes and containers may write the same path at once: the last one wins, and every reader sees a whole
    file. Partial files that killed processes left in the folder are removed.

    Args:
        path: the file; its folder is created. A link is replaced, not followed.

    Yields:
        an empty file in the same folder, whose name cannot be guessed; it was created without following
        links.

    Raises:
        OutputError: the file cannot be written, or the path is that of a folder, pipe or device.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            raise OutputError(f"cannot write {path}: it is a folder, pipe or device, name a file")
        _clean_once(path.parent)
        partial, handle = _locked(path.parent, _new_file)
    except OSError as error:
        raise _as_output_error(path, error) from error
    try:
        yield partial
        os.fsync(handle)  # or a power cut could leave an empty file under the new name
        if os.name == "nt":  # pragma: no cover - Windows cannot move open files
            os.close(handle)
            handle = -1
        partial.replace(path)
    except OSError as error:
        raise _as_output_error(path, error) from error
    finally:
        with suppress(OSError):  # absent if it was moved
            partial.unlink()
        if handle >= 0:
            os.close(handle)


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file atomically, see `whole_file`.

    Args:
        path: the file; its folder is created.
        write: writes the content to an open binary file.

    Raises:
        OutputError: the file cannot be written.
    """
    with whole_file(path) as partial, partial.open("wb") as file:
        write(file)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that replaces `path` when the block ends without an error, see `whole_file`.

    Args:
        path: the folder; if it exists already, it must be empty.

    Yields:
        an empty folder beside `path`.

    Raises:
        OutputError: a file cannot be written, or the folder cannot be moved.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clean_once(path.parent)
        partial, handle = _locked(path.parent, _new_folder)
    except OSError as error:
        raise _as_output_error(path, error) from error
    try:
        yield partial
        for file in partial.iterdir():
            opened = os.open(file, os.O_RDWR)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)
        partial.replace(path)
    except OSError as error:
        raise _as_output_error(path, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if handle >= 0:
            os.close(handle)


@lru_cache(maxsize=1024)
def _clean_once(folder: Path) -> None:
    """Remove partial files before the first write to a folder, but not again before each further file."""
    remove_leftovers(folder)


def remove_leftovers(folder: Path) -> None:
    """Remove partial files and folders that killed processes left in a folder.

    Files that another process or thread is writing are locked, and stay; on file systems without locks, those
    that are younger than a day stay.
    """
    try:
        with os.scandir(folder) as entries:
            left = [Path(entry.path) for entry in entries if _PARTIAL.fullmatch(entry.name)]
    except OSError:
        return  # the write that follows reports the error
    for path in left:
        with suppress(OSError):
            # A link is removed itself, not its target.
            if path.is_symlink() or _is_abandoned(path):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _is_abandoned(path: Path) -> bool:
    """Return True if no process is writing a partial file or folder any more."""
    old = time.time() - path.stat().st_mtime > _DAY
    if fcntl is None:
        return old
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return old
    finally:
        os.close(handle)
    return True


def _locked(folder: Path, make: Callable[[Path], int]) -> tuple[Path, int]:
    """Create a file or folder with a name that cannot be guessed, locked while its handle is open."""
    while True:
        partial = folder / f".{secrets.token_hex(8)}.partial"
        handle = make(partial)
        if fcntl is None or handle < 0:
            return partial, handle
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink and partial.exists():
            return partial, handle
        os.close(handle)  # another process removed it as abandoned before it was locked


def _new_file(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    return os.open(path, flags, 0o666)


def _new_folder(path: Path) -> int:
    path.mkdir()
    return -1 if fcntl is None else os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _as_output_error(path: Path, error: OSError) -> Exception:
    """Convert an error to OutputError; errors of this package are returned unchanged."""
    return error if isinstance(error, TaskBankError) else OutputError(f"cannot write {path}: {error}")
