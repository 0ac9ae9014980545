"""Figure with margins and a heading, shared by all figures made of plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taxsolver.figures.style import MUTED, new_figure
from taxsolver.figures.text import fitting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARGIN = 0.16  # inches


def new_page(width: float, height: float, heading: str, words: str = "") -> Figure:
    """Create an empty figure with a heading and a line of smaller text below it; sizes in inches."""
    figure = new_figure(width, height)
    room = width - 2 * _MARGIN
    line, below = 0.27, 0.22 if words else 0.0
    head = _MARGIN + line + below + 0.08
    pads: dict[str, Any] = {"w_pad": _MARGIN, "h_pad": _MARGIN / 2, "wspace": 0.03, "hspace": 0.03}
    figure.set_layout_engine("constrained", rect=(0, 0, 1, 1 - head / height), **pads)
    left, top = _MARGIN / width, 1 - _MARGIN / height
    size = fitting(heading, 14, room, bold=True)
    figure.text(left, top, heading, size=size, weight="bold", va="top", in_layout=False)
    if words:
        size = fitting(words, 9.5, room)
        figure.text(left, top - line / height, words, size=size, color=MUTED, va="top", in_layout=False)
    return figure
