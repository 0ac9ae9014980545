"""CSV files with names from elsewhere, which spreadsheets do not run as formulas. Imports nothing heavy."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_text(text: str) -> str:
    """Return a text for a cell, with an apostrophe in front if spreadsheets would run it as a formula.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def safe_path(path: str) -> str:
    """Return a path for a cell; with `./` in front it is the same file, and no formula."""
    return f"./{path}" if path.startswith(_FORMULA) else path


def to_csv(rows: Iterable[Sequence[object]]) -> bytes:
    r"""Write rows as CSV in UTF-8; bytes of names that are not UTF-8 are written as `\udcff`."""
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode(errors="backslashreplace")
