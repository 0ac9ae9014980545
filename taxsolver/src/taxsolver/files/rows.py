"""Writing of result rows as CSV or JSON, by the ending of the file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taxsolver.errors import InvalidInputError
from taxsolver.files.output import write_file
from taxsolver.plain_text import to_cell

ENDINGS = (".csv", ".json")


def check_rows_path(path: str | Path) -> None:
    """Raise if rows cannot be saved under the ending of `path`.

    Raises:
        InvalidInputError: the message names the endings that work.
    """
    if Path(path).suffix.casefold() not in ENDINGS:
        raise InvalidInputError(f"cannot tell the format of {str(path)!r}: end it in {' or '.join(ENDINGS)}")


def save_rows(rows: Sequence[Mapping[str, Any]], path: str | Path) -> Path:
    """Write rows with the same keys; in CSV, lists are joined by `|` and None is an empty cell.

    Raises:
        InvalidInputError: another ending than .csv or .json.
        OutputError: the file cannot be written.
    """
    check_rows_path(path)
    if Path(path).suffix.casefold() == ".json":
        return write_file(path, json.dumps({"rows": list(rows)}, indent=2) + "\n")
    return write_file(path, rows_to_csv(rows))


def rows_to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Convert rows to CSV with a line of column names; spreadsheet formulas are masked, see `to_cell`."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _cell(value) for key, value in row.items()})
    return stream.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        value = "|".join("" if part is None else str(part) for part in value)
    return to_cell(value) if isinstance(value, str) else value
