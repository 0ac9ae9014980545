"""Paths of inputs, and names of their results. Imports nothing heavy."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from stat import S_ISREG

_LONGEST_NAME = 200  # bytes; file systems take 255, and names of results add a few
_UNWRITABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")  # control characters, and bytes that are not UTF-8


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
