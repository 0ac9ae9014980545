"""Affinity tensors as CSV: one row a transfer, sources joined by `|`.

Columns: `target`, `sources`, `affinity`, `gain`, `quality`, `full_supervision`, and `order`, which is
derived. Only `target`, `sources` and one of the measures are needed. The published tables are read as they
are: `win_rate_vs_scratch` is the gain, `win_rate_vs_full_supervision` the quality, the source `self` the
fully supervised network, rows of the source `pixels` or `scratch` are the baseline, no transfers, and
`random` is an untrained source unless the caller says what is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from taxsolver.affinity import AffinityTensor
from taxsolver.errors import FileFormatError, InvalidInputError

COLUMNS = ("target", "order", "sources", "affinity", "gain", "quality", "full_supervision")
SYNONYMS = {"win_rate_vs_scratch": "gain", "win_rate_vs_full_supervision": "quality"}
BASELINES = frozenset({"pixels", "scratch"})
SELF, RANDOM = "self", "random"
_TRUTH = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}


@dataclass(frozen=True)
class _Row:
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
    """All transfers of a tensor as CSV text; an empty cell where a measure is NaN.

    Numbers are written so that reading them gives the same float64.

    Raises:
        InvalidInputError: a task is called so that it would not be read as that task.
    """
    for task in tensor.tasks:
        if task in {SELF, *BASELINES} or "|" in task or task != task.strip() or not task:
            raise InvalidInputError(
                f"the task {task!r} cannot be written to CSV, where `|` joins sources and {SELF}, "
                f"{' and '.join(sorted(BASELINES))} have a meaning: rename it, or save as .safetensors"
            )
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in range(len(tensor)):
        measures = (tensor.affinity[row], tensor.gain[row], tensor.quality[row])
        writer.writerow(
            [
                tensor.tasks[tensor.target[row]],
                int(tensor.order[row]),
                "|".join(tensor.source_names(row)),
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
    **header: Any,
) -> AffinityTensor:
    """The tensor that a CSV describes; tasks are sorted by name.

    Args:
        content: the text, or its bytes in UTF-8.
        name: what the tensor is to be called.
        where: the file, for messages.
        header: further fields of `AffinityTensor`: aliases, untrained, images_full, images_transfer, about.

    Raises:
        FileFormatError: not UTF-8, a column is missing, or a line is wrong (its number is named).
        InvalidInputError: the lines are readable, but make no valid tensor.
    """
    rows = [
        row for row in _read_rows(_decode(content, where), where) if not BASELINES.issuperset(row.sources)
    ]
    tasks = tuple(sorted({row.target for row in rows}.union(*(row.sources for row in rows))))
    column = {task: index for index, task in enumerate(tasks)}
    sources = np.zeros((len(rows), len(tasks)), dtype=bool)
    for index, row in enumerate(rows):
        sources[index, [column[source] for source in row.sources]] = True
    measured = {row.target for row in rows}
    header.setdefault("untrained", (RANDOM,) if RANDOM in tasks else ())
    return AffinityTensor(
        name=name,
        tasks=tasks,
        targets=tuple(task for task in tasks if task in measured),
        sources=sources,
        target=np.array([column[row.target] for row in rows], dtype=np.int32),
        affinity=np.array([row.affinity for row in rows], dtype=np.float64),
        gain=np.array([row.gain for row in rows], dtype=np.float64),
        quality=np.array([row.quality for row in rows], dtype=np.float64),
        full_supervision=np.array([row.full_supervision for row in rows], dtype=bool),
        **header,
    )


def read_tensor_csv(path: str | Path, *, name: str | None = None, **header: Any) -> AffinityTensor:
    """The tensor that a CSV file describes.

    Args:
        path: the file.
        name: what the tensor is to be called; None for the file's name without its ending.
        header: as for `tensor_from_csv`.

    Raises:
        FileFormatError: the file cannot be read, or as for `tensor_from_csv`.
        InvalidInputError: the lines are readable, but make no valid tensor.
    """
    place = Path(path)
    try:
        content = place.read_bytes()
    except OSError as error:
        raise FileFormatError(f"cannot read {place}: {error.strerror or error}") from error
    return tensor_from_csv(content, name=name or place.stem, where=str(place), **header)


def _decode(content: str | bytes, where: str) -> str:
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{where} is no CSV text in UTF-8: {error}") from error


def _read_rows(text: str, where: str) -> list[_Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows: list[_Row] = []
    first_line: dict[tuple[object, ...], int] = {}
    try:
        reader.fieldnames = [SYNONYMS.get(cell.strip(), cell.strip()) for cell in reader.fieldnames or ()]
        _check_columns(reader.fieldnames, where)
        for cells in reader:
            row = _read_row(cells, f"{where}, line {reader.line_num}")
            earlier = first_line.setdefault(row.key, reader.line_num)
            if earlier != reader.line_num:
                raise FileFormatError(
                    f"{where}, line {reader.line_num}: the same transfer as in line {earlier}"
                )
            rows.append(row)
    except csv.Error as error:  # the line number of the DictReader is that of the last good line
        raise FileFormatError(f"{where}, line {reader.reader.line_num}: {error}") from error
    if not rows:
        raise FileFormatError(f"{where} holds no transfer: there is no line below the column names")
    return rows


def _check_columns(columns: list[str], where: str) -> None:
    missing = [column for column in ("target", "sources") if column not in columns]
    if missing or not {"affinity", "gain", "quality"} & set(columns):
        raise FileFormatError(
            f"{where} has the columns {', '.join(columns) or '(none)'}; needed are target, sources and at "
            "least one of affinity, gain and quality"
        )
    twice = [column for column in columns if columns.count(column) > 1]
    if twice:
        raise FileFormatError(f"{where} has the column {twice[0]!r} twice, under one name or two: keep one")
    unknown = [column for column in columns if column not in COLUMNS]
    if unknown:
        raise FileFormatError(f"{where} has an unknown column {unknown[0]!r}; known are {', '.join(COLUMNS)}")


def _read_row(cells: Mapping[str | None, Any], line: str) -> _Row:
    if None in cells or None in cells.values():
        raise FileFormatError(f"{line}: not as many cells as there are columns")
    text = {str(column): str(cell).strip() for column, cell in cells.items()}
    target, sources = text["target"], tuple(part.strip() for part in text["sources"].split("|"))
    if not target or not all(sources):
        raise FileFormatError(f"{line}: an empty name in target or sources")
    if len(set(sources)) < len(sources):
        raise FileFormatError(f"{line}: a source stands twice in {text['sources']!r}")
    alone = [source for source in sources if source in {SELF, *BASELINES}]
    if alone and len(sources) > 1:
        raise FileFormatError(f"{line}: {alone[0]!r} is no task: it cannot be read together with others")
    full = _truth(text.get("full_supervision", ""), line) or sources == (SELF,)
    sources = (target,) if sources == (SELF,) else sources
    if text.get("order") and text["order"] != str(len(sources)):
        raise FileFormatError(f"{line}: order is {text['order']}, but there are {len(sources)} sources")
    if full and sources != (target,):
        raise FileFormatError(
            f"{line}: full supervision of {target!r} reads the target alone, not {text['sources']!r}"
        )
    affinity, gain, quality = (_number(text.get(m, ""), m, line) for m in ("affinity", "gain", "quality"))
    if np.isnan([affinity, gain, quality]).all():
        raise FileFormatError(f"{line}: none of affinity, gain and quality is given, at least one is needed")
    return _Row(target, sources, affinity, gain, quality, full)


def _number(cell: str, column: str, line: str) -> float:
    try:
        value = float(cell) if cell else float("nan")
    except ValueError:
        raise FileFormatError(f"{line}: {column} is {cell!r}, expected a number or nothing") from None
    if cell and not 0 <= value <= 1:
        raise FileFormatError(
            f"{line}: {column} is {cell}, outside [0, 1]; leave it empty where not measured"
        )
    return value


def _truth(cell: str, line: str) -> bool:
    try:
        return _TRUTH[cell.casefold()]
    except KeyError:
        raise FileFormatError(f"{line}: full_supervision is {cell!r}, expected true or false") from None
