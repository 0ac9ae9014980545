"""Rows of a result as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from taxsolver import InvalidInputError, OutputError, rank, significance, sweep
from taxsolver.files.rows import check_rows_path, rows_to_csv, save_rows
from toys import toy

ROWS = [
    {"budget": 1, "sources": ["a", "b"], "gain": 0.5, "name": "x,y"},
    {"budget": 2.5, "sources": [], "gain": None, "name": 'say "z"'},
]


def test_csv_has_exactly_these_bytes(tmp_path: Path) -> None:
    path = save_rows(ROWS, tmp_path / "rows.csv")
    assert path.read_bytes() == b'budget,sources,gain,name\n1,a|b,0.5,"x,y"\n2.5,,,"say ""z"""\n'


def test_json_holds_the_rows_as_they_are(tmp_path: Path) -> None:
    path = save_rows(ROWS, str(tmp_path / "rows.JSON"))
    assert json.loads(path.read_text()) == {"rows": ROWS}
    assert path.read_text().endswith("}\n")


@pytest.mark.parametrize("name", ["rows", "rows.txt", "rows.csv.gz", ".csv"])
def test_another_ending_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    for act in (check_rows_path, lambda path: save_rows(ROWS, path)):
        with pytest.raises(
            InvalidInputError, match=r"cannot tell the format of .*: end it in \.csv or \.json"
        ):
            act(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist; create it first"):
        save_rows(ROWS, tmp_path / "nowhere" / "rows.csv")


def test_no_rows_make_an_empty_table() -> None:
    assert rows_to_csv([]).strip() == ""


def test_what_was_not_measured_is_an_empty_cell_in_lists_too() -> None:
    rows = [row.to_dict() for row in significance(toy(), [0.5], [1], samples=3)]
    cells = next(csv.DictReader(io.StringIO(rows_to_csv(rows))))
    assert cells["gain"] == ""
    assert cells["random_gain"].strip("|") == ""


def test_every_result_can_be_saved_both_ways(tmp_path: Path) -> None:
    results = {
        "sweep": [row.to_dict() for row in sweep(toy(), [0.5, 1, 2], [1, 2])],
        "rank": [row.to_dict() for row in rank(toy(), max_order=2)],
        "significance": [row.to_dict() for row in significance(toy(), [1, 2], [1], samples=20)],
    }
    for name, rows in results.items():
        assert json.loads(save_rows(rows, tmp_path / f"{name}.json").read_text())["rows"] == rows
        table = list(csv.reader(io.StringIO(save_rows(rows, tmp_path / f"{name}.csv").read_text())))
        assert table[0] == list(rows[0])
        assert len(table) == len(rows) + 1
