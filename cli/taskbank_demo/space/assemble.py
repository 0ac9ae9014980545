"""`python -m taskbank_demo.space.assemble FOLDER`: all that a Space needs, from the packages installed here.

No index has these packages under their names, so the folder holds their code; its requirements are what they
need from others.
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
        folder: a new or an empty one; then `git push` it to the Space.

    Raises:
        FileExistsError: it holds something.
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
    """Yield the requirements of the packages on other packages, as pip takes them."""
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
