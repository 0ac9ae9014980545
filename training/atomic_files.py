"""Atomic writing of files that also survive a power cut."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from taskbank.atomic_files import whole_folder as whole_folder_or_nothing
from taskbank.atomic_files import write_whole as write_whole_or_nothing
from taskbank.errors import OutputError
from training.errors import StorageError

DISK_TROUBLES = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES})
"""Error numbers of full or read-only disks and similar faults of the target of a write."""


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a temporary file, flush it to the disk, and move it to `path`.

    Args:
        path: the file; its folder is created.
        write: writes the content to an open file.

    Raises:
        StorageError: the file cannot be written, because of a full disk for example; an older file is kept.
    """
    try:
        write_whole_or_nothing(path, write)
    except OutputError as error:
        raise StorageError(str(error)) from error
    sync_folder(path.parent)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that is moved to `path` when the block ends without an error.

    Raises:
        StorageError: a file in it cannot be written.
    """
    try:
        with whole_folder_or_nothing(path) as partial:
            yield partial
    except OutputError as error:
        raise StorageError(str(error)) from error
    sync_folder(path.parent)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object atomically.

    Raises:
        StorageError: the file cannot be written.
    """
    text = json.dumps(content, indent=1) + "\n"
    write_whole(path, lambda file: file.write(text.encode()))


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, if the system supports it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems sync names by themselves
            raise StorageError(f"cannot write {folder}: {error}") from error
    finally:
        os.close(handle)
