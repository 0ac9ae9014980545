"""Labels of whole photographs: CSV files, and folders of classes."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from training.errors import DataError
from training.novel.naming import check_same, some

FILE, GROUP = "file", "group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Labels by photograph.

    Attributes:
        columns: what each label is called.
        cells: photograph -> its labels as text.
        groups: photograph -> its place; photographs that are not named are places of their own.
    """

    columns: tuple[str, ...]
    cells: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, str] = field(default_factory=dict)


def read_table(path: Path, photographs: Mapping[str, Path]) -> Table:
    """A CSV file with a column `file`, labels, and maybe `group`: photographs of one place have one.

    Args:
        path: UTF-8, with a line of headings.
        photographs: by their names in the folder, which `file` repeats.

    Raises:
        DataError: it cannot be read, lacks a column, or names a photograph twice, or others than there are.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            headings, rows = list(reader.fieldnames or ()), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"--labels {path} cannot be read as a CSV file: {error}") from error
    columns = tuple(name for name in headings if name not in {FILE, GROUP})
    if FILE not in headings or not columns or len(set(headings)) < len(headings):
        raise DataError(
            f"{path} has the columns {', '.join(headings) or '(none)'}: it needs {FILE!r} and at least one "
            f"of labels, each once; {GROUP!r} is optional"
        )
    short = [number for number, row in enumerate(rows, start=2) if None in row or None in row.values()]
    if short:
        raise DataError(f"line {short[0]} of {path} has not {len(headings)} cells, as its headings have")
    twice = [name for name, count in Counter(row[FILE] for row in rows).items() if count > 1]
    if twice:
        raise DataError(f"{path} has more than one line for {some(twice)}")
    check_same(photographs, [row[FILE] for row in rows], path)
    return Table(
        columns=columns,
        cells={row[FILE]: tuple(row[name].strip() for name in columns) for row in rows},
        groups={row[FILE]: row[GROUP].strip() for row in rows if row.get(GROUP, "").strip()},
    )


def read_class_folders(folder: Path, images: Path, photographs: Mapping[str, Path]) -> Table:
    """Photographs that lie in a folder for each class.

    Raises:
        DataError: photographs lie elsewhere, or beside the folders.
    """
    if folder.resolve() != images.resolve():
        raise DataError(
            f"with a folder for each class, photographs lie in these: give {folder} as --images too, or "
            "label them with a CSV file"
        )
    beside = [name for name in photographs if "/" not in name]
    if beside:
        raise DataError(f"{folder} holds photographs outside of the folders of classes: {some(beside)}")
    return Table(columns=("label",), cells={name: (name.split("/")[0],) for name in photographs})


def class_labels(table: Table) -> dict[str, str]:
    """The class of each photograph.

    Raises:
        DataError: there is not one column, or a photograph has none.
    """
    if len(table.columns) != 1:
        raise DataError(f"classes need one column of labels, there are {', '.join(table.columns)}")
    empty = [name for name, (cell,) in table.cells.items() if not cell]
    if empty:
        raise DataError(f"there is no class for {some(empty)}")
    return {name: cell for name, (cell,) in table.cells.items()}


def number_labels(table: Table) -> dict[str, tuple[float, ...]]:
    """The numbers of each photograph.

    Raises:
        DataError: a cell is no finite number.
    """
    return {
        name: tuple(_number(cell, name, column) for cell, column in zip(cells, table.columns, strict=True))
        for name, cells in table.cells.items()
    }


def _number(cell: str, name: str, column: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(
            f"{column} of {name} is {cell!r}, no finite number: mend it, or leave the photograph out"
        )
    return value
