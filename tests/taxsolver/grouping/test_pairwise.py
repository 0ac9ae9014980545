"""Effects of tasks on each other as files: matrices, lists of pairs, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from taxsolver.errors import FileFormatError
from taxsolver.grouping import load_setting, pair_matrix, read_pairwise
from taxsolver.grouping.pairwise import pairwise_from_csv

NAN = np.nan


def test_rows_of_a_matrix_help_its_columns() -> None:
    """The diagonal does not count, an empty cell is not known, and other tasks are left out."""
    content = "task,b,a,else\na,0.5,9,1\nb,9,,1\nelse,1,1,1\n"
    np.testing.assert_array_equal(pairwise_from_csv(content, ("a", "b")), [[NAN, 0.5], [NAN, NAN]])


def test_a_matrix_may_have_an_empty_corner_semicolons_and_decimal_commas() -> None:
    content = ";a;b\na;;0,5\nb;-0,25;\n"
    np.testing.assert_array_equal(pairwise_from_csv(content, ("a", "b")), [[NAN, 0.5], [-0.25, NAN]])


def test_a_list_says_who_is_helped_with_whom() -> None:
    """The gain of `task` from being learned with `with` stands in the row of `with`."""
    content = "task,with,change_percent\na,b,3\nb,a,-1\n"
    np.testing.assert_array_equal(pairwise_from_csv(content, ["a", "b"]), [[NAN, -1], [3, NAN]])


def test_saved_pairs_are_read_as_they_were(tmp_path: Path) -> None:
    table = load_setting(3)
    matrix = pair_matrix(table)
    rows = [
        f"{task},{other},{matrix.change[i, j]!r}"
        for i, other in enumerate(matrix.tasks)
        for j, task in enumerate(matrix.tasks)
        if i != j
    ]
    path = tmp_path / "pairs.csv"
    path.write_text(
        "\n".join(["task,with,change_percent", *rows]).replace("np.float64(", "").replace(")", "")
    )
    np.testing.assert_array_equal(read_pairwise(path, table.tasks), matrix.change)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("task,a,b\na,,x\n", "line 2: the effect of a on b is 'x', expected a number"),
        ("task,a,b\na,,1e7\n", "line 2: the effect of a on b is 1e7, expected a number in"),
        ("task,a,a\nb,1,2\n", "line 1: the column 'a' is given twice"),
        ("task,a,b\na,,1\na,,2\n", "line 3: the effect of 'a' on 'a' is in line 2 already"),
        ("task,with,v\na,b,1\na,b,2\n", "line 3: the effect of 'b' on 'a' is in line 2 already"),
        ("task,with,v,w\na,b,1,1\n", "expected task, with and one more that holds the values"),
        ("task,c,d\nc,,1\n", "has no effect between two of a, b"),
        ("task,a,b\na,1,\nb,,1\n", "has no effect between two of a, b"),
    ],
)
def test_what_is_no_effect_is_refused(content: str, message: str) -> None:
    with pytest.raises(FileFormatError, match=message):
        pairwise_from_csv(content, ("a", "b"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="cannot read .*nothing.csv"):
        read_pairwise(tmp_path / "nothing.csv", ("a", "b"))
