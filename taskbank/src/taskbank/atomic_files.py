"""Files that are whole or absent, and names for the results of many inputs. Nothing heavy is imported."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from taskbank.errors import OutputError, TaskBankError

_LONGEST_NAME = 200  # bytes; file systems take 255, and names of results add a few
_UNWRITABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")  # control characters, and bytes that are no UTF-8


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


def result_names(inputs: Sequence[Path], taken: Iterable[str] = ()) -> list[str]:
    """Name the results of each input, as short as can be; different inputs have different names.

    Time grows with the number of inputs, not with its square. Names also differ from each other, and from
    `taken`, on file systems that ignore case, and no name is a folder on the way to another.

    Args:
        inputs: paths of files; the same path twice has the same name twice.
        taken: names that mean something else in the folder of the results.

    Returns:
        places below a common folder, all inside of it: the file's name without suffix where that is unique;
        with suffix where files of one name differ in it; below the inputs' own folders where names repeat in
        several. What file systems refuse is written otherwise: bytes that are no UTF-8 and control characters
        as `%1B`, names of more than 200 bytes cut, with eight digits of their sha256 behind.
    """
    absolute = [os.path.abspath(path) for path in inputs]  # noqa: PTH100 - pathlib keeps `..`, and is slow
    distinct = list(dict.fromkeys(absolute))
    split = [os.path.split(path) for path in distinct]
    common = os.path.commonpath({folder for folder, _ in split}) if distinct else ""
    folders = {
        folder: tuple(map(allowed_name, Path(folder).relative_to(common).parts))
        for folder in dict.fromkeys(folder for folder, _ in split)
    }
    folded = {folder: os.sep.join((*parts, "")).casefold() for folder, parts in folders.items()}  # noqa: PTH118
    parents = [folded[folder] for folder, _ in split]
    long = [allowed_name(name) for _, name in split]
    # `..png` and `...png` would leave the place of their own results, or the folder of all.
    stems = [(os.path.splitext(name)[0], name) for _, name in split]  # noqa: PTH122
    names = [allowed_name(stem if stem.strip(".") else name) for stem, name in stems]

    blocked = {name.casefold() for name in taken}
    for parts in folders.values():
        ways = (parts[:depth] for depth in range(1, len(parts) + 1))
        blocked.update(os.sep.join(way).casefold() for way in ways)  # noqa: PTH118
    # Names that meet get their suffix back; with it they may meet others, which then get theirs back too.
    users: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        users[parents[place] + name.casefold()].append(place)
    shared = [key for key, places in users.items() if len(places) > 1 or key in blocked]
    while shared:
        key = shared.pop()
        for place in [one for one in users[key] if names[one] != long[one]]:
            users[key].remove(place)
            names[place] = long[place]
            longer = parents[place] + long[place].casefold()
            users[longer].append(place)
            if len(users[longer]) > 1:
                shared.append(longer)
    # Few are left that meet: names that differ in case only, or that were cut or written otherwise.
    used = blocked
    for place, name in enumerate(names):
        number = 1
        while (key := parents[place] + names[place].casefold()) in used:
            number += 1
            names[place] = f"{name}-{number}"
        used.add(key)
    named = {
        path: os.sep.join((*folders[folder], name))  # noqa: PTH118 - as above
        for path, (folder, _), name in zip(distinct, split, names, strict=True)
    }
    return [named[path] for path in absolute]


def allowed_name(name: str) -> str:
    """A name that every usual file system takes, the same as far as it can be.

    Args:
        name: one component of a path.

    Returns:
        at most 200 bytes of UTF-8, so that something can be added to it; bytes that are no UTF-8 and control
        characters are written as `%1B`.
    """
    if name.isprintable() and len(name) <= _LONGEST_NAME // 4 and name.strip("."):
        return name
    written = _UNWRITABLE.sub(lambda found: f"%{ord(found[0]) & 0xFF:02X}", name)
    if not written.strip("."):
        return "_"
    if len(written.encode()) <= _LONGEST_NAME:
        return written
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
    return written.encode()[: _LONGEST_NAME - 9].decode(errors="ignore") + f"-{digest}"


def plain_path(path: Path) -> Path:
    """The path from the root on, without `..` in it; links stay links."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - pathlib keeps `..`, or follows links
