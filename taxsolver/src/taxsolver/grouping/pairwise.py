"""Effects of tasks on each other as CSV: a square matrix, or one line for each pair.

A matrix has a row for each helping task and a column for each helped task; its corner and its diagonal are
ignored, and cells that were not measured are empty. A list has the columns `task` (the helped one), `with`
(the helping one) and one more with the values, as `taxsolver group --show pairs --save FILE.csv` writes it.
Accepted variants of CSV are described in `csv_text`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from os import PathLike

import numpy as np

from taxsolver.arguments import LARGEST, name_tuple
from taxsolver.errors import FileFormatError, UnknownTaskError
from taxsolver.files.csv_text import Line, Sheet, read_file, read_sheet
from taxsolver.files.output import check_path
from taxsolver.grouping.table import FloatArray
from taxsolver.tensors.names import TaskNames

_LIST = {"task", "with"}


def read_pairwise(path: str | PathLike[str], tasks: Sequence[str]) -> FloatArray:
    """Read the effect of each task on each other task.

    Args:
        path: a CSV file.
        tasks: rows and columns of the result; other tasks of the file are left out.

    Returns:
        float64 (tasks, tasks); [i, j] is the effect of task i on task j. NaN where the file has no value, and
        on the diagonal.

    Raises:
        FileFormatError: the file cannot be read or has another format; the message names the line.
    """
    place = check_path(path)
    return pairwise_from_csv(read_file(place), tasks, where=str(place))


def pairwise_from_csv(content: str | bytes, tasks: Sequence[str], *, where: str = "the CSV") -> FloatArray:
    """Parse the effects in a CSV, as `read_pairwise` returns them.

    Raises:
        FileFormatError: the CSV has another format; the message names the line.
    """
    tasks = name_tuple(tasks, "tasks")
    sheet = read_sheet(content, where).without_index(names_down=True)
    cells = {cell.casefold() for cell in sheet.header.cells}
    effects = np.full((len(tasks), len(tasks)), math.nan)
    names = TaskNames(tasks, where=where)
    lines: dict[tuple[str, str], int] = {}
    for helper, helped, cell, line in _listed(sheet) if cells >= _LIST else _matrix(sheet):
        first = lines.setdefault((helper, helped), line.number)
        if first != line.number:
            raise FileFormatError(
                f"{sheet.at(line)}: the effect of {helper!r} on {helped!r} is in line {first} already"
            )
        try:
            one, other = (tasks.index(names.find(name)) for name in (helper, helped))
        except UnknownTaskError:
            continue
        if one == other or not cell:
            continue
        try:
            value = sheet.number(cell, line)
        except FileFormatError:
            raise
        except ValueError as error:
            raise FileFormatError(
                f"{sheet.at(line)}: the effect of {helper} on {helped} is {cell!r}, expected a number{error}"
            ) from None
        if math.isnan(value):
            continue
        if abs(value) > LARGEST:
            raise FileFormatError(
                f"{sheet.at(line)}: the effect of {helper} on {helped} is {cell}, expected a number in "
                f"[-{LARGEST:,.0f}, {LARGEST:,.0f}]"
            )
        effects[one, other] = value
    if np.isnan(effects).all():
        raise FileFormatError(
            f"{where} has no effect between two of {', '.join(tasks)}: expected a matrix with tasks down and "
            "across, or the columns task, with and a value"
        )
    return effects


def _listed(sheet: Sheet) -> Iterator[tuple[str, str, str, Line]]:
    """Yield helping task, helped task, cell and line of a list of pairs."""
    columns = [cell.casefold() for cell in sheet.header.cells]
    values = [column for column in columns if column not in _LIST]
    if len(values) != 1 or len(columns) != len(_LIST) + 1:
        raise FileFormatError(
            f"{sheet.where} has the columns {', '.join(sheet.header.cells)}, expected task, with and one "
            "more that holds the values"
        )
    for line in sheet.lines:
        cells = dict(zip(columns, line.cells, strict=True))
        yield cells["with"], cells["task"], cells[values[0]], line


def _matrix(sheet: Sheet) -> Iterator[tuple[str, str, str, Line]]:
    """Yield helping task, helped task, cell and line of a matrix with a row for each helping task."""
    helped = sheet.header.cells[1:]
    for column, name in enumerate(helped):
        if name in helped[:column]:
            raise FileFormatError(f"{sheet.at(sheet.header)}: the column {name!r} is given twice")
    for line in sheet.lines:
        for name, cell in zip(helped, line.cells[1:], strict=True):
            yield line.cells[0], name, cell, line
