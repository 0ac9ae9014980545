"""Per-image losses of the transfers of one target, as CSV.

The first line names the transfers, each by its sources joined with `|`; every other line holds the losses of
one image. A first column headed `image` holds names of images and is passed over. The source `self` stands
for the fully supervised network of the target.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from taxsolver.affinity import FloatArray
from taxsolver.errors import FileFormatError

if TYPE_CHECKING:
    from _csv import Reader


@dataclass(frozen=True, eq=False)
class LossMatrix:
    """Losses of one target.

    Attributes:
        transfers: what each column was read out from; names of sources.
        losses: float64 (images, transfers); lower is better. May hold NaN where the file says so.
    """

    transfers: tuple[tuple[str, ...], ...]
    losses: FloatArray

    @property
    def names(self) -> tuple[str, ...]:
        """The transfers as text: sources with ` + ` between."""
        return tuple(" + ".join(sources) for sources in self.transfers)


def read_losses(path: str | Path) -> LossMatrix:
    """Read a CSV of losses.

    Raises:
        FileFormatError: the file cannot be read or is no such CSV; a wrong line is named by its number.
    """
    place = Path(path)
    try:
        with place.open(encoding="utf-8-sig", newline="") as stream:
            return _read(csv.reader(stream, strict=True), place)
    except OSError as error:
        raise FileFormatError(f"cannot read {place}: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileFormatError(f"{place} is no CSV text in UTF-8: {error}") from error


def _read(lines: Reader, place: Path) -> LossMatrix:
    header: list[str] = next(lines, [])
    skip = 1 if header and header[0].strip().casefold() == "image" else 0
    transfers = tuple(tuple(part.strip() for part in cell.split("|")) for cell in header[skip:])
    if not transfers or not all(all(sources) for sources in transfers):
        raise FileFormatError(
            f"{place}, line 1: expected the names of transfers, as in normal,normal|edge_texture"
        )
    _check_transfers(transfers, f"{place}, line 1")
    rows = [_numbers(cells, skip, header, f"{place}, line {lines.line_num}") for cells in lines if cells]
    return LossMatrix(transfers, np.array(rows, dtype=np.float64).reshape(len(rows), len(transfers)))


def _numbers(cells: list[str], skip: int, header: list[str], line: str) -> list[float]:
    if len(cells) != len(header):
        raise FileFormatError(f"{line}: {len(cells)} cells, expected {len(header)} as in the first line")
    losses = []
    for name, cell in zip(header[skip:], cells[skip:], strict=True):
        try:
            losses.append(float(cell))
        except ValueError:
            raise FileFormatError(f"{line}: the loss of {name} is {cell!r}, expected a number") from None
    return losses


def _check_transfers(transfers: tuple[tuple[str, ...], ...], line: str) -> None:
    seen: set[frozenset[str]] = set()
    for sources in transfers:
        if len(set(sources)) < len(sources):
            raise FileFormatError(f"{line}: a source stands twice in {'|'.join(sources)!r}")
        if frozenset(sources) in seen:
            raise FileFormatError(f"{line}: the transfer {'|'.join(sources)!r} stands twice")
        seen.add(frozenset(sources))
