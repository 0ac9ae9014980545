"""Find images from files, folders, patterns and lists. Imports nothing heavy.

In a folder, hidden files and folders and folders of programs are ignored. Other skipped files are counted by
reason, see `PassedOver`.
"""

from __future__ import annotations

import glob
import os
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from stat import S_ISREG

from taskbank.errors import ImageError
from taskbank.paths import plain_path

SUFFIXES = frozenset(
    {".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}
)
"""Suffixes of images in a folder; a file that is named directly may have any suffix."""

VIDEO_SUFFIXES = frozenset(
    {
        ".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv",
        ".ts", ".webm", ".wmv",
    }
)  # fmt: skip
"""Suffixes of videos that are named directly; videos in a folder are skipped."""


PLUGIN_SUFFIXES = frozenset({".avif", ".heic", ".heif", ".hif", ".j2k", ".jp2", ".jpx", ".jxl"})
"""Suffixes of images that Pillow reads only with plugins; skipped in folders, but may be named directly."""

TOOL_FOLDERS = frozenset(
    {
        "#recycle", "#snapshot", "$RECYCLE.BIN", "@eaDir", "System Volume Information", "__MACOSX",
        "__pycache__", "lost+found", "node_modules", "site-packages",
    }
)  # fmt: skip
"""Names of folders of programs and file systems, which are ignored."""

STDIN = Path("-")
"""The name of an image on standard input."""

_ADDRESS = re.compile(r"\w+://")
_TOOL_MARKS = ("CACHEDIR.TAG", "pyvenv.cfg")  # files that mark folders of programs


class PassedOver:
    """Counts of files that were skipped in folders, by reason."""

    def __init__(self) -> None:
        self._seen: dict[str, list[str]] = {}
        self._counts: dict[str, int] = defaultdict(int)

    def add(self, reason: str, path: str) -> None:
        """Count a file or folder.

        Args:
            reason: kind of file, and advice.
            path: of the file or folder.
        """
        self._counts[reason] += 1
        self._seen.setdefault(reason, [])
        if len(self._seen[reason]) < 3:
            self._seen[reason].append(path)

    def lines(self) -> list[str]:
        """Return one sentence per reason, with the number and the first few paths."""
        return [
            f"passed over {count} {reason}: {', '.join(self._seen[reason])}"
            + (", ..." if count > len(self._seen[reason]) else "")
            for reason, count in self._counts.items()
        ]


_LINKS = "link(s) to folders (name the folder itself)"
_MOST_PIPED = 2**30  # bytes
_BROKEN = "broken link(s)"
_UNREADABLE = "unreadable folder(s) or file(s) (check their permissions)"
_SPECIAL = "pipe(s), socket(s) or device(s) (save them as files)"
_PLUGINS = "image(s) of a type that needs a plugin (name them, or convert them to JPEG or PNG)"
_VIDEOS = "video(s) (name them to predict them)"


class Piped:
    """The image on standard input, as an open file."""

    name = "stdin"

    def read(self) -> bytes:
        """Read the whole image.

        Raises:
            ImageError: standard input is empty, or has more than a gigabyte.
        """
        if sys.stdin is None or sys.stdin.isatty():
            raise ImageError("nothing is piped in: `-` is the image that another program gives")
        content = sys.stdin.buffer.read(_MOST_PIPED + 1)
        if len(content) > _MOST_PIPED:
            raise ImageError("more than a gigabyte was piped in: save the image as a file, and name that")
        return content


def is_video(path: Path) -> bool:
    """Return True if a file's suffix is that of a video."""
    text = str(path)  # faster than `suffix`, for a hundred thousand files
    return text[text.rfind(".") :].lower() in VIDEO_SUFFIXES and bool(path.suffix)


def find_images(
    named: Iterable[str | Path],
    *,
    once: bool = True,
    without: Path | None = None,
    passed_over: PassedOver | None = None,
    refused: list[ImageError] | None = None,
    each: Callable[[int], object] = lambda found: None,
) -> list[Path]:
    """List the named image files, in the order given; files of a folder are sorted by name.

    Args:
        named: files; `-` for the image on standard input; folders, searched recursively; patterns such as
            `scans/*.png` or `scans/**/*.png`; text files `*.txt` with one of these per line, relative to the
            list (empty lines and `#` are skipped).
        once: whether repeated files are left out.
        without: folder of results, which is left out when a folder that contains it is searched.
        passed_over: counts the files that were skipped in folders.
        refused: takes the errors of names and lines that give no image, as long as others do; without it the
            first one is raised.
        each: called with the number of files found so far, for progress.

    Raises:
        ImageError: `named` is empty; a folder, pattern or list holds no image; a list or a named folder
            cannot be read.
    """
    results = None if without is None else plain_path(without)
    found = []
    for text in _meant(map(str, named), results, passed_over or PassedOver(), refused):
        found.append(text)
        if len(found) % 1000 == 0:
            each(len(found))
    if not found:
        if refused:
            raise refused[0]
        raise ImageError("no image was named: give files, folders, patterns or a list in a .txt file")
    # As text, because the hash of a hundred thousand paths takes as long as finding them.
    return list(map(Path, dict.fromkeys(found) if once else found))


def _meant(
    names: Iterable[str], results: Path | None, passed_over: PassedOver, refused: list[ImageError] | None
) -> Iterator[str]:
    """Yield the files of several arguments, or of the lines of a list."""
    for name in names:
        try:
            yield from _files_of(name, results, passed_over, refused)
        except ImageError as error:
            if refused is None:
                raise
            refused.append(error)


def _files_of(
    name: str, results: Path | None, passed_over: PassedOver, refused: list[ImageError] | None
) -> Iterator[str]:
    """Yield the files of one argument; a missing file is yielded too, so that reading it raises its error."""
    path = Path(name)
    # Unlike methods of paths, these accept names that are too long or have a zero byte.
    if name == str(STDIN) or _ADDRESS.match(name):
        yield name
    elif os.path.isdir(name):  # noqa: PTH112 - see above
        yield from _in_folder(path, results, passed_over)
    elif path.suffix.lower() == ".txt":
        yield from _in_list(path, results, passed_over, refused)
    elif not os.path.exists(name) and glob.has_magic(name):  # noqa: PTH110 - likewise
        try:
            # Unlike `Path.glob`, this one takes absolute patterns as well.
            matches = glob.glob(name, recursive=True)  # noqa: PTH207 - patterns may be absolute
        except (OSError, ValueError) as error:
            raise ImageError(f"cannot look for {name!r}: {error}") from error
        found = sorted(path for path in map(Path, matches) if not path.is_dir())
        if not found:
            raise ImageError(f"no file matches {name!r}")
        yield from map(str, found)
    elif path == STDIN:
        yield str(plain_path(path))  # `./-` is a file
    else:
        yield str(path)


def _in_folder(folder: Path, results: Path | None, passed_over: PassedOver) -> Iterator[str]:
    """Yield the images of a folder and its subfolders, sorted by name, without the folder of results."""
    without = None
    if results is not None and plain_path(folder) in results.parents:
        # In the form of the paths of the walk below.
        without = os.path.join(folder, results.relative_to(plain_path(folder)))  # noqa: PTH118 - text
    here = os.path.join(os.curdir, "")  # noqa: PTH118 - text; paths leave it out
    count, waiting = 0, [str(folder) + os.sep]  # a separator at the end marks folders
    while waiting:
        path = waiting.pop()
        if not path.endswith(os.sep):
            count += 1
            yield path.removeprefix(here)
            continue
        path = path.rstrip(os.sep) or os.sep
        level = []
        for entry in _entries(path, folder, passed_over):
            try:
                if entry.name.startswith(".") or entry.path == without:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in TOOL_FOLDERS:
                        level.append(entry.path + os.sep)
                elif (reason := _reason_against(entry)) is None:
                    level.append(entry.path)
                elif reason:
                    passed_over.add(reason, entry.path)
            except OSError:
                passed_over.add(_UNREADABLE, entry.path)
        waiting.extend(reversed(level))
    if not count:
        said = "".join(f"; {line}" for line in passed_over.lines())
        raise ImageError(f"{folder} holds no images (files with {', '.join(sorted(SUFFIXES))}){said}")


def _entries(path: str, folder: Path, passed_over: PassedOver) -> list[os.DirEntry[str]]:
    """List a folder by name; empty if it belongs to a program or cannot be read."""
    try:
        with os.scandir(path) as entries:
            held = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        if path == str(folder):
            raise ImageError(f"cannot read the folder {folder}: {error.strerror}") from error
        passed_over.add(_UNREADABLE, path)
        return []
    tools = path != str(folder) and any(entry.name in _TOOL_MARKS for entry in held)
    return [] if tools else held


def _reason_against(entry: os.DirEntry[str]) -> str | None:
    """Return the reason to skip an entry of a folder: None for images, empty for files of other kinds."""
    name = entry.name  # without a dot at its start
    suffix = name[name.rfind(".") :].lower() if "." in name else ""  # faster, for a hundred thousand
    if suffix in SUFFIXES:
        if entry.is_file():
            return None
        if entry.is_symlink():
            return _LINKS if entry.is_dir() else _BROKEN
        return _SPECIAL
    if entry.is_symlink() and entry.is_dir():
        return _LINKS
    if suffix in PLUGIN_SUFFIXES:
        return _PLUGINS
    return _VIDEOS if suffix in VIDEO_SUFFIXES else ""


def _in_list(
    path: Path, results: Path | None, passed_over: PassedOver, refused: list[ImageError] | None
) -> Iterator[str]:
    """Yield the images that the lines of a list name."""
    try:
        if not S_ISREG(path.stat().st_mode):
            raise ImageError(f"the list {path} is a pipe, socket or device: save it as a file")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ImageError(f"cannot read the list {path}: {error}. Save it as UTF-8") from error
    except (OSError, ValueError) as error:
        raise ImageError(f"cannot read the list {path}: {error}") from error
    named = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not named:
        raise ImageError(f"the list {path} names no image")
    lists = [line for line in named if line.lower().endswith(".txt")]
    if lists:
        raise ImageError(f"the list {path} names another list, {lists[0]}: name images")
    yield from _meant([str(path.parent / line) for line in named], results, passed_over, refused)
