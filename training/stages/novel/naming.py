"""Names of photographs, and a check that photographs and labels have the same names."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from taskbank.errors import ImageError
from taskbank.images.files import find_images
from training.errors import DataError

_NAMED = 5  # names that an error spells out


def photographs_in(folder: Path) -> dict[str, Path]:
    """Photographs of a folder and those in it, by their path in it, with forward slashes and in order.

    Raises:
        DataError: there is no such folder, or no photograph in it.
    """
    if not folder.is_dir():
        raise DataError(f"--images {folder} is no folder")
    try:
        paths = find_images([folder])
    except ImageError as error:
        raise DataError(str(error)) from error
    return {path.relative_to(folder).as_posix(): path for path in paths}


def check_same(photographs: Collection[str], labels: Collection[str], where: Path) -> None:
    """Refuse photographs without labels, and labels without photographs.

    Raises:
        DataError: there are some; the first few are named.
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
    """The first few names in order, and whether there are more."""
    ordered = sorted(names)
    return ", ".join(ordered[:_NAMED]) + (", ..." if len(ordered) > _NAMED else "")
