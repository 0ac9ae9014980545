"""Files that are whole or absent, and that a power cut does not take back."""

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
"""Numbers of errors that say: the place cannot take what is written."""


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file beside its place, wait until the disk has it and its name, and move it there.

    Args:
        path: the file; its folder is made.
        write: puts the content into an open file.

    Raises:
        StorageError: it cannot be written, a full disk for example; an older file is kept.
    """
    try:
        write_whole_or_nothing(path, write)
    except OutputError as error:
        raise StorageError(str(error)) from error
    sync_folder(path.parent)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder beside its place, which is moved there when the block ends well.

    Raises:
        StorageError: something in it cannot be written.
    """
    try:
        with whole_folder_or_nothing(path) as partial:
            yield partial
    except OutputError as error:
        raise StorageError(str(error)) from error
    sync_folder(path.parent)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    text = json.dumps(content, indent=1) + "\n"
    write_whole(path, lambda file: file.write(text.encode()))


def sync_folder(folder: Path) -> None:
    """Wait until the disk knows the names in a folder; where the system cannot, go on."""
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
