"""Escaping of foreign text for terminals."""

from __future__ import annotations

import re

# Control characters (C0 and C1, with line ends), marks of text direction, and bytes of file names that are
# not UTF-8.
_HARMFUL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Escape control characters, and text that cannot be encoded, as `\x1b` and the like.

    Args:
        text: may hold file names, or texts from banks.
    """
    return _HARMFUL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
