"""Per-image losses of the transfers of one target, as CSV.

The first line names the transfers, each by its sources joined with `|`; every other line holds the losses of
one image. A first column with the heading `image` or `file`, or without one, holds names of images and is
ignored. The source `self` stands for the fully supervised network of the target, `scratch` (or `pixels`) for
one that was trained from scratch on the data of the transfers, which is not a transfer but the baseline of
the gain. Accepted variants are described in `csv_text` and `source_names`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from taxsolver.errors import FileFormatError
from taxsolver.files.csv_text import Line, Sheet, read_file, read_sheet
from taxsolver.files.output import check_path
from taxsolver.tensors.affinity import FloatArray
from taxsolver.tensors.ahp import win_rates
from taxsolver.tensors.source_names import BASELINES, looks_joined, split_sources

_NAMES_OF_IMAGES = frozenset({"image", "file"})


@dataclass(frozen=True, eq=False)
class LossMatrix:
    """Losses of one target.

    Attributes:
        transfers: names of the sources of each column.
        losses: float64 (images, transfers); lower is better. NaN only where the file has it.
    """

    transfers: tuple[tuple[str, ...], ...]
    losses: FloatArray

    @property
    def names(self) -> tuple[str, ...]:
        """The transfers as text: sources with ` + ` between."""
        return tuple(" + ".join(sources) for sources in self.transfers)

    @property
    def without_controls(self) -> LossMatrix:
        """Return the matrix without the baselines, which are not transfers."""
        kept = [place for place, sources in enumerate(self.transfers) if not BASELINES.issuperset(sources)]
        return LossMatrix(tuple(self.transfers[place] for place in kept), self.losses[:, kept])

    def against(self, *controls: str) -> FloatArray | None:
        """Compute the share of images on which each transfer has a lower loss than a control, ties as half.

        Args:
            controls: names of columns; the first one present is used.

        Returns:
            float64 (transfers of `without_controls`,) in [0, 1]; None if there is no such column.

        Raises:
            InvalidInputError: a loss is not finite.
        """
        found = next((self.transfers.index((name,)) for name in controls if (name,) in self.transfers), None)
        if found is None:
            return None
        wins = win_rates(self.losses, self.names)[:, found]
        kept = [place for place, sources in enumerate(self.transfers) if not BASELINES.issuperset(sources)]
        return np.asarray(wins[kept], dtype=np.float64)


def read_losses(path: str | Path) -> LossMatrix:
    """Read a CSV of losses.

    Raises:
        FileFormatError: the file cannot be read or has another format; the message names the line.
    """
    place = check_path(path)
    sheet = read_sheet(read_file(place), str(place)).without_index(names_down=True)
    names, at = sheet.header.cells, sheet.at(sheet.header)
    skipped = 1 if names and (sheet.is_nameless(0) or names[0].casefold() in _NAMES_OF_IMAGES) else 0
    if skipped and not names[0] and any(_is_number(sheet, line) for line in sheet.lines):
        raise FileFormatError(f"{at}: column 1 has no name: name it, or delete it")
    if not names[skipped:]:
        raise FileFormatError(f"{at}: expected the names of transfers, as in normal,normal|edge_texture")
    tasks = {name for name in names[skipped:] if not looks_joined(name)}
    transfers = []
    for name in names[skipped:]:
        try:
            transfers.append(split_sources(name, (), tasks))
        except ValueError as error:
            raise FileFormatError(f"{at}: {error}") from None
    seen: set[frozenset[str]] = set()
    for sources in transfers:
        if not sources or not all(sources):
            raise FileFormatError(
                f"{at}: a transfer has a source without a name, expected names as in "
                "normal,normal|edge_texture"
            )
        if len(set(sources)) < len(sources):
            raise FileFormatError(f"{at}: a source is given twice in {'|'.join(sources)!r}")
        if frozenset(sources) in seen:
            raise FileFormatError(f"{at}: the transfer {'|'.join(sources)!r} is given twice")
        seen.add(frozenset(sources))
    rows = []
    for line in sheet.lines:
        losses = []
        for name, cell in zip(names[skipped:], line.cells[skipped:], strict=True):
            try:
                losses.append(sheet.number(cell, line))
            except FileFormatError:
                raise
            except ValueError as error:
                raise FileFormatError(
                    f"{sheet.at(line)}: the loss of {name} is {cell!r}, expected a number{error}"
                ) from None
        rows.append(losses)
    return LossMatrix(tuple(transfers), np.array(rows, dtype=np.float64).reshape(len(rows), len(transfers)))


def _is_number(sheet: Sheet, line: Line) -> bool:
    """True if the first cell is a number, and so may be a loss."""
    try:
        sheet.number(line.cells[0], line)
    except FileFormatError:
        raise
    except ValueError:
        return False
    return True
