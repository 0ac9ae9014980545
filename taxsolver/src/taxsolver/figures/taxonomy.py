"""Figure of a taxonomy: labelled tasks on the left, tasks read out from them on the right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from taxsolver.figures.headline import budget_words, headline
from taxsolver.figures.orders import order_colour
from taxsolver.figures.style import FAINT, INK, MUTED, PAPER, house_style, new_figure
from taxsolver.figures.taxonomy_layout import BAR, BOX, HEAD, MARGIN, MEASURE, NAME_SIZE, Sheet
from taxsolver.figures.text import fitting, readable, text_width
from taxsolver.planning.taxonomy import Taxonomy
from taxsolver.tensors.affinity import Transfer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SMALL = 8.5  # points
_DISC = 0.085  # inches
_OWN, _OTHERS, _UNTRAINED, _READ = "own", "others", "untrained", "read"
_BOXES: dict[str, tuple[str, str, str, str, str]] = {  # fill, edge, ink, line style, meaning
    _OWN: (INK, INK, PAPER, "-", "labelled, served by its own network"),
    _OTHERS: (MUTED, MUTED, PAPER, "-", "labelled only for others to read"),
    _UNTRAINED: (PAPER, MUTED, MUTED, "--", "untrained, needs no labels"),
    _READ: (PAPER, INK, INK, "-", "read out"),
}


@house_style()
def draw_taxonomy(taxonomy: Taxonomy) -> Figure:
    """Draw supervised tasks, the targets they serve, and the order, gain and quality of every transfer.

    On the left are the tasks to label: dark ones are targets served by their own network, with their gain;
    grey ones are only sources of other tasks. On the right are the targets that are read out, each by one
    transfer; the lines from its sources meet at a disc that shows its order.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    sheet = Sheet.of(taxonomy)
    figure = new_figure(sheet.width, sheet.height)
    figure.set_layout_engine("none")  # all positions are given in inches
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, sheet.width), ylim=(0, sheet.height))
    axes.set_axis_off()
    _draw_head(axes, sheet, taxonomy)
    for transfer in taxonomy.transfers:
        if transfer.full_supervision:
            _draw_measure(axes, MARGIN, sheet.sources[transfer.target], transfer.gain, INK)
        else:
            _draw_transfer(axes, sheet, transfer)
    for task, y in sheet.sources.items():
        _draw_box(axes, sheet.source_x, y, task, _kind(taxonomy, task))
    _draw_legend(axes, sheet, taxonomy)
    return figure


def _kind(taxonomy: Taxonomy, source: str) -> str:
    if source in taxonomy.problem.affinity.untrained:
        return _UNTRAINED
    own = any(transfer.full_supervision and transfer.target == source for transfer in taxonomy.transfers)
    return _OWN if own else _OTHERS


def _draw_head(axes: Axes, sheet: Sheet, taxonomy: Taxonomy) -> None:
    first, second = headline(taxonomy)
    top, line = sheet.height, sheet.height - HEAD + 0.2
    room = sheet.width - 2 * MARGIN
    axes.text(MARGIN, top - 0.4, first, size=fitting(first, 15, room, bold=True), weight="bold", va="center")
    axes.text(MARGIN, top - 0.7, second, size=fitting(second, 11.5, room), va="center")
    problem = taxonomy.problem
    orders = "any order" if problem.max_order is None else f"orders up to {problem.max_order}"
    proof = "proven optimal" if taxonomy.status == "optimal" else f"not proven, gap {taxonomy.gap:.1%}"
    third = (
        f"{readable(problem.affinity.name)}  ·  {readable(budget_words(problem), 60)}  ·  {orders}  ·  "
        f"{problem.objective} {taxonomy.objective:.3f}, {proof}"
    )
    axes.text(MARGIN, top - 0.96, third, size=_SMALL, color=MUTED, va="center")
    axes.plot([MARGIN, sheet.width - MARGIN], [line, line], color=FAINT, lw=1)
    words: list[tuple[float, str, str]] = [(sum(sheet.source_x) / 2, "to label", "center")]
    if len(sheet.targets) < len(taxonomy.transfers):
        words.append((MARGIN, "gain", "left"))
    if sheet.targets:
        start = sheet.target_x[1] + 0.15
        words.append((sum(sheet.target_x) / 2, "to read out", "center"))
        words += [(start, "gain", "left"), (start + MEASURE, "quality", "left")]
    for x, word, side in words:
        axes.text(x, line + 0.15, word, size=_SMALL, color=MUTED, ha=side, va="center")


