"""Text from elsewhere as terminals, pictures and spreadsheets may have it. Nothing heavy is imported."""

from __future__ import annotations

import re

# Control characters of both sets, line ends too, marks that turn the direction of writing, and bytes of file
# names that are no UTF-8.
_HARMFUL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_FORMULA = ("=", "+", "-", "@")


def printable(text: str) -> str:
    r"""Write what terminals would obey, SVG may not hold, or cannot be encoded, as escapes such as `\x1b`.

    Args:
        text: with names of files or tasks.
    """
    return _HARMFUL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def harmful(text: str) -> bool:
    """True if a text holds what `printable` would change."""
    return _HARMFUL.search(text) is not None


def to_cell(text: str) -> str:
    """A text for a cell of a CSV file, with an apostrophe in front where spreadsheets would run it.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def from_cell(cell: str) -> str:
    """The text of a cell that `to_cell` may have written."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
