"""Text from elsewhere: formulas in CSV, escapes in terminals and pictures."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxsolver import load_affinity, save_affinity
from taxsolver.errors import TaxSolverError
from taxsolver.files.rows import rows_to_csv
from taxsolver.grouping.table import LossTable
from taxsolver.plain_text import from_cell, harmful, printable, to_cell
from taxsolver.tensors.affinity import AffinityTensor

COMMAND = [sys.executable, "-c", "import sys; from taxsolver_cli.app import app; sys.exit(app())"]
FORMULA = '=HYPERLINK("http://evil.example.org")'


def tensor(*names: str) -> AffinityTensor:
    """Every task serves the last one, which serves itself best."""
    count = len(names)
    return AffinityTensor(
        name="toy",
        tasks=names,
        targets=names[-1:],
        sources=np.eye(count, dtype=bool),
        target=np.full(count, count - 1, dtype=np.int32),
        affinity=np.linspace(0.5, 0.9, count),
        gain=np.full(count, np.nan),
        quality=np.full(count, np.nan),
        full_supervision=np.zeros(count, dtype=bool),
    )


@given(st.text())
def test_a_text_comes_back_from_its_cell_and_is_no_formula_there(text: str) -> None:
    cell = to_cell(text)
    assert not cell.startswith(("=", "+", "-", "@"))
    if not text.startswith("'"):
        assert from_cell(cell) == text


def test_numbers_in_cells_stay_numbers() -> None:
    text = rows_to_csv([{"name": FORMULA, "list": ["@a", "b"], "change": -0.5, "none": None}])
    assert list(csv.reader(text.splitlines()))[1] == [f"'{FORMULA}", "'@a|b", "-0.5", ""]


def test_names_that_spreadsheets_would_run_are_written_as_text_and_read_back(tmp_path: Path) -> None:
    path = save_affinity(tensor(FORMULA, "@a", "b"), tmp_path / "a.csv")
    assert not [
        cell
        for row in csv.reader(path.read_text().splitlines())
        for cell in row
        if cell.startswith(("=", "@"))
    ]
    assert set(load_affinity(path).tasks) == {FORMULA, "@a", "b"}


@pytest.mark.parametrize("name", ["a\x1b[31mb", "a\nb", "a\u202eb", "a\x9bb"])
def test_names_with_control_characters_are_refused(tmp_path: Path, name: str) -> None:
    """They would move the cursor, break a line or turn the direction of writing; SVG may not hold them."""
    with pytest.raises(TaxSolverError, match="with a control character"):
        tensor(name, "b")
    (tmp_path / "a.csv").write_text(f'target,sources,affinity\nb,"{name}",0.5\nb,b,0.9\n')
    with pytest.raises(TaxSolverError):
        load_affinity(tmp_path / "a.csv")
    with pytest.raises(TaxSolverError, match="with a control character"):
        LossTable(name="toy", tasks=(name,), networks=("n",), cost=np.ones(1), validation=np.ones((1, 1)))


def test_a_file_name_with_escapes_and_markup_is_shown_escaped_everywhere(tmp_path: Path) -> None:
    """In answers, in messages, and in pictures, which stay XML; as a process."""
    path = tmp_path / "x\x1b]0;bad\x07[bold]y[bold].csv"
    path.write_text("target,sources,affinity\nb,a,0.5\nb,b,0.9\n")
    plot = tmp_path / "out.svg"
    words = ["--affinity", str(path), "--targets", "b", "--budget", "1", "--plot", str(plot)]
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not harmful((done.stdout + done.stderr).replace("\n", ""))
    assert r"x\x1b]0;bad\x07[bold]y[bold]" in done.stdout.replace("\n", "")
    assert "\x1b" not in plot.read_text()
    ET.parse(plot)
    path.write_text("nonsense")
    refused = subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert not harmful((refused.stdout + refused.stderr).replace("\n", ""))
    assert r"\x1b]0;bad\x07" in refused.stderr


def test_printable_text_has_nothing_that_terminals_obey() -> None:
    assert printable("a\x1b[2J\x9b\u202e\udcff\nb") == r"a\x1b[2J\x9b\u202e\udcff\nb"
    assert printable("Tiefe äöü 深度 [red]") == "Tiefe äöü 深度 [red]"
