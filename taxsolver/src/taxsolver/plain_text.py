"""Escaping of untrusted text for terminals, figures and spreadsheets. Imports nothing heavy."""

from __future__ import annotations

import re

# C0 and C1 control characters, line ends, marks that change the writing direction, and bytes of file names
# that are not UTF-8.
_HARMFUL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_FORMULA = ("=", "+", "-", "@")


def printable(text: str) -> str:
    r"""Escape control characters and characters that cannot be encoded, as in `\x1b`.

    Args:
        text: a text that may contain names of files or tasks.
    """
    return _HARMFUL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def harmful(text: str) -> bool:
    """Return True if `printable` would change the text."""
    return _HARMFUL.search(text) is not None


def to_cell(text: str) -> str:
    """Return a text for a CSV cell, with an apostrophe in front if spreadsheets would run it as a formula.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def from_cell(cell: str) -> str:
    """Return the text of a cell, without an apostrophe that `to_cell` added."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
