"""Tables of splits, however their lines end."""

from __future__ import annotations

from pathlib import Path

import pytest
from training.data.taskonomy import read_exclusions, read_splits, write_splits
from training.errors import DataError


@pytest.mark.parametrize("ending", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_may_end_in_any_way(tmp_path: Path, ending: str, last: bool) -> None:
    """The dataset's tables end them with bare carriage returns, the last with nothing."""
    lines = ["id,train,val,test", "allensville,1,0,0", "beechwood,0,1,0", "corozal,0,0,1"]
    (tmp_path / "splits.csv").write_bytes((ending.join(lines) + ending * last).encode())
    assert read_splits(tmp_path / "splits.csv") == {
        "allensville": "train",
        "beechwood": "val",
        "corozal": "test",
    }


def test_own_tables_name_the_split(tmp_path: Path) -> None:
    """One row a building."""
    (tmp_path / "mine.csv").write_text("building,split\nkitchen,test\nhall,train\n")
    assert read_splits(tmp_path / "mine.csv") == {"kitchen": "test", "hall": "train"}


def test_written_tables_come_back(tmp_path: Path) -> None:
    """In the dataset's columns."""
    write_splits(tmp_path / "splits.csv", {"test": ["c"], "train": ["b", "a"]})
    assert (tmp_path / "splits.csv").read_text() == "id,train,val,test\na,1,0,0\nb,1,0,0\nc,0,0,1\n"
    assert read_splits(tmp_path / "splits.csv") == {"a": "train", "b": "train", "c": "test"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,train,val,test\na,1,1,0\n", "puts 'a' into train and val: one is needed"),
        ("id,train,val,test\na,0,0,0\n", "puts 'a' into no split: one is needed"),
        ("id,train,val,test\na,1,0,0\na,0,1,0\n", "puts 'a' into train and into val"),
        ("building,split\na,dev\n", "puts 'a' into dev: one is needed"),
        ("name,part\na,dev\n", "has columns name, part: expected are id,train,val,test or building,split"),
        (None, "cannot read"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, text: str | None, message: str) -> None:
    """With what is wrong."""
    if text is not None:
        (tmp_path / "splits.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_splits(tmp_path / "splits.csv")


def test_known_bad_buildings_come_with_a_reason() -> None:
    """The seven that other loaders leave out."""
    excluded = read_exclusions()
    assert set(excluded) == {"brinnon", "darnestown", "mosquito", "rough", "tansboro", "tomkins", "woodbine"}
    assert all(excluded.values())


def test_own_lists_of_exclusions_have_two_columns(tmp_path: Path) -> None:
    """Other columns are refused; an empty list excludes nothing."""
    (tmp_path / "none.csv").write_text("building,reason\n")
    assert read_exclusions(tmp_path / "none.csv") == {}
    (tmp_path / "odd.csv").write_text("house,why\na,b\n")
    with pytest.raises(DataError, match="has columns house, why: expected are building,reason"):
        read_exclusions(tmp_path / "odd.csv")
