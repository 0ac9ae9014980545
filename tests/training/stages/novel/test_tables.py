"""CSV files and folders of classes, and everything that can be wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.training.stages.novel.toy_task import write_csv
from training.errors import DataError
from training.stages.novel.tables import class_labels, number_labels, read_class_folders, read_table

PHOTOGRAPHS = {"a.jpg": Path("a.jpg"), "deep/b.jpg": Path("deep/b.jpg")}


def test_labels_numbers_and_groups_are_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("\ufefffile,group,height, width\r\ndeep/b.jpg,hall,2,1e1\r\na.jpg,hall, 1.5,-3\r\n")
    table = read_table(path, PHOTOGRAPHS)
    assert table.columns == ("height", "width")
    assert number_labels(table) == {"a.jpg": (1.5, -3), "deep/b.jpg": (2, 10)}
    assert table.groups == {"a.jpg": "hall", "deep/b.jpg": "hall"}


def test_photographs_without_a_group_are_places_of_their_own(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "t.csv", ("file", "group", "x"), [("a.jpg", " ", "1"), ("deep/b.jpg", "hall", "2")]
    )
    assert read_table(path, PHOTOGRAPHS).groups == {"deep/b.jpg": "hall"}


@pytest.mark.parametrize(
    "text",
    [
        ",file,lux\n3,a.jpg,1.5\n7,deep/b.jpg,2\n",
        "Unnamed: 0,file,lux\n0,a.jpg,1.5\n1,deep/b.jpg,2\n",
        "index,file,lux\n1,a.jpg,1.5\n2,deep/b.jpg,2\n",
        "File;lux\na.jpg;1,5\ndeep/b.jpg;2\n",
        "sep=;\nfile;lux;\na.jpg;1,5;\ndeep/b.jpg;2,0;\n",
    ],
)
def test_columns_that_number_the_lines_are_nothing_to_learn(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    table = read_table(path, PHOTOGRAPHS)
    assert table.columns == ("lux",)
    assert number_labels(table) == {"a.jpg": (1.5,), "deep/b.jpg": (2,)}


def test_classes_are_words(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "t.csv", ("file", "label"), [("a.jpg", "cat, big"), ("deep/b.jpg", " dog ")])
    table = read_table(path, PHOTOGRAPHS)
    assert class_labels(table) == {"a.jpg": "cat, big", "deep/b.jpg": "dog"}
    assert table.groups == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"columns \(none\): it needs 'file'"),
        ("name,label\n", "columns name, label: it needs 'file'"),
        ("file,group\n", "at least one of labels"),
        ("file,x,x\n", "each once"),
        ("file,x\na.jpg\n", "line 2: not as many cells as there are columns: 1, expected 2"),
        ("file,x\na.jpg,1,2\n", "line 2: not as many cells as there are columns: 3, expected 2"),
        ("file,,x\na.jpg,.5,2\n", "line 1: column 2 has no name: name it, or delete it"),
        ("file,x\na.jpg,1\na.jpg,2\n", r"more than one line for a\.jpg"),
        (
            "file,x\na.jpg,1\n",
            r"1 photograph\(s\) without a label \(deep/b\.jpg\): 2 photographs and 1 labels",
        ),
        ("file,x\na.jpg,1\nb.jpg,1\n", r"\(deep/b\.jpg\) and 1 label\(s\) without a photograph \(b\.jpg\)"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_table(path, PHOTOGRAPHS)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(b"file,x\n\xff\xfe,1\n")
    with pytest.raises(DataError, match="cannot be read as a CSV file"):
        read_table(path, PHOTOGRAPHS)
    with pytest.raises(DataError, match="No such file"):
        read_table(tmp_path / "absent.csv", PHOTOGRAPHS)


@pytest.mark.parametrize("cell", ["", "nan", "inf", "many", "1,5"])
def test_numbers_are_finite(tmp_path: Path, cell: str) -> None:
    path = write_csv(tmp_path / "t.csv", ("file", "lux"), [("a.jpg", "1"), ("deep/b.jpg", cell)])
    with pytest.raises(DataError, match=rf"line 3: lux of deep/b\.jpg is '{cell}', no finite number"):
        number_labels(read_table(path, PHOTOGRAPHS))


def test_one_class_each(tmp_path: Path) -> None:
    rows = [("a.jpg", "cat", "x"), ("deep/b.jpg", "dog", "y")]
    with pytest.raises(DataError, match="one column of labels, there are animal, other"):
        class_labels(
            read_table(write_csv(tmp_path / "t.csv", ("file", "animal", "other"), rows), PHOTOGRAPHS)
        )
    empty = write_csv(tmp_path / "e.csv", ("file", "animal"), [("a.jpg", ""), ("deep/b.jpg", "dog")])
    with pytest.raises(DataError, match=r"there is no class for a\.jpg"):
        class_labels(read_table(empty, PHOTOGRAPHS))


def test_folders_name_classes(tmp_path: Path) -> None:
    names = {name: tmp_path / name for name in ("cat/1.jpg", "cat/old/2.jpg", "dog/1.jpg")}
    table = read_class_folders(tmp_path, tmp_path, names)
    assert class_labels(table) == {"cat/1.jpg": "cat", "cat/old/2.jpg": "cat", "dog/1.jpg": "dog"}


def test_folders_of_classes_hold_all_photographs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"outside of the folders of classes: a\.jpg"):
        read_class_folders(tmp_path, tmp_path, PHOTOGRAPHS)
    with pytest.raises(DataError, match="as --images too"):
        read_class_folders(tmp_path, tmp_path / "other", PHOTOGRAPHS)
