"""Names of photographs, and a check that photographs and labels have the same names."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from taskbank.errors import ImageError
from taskbank.images.files import find_images
from training.errors import DataError

_NAMED = 5  # largest number of names in an error message


def photographs_in(folder: Path) -> dict[str, Path]:
    """Find the photographs in a folder and its subfolders, by relative path with forward slashes, sorted.

    Raises:
        DataError: the folder does not exist, or holds no photograph.
    """
    if not folder.is_dir():
        raise DataError(f"--images {folder} is no folder")
    try:
        paths = find_images([folder])
    except ImageError as error:
        raise DataError(str(error)) from error
    return {path.relative_to(folder).as_posix(): path for path in paths}


def check_same(photographs: Collection[str], labels: Collection[str], where: Path) -> None:
    """Raise if there are photographs without labels, or labels without photographs.

    Raises:
        DataError: the message names the first few.
    """
    held, labelled = set(photographs), set(labels)
    faults = [
        f"{len(names)} {what} ({some(names)})"
        for what, names in (
            ("photograph(s) without a label", held - labelled),
            ("label(s) without a photograph", labelled - held),
        )
        if names
    ]
    if faults:
        raise DataError(
            f"{where} has {' and '.join(faults)}: {len(held)} photographs and {len(labelled)} labels must be "
            "of the same names"
        )


def some(names: Iterable[str]) -> str:
    """Return the first few names in order, and a mark if there are more."""
    ordered = sorted(names)
    return ", ".join(ordered[:_NAMED]) + (", ..." if len(ordered) > _NAMED else "")
