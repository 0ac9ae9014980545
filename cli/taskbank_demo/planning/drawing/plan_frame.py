"""The frame of a plan's picture: the legend below it, and in a saved file a heading and bars."""

from __future__ import annotations

import math
from collections.abc import Mapping

from taskbank_demo.planning.drawing.plan_words import proof
from taskbank_demo.planning.drawing.svg import element, fitted, width_of, words
from taxsolver.figures.headline import budget_words, headline
from taxsolver.planning.taxonomy import Taxonomy

MARGIN, TITLE, BAR, MEASURE = 20, 96, 48, 92  # px; BAR: width of a full bar, MEASURE: of its column
_MEASURES = (
    "gain, quality: share of test images on which it beats training from scratch, full supervision; "
    "the mark is 0.5"
)
_FOOT = 22  # px, for that text
_MEANING = {
    "own": "labelled, own network",
    "others": "labelled for others",
    "untrained": "untrained, no labels",
    "read": "read out",
}


def frame_box(width: float, height: float) -> str:
    """Return the view box of the whole picture."""
    x, y = -MEASURE - MARGIN, -TITLE - MARGIN
    return f"{x} {y} {width + 3 * MEASURE + 2 * MARGIN:.0f} {height + TITLE + _FOOT + 2 * MARGIN:.0f}"


def draw_frame(
    taxonomy: Taxonomy,
    sources: Mapping[str, float],
    targets: Mapping[str, float],
    width: float,
    height: float,
) -> str:
    """Draw background, heading and bars, outside of the part that the page shows."""
    left, right, room = -MEASURE, width + 14, width + 3 * MEASURE
    first, second = headline(taxonomy)
    problem = taxonomy.problem
    orders = "any order" if problem.max_order is None else f"orders up to {problem.max_order}"
    third = (
        f"{problem.affinity.name}  ·  {budget_words(problem)}  ·  {orders}  ·  "
        f"{problem.objective} {taxonomy.objective:.4g}, {proof(taxonomy)}"
    )
    x, y, *size = frame_box(width, height).split()
    parts = [element("rect", x=x, y=y, width=size[0], height=size[1], class_="paper")]
    parts += [words(fitted(first, 20, room), left, -TITLE + 4, class_="strong", font_size=20)]
    parts += [words(fitted(second, 15, room), left, -TITLE + 32, font_size=15)]
    parts += [words(fitted(third, 12, room), left, -TITLE + 54, class_="quiet", font_size=12)]
    heads = [("gain", left), ("gain", right), ("quality", right + MEASURE)]
    parts += [words(text, at, 11, class_="quiet", font_size=12) for text, at in heads]
    parts.append(words(_MEASURES, left, height + _FOOT / 2, class_="quiet", font_size=12))
    for transfer in taxonomy.transfers:
        if transfer.full_supervision:
            parts.append(_bar(left, sources[transfer.target], transfer.gain, "bar"))
        else:
            y_at, colour = targets[transfer.target], f"bar o{min(transfer.order, 6)}"
            parts.append(_bar(right, y_at, transfer.gain, colour))
            parts.append(_bar(right + MEASURE, y_at, transfer.quality, colour))
    return element("g", *parts, aria_hidden="true", class_="frame")


def legend(taxonomy: Taxonomy, width: float, top: float, size: float) -> tuple[str, float]:
    """Draw the legend of boxes and discs in as many lines as needed; also return its lower end in px."""
    tasks = [*taxonomy.sources, *(one.target for one in taxonomy.transfers)]
    kinds = {kind_of(taxonomy, task) for task in tasks}
    orders = sorted({one.order for one in taxonomy.transfers if not one.full_supervision})
    items = [(kind, _MEANING[kind]) for kind in _MEANING if kind in kinds]
    items += [(f"o{min(order, 6)}", f"order {order}") for order in orders[:6]]
    parts, x, y = [], 1.0, top + 8
    for kind, meaning in items:
        wide = 24 + width_of(meaning, size) + 18
        if x > 1 and x + wide > width:
            x, y = 1.0, y + size + 10
        if kind in _MEANING:
            box = element("rect", x=x, y=y - 5, width=16, height=10, rx=3)
            swatch = element("g", box, class_=f"node {kind}")
        else:
            swatch = element("circle", cx=x + 8, cy=y, r=5.5, class_=f"disc {kind}")
        parts += [swatch, words(meaning, x + 22, y, font_size=size)]
        x += wide
    line = element("path", class_="rule", d=f"M0 {top - 8:.1f}H{width}")
    return element("g", line, *parts, class_="legend"), y + size / 2 + 8


def kind_of(taxonomy: Taxonomy, task: str) -> str:
    """Return the style of a task: `own`, `others`, `untrained` or `read`."""
    if task not in taxonomy.sources:
        return "read"
    if task in taxonomy.problem.affinity.untrained:
        return "untrained"
    own = any(one.full_supervision and one.target == task for one in taxonomy.transfers)
    return "own" if own else "others"


def _bar(x: float, y: float, value: float, class_: str) -> str:
    """Draw a bar from 0 to 1 with a mark at 0.5 and its number."""
    known = not math.isnan(value)
    return "".join(
        [
            element("rect", x=x, y=y - 4, width=BAR, height=8, rx=2, class_="bed"),
            element("rect", x=x, y=y - 4, width=BAR * value, height=8, rx=2, class_=class_) if known else "",
            element("path", class_="mark", d=f"M{x + BAR / 2:.1f} {y - 6:.1f}v12"),
            words(f"{value:.2f}" if known else "n/a", x + BAR + 7, y, font_size=12),
        ]
    )
