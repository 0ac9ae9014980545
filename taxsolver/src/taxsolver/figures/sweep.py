"""Figures of gain and quality over the supervision budget, with random plans of the same budget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from taxsolver.errors import InvalidInputError
from taxsolver.figures.orders import order_colour
from taxsolver.figures.page import new_page
from taxsolver.figures.style import FAINT, INK, MUTED, house_style
from taxsolver.figures.text import readable
from taxsolver.planning.sweep import SweepRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BAND = "#c9ced6"  # darker than FAINT, so that it is visible behind the lines
_MARKED = 10  # largest number of budgets with markers; more would overlap
_MEANING = {"gain": "beats training from scratch", "quality": "beats full supervision"}


class RandomBand(Protocol):
    """Gain and quality of random plans of one budget and order.

    Percentiles are the 5th, 50th and 95th of the mean over targets.
    """

    @property
    def budget(self) -> float:
        """Total label cost that the random plans use."""

    @property
    def max_order(self) -> int | None:
        """Largest number of sources of one transfer."""

    @property
    def random_gain(self) -> tuple[float, float, float]:
        """Percentiles of the gain."""

    @property
    def random_quality(self) -> tuple[float, float, float]:
        """Percentiles of the quality."""


class PlannedBand(RandomBand, Protocol):
    """Random plans and the best plan of their budget and order, as `taxsolver.significance` returns them."""

    @property
    def gain(self) -> float:
        """Mean gain of the plan over the targets."""

    @property
    def quality(self) -> float:
        """Mean quality of the plan over the targets."""


@house_style()
def draw_sweep(rows: Sequence[SweepRow], band: Sequence[RandomBand] | None = None) -> Figure:
    """Draw mean gain and quality of the best plans over the supervision budget, one line for each order.

    Args:
        rows: what `taxsolver.sweep` returns; rows without a plan leave a gap.
        band: results of random plans, for any of the budgets; of several orders, the largest is drawn.

    Raises:
        InvalidInputError: no row holds a plan.
        MissingExtraError: matplotlib is not installed.
    """
    planned = [row for row in rows if row.taxonomy is not None]
    if not planned:
        raise InvalidInputError(
            "no row of the sweep holds a plan: sweep larger budgets, or allow more sources"
        )
    targets = max(len(row.taxonomy.transfers) for row in planned if row.taxonomy)
    what = "of one target" if targets == 1 else f"mean over {targets} targets"
    figure = new_page(10, 4.9, "The best plan of every supervision budget", f"gain and quality: {what}")
    panels = figure.subplots(1, 2)
    orders = sorted({row.max_order for row in rows}, reverse=True)
    largest = _sorted_orders(band)[-1] if band else None
    for axes, measure in zip(panels, _MEANING, strict=True):
        if band:
            _draw_band(axes, [row for row in band if row.max_order == largest], measure)
        for number, order in enumerate(orders):
            line = [row for row in rows if row.max_order == order]
            width = 1.5 + 0.9 * (len(orders) - 1 - number)  # narrow on wide, as lines may coincide
            _draw_line(axes, line, measure, _order_words(order), colour=order_colour(order), width=width)
        _finish(axes, measure, unit=rows[0].unit)
    _draw_legend(figure, panels[0])
    return figure


@house_style()
def draw_significance(rows: Sequence[PlannedBand]) -> Figure:
    """Draw the best plan and random plans of the same budget, one row of panels for each order.

    Args:
        rows: what `taxsolver.significance` returns.

    Raises:
        InvalidInputError: there is no row.
        MissingExtraError: matplotlib is not installed.
    """
    if not rows:
        raise InvalidInputError("there is no row to draw: ask for at least one budget and one order")
    orders = _sorted_orders(rows)
    words = "shaded: 5th to 95th percentile of random plans that use the whole budget"
    figure = new_page(10, 1.7 + 3.1 * len(orders), "The best plan against random plans", words)
    panels = figure.subplots(len(orders), 2, squeeze=False)
    for order, pair in zip(orders, panels, strict=True):
        of_order = [row for row in rows if row.max_order == order]
        label = f"best plan, {_order_words(order)}"
        for axes, measure in zip(pair, _MEANING, strict=True):
            _draw_band(axes, of_order, measure)
            _draw_line(axes, of_order, measure, label, colour=order_colour(order or 1))
            _finish(axes, measure, _order_words(order) if len(orders) > 1 else "")
    _draw_legend(figure, *panels[:, 0])
    return figure


def _order_words(order: int | None) -> str:
    if order is None:
        return "any order"
    return "order 1" if order == 1 else f"orders up to {order}"


def _sorted_orders(rows: Sequence[RandomBand]) -> list[int | None]:
    """Orders in rising order, None (no limit) last."""
    return sorted({row.max_order for row in rows}, key=lambda order: math.inf if order is None else order)


def _draw_band(axes: Axes, rows: Sequence[RandomBand], measure: str) -> None:
    ordered = sorted(rows, key=lambda row: row.budget)
    budgets = [row.budget for row in ordered]
    low, middle, high = zip(*(getattr(row, f"random_{measure}") for row in ordered), strict=True)
    shaded = "random plans, 5th to 95th percentile"
    if len(ordered) == 1:  # a band of one budget has no width: draw it as an interval
        axes.vlines(budgets, low, high, color=_BAND, lw=14, label=shaded, zorder=1)
    else:
        axes.fill_between(budgets, low, high, color=_BAND, lw=0, label=shaded, zorder=1)
    marker = "_" if len(ordered) == 1 else ""
    axes.plot(budgets, middle, color=MUTED, lw=1.4, ls="--", marker=marker, label="their median", zorder=2)


def _draw_line(
    axes: Axes,
    rows: Sequence[SweepRow | PlannedBand],
    measure: str,
    label: str,
    *,
    colour: str,
    width: float = 1.8,
) -> None:
    ordered = sorted(rows, key=lambda row: row.budget)
    budgets, values = [row.budget for row in ordered], [getattr(row, measure) for row in ordered]
    marker = "o" if len(budgets) <= _MARKED else ""
    axes.plot(budgets, values, color=colour, lw=width, marker=marker, ms=2 + width, label=label, zorder=3)


def _finish(axes: Axes, measure: str, words: str = "", unit: str | None = None) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_title(f"{measure.capitalize()}, {words}" if words else measure.capitalize())
    counted = "label cost" if unit is None else readable(unit or "total cost")
    axes.set_xlabel(f"supervision budget ({counted})")
    axes.set_ylabel(f"share of images:\n{_MEANING[measure]}")
    axes.axhline(0.5, color=INK, lw=1, ls=":", label="as often better as worse", zorder=2.5)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))
    axes.grid(axis="y", color=FAINT, lw=0.8)
    axes.set_axisbelow(True)


def _draw_legend(figure: Figure, *panels: Axes) -> None:
    """Draw one legend for all panels: plans first, by order, then the baselines."""
    named: dict[str, Any] = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        named |= dict(zip(labels, handles, strict=True))
    plans = sorted(label for label in named if "order" in label)
    labels = plans + [label for label in named if label not in plans]
    columns = 4 if len(labels) > 5 else 3
    handles = [named[label] for label in labels]
    figure.legend(handles, labels, loc="outside lower left", ncols=columns, fontsize=9, borderaxespad=1)
