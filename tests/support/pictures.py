"""Checks of pictures: their words, and whether these can be read."""

from __future__ import annotations

import io
from itertools import combinations
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from taxsolver.figures.style import house_style


def panel(figure: Any, number: int = 0) -> Any:
    """One of the figure's axes, whose artists answer without types."""
    return figure.axes[number]


def words(figure: Any) -> list[str]:
    """Every text that is shown."""
    return [text.get_text() for text in _texts(figure)]


def said(figure: Any) -> str:
    """All texts in one string."""
    return "\n".join(words(figure))


def cut_off(figure: Any) -> list[str]:
    """Texts that reach beyond the figure."""
    whole = figure.bbox
    return [
        text
        for text, box in _boxes(figure)
        if box.x0 < whole.x0 or box.y0 < whole.y0 or box.x1 > whole.x1 or box.y1 > whole.y1
    ]


def overlapping(figure: Any) -> list[tuple[str, str]]:
    """Pairs of texts that lie on each other; of no use where texts are turned."""
    return [
        (one, other)
        for (one, box), (other, box2) in combinations(_boxes(figure), 2)
        if box.x0 < box2.x1 and box2.x0 < box.x1 and box.y0 < box2.y1 and box2.y0 < box.y1
    ]


@house_style()
def svg(figure: Any) -> bytes:
    """The figure as SVG, as `save_figure` writes it."""
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def _texts(figure: Any) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


@house_style()
def _boxes(figure: Any) -> list[tuple[str, Any]]:
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    return [(text.get_text(), text.get_window_extent(renderer)) for text in _shown(figure)]


def _shown(figure: Any) -> list[Text]:
    """Without names of ticks that lie beyond their axis, which matplotlib keeps but does not draw."""
    idle = {
        label
        for axes in figure.axes
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim()))
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        if not min(low, high) <= tick.get_loc() <= max(low, high)
        for label in (tick.label1, tick.label2)
    }
    hidden = {text for axes in figure.axes if not axes.axison for text in axes.findobj(Text)} - {
        text for axes in figure.axes for text in axes.texts
    }
    return [text for text in _texts(figure) if text not in idle and text not in hidden]
