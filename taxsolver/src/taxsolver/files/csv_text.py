"""Tolerant reading of CSV files as written by hand, by spreadsheets or by pandas.

It accepts UTF-8 and, with a byte order mark, UTF-16; commas, semicolons and tabs between cells; the first
line `sep=;` of spreadsheets; decimal commas if commas do not separate cells; columns that only number the
lines, as pandas writes them; and concatenated files with repeated headings. Ambiguous text raises an error
with its line number.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from taxsolver.arguments import shown
from taxsolver.errors import FileFormatError, InvalidInputError
from taxsolver.plain_text import from_cell

# White space, and the zero-width characters that come with names copied from web pages.
_BLANKS = "".join(char for char in map(chr, range(0x3001)) if char.isspace()) + "\u200b\u2060\ufeff"
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_NO_NAME = re.compile(
    r"(unnamed: ?\d+(_level_\d+)?)?", re.IGNORECASE
)  # names that pandas writes or invents for a column without a name
_INDEX = frozenset({"index", "level_0"})
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?|[+-]?inf(inity)?|nan", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """One line of a sheet.

    Attributes:
        number: number of the line in the file, from 1.
        cells: cells without surrounding white space.
    """

    number: int
    cells: tuple[str, ...]


@dataclass
class Sheet:
    """A CSV file cut into cells.

    Attributes:
        where: the file, for messages.
        header: the first line that is not empty.
        lines: the lines below it, without empty ones.
        delimiter: the character between cells.
    """

    where: str
    header: Line
    lines: list[Line]
    delimiter: str
    _decimal: dict[str, int] = field(default_factory=dict)  # point or comma -> first line with one

    def at(self, line: Line) -> str:
        """Name the file and number of a line, for messages."""
        return f"{self.where}, line {line.number}"

    def number(self, cell: str, line: Line) -> float:
        """Parse the number in a cell; a decimal comma is accepted if commas do not separate cells.

        Raises:
            ValueError: the cell holds no number; the message says how to write it, or is empty.
            FileFormatError: the file mixes decimal points and decimal commas.
        """
        if not _NUMBER.fullmatch(cell):
            raise ValueError(": leave out the sign %" if cell.endswith("%") else "")
        for mark in ".,":
            if mark in cell:
                self._decimal.setdefault(mark, line.number)
        if "," in cell and self.delimiter == ",":
            raise ValueError(": write a decimal point, or separate the cells with semicolons")
        if len(self._decimal) > 1:
            (_, first), (_, last) = sorted(self._decimal.items(), key=lambda mark: mark[1])
            raise FileFormatError(
                f"{self.where}, line {last}: a number with another decimal mark than in line {first}: write "
                "all with a point, or all with a comma"
            )
        return float(cell.replace(",", "."))

    def check_widths(self, header: Line, lines: Iterable[Line]) -> None:
        """Raise unless all lines have as many cells as their header.

        Raises:
            FileFormatError: the message names the line.
        """
        for line in lines:
            if len(line.cells) != len(header.cells):
                hint = ": where commas part cells, write decimal points, and | between sources"
                shown = hint if self.delimiter == "," and len(line.cells) > len(header.cells) else ""
                raise FileFormatError(
                    f"{self.at(line)}: not as many cells as there are columns: {len(line.cells)}, expected "
                    f"{len(header.cells)} as in line {header.number}{shown}"
                )

    def is_nameless(self, column: int) -> bool:
        """Return True if a column has no name, or a name that pandas invents for it."""
        return _NO_NAME.fullmatch(self.header.cells[column]) is not None

    def without_index(self, *, names_down: bool = False) -> Sheet:
        """Drop columns without a name that are empty or only number the lines.

        Args:
            names_down: allow a first column that holds names but has no name itself.

        Raises:
            FileFormatError: a column without a name holds other values, one called `index` holds numbers in
                another order, or a line is too long or short.
        """
        self.check_widths(self.header, self.lines)
        kept = []
        for column, name in enumerate(self.header.cells):
            cells = [line.cells[column] for line in self.lines]
            if not self.is_nameless(column):
                if name.casefold() in _INDEX and _are_numbers(cells):
                    if not _counts_up(cells):
                        raise FileFormatError(
                            f"{self.at(self.header)}: column {column + 1} is called {name!r} and may only "
                            "number the lines: rename it, or delete it"
                        )
                    continue
                kept.append(column)
            elif any(cells) and not _is_index(cells):
                if column or not names_down:
                    shown = f"is called {name!r}" if name else "has no name"
                    raise FileFormatError(
                        f"{self.at(self.header)}: column {column + 1} {shown}: name it, or delete it"
                    )
                kept.append(column)

        def part(line: Line) -> Line:
            return Line(line.number, tuple(line.cells[column] for column in kept))

        return Sheet(self.where, part(self.header), [part(line) for line in self.lines], self.delimiter)


def read_file(path: Path) -> bytes:
    """Read the bytes of a file.

    Raises:
        FileFormatError: the file cannot be read.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise FileFormatError(f"cannot read {path}: {reason}") from error


