"""Figures of task grouping: losses over budgets, effects of tasks on each other, and one grouping."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from taxsolver.errors import InvalidInputError
from taxsolver.figures.page import new_page
from taxsolver.figures.style import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PAPER,
    PURPLE,
    RED,
    SKY,
    house_style,
)
from taxsolver.figures.text import readable, text_width
from taxsolver.grouping.curves import PairMatrix, TaskCountRow
from taxsolver.grouping.result import Grouping
from taxsolver.grouping.select import Method
from taxsolver.planning.amounts import amount

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_UNIT = "1 = one standard network"
# Label, colour, line, marker and marker size of each method: proposed methods are solid, baselines broken.
# The sizes keep lines visible that lie on one another.
_LINES: dict[str, tuple[str, str, str, str, float]] = {
    Method.OPTIMAL: ("optimal", BLUE, "-", "o", 8.5),
    Method.HOA: ("higher-order approximation", GREEN, "-", "s", 5.5),
    Method.ESA: ("early-stopping approximation", ORANGE, "-", "^", 5.5),
    Method.INDEPENDENT: ("independent networks", PURPLE, "--", "D", 4.5),
    Method.ALL_IN_ONE: ("one network for all", SKY, "--", "v", 4.5),
    Method.RANDOM: ("random choice (mean)", MUTED, "--", "", 0),
    Method.WORST: ("worst choice", INK, ":", "", 0),
}
_NUMBERED = 12  # largest number of tasks for which the cells of a pair matrix show numbers
_ROW, _LINE, _GAP = 0.46, 0.19, 0.14  # inches: height of a task and of a line of text, gap between boxes
_TASK = 4.45  # inches from the left edge to the tasks


@house_style()
def draw_budget_curves(rows: Sequence[Grouping]) -> Figure:
    """Draw the total loss over the inference budget, one line for each method.

    Args:
        rows: what `budget_curves` returns, of one table; infeasible ones leave a gap. Test losses are drawn,
            or validation losses where the table has no test split.

    Raises:
        InvalidInputError: no row holds a choice.
        MissingExtraError: matplotlib is not installed.
    """
    found = [row for row in rows if not math.isnan(row.validation_loss)]
    if not found:
        raise InvalidInputError("no row holds a choice of networks: raise the budgets")
    table = found[0].table
    split = "validation" if table.test is None else "test"
    scored = (
        "chosen and scored on validation" if table.test is None else "chosen on validation, scored on test"
    )
    words = f"{scored}; lower is better; a line begins where the method first has a choice"
    figure = new_page(8, 5, f"Task grouping, {readable(table.name)}: the loss that a budget buys", words)
    axes = figure.add_subplot()
    for method in sorted({row.method for row in found}, key=list(_LINES).index):
        line = sorted((row for row in found if row.method == method), key=lambda row: row.budget)
        losses = [row.validation_loss if table.test is None else row.test_loss for row in line]
        label, colour, style, marker, size = _LINES[method]
        budgets = [row.budget for row in line]
        axes.plot(budgets, losses, color=colour, ls=style, marker=marker, ms=size, lw=1.8, label=label)
    axes.set_xlabel(f"inference budget ({_UNIT})")
    axes.set_ylabel(f"total {split} loss of {len(table.tasks)} tasks")
    axes.grid(axis="y", color=FAINT, lw=0.8)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower left", ncols=3, fontsize=9, borderaxespad=1)
    return figure


@house_style()
def draw_task_count(rows: Sequence[TaskCountRow], name: str = "") -> Figure:
    """Draw performance over the number of tasks that a network predicts.

    Args:
        rows: what `task_count_rows` returns.
        name: name of the table, for the heading.

    Raises:
        InvalidInputError: there is no row.
        MissingExtraError: matplotlib is not installed.
    """
    if not rows:
        raise InvalidInputError(
            "there is no row to draw: no network has the cost of a single-task network to compare it with"
        )
    words = (
        "mean over networks, with the least and the largest; a network's change is the mean over its tasks"
    )
    heading = "More tasks in one network" + (f", {readable(name)}" if name else "")
    figure = new_page(7, 4.6, heading, words)
    axes = figure.add_subplot()
    counts, means = [row.num_tasks for row in rows], [row.change for row in rows]
    axes.axhline(0, color=INK, lw=1, ls=":")
    axes.vlines(counts, [row.least for row in rows], [row.most for row in rows], color=SKY, lw=9, alpha=0.45)
    axes.plot(counts, means, color=BLUE, marker="o", lw=1.8, ms=6)
    plural = ["network" if row.num_networks == 1 else "networks" for row in rows]
    labels = [f"{row.num_tasks}\n{row.num_networks} {noun}" for row, noun in zip(rows, plural, strict=True)]
    axes.set_xticks(counts, labels)
    axes.set_xlim(min(counts) - 0.5, max(counts) + 0.5)
    axes.set_xlabel("tasks that a network predicts")
    axes.set_ylabel("change against single-task networks\nof the same cost, in % (above 0: better)")
    axes.grid(axis="y", color=FAINT, lw=0.8)
    axes.set_axisbelow(True)
    return figure


@house_style()
def draw_pair_matrix(matrix: PairMatrix) -> Figure:
    """Draw the change of each column's loss when one network learns it together with the row's task.

    Raises:
        InvalidInputError: no pair was compared.
        MissingExtraError: matplotlib is not installed.
    """
    from matplotlib.colors import LinearSegmentedColormap, SymLogNorm

    if np.isnan(matrix.change).all():
        raise InvalidInputError(
            "no pair can be drawn: none has single-task networks of the same cost beside it"
        )
    names = [readable(task) for task in matrix.tasks]
    widest = max(text_width(name, 9.5) for name in names)
    side = max(0.72 * len(names), 2.6) if len(names) <= _NUMBERED else min(0.3 * len(names), 10)
    heading = f"What tasks do to each other, {readable(matrix.name)}"
    words = f"by how many % the {matrix.split} loss of a column falls when one network learns it with the row"
    figure = new_page(max(side + widest + 1.6, 6.4), side + 0.75 * widest + 2.1, heading, words)
    axes = figure.add_subplot()
    largest = max(float(np.nanmax(np.abs(matrix.change))), 1.0)
    colours = LinearSegmentedColormap.from_list("help", [RED, "#f7f7f7", BLUE]).with_extremes(bad=FAINT)
    scale = SymLogNorm(linthresh=min(5.0, largest / 2), vmin=-largest, vmax=largest)
    picture = axes.imshow(np.ma.masked_invalid(matrix.change), cmap=colours, norm=scale)
    if len(names) <= _NUMBERED:
        for (row, column), change in np.ndenumerate(matrix.change):
            if not math.isnan(change):
                ink = PAPER if abs(change) > 0.35 * largest else INK
                axes.text(column, row, _signed(change, 1), ha="center", va="center", color=ink, size=10)
    axes.set_xticks(range(len(names)), names, rotation=40, ha="left", rotation_mode="anchor", color=INK)
    axes.set_yticks(range(len(names)), [f"with {name}" for name in names], color=INK)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    # The bar has every second step, so that its numbers do not touch.
    steps = [step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500) if step <= largest]
    ticks = [-step for step in steps[::-2]] + [0, *steps[(len(steps) + 1) % 2 :: 2]]
    bar = figure.colorbar(picture, ax=axes, location="bottom", fraction=0.05, pad=0.03, aspect=40)
    bar.set_ticks(ticks, labels=[_signed(step, 0) for step in ticks])
    bar.minorticks_off()
    bar.set_label("loss falls by, in % (above 0: the row helps)")
    bar.outline.set_visible(False)
    return figure


def _signed(value: float, decimals: int) -> str:
    text = f"{value:+.{decimals}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


@house_style()
def draw_grouping(grouping: Grouping) -> Figure:
    """Draw one grouping: the networks with their costs, the tasks that each serves, and their losses.

    Raises:
        InvalidInputError: the grouping is infeasible or a mean of random ones, so it has no networks.
        MissingExtraError: matplotlib is not installed.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if not grouping.chosen:
        raise InvalidInputError(f"a grouping that is {grouping.status} has no networks to draw: draw another")
    boxes = [_Box.of(grouping, network) for network in grouping.chosen]
    height = sum(box.height for box in boxes) + _GAP * len(boxes) + 1.0
    table, label = grouping.table, _LINES[grouping.method][0]
    heading = f"Networks for a budget of {amount(grouping.budget)}, {readable(table.name)}: {label}"
    words = f"cost {amount(grouping.cost)} ({_UNIT}); each task takes the network it is joined to"
    if set(grouping.networks) & set(table.untrained):
        words += "; * predicted, not trained"
    if abs(grouping.test_loss - grouping.assigned_test_loss) > 1e-9:
        words += f"; if it took its best on test: {_loss(grouping.test_loss, _decimals(grouping))}"
    figure = new_page(9, height + 0.85, heading, words)
    axes = figure.add_subplot()
    axes.set(xlim=(0, 8.6), ylim=(height, 0))
    axes.set_axis_off()
    for place, word in ((0.05, "networks"), (_TASK, "tasks")):
        axes.text(place, 0.2, word, va="center", color=MUTED, size=9)
    _draw_numbers(axes, ("validation loss", "test loss"), 0.2, color=MUTED, size=9)
    top = 0.45
    for box in boxes:
        middle = top + box.height / 2
        box.draw(axes, middle)
        for position, task in enumerate(box.served):
            # A curve from the network to the task, and the task's losses.
            y = middle + (position - (len(box.served) - 1) / 2) * _ROW
            network = grouping.assigned[task]
            bend = [(3.65, middle), (4.0, middle), (4.0, y), (4.3, y)]
            line = Path(bend, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
            axes.add_patch(PathPatch(line, facecolor="none", edgecolor=BLUE, lw=1.6))
            axes.plot([4.3], [y], "o", color=BLUE, ms=5)
            axes.text(_TASK, y, readable(table.tasks[task], 24), va="center")
            losses = table.validation[network, task], table.scored[network, task]
            _draw_numbers(axes, [_loss(loss, _decimals(grouping)) for loss in losses], y)
        top += box.height + _GAP
    middle = top + 0.16
    axes.plot([4.3, 8.5], [middle - 0.22] * 2, color=MUTED, lw=0.8)
    picked = list(grouping.assigned), list(range(len(table.tasks)))
    totals = table.validation[picked].sum(), table.scored[picked].sum()
    _draw_numbers(axes, [_loss(total, _decimals(grouping)) for total in totals], middle, weight="bold")
    for place, word in ((0.05, f"total cost {amount(grouping.cost)}"), (_TASK, "total")):
        axes.text(place, middle, word, va="center", weight="bold")
    return figure


@dataclass(frozen=True)
class _Box:
    """One network of the diagram: lines with its name and cost, and its tasks."""

    name: list[str]
    about: list[str]
    served: list[int]

    @classmethod
    def of(cls, grouping: Grouping, network: int) -> _Box:
        table = grouping.table
        served = [task for task, picked in enumerate(grouping.assigned) if picked == network]
        idle = [table.tasks[task] for task in np.flatnonzero(table.predicts[network]) if task not in served]
        unused = f"; not used for {', '.join(readable(task) for task in idle)}" if idle else ""
        star = "*" if table.networks[network] in table.untrained else ""
        name = textwrap.wrap(readable(table.networks[network].replace("+", " + "), 120) + star, 42)
        about = textwrap.wrap(
            f"cost {amount(table.cost[network])}{unused}", 48, max_lines=3, placeholder=" …"
        )
        return cls(name, about, served)

    @property
    def height(self) -> float:
        return max(len(self.served) * _ROW, len(self.name + self.about) * _LINE + 0.2)

    def draw(self, axes: Axes, middle: float) -> None:
        from matplotlib.patches import FancyBboxPatch

        corner, colour = (0.05, middle - self.height / 2), BLUE if self.served else MUTED
        style: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.08", "facecolor": PAPER, "lw": 1.6}
        axes.add_patch(FancyBboxPatch(corner, 3.6, self.height, edgecolor=colour, **style))
        first = middle - (len(self.name + self.about) - 1) * _LINE / 2
        for number, line in enumerate(self.name + self.about):
            weight, ink = ("bold", INK) if number < len(self.name) else ("normal", MUTED)
            axes.text(0.18, first + number * _LINE, line, va="center", size=8.5, weight=weight, color=ink)


def _draw_numbers(axes: Axes, words: Sequence[str], middle: float, **style: Any) -> None:
    for place, number in zip((7.3, 8.5), words, strict=True):
        axes.text(place, middle, number, ha="right", va="center", **style)


def _decimals(grouping: Grouping) -> int:
    """Digits after the point, at most six, so that a loss of average size shows about four figures."""
    total = abs(grouping.validation_loss) / len(grouping.table.tasks)
    return min(6, max(0, 3 - math.floor(math.log10(total)))) if total else 2


def _loss(value: float, decimals: int) -> str:
    return "none" if math.isnan(value) else f"{value:.{decimals}f}"
