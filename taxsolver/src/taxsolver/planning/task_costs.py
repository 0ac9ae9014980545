"""Label costs of each task: price per image, number of images, and the share that is owned already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from taxsolver.arguments import check_count, check_number, shown
from taxsolver.errors import FileFormatError, InvalidInputError
from taxsolver.files.csv_text import Line, Sheet, read_file, read_sheet
from taxsolver.files.output import check_path

IMAGES = "images"  # the unit in which a budget counts labelled images
EVERY_OTHER = "*"  # name of the row for all tasks without a row of their own
LARGEST_AMOUNT = 1e12  # largest budget in money or images, and largest number of images
LEAST_COST = 1e-100  # costs are whole multiples of one unit, and HiGHS takes the budget as a float of units
COLUMNS = ("task", "price", "images_full", "images_transfer", "owned")
_YES_OR_NO = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0, "": 0.0}

CostsInput = str | PathLike[str] | Mapping[str, Any] | Any


@dataclass(frozen=True, kw_only=True)
class TaskCost:
    """Label costs of one task.

    Attributes:
        price: price of one labelled image, 0 or in [1e-100, 1e6]; None if unknown.
        images_full: number of images of the task labelled in full; None for the problem's `images_full`.
        images_transfer: labelled images of a transfer to it; None for the problem's `images_transfer`.
        owned: share of the labels in full that is already owned, in [0, 1]; it costs nothing.

    Examples:
        >>> import taxsolver
        >>> cost = taxsolver.TaskCost(price=0.05, images_full=100_000, owned=0.4)
        >>> costs = {"normals": cost}
        >>> taxsolver.solve("taskonomy-16k", "normals", 4000, sources="normals", unit="EUR", costs=costs).cost
        3000.0
    """

    price: float | None = None
    images_full: int | None = None
    images_transfer: int | None = None
    owned: float = 0.0

    def __post_init__(self) -> None:
        if self.price is not None:
            check_number(self.price, "price", zero=True)
            if 0 < self.price < LEAST_COST:
                raise InvalidInputError(
                    f"price is {self.price!r}, expected 0 or a number from {LEAST_COST:g} on"
                )
        for what in ("images_full", "images_transfer"):
            if getattr(self, what) is not None:
                check_count(getattr(self, what), what)
                check_number(getattr(self, what), what, zero=False, largest=LARGEST_AMOUNT)
        check_number(self.owned, "owned", zero=True, largest=1)

    def to_dict(self) -> dict[str, float | int]:
        """Return plain values for JSON, without unknown ones."""
        values = {name: getattr(self, name) for name in COLUMNS[1:]}
        return {
            name: value if isinstance(value, int | float) else float(value)
            for name, value in values.items()
            if value is not None and (name != "owned" or value)
        }


def read_costs(costs: CostsInput) -> list[tuple[str, TaskCost]]:
    """Read costs by task name or alias; the name `*` stands for every task not named.

    Args:
        costs: the path of a CSV with the column `task` and any of `price`, `images_full`, `images_transfer`
            and `owned` (a share in [0, 1], or yes or no); a table of pandas with these columns; or a
            dictionary from names to `TaskCost` or to a dictionary of its attributes.

    Raises:
        FileFormatError: the file cannot be read or has another format; the message names the line.
        InvalidInputError: the argument is none of these, or a value is not allowed.
    """
    if isinstance(costs, str | PathLike) and str(costs).strip():
        place = check_path(costs)
        return _read_csv(read_file(Path(place)), str(place))
    if isinstance(costs, Mapping):
        for name in costs:
            if not isinstance(name, str) or not name.strip():
                raise InvalidInputError(f"costs names {shown(name)}, which is not a task")
        return [(name, _one(name, value)) for name, value in costs.items()]
    write = getattr(costs, "to_csv", None)
    text = write(index=False) if callable(write) and getattr(costs, "ndim", 0) == 2 else None
    if isinstance(text, str):
        return _read_csv(text, "the table of costs")
    raise InvalidInputError(
        f"costs is {shown(costs)}, expected the path of a CSV with the columns {', '.join(COLUMNS)}, a "
        "table of pandas with these, or a dictionary as in {'normal': {'price': 0.05, 'owned': 0.4}}"
    )


def _one(name: str, value: object) -> TaskCost:
    if isinstance(value, TaskCost):
        return value
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InvalidInputError(
            f"the costs of {name} are {shown(value)}, expected a dictionary as in "
            "{'price': 0.05, 'owned': 0.4}"
        )
    unknown = [key for key in value if key not in COLUMNS[1:]]
    if unknown:
        raise InvalidInputError(
            f"the costs of {name} hold {unknown[0]!r}: known are {', '.join(COLUMNS[1:])}"
        )
    try:
        return TaskCost(**value)
    except InvalidInputError as error:
        raise InvalidInputError(f"costs of {name}: {error}") from None


def _read_csv(content: str | bytes, where: str) -> list[tuple[str, TaskCost]]:
    sheet = read_sheet(content, where).without_index()
    columns = [name.casefold() for name in sheet.header.cells]
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown or columns.count("task") != 1 or len(set(columns)) < len(columns):
        fault = (
            f"unknown column {unknown[0]!r}"
            if unknown
            else "expected one column of each name, task among them"
        )
        raise FileFormatError(f"{sheet.at(sheet.header)}: {fault}: columns are {', '.join(COLUMNS)}")
    if not sheet.lines:
        raise FileFormatError(f"{where} has no line below its header: write one for each task, or one for *")
    costs = []
    for line in sheet.lines:
        cells = dict(zip(columns, line.cells, strict=True))
        task = cells.pop("task")
        if not task:
            raise FileFormatError(f"{sheet.at(line)}: the task has no name; * stands for every other task")
        try:
            values = {name: _number(sheet, line, name, cell) for name, cell in cells.items()}
            costs.append(
                (task, TaskCost(**{name: value for name, value in values.items() if value is not None}))
            )
        except InvalidInputError as error:
            raise FileFormatError(f"{sheet.at(line)}: {error}") from None
    return costs


def _number(sheet: Sheet, line: Line, name: str, cell: str) -> Any:
    """Parse a cell; None if it is empty."""
    if name == "owned" and cell.casefold() in _YES_OR_NO:
        return _YES_OR_NO[cell.casefold()]
    if not cell:
        return None
    try:
        value = sheet.number(cell, line)
    except FileFormatError:
        raise
    except ValueError as error:
        raise FileFormatError(f"{sheet.at(line)}: {name} is {cell!r}, expected a number{error}") from None
    return int(value) if name.startswith("images") and value.is_integer() else value
