"""Horizontal bars of shares as SVG: one row per name, some of them faint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from taskbank_demo.planning.drawing.style import GRAPH_STYLE
from taskbank_demo.planning.drawing.svg import element, fitted, words

WIDTH = 420
_LEFT, _RIGHT, _TOP, _ROW = 132.0, 42.0, 6.0, 17.0
_SIZE = 11.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One row.

    Attributes:
        name: written to the left.
        share: length of the bar, 0 to 1; also written, in percent.
        faint: whether the row is drawn faintly.
    """

    name: str
    share: float
    faint: bool


def draw_bars(title: str, bars: Sequence[Bar]) -> str:
    """Return bars, the first at the top, as an `<svg>`; assistive technology reads every row."""
    height = round(2 * _TOP + _ROW * len(bars))
    room = WIDTH - _LEFT - _RIGHT
    parts = [element("style", GRAPH_STYLE)]
    for row, bar in enumerate(bars):
        y = _TOP + _ROW * (row + 0.5)
        percent, ink = f"{bar.share:.0%}", "quiet" if bar.faint else None
        place: dict[str, object] = {"x": _LEFT, "y": y - 4.5, "height": 9, "rx": 2}
        parts.append(
            element(
                "g",
                words(fitted(bar.name, _SIZE, _LEFT - 8), _LEFT - 8, y, class_=ink, text_anchor="end"),
                element("rect", width=room, class_="bed", **place),
                element(
                    "rect",
                    width=max(bar.share * room, 0.0),
                    class_="bar quiet" if bar.faint else "bar",
                    **place,
                ),
                words(percent, WIDTH - 2, y, class_=ink, text_anchor="end"),
                role="img",
                aria_label=f"{bar.name} {percent}",
                font_size=_SIZE,
            )
        )
    return element(
        "svg",
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        class_="pg",
        viewBox=f"0 0 {WIDTH} {height}",
        width=WIDTH,
        height=height,
        role="group",
        aria_label=title,
    )
