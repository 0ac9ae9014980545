"""Task grouping in the demo: choices, commands, uploaded tables and their limits, without a page."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from taskbank_demo.errors import MissingError, UploadError
from taskbank_demo.planning import grouping
from taskbank_demo.planning.api import group_json
from taskbank_demo.planning.group_view import show_group
from taskbank_demo.planning.grouping import (
    BUDGETS,
    DRAWS,
    TableShelf,
    answer_group,
    answer_untrained,
    curves,
    default_curves,
    offered,
    published,
    read_table,
    table_from_text,
)
from taxsolver.errors import InvalidInputError, TaxSolverError
from taxsolver.grouping import budget_curves, group, load_setting, predict_groups
from taxsolver.grouping.pairwise import pairwise_from_csv
from taxsolver_cli.app import app

# Two tasks; both in one network costs 1 and loses 3, one network each costs 1.2 and loses 2.
TABLE = """\
split,network,cost,x,y
validation,x+y,1,1.5,1.5
validation,x,0.6,1,
validation,y,0.6,,1
"""


@pytest.mark.parametrize("method", ["optimal", "hoa", "esa", "independent", "all-in-one"])
def test_a_choice_and_its_command_are_the_librarys(method: str) -> None:
    told = answer_group(published(2), method, 2.5).to_dict()
    found = group(load_setting(2), method, 2.5)
    assert told["networks"] == list(found.networks)
    assert told["test_loss"] == found.test_loss
    assert told["serves"] == {network: list(tasks) for network, tasks in found.serves.items()}
    program, *words = shlex.split(told["command"])
    printed: dict[str, Any] = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert program == "taxsolver"
    assert printed == {key: told[key] for key in printed}


def test_curves_are_the_librarys_and_made_once() -> None:
    rows = curves(published(1), [1.0, 2.0], ["optimal", "optimal", "all-in-one"])
    expected = budget_curves(load_setting(1), [1.0, 2.0], ["optimal", "all-in-one"], draws=DRAWS)
    assert [row.to_dict() for row in rows] == [row.to_dict() for row in expected]
    table = table_from_text(TABLE, name="mine")
    assert default_curves(table) is default_curves(table)
    assert len(default_curves(table)) == len(BUDGETS) * len(offered(table))


def test_early_stopping_is_offered_only_where_there_are_early_losses() -> None:
    assert "esa" in offered(published(1))
    assert "esa" not in offered(table_from_text(TABLE, name="mine"))
    with pytest.raises(InvalidInputError, match="early"):
        answer_group(table_from_text(TABLE, name="mine"), "esa", 2)


def test_an_uploaded_table_is_read_and_called_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "my table.csv").write_text(TABLE)
    table = read_table(tmp_path / "my table.csv")
    told = answer_group(table, "optimal", 1.2, "my table.csv")
    assert told.grouping.networks == ("x", "y")
    assert told.command == "taxsolver group --table 'my table.csv' --method optimal --budget 1.2"


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("mine.npy", b"x", "mine.npy is not a table of networks: upload a .csv file"),
        ("mine.csv", b"a,b\n", "^mine.csv has the columns a, b, but not split"),
        ("mine.csv", b"\xff\xfes", "^mine.csv is not CSV text in UTF-8"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, file: str, content: bytes, message: str) -> None:
    (tmp_path / file).write_bytes(content)
    with pytest.raises(UploadError, match=message):
        read_table(tmp_path / file)


def test_tables_that_are_too_large_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"validation,n{number},1,1\n" for number in range(65)]
    with pytest.raises(UploadError, match="the CSV has 65 networks and 1 tasks; up to 48 and 8"):
        table_from_text("split,network,cost,x\n" + "".join(lines), name="many")
    monkeypatch.setattr(grouping, "MOST_BYTES", 2**20)
    (tmp_path / "mine.csv").write_bytes(b"a" * (2**20 + 1))
    with pytest.raises(UploadError, match="mine.csv is larger than 1 MiB"):
        read_table(tmp_path / "mine.csv")


def test_tables_are_found_by_number_or_by_the_name_of_an_upload() -> None:
    shelf = TableShelf()
    table = table_from_text(TABLE, name="mine")
    assert shelf.get(shelf.put(table, "mine.csv")) == (table, "mine.csv")
    assert shelf.get("3") == (published(3), "")
    for name in ("5", "mine", "²"):
        with pytest.raises(InvalidInputError, match="expected one of 1, 2, 3 and 4"):
            shelf.get(name)
    with pytest.raises(MissingError, match="upload it again"):
        shelf.get("uploaded-0")


def test_json_in_json_out() -> None:
    assert group_json({"setting": 1, "budget": 2.5})["cost"] == 2.5
    assert group_json({"table_csv": TABLE, "budget": 1})["networks"] == ["x+y"]
    infeasible = group_json({"table_csv": TABLE, "method": "independent", "budget": 1})
    assert (infeasible["status"], infeasible["least_budget"]) == ("infeasible", 1.2)
    rows = group_json({"setting": 1, "budgets": [1, 2], "methods": ["optimal"]})["rows"]
    assert [(row["budget"], row["method"]) for row in rows] == [(1, "optimal"), (2, "optimal")]


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("2", "the question is '2', expected a JSON object"),
        ({"settings": 1}, "unknown parameter 'settings': known are setting, table_csv, method"),
        ({"setting": 7}, "setting is 7, expected one of 1, 2, 3 and 4"),
        ({"setting": "1"}, "setting is '1', expected one of 1, 2, 3 and 4"),
        (
            {"setting": 1, "table_csv": TABLE},
            "table_csv is the text of a CSV, and takes the place of setting",
        ),
        ({"setting": 1, "budget": "much"}, "budget is 'much', expected a number"),
        ({"setting": 1, "method": "guess"}, "unknown method 'guess'"),
        ({"setting": 1, "budgets": []}, r"budgets is \[\], expected a list of numbers"),
        ({"setting": 1, "methods": "optimal"}, "methods is not a list"),
        ({"setting": 1, "budgets": [1] * 17}, "17 budgets are too many: at most 16"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(question: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        group_json(question)


FEW = """\
split,network,cost,a,b,c
validation,a,1,1,,
validation,b,1,,0.1,
validation,c,1,,,1
validation,ab,1,0.2,0.9,
validation,bc,1,,0.9,0.2
validation,all,1,1,1,1
"""
EFFECTS = "task,a,b,c\na,,2,-1\nb,-1,,-1.2\nc,-1,2,\n"


def test_untrained_groups_are_predicted_starred_and_the_next_one_is_named() -> None:
    told = group_json({"measured_csv": FEW, "pairwise_csv": EFFECTS, "budget": 2})
    found = predict_groups(table_from_text(FEW, name="few"), pairwise_from_csv(EFFECTS, ("a", "b", "c")))
    assert told["networks"] == list(group(found.table, "optimal", 2).networks) == ["b", "a+c"]
    assert told["untrained"] == ["a+c"]
    assert told["prediction"] == found.to_dict()
    assert told["next"]["network"] == "a+c"
    assert told["command"] == "taxsolver group --pairwise affinity.csv --measured few.csv --budget 2"
    html = show_group(answer_untrained(table_from_text(FEW, name="few"), None, 2))
    assert "Error of a predicted loss" in html
    starred = show_group(
        answer_untrained(
            table_from_text(FEW, name="few"), pairwise_from_csv(EFFECTS, ("a", "b", "c")), 2, "my.csv"
        )
    )
    assert "* predicted, not trained" in starred
    assert "Train next" in starred


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"pairwise_csv": EFFECTS}, "measured_csv and pairwise_csv are texts of CSVs; the former is needed"),
        ({"measured_csv": FEW, "method": "hoa"}, "method has no meaning with measured_csv"),
        ({"measured_csv": FEW, "pairwise_csv": "x,y\n1,2\n"}, "pairwise_csv has no effect between two of"),
    ],
)
def test_questions_about_untrained_groups_are_checked(question: dict[str, object], message: str) -> None:
    with pytest.raises(TaxSolverError, match=message):
        group_json(question)
