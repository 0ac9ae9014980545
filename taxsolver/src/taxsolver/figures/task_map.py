"""Task map: tasks that transfer well to each other are close together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from taxsolver.analysis.similarity import first_order_matrix
from taxsolver.arguments import check_count
from taxsolver.errors import InvalidInputError, MissingExtraError
from taxsolver.figures.layout import push_apart
from taxsolver.figures.page import new_page
from taxsolver.figures.style import BLUE, INK, MUTED, ORANGE, house_style
from taxsolver.figures.text import fitting, readable, text_width
from taxsolver.tensors.affinity import AffinityTensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]

_NAME_SIZE = 9.5  # points
_BOX, _MARGIN = 0.25, 0.3  # inches: height of a name's box, and the gap between two boxes
_STRETCH = np.array([0.95, 0.62])  # inches per square root of the number of tasks; names are wide
_NAMED = 4  # largest number of hidden tasks that the caption names
_WEAK = "#b4bac4"
_KINDS = {  # fill, edge, meaning
    "target": ("#eaf3f9", BLUE, "measured as a target"),
    "source": ("#fdf5e3", ORANGE, "measured as a source only"),
}


@house_style()
def draw_task_map(tensor: AffinityTensor, *, neighbours: int = 3, seed: int = 0) -> Figure:
    """Draw a force-directed map of tasks, with arrows from the best sources of each target to the target.

    Springs between tasks are shorter the better the tasks rank for each other among the order-1 transfers.
    Tasks that are neither targets nor among the best sources of a target are left out; the caption lists
    them.

    Args:
        tensor: any tensor with order-1 transfers.
        neighbours: arrows to each target, at least 1; the best one is dark.
        seed: seed of the initial positions; the same seed gives the same map.

    Raises:
        InvalidInputError: `neighbours` is not a whole number of at least 1, or no target has an order-1
            affinity from another task.
        MissingExtraError: matplotlib or SciPy is not installed.
    """
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch

    check_count(neighbours, "neighbours")
    ranks = _ranks(tensor)
    linked = (ranks < neighbours).any(axis=1) | np.isin(tensor.tasks, tensor.targets)
    shown, hidden = np.flatnonzero(linked), np.flatnonzero(~linked)
    ranks = ranks[np.ix_(shown, shown)]
    names = [tensor.tasks[column] for column in shown]
    sizes = np.array([[text_width(readable(name), _NAME_SIZE) + 0.22, _BOX] for name in names])
    places = _places(ranks, sizes, seed)
    width, height = (places + sizes / 2).max(axis=0)
    best = "the best source" if neighbours == 1 else f"the {neighbours} best sources"
    words = f"{readable(tensor.name)}, order 1;  arrows: from {best} of each target, the best one dark"
    figure = new_page(max(width + 0.5, 6.5), height + 1.8, "Which task is best read out from which", words)
    axes = figure.add_subplot()
    axes.set(xlim=(-0.05, width + 0.05), ylim=(-0.4 if len(hidden) else -0.05, height + 0.05), aspect="equal")
    axes.set_axis_off()
    for source, target in np.argwhere(ranks < neighbours):
        start, middle, strong = places[source], places[target], bool(ranks[source, target] == 0)
        # The arrow ends where the straight line to the target's centre enters its box.
        offset = start - middle
        share = np.min((sizes[target] + 0.06) / 2 / np.maximum(np.abs(offset), 1e-9))
        end = middle + offset * min(float(share), 1.0)
        line: dict[str, Any] = {"color": INK, "lw": 1.4} if strong else {"color": _WEAK, "lw": 0.9}
        line |= {"arrowstyle": "-|>,head_width=2.2,head_length=4.5", "connectionstyle": "arc3,rad=0.08"}
        ends = (float(start[0]), float(start[1])), (float(end[0]), float(end[1]))
        axes.add_patch(FancyArrowPatch(*ends, shrinkA=0, shrinkB=0, zorder=1 + strong, **line))
    for name, place, size in zip(names, places, sizes, strict=True):
        (x, y), (wide, high) = place.tolist(), size.tolist()
        fill, edge, _ = _KINDS["target" if name in tensor.targets else "source"]
        look: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.1", "lw": 1.6, "zorder": 3}
        corner = (x - wide / 2, y - high / 2)
        axes.add_patch(FancyBboxPatch(corner, wide, high, facecolor=fill, edgecolor=edge, **look))
        axes.text(x, y, readable(name), size=_NAME_SIZE, ha="center", va="center_baseline", zorder=4)
    if len(hidden):
        left_out = [readable(tensor.tasks[column]) for column in hidden]
        named = ", ".join(left_out) if len(left_out) <= _NAMED else f"{len(left_out)} tasks"
        words = f"not shown, among the best sources of no target: {named}"
        axes.text(0, -0.3, words, size=fitting(words, 8.5, width), color=MUTED)
    kinds = ["target", "source"] if set(names) - set(tensor.targets) else ["target"]
    looks = [_KINDS[kind] for kind in kinds]
    handles = [Patch(facecolor=fill, edgecolor=edge, lw=1.6, label=meaning) for fill, edge, meaning in looks]
    figure.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=9, borderaxespad=1)
    return figure


def _ranks(tensor: AffinityTensor) -> FloatArray:
    """Float64 (tasks, tasks): rank of a source for a target, 0 the best; NaN where not measured."""
    matrix = first_order_matrix(tensor)
    ranks = np.full((len(tensor.tasks), len(tensor.tasks)), np.nan)
    for column, target in enumerate(tensor.columns(tensor.targets)):
        values = matrix[:, column].copy()
        values[target] = np.nan  # exclude transfers from a target to itself
        known = np.flatnonzero(~np.isnan(values))
        ranks[known[np.argsort(-values[known], kind="stable")], target] = np.arange(len(known))
    if np.isnan(ranks).all():
        raise InvalidInputError(f"{tensor.name!r} has no order-1 affinity between two tasks: nothing to draw")
    return ranks


def _places(ranks: FloatArray, sizes: FloatArray, seed: int) -> FloatArray:
    """Centres in inches, not negative, so that no two boxes overlap.

    Kamada and Kawai, Information Processing Letters 31(1), 1989: springs whose lengths are the distances.
    """
    import networkx as nx

    # The distance of two tasks is 0.2 and their mean relative rank; they are far where neither was measured.
    relative = ranks / max(1.0, float(np.nanmax(ranks)))
    both = np.stack([relative, relative.T])
    known = ~np.isnan(both)
    mean = np.where(known, both, 0).sum(axis=0) / np.maximum(1, known.sum(axis=0))
    distances = np.where(known.any(axis=0), 0.2 + mean, 1.2)
    count = len(ranks)
    lengths = {a: {b: float(distances[a, b]) for b in range(count)} for a in range(count)}
    start = np.random.default_rng(seed).uniform(-1, 1, size=(count, 2))
    graph = nx.complete_graph(count)
    try:
        found = nx.kamada_kawai_layout(graph, dist=lengths, pos=dict(enumerate(start)), weight=None)
    except ImportError:
        raise MissingExtraError("scipy", "the task map") from None
    places = np.array([found[node] for node in range(count)])
    places = push_apart(places * np.sqrt(count) * _STRETCH, sizes + _MARGIN)
    return np.asarray(places - (places - sizes / 2).min(axis=0), dtype=np.float64)
