"""Atomic writing of files and folders, names for the results of many inputs, and reading of regular files.

Imports nothing heavy.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from taskbank.errors import OutputError, TaskBankError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment] # no file locks there

_DAY = 24 * 60 * 60  # seconds
_PARTIAL = re.compile(r"\.[0-9a-f]{16}\.partial")
_LONGEST_NAME = 200  # bytes; file systems take 255, and names of results add a few
_UNWRITABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")  # control characters, and bytes that are not UTF-8


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
            _sync(file)
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


def _sync(path: Path) -> None:
    """Flush a file to the disk."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _as_output_error(path: Path, error: OSError) -> Exception:
    """Convert an error to OutputError; errors of this package are returned unchanged."""
    return error if isinstance(error, TaskBankError) else OutputError(f"cannot write {path}: {error}")


def result_names(inputs: Sequence[Path], taken: Iterable[str] = ()) -> list[str]:
    """Give each input a short name for its results; different inputs get different names.

    Time grows with the number of inputs, not with its square. Names also differ from each other, and from
    `taken`, on file systems that ignore case, and no name is a folder on the way to another.

    Args:
        inputs: paths of files; equal paths get equal names.
        taken: names that the folder of the results uses for other files.

    Returns:
        one path per input, relative to a common folder and without `..`: the file's name without suffix where
        that is unique; with suffix where files differ only in their suffix; below the inputs' own folders
        where several folders hold the same name. Names that file systems refuse are changed: bytes that are
        not UTF-8 and control characters become `%1B`, names of more than 200 bytes are cut and end in eight
        digits of their sha256.
    """
    # Most paths need no `abspath`; the check takes a tenth of its time.
    here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118 - text, not a path
    absolute = [
        os.path.abspath(text)  # noqa: PTH100 - pathlib keeps `..`
        if ".." in text or os.sep != "/"
        else (text if text.startswith("/") else here + text)
        for text in map(str, inputs)
    ]
    distinct = list(dict.fromkeys(absolute))
    split = [_split(path) for path in distinct]
    common = os.path.commonpath({folder for folder, _ in split}) if distinct else ""
    folders = {
        folder: tuple(map(allowed_name, Path(folder).relative_to(common).parts))
        for folder in dict.fromkeys(folder for folder, _ in split)
    }
    folded = {folder: os.sep.join((*parts, "")).casefold() for folder, parts in folders.items()}  # noqa: PTH118 - text
    parents = [folded[folder] for folder, _ in split]
    long = [allowed_name(name) for _, name in split]
    # A stem of dots only, such as `..`, would name the folder of the results itself or one above it.
    stems = [(name.rpartition(".")[0] if "." in name else name, name) for _, name in split]
    names = [allowed_name(stem if stem.strip(".") else name) for stem, name in stems]

    blocked = {name.casefold() for name in taken}
    for parts in folders.values():
        ways = (parts[:depth] for depth in range(1, len(parts) + 1))
        blocked.update(os.sep.join(way).casefold() for way in ways)  # noqa: PTH118 - text
    # Names that collide get their suffix back; the longer names may collide with others, which get theirs
    # too.
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
    # Few collisions are left: names that differ in case only, or that were cut or escaped.
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


def _split(path: str) -> tuple[str, str]:
    """Split an absolute path into its folder and its name."""
    if os.sep != "/":
        return os.path.split(path)
    folder, _, name = path.rpartition("/")  # faster, for a hundred thousand
    return folder or "/", name


def allowed_name(name: str) -> str:
    """Change a name as little as needed to be valid on all common file systems.

    Args:
        name: one component of a path.

    Returns:
        at most 200 bytes of UTF-8, so that a suffix can be added; bytes that are not UTF-8 and control
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


def read_regular(path: Path, *, at_most: int) -> bytes | None:
    """Return the content of a regular file, or None if the path is that of a pipe, device or socket.

    The file is opened without blocking, as a pipe would stop the program. Its type is checked after opening,
    so that it cannot be replaced in between.

    Args:
        path: of the file, or of a link to one.
        at_most: bytes that are read; the rest is left out.

    Raises:
        OSError: the file cannot be read.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
        return file.read(at_most) if S_ISREG(os.fstat(file.fileno()).st_mode) else None


def home_path(path: str | Path) -> Path:
    """Return a path with `~` replaced by the user's home; that of an unknown user is left as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - pathlib raises RuntimeError


def plain_path(path: Path) -> Path:
    """Return the absolute path without `..`; symbolic links are not resolved."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - pathlib keeps `..`, or follows links
