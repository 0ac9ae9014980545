"""Names from elsewhere in CSV files: no formulas, and no error at the end of a run."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from taskbank.csv_tables import safe_path, safe_text, to_csv
from taskbank.own_task.result import IMAGES, Learned, write_results
from taskbank.scoring.run import TargetScores, write_rows
from taskbank_demo.planning.command import costs_csv

FORMULA = '=HYPERLINK("x").png'
LATIN = os.fsdecode(b"caf\xe9.png")


def test_formulas_are_text_and_paths_are_the_same_files() -> None:
    """Other text stays as it is."""
    assert [safe_text(text) for text in ("=1", "+1", "-1", "@a", "\t=1", "a=1", "")] == [
        *("'=1", "'+1", "'-1", "'@a", "'\t=1", "a=1", ""),
    ]
    assert safe_path("=1/a.png") == "./=1/a.png"
    assert safe_path("a/=1.png") == "a/=1.png"
    assert to_csv([["a,b", LATIN]]) == b'"a,b",caf\\udce9.png\n'


def first_cells(path: Path) -> list[str]:
    """The first column without its heading."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row[0] for row in csv.reader(file)][1:]


def test_scores_and_results_of_images_are_written_whatever_they_are_called(tmp_path: Path) -> None:
    """Also those whose names are not UTF-8."""
    shown = [f"./{FORMULA}", "caf\\udce9.png"]
    images = (FORMULA, LATIN)
    scores = TargetScores(
        task="normal", images=images, means={}, rows={"=bank": [{"mean": 1.0}] * 2}, comparisons=()
    )
    write_rows([scores], tmp_path / "rows.csv")
    assert first_cells(tmp_path / "rows.csv") == shown
    assert "'=bank" in (tmp_path / "rows.csv").read_text()
    learned: Any = SimpleNamespace(
        scores=(), errors={}, images={"measured": images}, groups=("=1", "a"), to_dict=dict
    )
    write_results(cast(Learned, learned), tmp_path)
    assert first_cells(tmp_path / IMAGES) == shown
    assert "'=1" in (tmp_path / IMAGES).read_text()


def test_costs_from_the_page_hold_no_formulas() -> None:
    """Names of tasks come from tables that others made."""
    ask: Any = SimpleNamespace(costs={"=1+1": {"price": 2}})
    assert costs_csv(ask).splitlines()[1].startswith("'=1+1,2")
