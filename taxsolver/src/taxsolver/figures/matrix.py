"""Figures of affinities as matrices: all order-1 transfers, and one target before and after AHP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taxsolver.analysis.similarity import first_order_matrix
from taxsolver.errors import InvalidInputError
from taxsolver.figures.layout import seriate
from taxsolver.figures.page import new_page
from taxsolver.figures.style import BLUE, FAINT, INK, MUTED, PAPER, RED, house_style
from taxsolver.figures.text import readable, text_width
from taxsolver.tensors.affinity import AffinityTensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]

FULL = "full supervision"
_CELL, _LARGEST = 0.27, 10.0  # inches: side of a cell, and largest side of a matrix
_NAMED = 37  # names that fit along one side; of more names, every second, third, ... is written
_NAME_SIZE = 9.0  # points
_PATTERN = 6  # targets from which sources are ordered by similarity


@house_style()
def draw_affinity(tensor: AffinityTensor, normalised: bool = True) -> Figure:
    """Draw order-1 affinities: a row for each source, a column for each target, full supervision first.

    Sources with similar patterns are neighbours; with fewer than six targets, the best sources come first. A
    ring marks a transfer from the target's own representation; hatched cells were not measured.

    Args:
        tensor: any tensor with order-1 transfers.
        normalised: colour each transfer by the share of the other order-1 transfers of its target that it
            beats, in [0, 1], because affinities span several orders of magnitude; otherwise by affinity, on a
            logarithmic scale.

    Raises:
        InvalidInputError: the tensor has no order-1 transfer with an affinity.
        MissingExtraError: matplotlib is not installed.
    """
    from matplotlib.colors import LogNorm
    from matplotlib.patches import Rectangle

    first_order = first_order_matrix(tensor)
    measured = np.flatnonzero(~np.isnan(first_order).all(axis=1))
    if not len(measured):
        raise InvalidInputError(f"{tensor.name!r} has no order-1 transfer with an affinity: nothing to draw")
    full = np.full(len(tensor.targets), np.nan)
    for row in np.flatnonzero(tensor.full_supervision):
        full[tensor.targets.index(tensor.tasks[tensor.target[row]])] = tensor.affinity[row]
    # A first row of full supervision, then a row for each source with an order-1 affinity.
    tasks = [FULL, *(tensor.tasks[row] for row in measured)]
    matrix = np.vstack([full, first_order[measured]])
    ranks = _ranks(matrix)
    known = np.nan_to_num(ranks[1:], nan=0.5)
    # Few targets make no pattern that sources could be ordered by.
    alike = known.shape[1] >= _PATTERN
    down = 1 + (seriate(known) if alike else np.argsort(-known.mean(axis=1), kind="stable"))
    across = [tensor.targets.index(tasks[row]) for row in down if tasks[row] in tensor.targets]
    across += [column for column in range(len(tensor.targets)) if column not in across]
    own = np.array([[tasks[row] == tensor.targets[column] for column in across] for row in down])
    if tensor.full_supervision.any():
        down = np.concatenate([[0], down])
        own = np.concatenate([np.zeros((1, len(across)), dtype=bool), own])
    values = (ranks if normalised else matrix)[down][:, across]
    names = [readable(tasks[row]) for row in down], [readable(tensor.targets[column]) for column in across]
    words = "a row for each source, a column for each target;  ring: the target's own representation is read"
    figure = _page(names, f"Order-1 affinities, {readable(tensor.name)}", words)
    axes = figure.add_subplot()
    positive = values[values > 0]
    scale: dict[str, Any] = {"vmin": 0, "vmax": 1}
    if not normalised and len(positive):
        scale = {"norm": LogNorm(positive.min(), max(positive.max(), positive.min() * 1.01), clip=True)}
    shown = np.ma.masked_invalid(
        values if normalised else np.where(values == 0, positive.min(initial=1), values)
    )
    picture = axes.imshow(shown, cmap="viridis", aspect="auto", **scale)
    for y, x in np.argwhere(np.isnan(values)):
        corner = (x - 0.5, y - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, facecolor=FAINT, edgecolor=MUTED, hatch="////", lw=0))
    rows, columns = np.nonzero(own & ~np.isnan(values))
    axes.scatter(
        columns, rows, s=1500 / max(values.shape) ** 1.25, facecolors="none", edgecolors=PAPER, lw=1.1
    )
    unit = (
        "share of the other order-1 transfers of its target that it beats"
        if normalised
        else "affinity (logarithmic scale)"
    )
    _colour_bar(axes, picture, unit)
    _name_sides(axes, *names)
    if down[0] == 0:
        axes.axhline(0.5, color=PAPER, lw=5)
    return figure


@house_style()
def draw_ahp(wins: ArrayLike, affinities: ArrayLike, names: Sequence[str], target: str) -> Figure:
    """Draw one target before and after AHP: the matrix of win rates, and the affinities computed from it.

    Args:
        wins: float (transfers, transfers) in [0, 1]; entry (i, j) is the share of test images on which i has
            a lower loss than j.
        affinities: float (transfers,) in (0, 1]; the result of AHP.
        names: names of the transfers.
        target: the task that they predict.

    Raises:
        InvalidInputError: the shapes do not match, or a value is out of its range.
        MissingExtraError: matplotlib is not installed.
    """
    from matplotlib.colors import LinearSegmentedColormap

    table, values = np.asarray(wins, dtype=np.float64), np.asarray(affinities, dtype=np.float64)
    count = len(names)
    if table.shape != (count, count):
        raise InvalidInputError(f"wins have shape {table.shape}, expected {(count, count)} for {count} names")
    if values.shape != (count,):
        raise InvalidInputError(
            f"affinities have shape {values.shape}, expected {(count,)} for {count} names"
        )
    if not ((table >= 0) & (table <= 1)).all():
        raise InvalidInputError("wins hold a value outside [0, 1]: give shares of images")
    if not ((values > 0) & (values <= 1)).all():
        raise InvalidInputError("affinities hold a value outside (0, 1]: give what ahp() returns")
    best_first = np.argsort(-values, kind="stable")
    labels = [readable(names[index]) for index in best_first]
    words = "left: share of test images on which the row beats the column;  right: the affinities it gives"
    figure = _page(
        (labels, labels), f"Transfers to {readable(target)}, before and after AHP", words, beside=2.6
    )
    side = _side(len(labels))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(side, 2.2))
    # From red (the row loses) through white (even) to blue (it wins): safe for colour-blind readers.
    colours = LinearSegmentedColormap.from_list("wins", [RED, "#f7f7f7", BLUE])
    picture = left.imshow(table[np.ix_(best_first, best_first)], cmap=colours, vmin=0, vmax=1, aspect="auto")
    _name_sides(left, labels, labels)
    _colour_bar(left, picture, "win rate (0.5: even)")
    # A dot for each affinity, and a line at the value of equal affinities.
    rows, sorted_values = np.arange(len(values)), values[best_first]
    right.hlines(rows, values.min() / 2, sorted_values, color=FAINT, lw=2)
    right.plot(sorted_values, rows, "o", color=BLUE, ms=6 if len(rows) <= _NAMED else 3)
    right.axvline(1 / len(values), color=INK, lw=1, ls=":", label="all alike")
    right.set(
        xscale="log", xlim=(values.min() / 2, min(1.0, values.max() * 2)), xlabel="affinity (sums to 1)"
    )
    right.tick_params(left=False, labelleft=False)
    right.spines["left"].set_visible(False)
    right.legend(loc="lower right", fontsize=8.5)
    return figure


def _ranks(matrix: FloatArray) -> FloatArray:
    """Share of the other entries of its column that an entry beats, in [0, 1]; a tie counts half."""
    known = ~np.isnan(matrix)
    with np.errstate(invalid="ignore"):
        beaten = (matrix[:, None] > matrix[None]).sum(axis=1) + 0.5 * (matrix[:, None] == matrix[None]).sum(
            axis=1
        )
    others = known.sum(axis=0) - 1
    shares = np.where(others > 0, (beaten - 0.5) / np.maximum(others, 1), 1.0)
    return np.where(known, shares, np.nan)


def _page(sides: tuple[list[str], list[str]], heading: str, words: str, beside: float = 0.0) -> Figure:
    """Create a figure in which the cells have about their intended size."""
    longest = [max(text_width(name, _NAME_SIZE) for name in names) for names in sides]
    width = max(_side(len(sides[1])) + longest[0] + beside + 0.9, 6.5)
    height = _side(len(sides[0])) + 0.71 * longest[1] + 2.0
    return new_page(width, height, heading, words)


def _side(cells: int) -> float:
    return min(max(cells * _CELL, 1.0), _LARGEST)


def _name_sides(axes: Axes, down: list[str], across: list[str]) -> None:
    rows, columns = _named(len(down)), _named(len(across))
    axes.set_yticks(rows, [down[row] for row in rows], size=_NAME_SIZE, color=INK)
    axes.set_xticks(columns, [across[column] for column in columns], size=_NAME_SIZE, color=INK)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for label in axes.get_xticklabels():
        label.set(rotation=45, ha="left", va="bottom", rotation_mode="anchor")
    for spine in axes.spines.values():
        spine.set_visible(False)


def _named(cells: int) -> range:
    return range(0, cells, -(-cells // _NAMED))


def _colour_bar(axes: Axes, picture: Any, unit: str) -> None:
    bar = axes.figure.colorbar(
        picture, ax=axes, label=unit, location="bottom", fraction=0.05, pad=0.02, aspect=40
    )
    bar.outline.set_visible(False)
