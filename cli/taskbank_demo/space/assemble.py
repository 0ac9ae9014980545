"""`python -m taskbank_demo.space.assemble FOLDER`: write a Space from the installed packages.

These packages are not on a package index, so the folder holds their code; its requirements are their
dependencies.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

PACKAGES = ("taskbank", "taxsolver", "taskbank_demo")
_INDEX = "--extra-index-url https://download.pytorch.org/whl/cpu"  # a free Space has no GPU
_EXTRAS = {"taskbank": "demo", "taxsolver": "plot"}
_HERE = Path(__file__).parent


def assemble(folder: Path) -> None:
    """Write the files of a Space.

    Args:
        folder: new or empty; `git push` it to the Space afterwards.

    Raises:
        FileExistsError: the folder is not empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: name a new folder")
    for name in ("app.py", "README.md"):
        shutil.copyfile(_HERE / name, folder / name)
    for name in PACKAGES:
        home = Path(str(import_module(name).__file__)).parent
        shutil.copytree(home, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "requirements.txt").write_text(
        "\n".join([_INDEX, *sorted(set(_needed())), ""]), encoding="utf-8"
    )


def _needed() -> Iterator[str]:
    """Yield the dependencies of the packages, in pip's format."""
    for name, extra in _EXTRAS.items():
        for line in requires(name) or ():
            needed = Requirement(line)
            wanted = needed.marker is None or needed.marker.evaluate({"extra": extra})
            if wanted and needed.name not in PACKAGES:
                needed.marker = None
                yield str(needed)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m taskbank_demo.space.assemble FOLDER")
    try:
        assemble(Path(sys.argv[1]))
    except FileExistsError as error:
        sys.exit(f"error: {error}")
