"""Splits of buildings into training, validation and test, and excluded buildings."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path

from taskbank.atomic_files import write_whole
from training.errors import DataError

SPLITS = ("train", "val", "test")


def read_splits(path: str | Path) -> dict[str, str]:
    """Read the split of each building.

    The dataset's own tables have columns `id,train,val,test`, with a 1 in one of the last three, and lines
    that end with a bare carriage return. Tables may have the columns `building,split` instead. All line
    endings are accepted.

    Returns:
        building -> `train`, `val` or `test`.

    Raises:
        DataError: the table cannot be read, has other columns, or a building has not exactly one split.
    """
    found: dict[str, str] = {}
    for row in _read_table(Path(path)):
        if row.keys() == {"building", "split"}:
            building, chosen = row["building"], [row["split"]]
        elif row.keys() == {"id", *SPLITS}:
            building, chosen = row["id"], [split for split in SPLITS if row[split].strip() == "1"]
        else:
            raise DataError(
                f"{path} has columns {', '.join(row)}: expected are id,train,val,test or building,split"
            )
        if len(chosen) != 1 or chosen[0] not in SPLITS:
            raise DataError(
                f"{path} puts {building!r} into {' and '.join(chosen) or 'no split'}: one is needed"
            )
        split = chosen[0]
        if found.setdefault(building, split) != split:
            raise DataError(f"{path} puts {building!r} into {found[building]} and into {split}")
    return found


def write_splits(path: str | Path, buildings: Mapping[str, Iterable[str]]) -> None:
    """Write a table in the dataset's format, but with standard line endings.

    Args:
        path: the CSV file.
        buildings: `train`, `val` or `test` -> buildings.

    Raises:
        OutputError: the file cannot be written.
    """
    rows = [
        ",".join([building, *("1" if name == split else "0" for name in SPLITS)])
        for split in SPLITS
        for building in sorted(buildings.get(split, ()))
    ]
    text = "\n".join([",".join(["id", *SPLITS]), *rows]) + "\n"
    write_whole(Path(path), lambda file: file.write(text.encode()))


def read_exclusions(path: str | Path | None = None) -> dict[str, str]:
    """Read the buildings to leave out, with reasons.

    Single damaged files of other buildings (such as newfields, muleshoe and wiconisco) are not listed,
    because they are found when they are read.

    Args:
        path: a table with columns `building,reason`; None for the list that comes with this package, from
            reports of users and the lists of omnidata's loader (https://github.com/EPFL-VILAB/omnidata,
            https://github.com/StanfordVL/taskonomy/issues).

    Raises:
        DataError: the table cannot be read, or has other columns.
    """
    table = Path(path) if path is not None else Path(str(files(__package__) / "exclusions.csv"))
    rows = _read_table(table)
    if rows and rows[0].keys() != {"building", "reason"}:
        raise DataError(f"{table} has columns {', '.join(rows[0])}: expected are building,reason")
    return {row["building"]: row["reason"] for row in rows}


def _read_table(path: Path) -> list[dict[str, str]]:
    """Read rows by column, with any line endings, as `read_text` converts carriage returns to line feeds."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    reader = csv.DictReader((line for line in lines if line.strip()), restkey="", restval="")
    return list(reader)
