"""Text from elsewhere as it may be shown on a terminal."""

from __future__ import annotations

import re

# Control characters of both sets, line ends too, marks that turn the direction of writing, and bytes of file
# names that are no UTF-8.
_HARMFUL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Write what terminals would obey, and what cannot be encoded, as escapes such as `\x1b`.

    Args:
        text: with file names, or words out of banks.
    """
    return _HARMFUL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
