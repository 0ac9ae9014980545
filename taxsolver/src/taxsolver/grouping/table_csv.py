"""Loss tables as CSV: one line per network and split, one column per task.

Columns: `split` (`validation`, which is needed, `test` and `validation_early`), `network`, `cost`, and one
for each task, headed by its name. A cell is empty if the network does not predict the task. Every network has
a line in every split of the file; only `validation_early` may leave networks out, which ESA then cannot
choose. Columns that only number the lines, as pandas writes them, are ignored; accepted variants of CSV are
described in `csv_text`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from os import PathLike

import numpy as np

from taxsolver.arguments import LARGEST, shown
from taxsolver.errors import FileFormatError, InvalidInputError
from taxsolver.files.csv_text import Line, Sheet, read_file, read_sheet
from taxsolver.files.output import check_path
from taxsolver.grouping.table import SPLITS, LossTable
from taxsolver.planning.amounts import amount
from taxsolver.tensors.names import normalise
from taxsolver.tensors.store import DataFrame

TableInput = LossTable | int | str | PathLike[str] | DataFrame
SETTINGS = (1, 2, 3, 4)
KEYS = ("split", "network", "cost")


@dataclass(frozen=True)
class _Row:
    number: int  # line number
    split: str
    network: str
    cost: float
    losses: tuple[float, ...]

    @property
    def predicted(self) -> tuple[bool, ...]:
        return tuple(not math.isnan(loss) for loss in self.losses)


def load_setting(setting: int) -> LossTable:
    """Load one of the four published settings, each with 36 networks and five tasks.

    1: small networks, 4 million images. 2: large networks, 4 million images. 3: large networks, 200 thousand
    images. 4: large networks, 4 million images, other tasks. From the network selection of Standley et al.,
    ICML 2020 (https://arxiv.org/abs/1905.07553).

    Raises:
        InvalidInputError: there is no such setting.
    """
    if not isinstance(setting, int | np.integer) or isinstance(setting, bool) or setting not in SETTINGS:
        raise InvalidInputError(
            f"setting is {shown(setting)}, expected 1, 2, 3 or 4; a table of your own is loaded by its path"
        )
    name = f"task_grouping_setting{int(setting)}.csv"
    content = files("taxsolver").joinpath("data", name).read_bytes()
    return table_from_csv(content, name=f"setting {setting}", where=name, setting=int(setting))


def load_table(path: str | PathLike[str]) -> LossTable:
    """Load a user's table from a CSV file.

    Raises:
        FileFormatError: the file cannot be read or has another format; the message names the line.
        InvalidInputError: the lines are readable, but the table is not valid.
    """
    place = check_path(path)
    return table_from_csv(read_file(place), name=place.stem, where=str(place))


def as_table(table: TableInput) -> LossTable:
    """Return a table unchanged, or load it from its source.

    Args:
        table: a table; the number of a published setting; the path of a CSV file; or a table of pandas with
            the columns of such a file.

    Raises:
        FileFormatError: a file cannot be read or has another format.
        InvalidInputError: the argument is none of these, or the table is not valid.
    """
    if isinstance(table, LossTable):
        return table
    if isinstance(table, int | np.integer) and not isinstance(table, bool):
        return load_setting(int(table))
    if isinstance(table, str | PathLike):
        return load_table(table)
    write = getattr(table, "to_csv", None)
    text = write() if callable(write) and not isinstance(table, type) else None
    if isinstance(text, str):
        return table_from_csv(text, name="table", where="the table")
    raise InvalidInputError(
        f"the table is {shown(table)}, expected a LossTable, a setting from 1 to 4, the path of a CSV file "
        "or a table of pandas"
    )


def table_from_csv(
    content: str | bytes, *, name: str, where: str = "the CSV", setting: int | None = None
) -> LossTable:
    """Parse a table from CSV; tasks are in the order of the columns, networks in the order of the lines.

    Args:
        content: the text, or its bytes in UTF-8 or, with a byte order mark, UTF-16.
        name: name of the table.
        where: the file, for messages.
        setting: number of the published setting.

    Raises:
        FileFormatError: the content cannot be decoded, a column is missing, or a line is wrong; the message
            names the line.
        InvalidInputError: the lines are readable, but the table is not valid.
    """
    sheet = read_sheet(content, where)
    cells = sheet.header.cells
    missing = [key for key in KEYS if key not in {cell.casefold() for cell in cells}]
    if missing:
        raise FileFormatError(
            f"{sheet.where} has the columns {', '.join(cells) or '(none)'}, but not {', '.join(missing)}; "
            "needed are split, network, cost and one for each task"
        )
    sheet = sheet.without_index()
    columns = [cell.casefold() if cell.casefold() in KEYS else cell for cell in sheet.header.cells]
    spelt: dict[str, str] = {}
    for column in columns:
        other = spelt.setdefault(normalise(column), column)
        if columns.count(column) > 1:
            raise FileFormatError(f"{sheet.where} has the column {column!r} twice")
        if other != column:
            raise FileFormatError(
                f"{sheet.where} has the columns {other!r} and {column!r}: name the tasks apart"
            )
    if len(columns) == len(KEYS):
        raise FileFormatError(f"{sheet.where} has no column for a task beside split, network and cost")
    rows: list[_Row] = []
    first: dict[tuple[str, str], int] = {}
    for line in sheet.lines:
        row = _read_row(columns, line, sheet)
        earlier = first.setdefault((row.split, row.network), row.number)
        if earlier != row.number:
            raise FileFormatError(
                f"{sheet.at(line)}: network {row.network!r} of split {row.split} is in line {earlier} already"
            )
        rows.append(row)
    tasks = tuple(column for column in columns if column not in KEYS)
    by_split = {split: {row.network: row for row in rows if row.split == split} for split in SPLITS}
    _check_splits(by_split, tasks, where)
    networks = tuple(by_split["validation"])
    absent = (math.nan,) * len(tasks)  # of a network that is left out, as validation_early may
    losses = {
        split: np.array([rows[network].losses if network in rows else absent for network in networks])
        for split, rows in by_split.items()
        if rows
    }
    cost = np.array([row.cost for row in by_split["validation"].values()])
    try:
        return LossTable(
            name=name,
            tasks=tasks,
            networks=networks,
            cost=cost,
            validation=losses["validation"],
            test=losses.get("test"),
            validation_early=losses.get("validation_early"),
            setting=setting,
        )
    except InvalidInputError as error:
        raise InvalidInputError(f"{where}: {error}") from None


def _read_row(columns: Sequence[str], line: Line, sheet: Sheet) -> _Row:
    at = sheet.at(line)
    text = dict(zip(columns, line.cells, strict=True))
    split, network = text["split"].casefold(), text["network"]
    if split not in SPLITS:
        raise FileFormatError(f"{at}: unknown split {text['split']!r}, expected one of {', '.join(SPLITS)}")
    if not network:
        raise FileFormatError(f"{at}: the network has no name")
    cost = _number(text["cost"], line, sheet)[0]
    if not 0 < cost <= LARGEST:
        raise FileFormatError(f"{at}: cost is {text['cost']!r}, expected a number in (0, {LARGEST:,.0f}]")
    losses = []
    for task in columns:
        if task in KEYS:
            continue
        loss, hint = _number(text[task], line, sheet)
        if text[task] and not abs(loss) <= LARGEST:
            raise FileFormatError(
                f"{at}: the loss of {task} is {text[task]!r}, expected a number in [-{LARGEST:,.0f}, "
                f"{LARGEST:,.0f}], or nothing where the network does not predict the task{hint}"
            )
        losses.append(loss)
    if all(math.isnan(loss) for loss in losses):
        raise FileFormatError(f"{at}: network {network!r} has no loss of any task")
    return _Row(line.number, split, network, cost, tuple(losses))


def _number(cell: str, line: Line, sheet: Sheet) -> tuple[float, str]:
    """Parse the number in a cell, NaN if empty; also return a hint on how to write it, for messages."""
    try:
        return sheet.number(cell, line), ""
    except FileFormatError:
        raise
    except ValueError as error:
        return math.nan, str(error)


def _check_splits(by_split: dict[str, dict[str, _Row]], tasks: Sequence[str], where: str) -> None:
    """Raise unless all splits hold the same networks."""
    networks = by_split["validation"]
    if not networks:
        raise FileFormatError(f"{where} has no line of the split validation, which chooses the networks")
    for split in SPLITS[1:]:
        rows = by_split[split]
        for row in rows.values():
            for fault in _differences(row, networks.get(row.network), tasks):
                raise FileFormatError(f"{where}, line {row.number}: network {row.network!r} {fault}")
        absent = [row for name, row in networks.items() if name not in rows]
        if rows and absent and split != "validation_early":
            raise FileFormatError(
                f"{where}, line {absent[0].number}: network {absent[0].network!r} is in validation but not "
                f"in {split}: add its line there"
            )


def _differences(row: _Row, chosen: _Row | None, tasks: Sequence[str]) -> Iterator[str]:
    """List the differences between a line and the validation line of the same network."""
    if chosen is None:
        yield f"is in {row.split} but not in validation: add its line there"
        return
    if row.cost != chosen.cost:
        yield f"costs {amount(row.cost)} here and {amount(chosen.cost)} in line {chosen.number}"
    for task, here, there in zip(tasks, row.predicted, chosen.predicted, strict=True):
        if here != there:
            yield f"has {'a' if here else 'no'} loss of {task} here, otherwise than in line {chosen.number}"
