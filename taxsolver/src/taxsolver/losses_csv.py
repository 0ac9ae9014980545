"""Per-image losses of the transfers of one target, as CSV.

The first line names the transfers, each by its sources joined with `|`; every other line holds the losses of
one image. A first column headed `image` holds names of images and is passed over. The source `self` stands
for the fully supervised network of the target.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from taxsolver.affinity import FloatArray
from taxsolver.errors import FileFormatError


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


def _read(lines: Iterator[list[str]], place: Path) -> LossMatrix:
    header = next(lines, [])
    skip = 1 if header and header[0].strip().casefold() == "image" else 0
    transfers = tuple(tuple(part.strip() for part in cell.split("|")) for cell in header[skip:])
    if not transfers or not all(all(sources) for sources in transfers):
        raise FileFormatError(
            f"{place}, line 1: expected the names of transfers, as in normal,normal|edge_texture"
        )
    repeated = {sources for sources in transfers if transfers.count(sources) > 1}
    if repeated:
        raise FileFormatError(f"{place}, line 1: the transfer {'|'.join(min(repeated))!r} stands twice")
    rows = [
        _numbers(cells, skip, header, f"{place}, line {number}")
        for number, cells in enumerate(lines, start=2)
        if cells
    ]
    return LossMatrix(transfers, np.array(rows, dtype=np.float64).reshape(len(rows), len(transfers)))


def _numbers(cells: list[str], skip: int, header: list[str], line: str) -> list[float]:
    if len(cells) != len(header):
        raise FileFormatError(f"{line}: {len(cells)} cells, expected {len(header)} as in the first line")
    try:
        return [float(cell) for cell in cells[skip:]]
    except ValueError as error:
        raise FileFormatError(f"{line}: {error}") from None