def _draw_transfer(axes: Axes, sheet: Sheet, transfer: Transfer) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    colour, y = order_colour(transfer.order), sheet.targets[transfer.target]
    above = 1 + min(transfer.order, 50) / 100  # draw the rarer high orders above the many lines of low ones
    start = sheet.source_x[1]
    middle = (start + sheet.meet_x) / 2
    for source in transfer.sources:
        points = [
            (start, sheet.sources[source]),
            (middle, sheet.sources[source]),
            (middle, y),
            (sheet.meet_x, y),
        ]
        path = Path(points, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
        axes.add_patch(PathPatch(path, facecolor="none", edgecolor=colour, lw=1.3, alpha=0.85, zorder=above))
    left, right = sheet.target_x
    arrow = {"arrowstyle": "-|>,head_width=0.16,head_length=0.3", "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (left, y), (sheet.meet_x, y), arrowprops={**arrow, "color": colour}, zorder=3)
    _draw_disc(axes, sheet.meet_x, y, transfer.order)
    _draw_box(axes, sheet.target_x, y, transfer.target, _READ)
    _draw_measure(axes, right + 0.15, y, transfer.gain, colour)
    _draw_measure(axes, right + 0.15 + MEASURE, y, transfer.quality, colour)


def _draw_disc(axes: Axes, x: float, y: float, order: int) -> None:
    from matplotlib.patches import Circle

    disc = Circle((x, y), _DISC, facecolor=order_colour(order), edgecolor=PAPER, lw=0.8, zorder=4)
    axes.add_patch(disc)
    place: dict[str, Any] = {"ha": "center", "va": "center_baseline", "zorder": 5}
    axes.text(x, y, str(order), size=7 if order < 10 else 5.5, weight="bold", color=PAPER, **place)


def _draw_box(axes: Axes, span: tuple[float, float], y: float, task: str, kind: str) -> None:
    fill, edge, ink, line, _ = _BOXES[kind]
    _frame(axes, (span[0], y - BOX / 2), (span[1] - span[0], BOX), facecolor=fill, edgecolor=edge, ls=line)
    place: dict[str, Any] = {"ha": "center", "va": "center_baseline", "zorder": 4}
    axes.text(sum(span) / 2, y, readable(task), size=NAME_SIZE, color=ink, **place)


def _frame(axes: Axes, corner: tuple[float, float], size: tuple[float, float], **look: Any) -> None:
    from matplotlib.patches import FancyBboxPatch

    shape = "round,pad=0,rounding_size=0.06"
    axes.add_patch(FancyBboxPatch(corner, *size, boxstyle=shape, lw=1.1, zorder=3, **look))


def _draw_measure(axes: Axes, x: float, y: float, value: float, colour: str) -> None:
    """Draw a bar from 0 to 1 with a mark at 0.5 and its number; a dash if not measured."""
    from matplotlib.patches import Rectangle

    known = not math.isnan(value)
    axes.add_patch(Rectangle((x, y - 0.045), BAR, 0.09, facecolor=FAINT, lw=0))
    if known:
        axes.add_patch(Rectangle((x, y - 0.045), BAR * value, 0.09, facecolor=colour, lw=0))
    axes.plot([x + BAR / 2] * 2, [y - 0.075, y + 0.075], color=MUTED, lw=0.7)
    number, ink = (f"{value:.2f}", INK) if known else ("n/a", MUTED)
    axes.text(x + BAR + 0.06, y, number, size=_SMALL, color=ink, va="center_baseline")


def _draw_legend(axes: Axes, sheet: Sheet, taxonomy: Taxonomy) -> None:
    orders = sorted({transfer.order for transfer in taxonomy.transfers if not transfer.full_supervision})
    kinds = {_kind(taxonomy, task) for task in sheet.sources} | ({_READ} if sheet.targets else set())
    x, y = MARGIN, 0.78
    axes.plot([MARGIN, sheet.width - MARGIN], [y + 0.22] * 2, color=FAINT, lw=1)
    for kind, (fill, edge, _, line, meaning) in _BOXES.items():
        if kind in kinds:
            _frame(axes, (x, y - 0.06), (0.24, 0.12), facecolor=fill, edgecolor=edge, ls=line)
            x = _legend_words(axes, x + 0.32, y, meaning)
    x, y = MARGIN, 0.53
    for number, order in enumerate(orders):
        if x > sheet.width - 1.5:
            break  # enough: the discs show their orders
        _draw_disc(axes, x + 0.12, y, order)
        x = _legend_words(
            axes, x + 0.32, y, f"transfer of order {order}" if number == 0 else f"order {order}"
        )
    meaning = "gain, quality: share of test images on which it beats training from scratch, full supervision"
    axes.text(
        MARGIN,
        0.28 if orders else 0.53,
        f"{meaning}; the mark is 0.5",
        size=_SMALL,
        color=MUTED,
        va="center_baseline",
    )


def _legend_words(axes: Axes, x: float, y: float, words: str) -> float:
    axes.text(x, y, words, size=_SMALL, va="center_baseline")
    return x + text_width(words, _SMALL) + 0.3
