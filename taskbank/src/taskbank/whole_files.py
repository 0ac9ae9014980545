"""Files that are whole or absent, and names for the results of many inputs. Nothing heavy is imported."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from taskbank.errors import OutputError, TaskBankError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place beside a file's own, from where it is moved when the block ends well.

    Whatever happens meanwhile, an interrupt too, leaves the old file or none, and nothing beside it.

    Args:
        path: the file; its folder is made.

    Raises:
        OutputError: the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        # Errors of our own are told apart already.
        if isinstance(error, TaskBankError):
            raise
        raise OutputError(f"cannot write {path}: {error}") from error
    finally:
        if partial.parent.is_dir():
            partial.unlink(missing_ok=True)


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file beside its place and move it there when it is whole.

    Whatever happens meanwhile, an interrupt too, leaves the old file or none, and nothing beside it.

    Args:
        path: the file; its folder is made.
        write: puts the content into an open file.

    Raises:
        OutputError: the file cannot be written.
    """
    with whole_file(path) as partial, partial.open("wb") as file:
        write(file)


def result_names(inputs: Sequence[Path]) -> list[str]:
    """A different name for the results of each input, as short as can be.

    Args:
        inputs: paths of images; the same path twice has the same name twice.

    Returns:
        places below a common folder: the file's name without suffix where that is unique; with suffix where
        files of one name differ in it; below the inputs' own folders where names repeat in several.
    """
    stems = [_below(path, inputs) for path in inputs]
    names = [str(place.with_suffix("")) for place in stems]
    shared = Counter(dict.fromkeys(zip(names, map(str, stems), strict=True), 1))
    users = Counter(name for name, _ in shared)
    return [str(place) if users[name] > 1 else name for name, place in zip(names, stems, strict=True)]


def _below(path: Path, inputs: Sequence[Path]) -> Path:
    """The path below the folder that all inputs share."""
    folders = {str(plain_path(one).parent) for one in inputs}
    return plain_path(path).relative_to(os.path.commonpath(folders))


def plain_path(path: Path) -> Path:
    """The path from the root on, without `..` in it; links stay links."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - pathlib keeps `..`, or follows links
