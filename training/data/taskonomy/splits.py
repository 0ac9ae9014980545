"""Splits of buildings: training, validation and testing, and the excluded ones."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path

from taskbank.atomic_files import write_whole
from training.errors import DataError

SPLITS = ("train", "val", "test")


def read_splits(path: str | Path) -> dict[str, str]:
    """The split of each building.

    The dataset's own tables have columns `id,train,val,test`, with a 1 in one of the last three, and lines
    that end with a bare carriage return. Own tables may have columns `building,split` instead. Lines may end
    in any way.

    Returns:
        building -> `train`, `val` or `test`.

    Raises:
        DataError: the table cannot be read, has other columns, or a building has not exactly one split.
    """
    found: dict[str, str] = {}
    for row in _read_table(Path(path)):
        building, split = _placed(row, Path(path))
        if found.setdefault(building, split) != split:
            raise DataError(f"{path} puts {building!r} into {found[building]} and into {split}")
    return found


def write_splits(path: str | Path, buildings: Mapping[str, Iterable[str]]) -> None:
    """Write a table as the dataset has it, with lines that every reader takes for lines.

    Args:
        path: of the CSV file.
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
    """Buildings that are left out, and why.

    Single damaged files of other buildings (newfields, muleshoe and wiconisco are known for some) need no
    list: they are found when they are read.

    Args:
        path: of a table with columns `building,reason`; None for the list that comes with this package, from
            reports of users and the lists of omnidata's loader
            (https://github.com/EPFL-VILAB/omnidata, https://github.com/StanfordVL/taskonomy/issues).

    Raises:
        DataError: the table cannot be read, or has other columns.
    """
    table = Path(path) if path is not None else Path(str(files(__package__) / "exclusions.csv"))
    rows = _read_table(table)
    if rows and rows[0].keys() != {"building", "reason"}:
        raise DataError(f"{table} has columns {', '.join(rows[0])}: expected are building,reason")
    return {row["building"]: row["reason"] for row in rows}


def _placed(row: Mapping[str, str], path: Path) -> tuple[str, str]:
    """Building and split of one row."""
    if row.keys() == {"building", "split"}:
        building, chosen = row["building"], [row["split"]]
    elif row.keys() == {"id", *SPLITS}:
        building, chosen = row["id"], [split for split in SPLITS if row[split].strip() == "1"]
    else:
        raise DataError(
            f"{path} has columns {', '.join(row)}: expected are id,train,val,test or building,split"
        )
    if len(chosen) != 1 or chosen[0] not in SPLITS:
        raise DataError(f"{path} puts {building!r} into {' and '.join(chosen) or 'no split'}: one is needed")
    return building, chosen[0]


def _read_table(path: Path) -> list[dict[str, str]]:
    """Rows by column, whatever lines end with; `read_text` turns carriage returns into line feeds."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    reader = csv.DictReader((line for line in lines if line.strip()), restkey="", restval="")
    return list(reader)