def read_sheet(content: str | bytes, where: str) -> Sheet:
    """Cut a CSV file into cells.

    Lines that repeat the header, as in concatenated files, are left out.

    Args:
        content: the text, or its bytes in UTF-8 or, with a mark, UTF-16.
        where: the file, for messages.

    Raises:
        FileFormatError: the text or its quotation marks cannot be read, or the delimiter is ambiguous.
    """
    if not isinstance(content, str | bytes):
        raise InvalidInputError(f"the content of {where} is {shown(content)}, expected text or bytes")
    if isinstance(content, bytes):
        encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
        try:
            content = content.decode(encoding)
        except UnicodeDecodeError as error:
            raise FileFormatError(
                f"{where} is not CSV text in UTF-8: {error}; save it as CSV in UTF-8"
            ) from error
    if "\0" in content:
        raise FileFormatError(f"{where} is not CSV text in UTF-8: it holds a NUL; save it as CSV in UTF-8")
    # The second mark stands inside concatenated files.
    text = content.removeprefix("\ufeff").replace("\n\ufeff", "\n")
    first, newline, rest = text.partition("\n")
    stated = re.fullmatch(r"\"?sep=(.)\"?,*;*\r?", first.removeprefix("\ufeff"), re.IGNORECASE)
    if stated and newline:
        if stated[1] not in _DELIMITERS:
            raise FileFormatError(
                f"{where}, line 1: the stated separator is {stated[1]!r}: only commas, semicolons and tabs "
                "can be read"
            )
        delimiter, text = stated[1], rest
    else:
        delimiter = _delimiter(text, where)
    lines = _cut(text, delimiter, where, 1 if stated and newline else 0)
    if not lines:
        return Sheet(where, Line(1, ()), [], delimiter)
    header = lines[0]
    return Sheet(where, header, [line for line in lines[1:] if line.cells != header.cells], delimiter)


def _delimiter(text: str, where: str) -> str:
    """Find the delimiter: from the first line, or from all lines if the first is ambiguous."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)
    found = [mark for mark in _DELIMITERS if mark in bare]
    if len(found) < 2:
        return found[0] if found else ","
    even = []
    for mark in found:
        try:
            widths = {len(line.cells) for line in _cut(text, mark, where, 0)}
        except FileFormatError:
            continue
        if len(widths) == 1:
            even.append(mark)
    if len(even) != 1:
        raise FileFormatError(
            f"{where}, line 1: the separator may be {' or '.join(_DELIMITERS[mark] for mark in found)}: "
            "use one of them, and | between sources that are read together"
        )
    return even[0]


def _cut(text: str, delimiter: str, where: str, skipped: int) -> list[Line]:
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    try:
        lines = [
            Line(reader.line_num + skipped, tuple(from_cell(cell.strip(_BLANKS)) for cell in cells))
            for cells in reader
        ]
    except csv.Error as error:
        raise FileFormatError(f"{where}, line {reader.line_num + skipped}: {error}") from error
    return [line for line in lines if any(line.cells)]


def _is_index(cells: Sequence[str]) -> bool:
    """True for whole numbers that rise or start again, as line numbers do; some may be missing."""
    return all(cell.isdecimal() for cell in cells) and all(
        int(later) > int(earlier) or int(later) <= 1 for earlier, later in pairwise(cells)
    )


def _are_numbers(cells: Sequence[str]) -> bool:
    """True for whole numbers, each of them once."""
    return bool(cells) and all(cell.isdecimal() for cell in cells) and len(set(cells)) == len(cells)


def _counts_up(cells: Sequence[str]) -> bool:
    """True for 0, 1, 2 and so on, or 1, 2, 3."""
    return (
        bool(cells)
        and cells[0] in {"0", "1"}
        and list(cells) == [str(int(cells[0]) + row) for row in range(len(cells))]
    )
