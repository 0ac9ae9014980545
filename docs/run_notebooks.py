"""Run the notebooks and keep what they print and draw: `python docs/run_notebooks.py [NAME ..]`."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def main() -> None:
    """Run those named, or all of them."""
    for name in sys.argv[1:] or sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")):
        path = NOTEBOOKS / f"{name}.ipynb"
        book = nbformat.read(path, as_version=4)
        with TemporaryDirectory() as folder:
            NotebookClient(
                book, timeout=600, record_timing=False, resources={"metadata": {"path": folder}}
            ).execute()
        nbformat.write(book, path)


if __name__ == "__main__":
    main()
