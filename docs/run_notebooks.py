"""Run the notebooks and keep what they print and draw: `python docs/run_notebooks.py [NAME ..]`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"


def main() -> None:
    """Run the named notebooks, or all of them."""
    # Notebooks run in temporary folders, where `python -m training` needs the checkout on the path.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    for name in sys.argv[1:] or sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")):
        path = NOTEBOOKS / f"{name}.ipynb"
        book = nbformat.read(path, as_version=4)
        with TemporaryDirectory() as folder:
            NotebookClient(
                book, timeout=600, record_timing=False, resources={"metadata": {"path": folder}}
            ).execute()
        # Warnings on stderr name paths of this machine.
        for cell in book.cells:
            if cell.cell_type == "code":
                cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
        nbformat.write(book, path)


if __name__ == "__main__":
    main()
