"""Loss tables: what is read, and how every fault is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from taxsolver.errors import FileFormatError, InvalidInputError, TaxSolverError
from taxsolver.grouping import LossTable, as_table, group, load_setting, load_table, table_from_csv

GOOD = """\
split,network,cost,a,b
validation,one,0.5,0.3,
validation,two,1,,0.2
validation,both,1,0.4,0.1
test,both,1,0.5,0.6
test,one,0.5,0.7,
test,two,1,,0.8
validation_early,both,1,0.9,0.9
"""


@pytest.mark.parametrize("setting", [1, 2, 3, 4])
def test_published_settings_hold_36_networks_for_five_tasks(setting: int) -> None:
    """Five half-size networks, and one of full size for every set of tasks."""
    table = load_setting(setting)
    assert (table.setting, table.name, len(table.tasks), len(table.networks)) == (
        setting,
        f"setting {setting}",
        5,
        36,
    )
    assert sorted(table.num_predicted) == [1] * 10 + [2] * 10 + [3] * 10 + [4] * 5 + [5]
    assert sorted(set(table.cost)) == [0.5, 1.0]
    assert table.cost[table.num_predicted > 1].min() == 1.0
    assert table.validation_early is not None
    unmeasured = np.isnan(table.validation_early).all(axis=1)
    absent = [table.networks[row] for row in np.flatnonzero(unmeasured)]
    assert absent == (["normal+edge_occlusion"] if setting == 4 else [])


def test_lines_of_a_split_may_stand_in_any_order() -> None:
    """Networks are in the order of the validation lines, whatever the other splits do."""
    table = table_from_csv(GOOD, name="toy")
    assert table.networks == ("one", "two", "both")
    assert table.tasks == ("a", "b")
    np.testing.assert_array_equal(table.cost, [0.5, 1, 1])
    np.testing.assert_array_equal(table.validation, [[0.3, np.nan], [np.nan, 0.2], [0.4, 0.1]])
    np.testing.assert_array_equal(table.scored, [[0.7, np.nan], [np.nan, 0.8], [0.5, 0.6]])
    np.testing.assert_array_equal(table.losses("validation_early"), [[np.nan] * 2, [np.nan] * 2, [0.9, 0.9]])
    assert table.task_names(2) == ("a", "b")
    assert table.setting is None


def test_columns_that_number_the_lines_are_no_tasks() -> None:
    plain = table_from_csv(GOOD, name="toy")
    lines = GOOD.splitlines()
    for heading in ("", "Unnamed: 0", "index"):
        numbered = [f"{heading},{lines[0]}", *(f"{row},{line}" for row, line in enumerate(lines[1:]))]
        table = table_from_csv("\n".join(numbered), name="toy")
        assert table.tasks == ("a", "b")
        np.testing.assert_array_equal(table.validation, plain.validation)
    with pytest.raises(FileFormatError, match="line 1: column 1 has no name: name it, or delete it"):
        table_from_csv("\n".join([f",{lines[0]}", *(f".5,{line}" for line in lines[1:])]), name="toy")
    kept = [f"index,{lines[0]}", *(f"{10 - row},{line}" for row, line in enumerate(lines[1:]))]
    with pytest.raises(FileFormatError, match="column 1 is called 'index' and may only number the lines"):
        table_from_csv("\n".join(kept), name="toy")


def test_a_table_may_be_named_by_its_setting_path_or_table_of_pandas(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas comes with gradio, in the extra [dev]")
    path = tmp_path / "toy.csv"
    path.write_text(GOOD)
    expected = group(table_from_csv(GOOD, name="toy"), "optimal", 2).networks
    for table in (str(path), path, pandas.read_csv(path)):
        assert group(table, "optimal", 2).networks == expected
    assert as_table(1).name == "setting 1"
    with pytest.raises(
        InvalidInputError, match="the table is None, expected a LossTable, a setting from 1 to 4"
    ):
        as_table(None)  # type: ignore[arg-type] # as people who do not check types call it


def test_a_table_of_a_spreadsheet_has_semicolons_capitals_and_decimal_commas() -> None:
    text = "sep=;\n" + GOOD.replace(",", ";").replace(".", ",").replace("split", "Split", 1)
    table = table_from_csv(text.replace("validation;", "Validation;"), name="toy")
    plain = table_from_csv(GOOD, name="toy")
    np.testing.assert_array_equal(table.validation, plain.validation)
    np.testing.assert_array_equal(table.cost, plain.cost)


def test_a_table_needs_the_validation_split_only() -> None:
    """Without a test split every test loss is NaN."""
    table = table_from_csv("network,split,a,cost\nn,validation,-3,2\n\n", name="toy")
    assert table.test is None
    assert table.validation_early is None
    assert np.isnan(table.scored).all()


def test_a_file_is_read_with_a_byte_order_mark_and_named_by_its_stem(tmp_path: Path) -> None:
    """Spreadsheets write such files."""
    path = tmp_path / "mine.csv"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_table(path).name == "mine"


def test_arrays_of_a_table_cannot_be_written() -> None:
    """A table is handed around and never changes."""
    table = load_setting(1)
    with pytest.raises(ValueError, match="read-only"):
        table.cost[0] = 2


@pytest.mark.parametrize(
    ("found", "wrong", "message"),
    [
        ("split,network,cost,a,b", "split,network,a,b", "columns split, network, a, b, but not cost"),
        ("cost,a,b", "cost,a,a", "has the column 'a' twice"),
        ("cost,a,b", "cost,a,", "column 5 has no name"),
        (
            "validation,two",
            "training,two",
            "line 3: unknown split 'training', expected one of validation, test",
        ),
        ("validation,two", "validation,", "line 3: the network has no name"),
        ("two,1,,0.2", "two,-1,,0.2", r"line 3: cost is '-1', expected a number in \(0, 1,000,000\]"),
        ("two,1,,0.2", "two,0,,0.2", "line 3: cost is '0'"),
        ("two,1,,0.2", "two,nan,,0.2", "line 3: cost is 'nan'"),
        ("two,1,,0.2", "two,inf,,0.2", "line 3: cost is 'inf'"),
        ("two,1,,0.2", "two,1e7,,0.2", "line 3: cost is '1e7'"),
        ("two,1,,0.2", "two,,,0.2", "line 3: cost is ''"),
        ("two,1,,0.2", "two,1,,nan", "line 3: the loss of b is 'nan', expected a number"),
        ("two,1,,0.2", "two,1,,inf", "line 3: the loss of b is 'inf'"),
        ("two,1,,0.2", "two,1,,-1e7", "line 3: the loss of b is '-1e7'"),
        ("two,1,,0.2", "two,1,,low", "line 3: the loss of b is 'low'"),
        ("two,1,,0.2", "two,1,,", "line 3: network 'two' has no loss of any task"),
        ("two,1,,0.2", "two,1,0.2", "line 3: not as many cells as there are columns: 4, expected 5"),
        (
            "validation,two",
            "validation,one",
            "line 3: network 'one' of split validation is in line 2 already",
        ),
        ("test,two,1,,0.8\n", "", "line 3: network 'two' is in validation but not in test"),
        ("test,two,1,,0.8", "test,three,1,,0.8", "line 7: network 'three' is in test but not in validation"),
        ("early,both", "early,all", "line 8: network 'all' is in validation_early but not in validation"),
        ("test,two,1,", "test,two,2,", "line 7: network 'two' costs 2 here and 1 in line 3"),
        (
            "test,two,1,,0.8",
            "test,two,1,0.8,",
            "line 7: network 'two' has a loss of a here, otherwise than in",
        ),
        (
            "both,1,0.9,0.9",
            "both,1,0.9,",
            "line 8: network 'both' has no loss of b here, otherwise than in line 4",
        ),
        ("two,1,,0.2", '"two,1,,0.2', "line "),
    ],
)
def test_a_wrong_line_is_named_by_its_number(found: str, wrong: str, message: str) -> None:
    """One clear message with the line, the value and what was allowed."""
    assert found in GOOD
    with pytest.raises(FileFormatError, match=f"mine.csv.*{message}"):
        table_from_csv(GOOD.replace(found, wrong, 1), name="toy", where="mine.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"has the columns \(none\)"),
        ("split,network,cost\n", "no column for a task"),
        ("split,network,cost,a\n", "no line of the split validation"),
        ("split,network,cost,a\ntest,n,1,2\n", "no line of the split validation"),
        (b"split,network,cost,a\n\xff", "is not CSV text in UTF-8"),
    ],
)
def test_a_file_without_what_is_needed_is_refused(content: str | bytes, message: str) -> None:
    """A foreign or empty file."""
    with pytest.raises(FileFormatError, match=message):
        table_from_csv(content, name="toy")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("validation,n,1,2,", "no network has a validation loss of b: drop the task"),
        (
            "validation,n,1,2,1\nvalidation,m,1e-4,1,\nvalidation,o,2,1,",
            "'m'.*'o'.*more than a factor of 10,000",
        ),
        (
            "validation,n,1,2,\nvalidation,m,1,,3\nvalidation_early,n,1,2,",
            "no network has a validation_early loss of b",
        ),
    ],
)
def test_readable_lines_may_make_no_valid_table(lines: str, message: str) -> None:
    """The file is named with the fault."""
    with pytest.raises(InvalidInputError, match=f"mine.csv: .*{message}"):
        table_from_csv("split,network,cost,a,b\n" + lines, name="toy", where="mine.csv")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tasks": ()}, "has no task"),
        ({"networks": ("x", "x")}, "has the network 'x' twice"),
        ({"networks": ("x", "")}, "has a network without a name"),
        ({"cost": [1.0]}, r"cost of loss table 'toy' has shape \(1,\), expected \(2,\)"),
        ({"cost": [1.0, -2.0]}, "the cost of network 'y' is -2.0"),
        ({"validation": [[1.0, 2.0]]}, r"validation of loss table 'toy' has shape \(1, 2\)"),
        ({"validation": [[1.0, np.inf], [1, 1]]}, "the validation loss of b in network 'x' is inf"),
        ({"validation": [[1.0, 1.0], [np.nan] * 2]}, "network 'y' predicts no task in validation: drop it"),
        (
            {"test": [[1.0, np.nan], [1, 1]]},
            "network 'x' has a loss of b in one of validation and test, but not",
        ),
    ],
)
def test_a_table_made_in_code_is_checked_as_well(change: dict[str, Any], message: str) -> None:
    """An invalid table cannot exist."""
    fields = {
        "name": "toy",
        "tasks": ("a", "b"),
        "networks": ("x", "y"),
        "cost": [1.0, 1.0],
        "validation": np.ones((2, 2)),
    }
    with pytest.raises(InvalidInputError, match=message):
        LossTable(**(fields | change))


@pytest.mark.parametrize("setting", [0, 5, True, "1", None, 1.5])
def test_an_unknown_setting_is_refused(setting: Any) -> None:
    """The message says which there are."""
    with pytest.raises(InvalidInputError, match="expected 1, 2, 3 or 4"):
        load_setting(setting)


def test_an_unknown_split_is_refused() -> None:
    """The known ones are named."""
    with pytest.raises(InvalidInputError, match="unknown split 'train': choose one of validation, test"):
        load_setting(1).losses("train")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    """No bare operating system error reaches the user."""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(TaxSolverError, match=f"cannot read {path}"):
            load_table(path)
