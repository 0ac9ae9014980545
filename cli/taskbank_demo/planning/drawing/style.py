"""CSS that is part of every picture in this folder."""

from __future__ import annotations

import re
from pathlib import Path

from taxsolver.figures.orders import order_colour

# The same hues, lighter, for dark pages: contrast at least 5:1 on #14171c, safe for colour blindness.
_ON_DARK = ("#5db4f0", "#f0b429", "#3ecf9a", "#e48ab4", "#ff8a5c", "#9adcff")
# The rules of the file, without comments and unneeded blanks.
_BARE = re.sub(
    r"/\*.*?\*/", "", Path(__file__).with_name("picture.css").read_text(encoding="utf-8"), flags=re.DOTALL
)
_RULES = re.sub(r"\s*([{};:,])\s+|\s+(?=\{)", r"\1", _BARE).strip()


def _colours(colours: tuple[str, ...]) -> str:
    return "".join(f"--g-o{order}:{colour};" for order, colour in enumerate(colours, start=1))


GRAPH_STYLE = (
    f".pg{{{_colours(tuple(order_colour(order) for order in range(1, 7)))}}}"
    f".dark .pg{{{_colours(_ON_DARK)}}}{_RULES}"
)
"""CSS of every picture of class `pg`; the colours of orders are those of taxsolver's own pictures."""
