"""Which images a user means: files, folders, patterns and lists. Nothing heavy is imported."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from pathlib import Path

from taskbank.errors import ImageError
from taskbank.whole_files import plain_path

SUFFIXES = frozenset(
    {".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}
)
"""Files of a folder that are taken for images; a file that is named itself may have any suffix."""

VIDEO_SUFFIXES = frozenset(
    {
        ".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv",
        ".ts", ".webm", ".wmv",
    }
)  # fmt: skip
"""Files that are taken for videos where they are named; those of a folder are left alone."""


def is_video(path: Path) -> bool:
    """Whether a file is meant to be a video, by its name."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def find_images(named: Iterable[str | Path], *, once: bool = True, without: Path | None = None) -> list[Path]:
    """The image files that are meant, in the order given; those of a folder by name.

    Args:
        named: files; folders, with all folders in them; patterns such as `scans/*.png` or `scans/**/*.png`;
            text files `*.txt` with one of these per line, relative to the list (empty lines and `#` are
            skipped).
        once: whether a file that is named again is left out.
        without: folder of results, which are no inputs of the next call: it is left out of folders around it.

    Raises:
        ImageError: nothing was named; a folder, pattern or list holds no image; a list cannot be read.
    """
    results = None if without is None else plain_path(without)
    found = [path for name in named for path in _meant(str(name), results)]
    if not found:
        raise ImageError("no image was named: give files, folders, patterns or a list in a .txt file")
    return list(dict.fromkeys(found)) if once else found


def _meant(name: str, results: Path | None) -> Iterator[Path]:
    """The files behind one word; a file that does not exist is itself, so that its own error names it."""
    path = Path(name)
    if path.is_dir():
        yield from _in_folder(path, results)
    elif path.suffix.lower() == ".txt":
        yield from _in_list(path, results)
    elif not path.exists() and glob.has_magic(name):
        yield from _matching(name)
    else:
        yield path


def _in_folder(folder: Path, results: Path | None) -> list[Path]:
    """The images of a folder and of those in it, but for results."""
    found = sorted(path for path in folder.rglob("*") if _is_image(path))
    if results is not None and plain_path(folder) in results.parents:
        found = [path for path in found if results not in plain_path(path).parents]
    if not found:
        raise ImageError(f"{folder} holds no images (files with {', '.join(sorted(SUFFIXES))})")
    return found


def _is_image(path: Path) -> bool:
    """A visible file with the suffix of an image."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _matching(pattern: str) -> list[Path]:
    """The files of a pattern."""
    # Unlike `Path.glob`, this one takes absolute patterns as well.
    names = glob.glob(pattern, recursive=True)  # noqa: PTH207
    found = sorted(path for path in map(Path, names) if path.is_file())
    if not found:
        raise ImageError(f"no file matches {pattern!r}")
    return found


def _in_list(path: Path, results: Path | None) -> Iterator[Path]:
    """What the lines of a list name."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ImageError(f"cannot read the list {path}: {error}") from error
    named = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not named:
        raise ImageError(f"the list {path} names no image")
    for line in named:
        if line.lower().endswith(".txt"):
            raise ImageError(f"the list {path} names another list, {line}: name images")
        yield from _meant(str(path.parent / line), results)
