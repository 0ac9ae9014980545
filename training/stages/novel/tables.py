"""Labels of whole photographs: CSV files, and folders of classes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from taxsolver.errors import FileFormatError
from taxsolver.files.csv_text import Line, Sheet, read_file, read_sheet
from training.errors import DataError
from training.stages.novel.naming import check_same, some

FILE, GROUP = "file", "group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Labels by photograph.

    Attributes:
        columns: names of the labels.
        cells: photograph -> its labels as text.
        groups: photograph -> its group; photographs not named are groups of their own.
        sheet: source file, if any.
        lines: photograph -> its line in the file.
    """

    columns: tuple[str, ...]
    cells: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, str] = field(default_factory=dict)
    sheet: Sheet | None = None
    lines: Mapping[str, Line] = field(default_factory=dict)


def read_table(path: Path, photographs: Mapping[str, Path]) -> Table:
    """Read a CSV file with a column `file`, labels, and optionally `group` for photographs of one place.

    Columns that only number the lines, as pandas writes them, are ignored.

    Args:
        path: a CSV as for `taxsolver.files.csv_text`, with a line of headings.
        photographs: photographs by their names in the folder, as in `file`.

    Raises:
        DataError: the file cannot be read, lacks a column, names a photograph twice, or names unknown ones.
    """
    try:
        sheet = read_sheet(read_file(path), str(path)).without_index()
    except FileFormatError as error:
        raise DataError(f"--labels cannot be read as a CSV file: {error}") from error
    written = sheet.header.cells
    headings = [name.casefold() if name.casefold() in {FILE, GROUP} else name for name in written]
    columns = tuple(name for name in headings if name not in {FILE, GROUP})
    if FILE not in headings or not columns or len(set(headings)) < len(headings):
        raise DataError(
            f"{path} has the columns {', '.join(written) or '(none)'}: it needs {FILE!r} and at least one "
            f"of labels, each once; {GROUP!r} is optional"
        )
    rows = [dict(zip(headings, line.cells, strict=True)) for line in sheet.lines]
    twice = [name for name, count in Counter(row[FILE] for row in rows).items() if count > 1]
    if twice:
        raise DataError(f"{path} has more than one line for {some(twice)}")
    check_same(photographs, [row[FILE] for row in rows], path)
    return Table(
        columns=columns,
        cells={row[FILE]: tuple(row[name] for name in columns) for row in rows},
        groups={row[FILE]: row[GROUP] for row in rows if row.get(GROUP)},
        sheet=sheet,
        lines={row[FILE]: line for row, line in zip(rows, sheet.lines, strict=True)},
    )


def read_class_folders(folder: Path, images: Path, photographs: Mapping[str, Path]) -> Table:
    """Read classes from photographs in one folder per class.

    Raises:
        DataError: photographs are in another folder, or outside the class folders.
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
    """Return the class of each photograph.

    Raises:
        DataError: there is not exactly one column, or a photograph has no class.
    """
    if len(table.columns) != 1:
        raise DataError(f"classes need one column of labels, there are {', '.join(table.columns)}")
    empty = [name for name, (cell,) in table.cells.items() if not cell]
    if empty:
        raise DataError(f"there is no class for {some(empty)}")
    return {name: cell for name, (cell,) in table.cells.items()}


def number_labels(table: Table) -> dict[str, tuple[float, ...]]:
    """Return the numbers of each photograph.

    Raises:
        DataError: a cell is not a finite number.
    """
    return {
        name: tuple(
            _number(table, name, column, cell) for column, cell in zip(table.columns, cells, strict=True)
        )
        for name, cells in table.cells.items()
    }


def _number(table: Table, name: str, column: str, cell: str) -> float:
    """Parse the finite number in a cell."""
    try:
        value = float(cell) if table.sheet is None else table.sheet.number(cell, table.lines[name])
        hint = ""
    except FileFormatError as error:
        raise DataError(str(error)) from error
    except ValueError as error:
        value, hint = math.nan, "" if table.sheet is None else str(error)
    if not math.isfinite(value):
        line = f"{table.sheet.at(table.lines[name])}: " if table.sheet else ""
        raise DataError(
            f"{line}{column} of {name} is {cell!r}, no finite number{hint}: mend it, or leave the photograph "
            "out"
        )
    return value
