"""Loss tables as CSV: one line a network and split, one column a task.

Columns: `split` (`validation`, which is needed, `test` and `validation_early`), `network`, `cost`, and one
for each task, headed by its name. An empty cell: the network does not predict the task. Every network stands
in every split that the file has; only `validation_early` may leave some out, which ESA then cannot choose.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from taxsolver.errors import FileFormatError, InvalidInputError
from taxsolver.grouping.table import SPLITS, FloatArray, LossTable
from taxsolver.problem import LARGEST

SETTINGS = (1, 2, 3, 4)
KEYS = ("split", "network", "cost")


@dataclass(frozen=True)
class _Row:
    number: int  # of the line
    split: str
    network: str
    cost: float
    losses: tuple[float, ...]

    @property
    def predicted(self) -> tuple[bool, ...]:
        return tuple(not math.isnan(loss) for loss in self.losses)


def load_setting(setting: int) -> LossTable:
    """One of the four published settings: 36 networks, five tasks.

    1: small networks, 4 million images. 2: large networks, 4 million images. 3: large networks, 200 thousand
    images. 4: large networks, 4 million images, other tasks. From the network selection of Standley et al.,
    ICML 2020 (https://arxiv.org/abs/1905.07553).

    Raises:
        InvalidInputError: there is no such setting.
    """
    if setting not in SETTINGS or isinstance(setting, bool):
        raise InvalidInputError(
            f"setting is {setting!r}, expected 1, 2, 3 or 4; a table of your own is loaded by its path"
        )
    name = f"task_grouping_setting{int(setting)}.csv"
    content = files("taxsolver").joinpath("data", name).read_bytes()
    return table_from_csv(content, name=f"setting {setting}", where=name, setting=int(setting))


def load_table(path: str | Path) -> LossTable:
    """A table of one's own, from a CSV file.

    Raises:
        FileFormatError: the file cannot be read, or is no such CSV; a wrong line is named by its number.
        InvalidInputError: the lines are readable, but make no valid table.
    """
    place = Path(path)
    try:
        content = place.read_bytes()
    except OSError as error:
        raise FileFormatError(f"cannot read {place}: {error.strerror or error}") from error
    return table_from_csv(content, name=place.stem, where=str(place))


def table_from_csv(
    content: str | bytes, *, name: str, where: str = "the CSV", setting: int | None = None
) -> LossTable:
    """The table that a CSV describes; tasks in the order of its columns, networks in that of its lines.

    Args:
        content: the text, or its bytes in UTF-8.
        name: what the table is to be called.
        where: the file, for messages.
        setting: number of the published setting.

    Raises:
        FileFormatError: not UTF-8, a column is missing, or a line is wrong (its number is named).
        InvalidInputError: the lines are readable, but make no valid table.
    """
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{where} is no CSV text in UTF-8: {error}") from error
    tasks, rows = _read(text, where)
    by_split = {split: {row.network: row for row in rows if row.split == split} for split in SPLITS}
    _check_splits(by_split, tasks, where)
    networks = tuple(by_split["validation"])
    losses = {split: _losses(by_split[split], networks, len(tasks)) for split in SPLITS if by_split[split]}
    cost = np.array([row.cost for row in by_split["validation"].values()])
    try:
        return LossTable(name=name, tasks=tasks, networks=networks, cost=cost, setting=setting, **losses)
    except InvalidInputError as error:
        raise InvalidInputError(f"{where}: {error}") from None


def _losses(rows: dict[str, _Row], networks: Sequence[str], num_tasks: int) -> FloatArray:
    absent = (math.nan,) * num_tasks
    return np.array([rows[network].losses if network in rows else absent for network in networks])


def _read(text: str, where: str) -> tuple[tuple[str, ...], list[_Row]]:
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[_Row] = []
    first: dict[tuple[str, str], int] = {}
    try:
        columns = [cell.strip() for cell in next(lines, [])]
        _check_columns(columns, where)
        for cells in lines:
            if cells:
                row = _read_row(columns, cells, lines.line_num, where)
                earlier = first.setdefault((row.split, row.network), row.number)
                if earlier != row.number:
                    raise FileFormatError(
                        f"{where}, line {row.number}: network {row.network!r} of split {row.split} stands "
                        f"in line {earlier} already"
                    )
                rows.append(row)
    except csv.Error as error:
        raise FileFormatError(f"{where}, line {lines.line_num}: {error}") from error
    return tuple(column for column in columns if column not in KEYS), rows


def _check_columns(columns: Sequence[str], where: str) -> None:
    missing = [column for column in KEYS if column not in columns]
    if missing:
        raise FileFormatError(
            f"{where} has the columns {', '.join(columns) or '(none)'}, but not {', '.join(missing)}; needed "
            "are split, network, cost and one for each task"
        )
    for position, column in enumerate(columns):
        if not column:
            raise FileFormatError(f"{where}: column {position + 1} has no name")
        if column in columns[:position]:
            raise FileFormatError(f"{where} has the column {column!r} twice")
    if len(columns) == len(KEYS):
        raise FileFormatError(f"{where} has no column for a task beside split, network and cost")


def _read_row(columns: Sequence[str], cells: Sequence[str], number: int, where: str) -> _Row:
    line = f"{where}, line {number}"
    if len(cells) != len(columns):
        raise FileFormatError(f"{line}: {len(cells)} cells, expected {len(columns)} as in the first line")
    text = {column: cell.strip() for column, cell in zip(columns, cells, strict=True)}
    split, network = text["split"], text["network"]
    if split not in SPLITS:
        raise FileFormatError(f"{line}: unknown split {split!r}, expected one of {', '.join(SPLITS)}")
    if not network:
        raise FileFormatError(f"{line}: the network has no name")
    cost = _number(text["cost"])
    if not 0 < cost <= LARGEST:
        raise FileFormatError(f"{line}: cost is {text['cost']!r}, expected a number in (0, {LARGEST:,.0f}]")
    losses = tuple(_loss(text[column], column, line) for column in columns if column not in KEYS)
    if all(math.isnan(loss) for loss in losses):
        raise FileFormatError(f"{line}: network {network!r} has no loss of any task")
    return _Row(number, split, network, cost, losses)


def _number(cell: str) -> float:
    """The number in a cell; NaN where there is none."""
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _loss(cell: str, task: str, line: str) -> float:
    loss = _number(cell)
    if cell and not abs(loss) <= LARGEST:
        raise FileFormatError(
            f"{line}: the loss of {task} is {cell!r}, expected a number in [-{LARGEST:,.0f}, {LARGEST:,.0f}]"
            ", or nothing where the network does not predict the task"
        )
    return loss


def _check_splits(by_split: dict[str, dict[str, _Row]], tasks: Sequence[str], where: str) -> None:
    """Refuse splits that do not hold the same networks."""
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
    """What a line says otherwise than the validation line of the same network."""
    if chosen is None:
        yield f"is in {row.split} but not in validation: add its line there"
        return
    if row.cost != chosen.cost:
        yield f"costs {row.cost:g} here and {chosen.cost:g} in line {chosen.number}"
    for task, here, there in zip(tasks, row.predicted, chosen.predicted, strict=True):
        if here != there:
            yield f"has {'a' if here else 'no'} loss of {task} here, otherwise than in line {chosen.number}"
