"""Options and checks that the commands about labelled images share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from taskbank.options import Kind

if TYPE_CHECKING:
    from taskbank.probing.labels import Labels

ImagesOption = Annotated[Path, typer.Option("--images", metavar="DIR", help="Folder of images.")]
SOURCES_HELP = (
    "Encoders: tasks, banks such as `rooms`, timm:MODEL\\[@LAYER] with optional ?weights=FILE&size=PX, or "
    "hf:OWNER/NAME."
)


def check_packages(needed: Sequence[str], purpose: str) -> None:
    """Check that packages are installed, without importing them.

    Args:
        needed: names of the packages.
        purpose: subject of the message, such as `probing`.

    Raises:
        MissingPackageError: a package is missing; the message names all that are.
    """
    from importlib.util import find_spec

    from taskbank.errors import MissingPackageError

    if missing := [name for name in needed if find_spec(name) is None]:
        raise MissingPackageError(
            f"{purpose} needs {' and '.join(missing)}: run  pip install './taxsolver[plot]'  in a checkout"
        )


def labelled_images(folder: Path) -> dict[str, Path]:
    """Find the images of a folder: path in the folder, with forward slashes -> file.

    Prints on stderr which files were skipped.

    Raises:
        InvalidInputError: there is no such folder.
        ImageError: it holds no image.
    """
    from taskbank.errors import InvalidInputError
    from taskbank.images.files import PassedOver, find_images
    from taskbank_cli.running import print_passed_over

    if not folder.is_dir():
        raise InvalidInputError(f"--images {folder} is not a folder")
    passed_over = PassedOver()
    found = find_images([str(folder)], passed_over=passed_over)
    print_passed_over(passed_over)
    return {path.relative_to(folder).as_posix(): path for path in found}


def named_labels(
    texts: Sequence[str], images: Sequence[str], folder: Path, kind: Kind = Kind.AUTO
) -> list[Labels]:
    """Read the labels of several targets.

    Args:
        texts: values of `--labels`: a path, or `NAME=PATH`, where NAME is the target.
        images: paths of the images in their folder.
        folder: of the images.
        kind: as for `taskbank.probing.labels.read_labels`.

    Raises:
        InvalidInputError: labels cannot be read.
    """
    from taskbank.probing.labels import read_labels

    labels = []
    for text in texts:
        name, separator, path = text.partition("=")
        # A path may hold an equals sign itself.
        unnamed = not separator or Path(text).exists() or "/" in name
        given = Path(text if unnamed else path)
        labels += read_labels(given, images, folder=folder, name=None if unnamed else name, kind=kind)
    return labels
