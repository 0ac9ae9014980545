"""Affinity tensors as CSV: one line per transfer, sources joined by `|`, or a matrix of sources and targets.

Columns: `target`, `sources`, `affinity`, `gain`, `quality`, `full_supervision`, and `order`, which is
derived. Only `target`, `sources` and one of the measures are needed. The published tables are read unchanged:
`win_rate_vs_scratch` is the gain, `win_rate_vs_full_supervision` the quality, and the source `self` the fully
supervised network; lines of the source `pixels` or `scratch` are the baseline, not transfers, and `random` is
an untrained source unless the caller names the untrained ones. Other ways to join sources are described in
`source_names`, accepted variants of CSV in `csv_text`.

A matrix of affinities has a row per source and a column per target (the other way round if its corner says
`target`); cells that were not measured are empty. Its diagonal holds the fully supervised networks, as `self`
does; if there is also a line `self`, the diagonal holds transfers from a target's own representation.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from taxsolver.errors import FileFormatError, InvalidInputError
from taxsolver.files.csv_text import Line, Sheet, read_file, read_sheet
from taxsolver.files.output import check_path
from taxsolver.plain_text import to_cell
from taxsolver.tensors.affinity import AffinityTensor
from taxsolver.tensors.names import normalise as plain_spelling
from taxsolver.tensors.normalisation import Normalisation, normalised
from taxsolver.tensors.source_names import BASELINES, RANDOM, SELF, looks_joined, plain_name, split_sources

COLUMNS = ("target", "order", "sources", "affinity", "gain", "quality", "full_supervision")
MEASURES = ("affinity", "gain", "quality")
SYNONYMS = {"win_rate_vs_scratch": "gain", "win_rate_vs_full_supervision": "quality", "source": "sources"}
_TRUTH = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}
_SOURCES_DOWN = frozenset({"", "index", "name", "task", "from", "source", "source_target"})
_TARGETS_DOWN = frozenset({"to", "target", "target_source"})


@dataclass(frozen=True)
class _Row:
    number: int  # line number
    target: str
    sources: tuple[str, ...]
    affinity: float
    gain: float
    quality: float
    full_supervision: bool

    @property
    def key(self) -> tuple[object, ...]:
        return self.target, frozenset(self.sources), self.full_supervision


def tensor_to_csv(tensor: AffinityTensor) -> str:
    """Write all transfers of a tensor as CSV text; NaN becomes an empty cell.

    Reading the numbers gives the same float64.

    Raises:
        InvalidInputError: the name of a task would be read as something else.
    """
    # No name may be read as another one.
    spelt: dict[str, str] = {}
    for task in tensor.tasks:
        alike = spelt.setdefault(task.casefold(), task)
        try:
            read = split_sources(task, tensor.targets, tensor.tasks)
        except ValueError:
            read = ()
        if (
            not task
            or read != (task,)
            or alike != task
            or task in {SELF, *BASELINES}
            or _looks_like_two_targets(task, tensor.tasks)
            # the reader rejects `(a|b)`, which may be a list of `a` and `b`
            or (task[0] in "[({" and bool((tensor.sources.sum(axis=1) > 1).any()))
        ):
            taken = (
                f"it would be taken for {alike!r}" if alike != task else "it would not be read as that task"
            )
            raise InvalidInputError(
                f"the task {task!r} cannot be written to CSV, where {taken} (see `tensors.source_names`): "
                "rename it, or save as .safetensors"
            )
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in range(len(tensor)):
        measures = (tensor.affinity[row], tensor.gain[row], tensor.quality[row])
        writer.writerow(
            [
                to_cell(tensor.tasks[tensor.target[row]]),
                int(tensor.order[row]),
                to_cell("|".join(tensor.source_names(row))),
                *("" if np.isnan(value) else repr(float(value)) for value in measures),
                "true" if tensor.full_supervision[row] else "false",
            ]
        )
    return stream.getvalue()


def tensor_from_csv(
    content: str | bytes,
    *,
    name: str,
    where: str = "the CSV",
    normalise: str | None = None,
    **header: Any,
) -> AffinityTensor:
    """Parse a tensor from CSV; tasks are sorted by name.

    Args:
        content: the text, or its bytes in UTF-8.
        name: name of the tensor.
        where: the file, for messages.
        normalise: name of the `Normalisation` that maps measures to [0, 1]; None to reject other values.
        header: further fields of `AffinityTensor`: aliases, untrained, images_full, images_transfer, about.

    Raises:
        FileFormatError: the content is not UTF-8, a column is missing, or a line is wrong; the message names
            the line.
        InvalidInputError: the lines are readable, but the tensor is not valid.
    """
    how = None if normalise is None else Normalisation.named(normalise)
    rows = [row for row in _read_rows(content, where, how) if not BASELINES.issuperset(row.sources)]
    tasks = tuple(sorted({row.target for row in rows}.union(*(row.sources for row in rows))))
    column = {task: index for index, task in enumerate(tasks)}
    sources = np.zeros((len(rows), len(tasks)), dtype=bool)
    for index, row in enumerate(rows):
        sources[index, [column[source] for source in row.sources]] = True
    measured = {row.target for row in rows}
    header.setdefault("untrained", (RANDOM,) if RANDOM in tasks else ())
    target = np.array([column[row.target] for row in rows], dtype=np.int32)
    measures = {
        measure: np.array([getattr(row, measure) for row in rows], dtype=np.float64) for measure in MEASURES
    }
    if how is not None:
        measures = {measure: normalised(values, target, how) for measure, values in measures.items()}
    return AffinityTensor(
        name=name,
        tasks=tasks,
        targets=tuple(task for task in tasks if task in measured),
        sources=sources,
        target=target,
        affinity=measures["affinity"],
        gain=measures["gain"],
        quality=measures["quality"],
        full_supervision=np.array([row.full_supervision for row in rows], dtype=bool),
        **header,
    )


def read_tensor_csv(path: str | Path, *, name: str | None = None, **header: Any) -> AffinityTensor:
    """Read a tensor from a CSV file.

    Args:
        path: the file.
        name: name of the tensor; None for the file's name without its ending.
        header: as for `tensor_from_csv`, including `normalise`.

    Raises:
        FileFormatError: the file cannot be read, or as for `tensor_from_csv`.
        InvalidInputError: the lines are readable, but the tensor is not valid.
    """
    place = check_path(path)
    return tensor_from_csv(read_file(place), name=name or place.stem, where=str(place), **header)


def _read_rows(content: str | bytes, where: str, how: Normalisation | None) -> list[_Row]:
    sheet = read_sheet(content, where)
    tables = list(_tables(sheet))
    if len(tables) == 1 and _corner(tables[0]) is not None:
        rows = list(_matrix_rows(tables[0], how))
    else:
        rows = [row for table in tables for row in _table_rows(table, how)]
    if not rows:
        raise FileFormatError(f"{where} holds no transfer: there is no line below the column names")
    # No transfer may be given twice, and no task be spelt in two ways.
    first: dict[tuple[object, ...], int] = {}
    spelt: dict[str, tuple[str, int]] = {}
    for row in rows:
        if (earlier := first.setdefault(row.key, row.number)) != row.number:
            raise FileFormatError(f"{where}, line {row.number}: the same transfer as in line {earlier}")
        for name in (row.target, *row.sources):
            other, line = spelt.setdefault(name.casefold(), (name, row.number))
            if other != name:
                raise FileFormatError(
                    f"{where}, line {row.number}: {name!r} is spelt {other!r} in line {line}: spell it "
                    "in one way"
                )
    return rows


def _tables(sheet: Sheet) -> Iterator[Sheet]:
    """Split a sheet at lines of column names, as in concatenated files."""
    start, header = 0, sheet.header
    for position, line in enumerate(sheet.lines):
        if {"target", "sources"} <= set(_columns(line)):
            yield Sheet(sheet.where, header, sheet.lines[start:position], sheet.delimiter).without_index(
                names_down=True
            )
            start, header = position + 1, line
    yield Sheet(sheet.where, header, sheet.lines[start:], sheet.delimiter).without_index(names_down=True)


def _columns(header: Line) -> list[str]:
    """Normalised names of the columns."""
    names = [cell.casefold() for cell in header.cells]
    return [SYNONYMS.get(name, name) for name in names]


def _corner(sheet: Sheet) -> str | None:
    """Return `sources` or `targets`, whichever the rows of a matrix are; None if the sheet is no matrix."""
    names = _columns(sheet.header)
    if len(names) < 2 or {"target", "sources"} <= set(names) or set(names) & set(COLUMNS[3:]):
        return None
    corner = "" if sheet.is_nameless(0) else plain_spelling(names[0]).replace("_x_", "_")
    corner = corner.replace("tasks", "task").replace("sources", "source").replace("targets", "target")
    return "sources" if corner in _SOURCES_DOWN else "targets" if corner in _TARGETS_DOWN else None


def _matrix_rows(sheet: Sheet, how: Normalisation | None) -> Iterator[_Row]:
    """Yield the transfers of a matrix of affinities."""
    sheet.check_widths(sheet.header, sheet.lines)
    down, across = [line.cells[0] for line in sheet.lines], list(sheet.header.cells[1:])
    targets = across if _corner(sheet) == "sources" else down
    joined = down if targets is across else across
    tasks = {*targets, *(name for name in joined if not looks_joined(name))}
    own = SELF in {plain_name(name) for name in joined}
    for line in sheet.lines:
        for name, cell in zip(across, line.cells[1:], strict=True):
            target, text = (name, line.cells[0]) if targets is across else (line.cells[0], name)
            at = sheet.at(line)
            sources = _sources(text, targets, tasks, at)
            check_target(target, at, tasks)
            if cell:
                full = sources == (SELF,) or (sources == (target,) and not own)
                sources = (target,) if sources == (SELF,) else sources
                value = _measure(sheet, line, "affinity", cell, how)
                yield _Row(line.number, target, sources, value, math.nan, math.nan, full)


def _table_rows(sheet: Sheet, how: Normalisation | None) -> Iterator[_Row]:
    """Yield the transfers of a table with one line for each."""
    columns = _columns(sheet.header)
    missing = [column for column in ("target", "sources") if column not in columns]
    if missing or not set(MEASURES) & set(columns):
        raise FileFormatError(
            f"{sheet.where} has the columns {', '.join(sheet.header.cells) or '(none)'}; needed are target, "
            "sources and at least one of affinity, gain and quality, or a matrix with an empty corner, the "
            "names of sources down and those of targets across"
        )
    twice = [column for column in columns if columns.count(column) > 1]
    if twice:
        raise FileFormatError(
            f"{sheet.where} has the column {twice[0]!r} twice, under one name or two: keep one"
        )
    unknown = [
        name for name, column in zip(sheet.header.cells, columns, strict=True) if column not in COLUMNS
    ]
    if "" in unknown:
        raise FileFormatError(
            f"{sheet.where}: column {sheet.header.cells.index('') + 1} has no name: name it, or delete it"
        )
    if unknown:
        raise FileFormatError(
            f"{sheet.where} has an unknown column {unknown[0]!r}; known are {', '.join(COLUMNS)}"
        )
    cells = [dict(zip(columns, line.cells, strict=True)) for line in sheet.lines]
    targets = {text["target"] for text in cells}
    tasks = targets | {text["sources"] for text in cells if not looks_joined(text["sources"])}
    for line, text in zip(sheet.lines, cells, strict=True):
        at = sheet.at(line)
        sources = _sources(text["sources"], targets, tasks, at)
        check_target(text["target"], at, tasks)
        target, word = plain_name(text["target"]), text.get("full_supervision", "")
        if word.casefold() not in _TRUTH:
            raise FileFormatError(f"{at}: full_supervision is {word!r}, expected true or false")
        full = _TRUTH[word.casefold()] or sources == (SELF,)
        sources = (target,) if sources == (SELF,) else sources
        if text.get("order") and text["order"].removesuffix(".0") != str(len(sources)):
            raise FileFormatError(f"{at}: order is {text['order']}, but there are {len(sources)} sources")
        if full and sources != (target,):
            raise FileFormatError(
                f"{at}: full supervision of {target!r} reads the target alone, not {text['sources']!r}"
            )
        affinity, gain, quality = (_measure(sheet, line, name, text.get(name, ""), how) for name in MEASURES)
        if np.isnan([affinity, gain, quality]).all():
            raise FileFormatError(
                f"{at}: none of affinity, gain and quality is given, at least one is needed"
            )
        yield _Row(line.number, target, sources, affinity, gain, quality, full)


def _sources(cell: str, targets: list[str] | set[str], tasks: set[str], at: str) -> tuple[str, ...]:
    """Parse and check the sources in a cell."""
    try:
        sources = split_sources(cell, targets, tasks)
    except ValueError as error:
        raise FileFormatError(f"{at}: {error}") from None
    if not sources or not all(sources):
        raise FileFormatError(f"{at}: an empty name in target or sources")
    if len(set(sources)) < len(sources):
        raise FileFormatError(f"{at}: a source is given twice in {cell!r}")
    alone = [source for source in sources if source in {SELF, *BASELINES}]
    if alone and len(sources) > 1:
        raise FileFormatError(f"{at}: {alone[0]!r} is not a task: it cannot be read together with others")
    return sources


def check_target(target: str, at: str, tasks: Collection[str] = ()) -> None:
    """Raise if a text cannot be the name of a target in a CSV.

    Args:
        target: the name.
        at: its place in the file, for messages.
        tasks: names of tasks that are known from the same file.

    Raises:
        FileFormatError: the name is empty, a reserved word, or looks like several names.
    """
    if not target:
        raise FileFormatError(f"{at}: an empty name in target or sources")
    if plain_name(target) in {SELF, *BASELINES}:
        raise FileFormatError(f"{at}: the target is {target!r}, which is not a task: name the task itself")
    if _looks_like_two_targets(target, tasks):
        raise FileFormatError(f"{at}: {target!r} may be several targets: write a line for each")


def _looks_like_two_targets(name: str, tasks: Collection[str]) -> bool:
    """True if the name of a target certainly names several tasks."""
    if not any(mark in name for mark in ("|", ";", ",", " + ")):
        return False
    try:
        parts = split_sources(name, (), tasks)
    except ValueError:
        return False
    return "|" in name or (len(parts) > 1 and set(parts) <= set(tasks))


def _measure(sheet: Sheet, line: Line, column: str, cell: str, how: Normalisation | None) -> float:
    """Parse a number in [0, 1], or any finite one if it will be normalised; NaN for an empty cell."""
    if not cell:
        return math.nan
    try:
        value = sheet.number(cell, line)
    except ValueError as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(
            f"{sheet.at(line)}: {column} is {cell!r}, expected a number or nothing{error}"
        ) from None
    if how is not None:
        if not math.isfinite(value):
            raise FileFormatError(f"{sheet.at(line)}: {column} is {cell}, expected a finite number")
    elif not 0 <= value <= 1:
        raise FileFormatError(
            f"{sheet.at(line)}: {column} is {cell}, outside [0, 1]; leave it empty where not measured, or "
            "use  taxsolver affinity import --normalise"
        )
    return value
