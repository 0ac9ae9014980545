"""Figure of the task tree: a dendrogram with names on the left; less similar tasks join further right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from taxsolver.errors import InvalidInputError
from taxsolver.figures.page import new_page
from taxsolver.figures.style import CYCLE, INK, MUTED, house_style
from taxsolver.figures.text import readable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROW = 0.25  # inches
_FEWEST, _MOST = 3, 7  # number of clusters with colours of their own

Merge = tuple[int, int, float, int]


class Tree(Protocol):
    """A tree of tasks to draw, as `taxsolver.similarity` returns it."""

    @property
    def leaves(self) -> tuple[str, ...]:
        """Names."""

    @property
    def merges(self) -> tuple[Merge, ...]:
        """(a, b, distance, size) in SciPy's numbering: leaf i is cluster i, merge i is len(leaves) + i."""

    @property
    def metric(self) -> str:
        """Distance of two patterns."""

    @property
    def method(self) -> str:
        """Linkage of two clusters."""


@house_style()
def draw_tree(tree: Tree) -> Figure:
    """Draw a horizontal dendrogram; the widest gap between merges cuts the tree into coloured groups.

    Raises:
        InvalidInputError: fewer than two leaves, or merges that do not form a tree of them.
        MissingExtraError: matplotlib is not installed.
    """
    count = len(tree.leaves)
    if count < 2:
        raise InvalidInputError(f"a tree of {count} leaves has nothing to join: two are needed")
    used = [child for left, right, _, _ in tree.merges for child in (left, right)]
    ahead = any(max(merge[:2]) >= count + number for number, merge in enumerate(tree.merges))
    if sorted(used) != list(range(2 * count - 2)) or ahead:
        raise InvalidInputError(
            f"{len(tree.merges)} merges make no tree of {count} leaves: expected {count - 1}"
        )
    # Height of every leaf and merge, counted in leaves from the top.
    rows = [0.0] * (len(tree.leaves) + len(tree.merges))
    # Leaves from the top down; of two branches the larger one comes first.
    row, waiting = 0, [len(rows) - 1]
    while waiting:
        node = waiting.pop()
        if node < len(tree.leaves):
            rows[node] = float(row)
            row += 1
        else:
            pair = tree.merges[node - len(tree.leaves)][:2]
            waiting += sorted(pair, key=lambda child: _size(tree, child))
    for number, (left, right, _, _) in enumerate(tree.merges, start=len(tree.leaves)):
        rows[number] = (rows[left] + rows[right]) / 2
    colours = _colours(tree, rows)
    words = f"{tree.metric} distance of what tasks transfer to, {tree.method} linkage"
    figure = new_page(9, 1.5 + _ROW * count, "Tasks that transfer alike", words)
    axes = figure.add_subplot()
    heights = [0.0] * count
    for number, (left, right, distance, _) in enumerate(tree.merges, start=count):
        corners = [heights[left], distance, distance, heights[right]]
        style: dict[str, Any] = {
            "color": colours[number],
            "lw": 1.8,
            "solid_joinstyle": "round",
            "clip_on": False,
        }
        axes.plot(corners, [rows[left]] * 2 + [rows[right]] * 2, **style)
        heights.append(distance)
    axes.set_yticks(rows[:count], [readable(name) for name in tree.leaves], color=INK)
    farthest = max(merge[2] for merge in tree.merges)
    axes.set(xlim=(0, farthest * 1.03 or 1), ylim=(count - 0.4, -0.6))
    axes.set_xlabel(f"{tree.metric} distance at which two groups are joined")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    return figure


def _size(tree: Tree, cluster: int) -> int:
    return 1 if cluster < len(tree.leaves) else tree.merges[cluster - len(tree.leaves)][3]


def _colours(tree: Tree, rows: Sequence[float]) -> list[str]:
    """Colour of every leaf and merge: grey above the cut and for single leaves."""
    colours = [MUTED] * len(rows)
    # Three to seven clusters, cut where the ratio of two successive merge distances is largest.
    count = len(tree.leaves)
    distances = [merge[2] for merge in tree.merges]
    choices = range(min(_FEWEST, count), min(_MOST, count) + 1)

    floor = max(distances) / 20  # smaller distances count as equal

    def gap(clusters: int) -> float:
        below = distances[count - clusters - 1] if clusters < count else 0.0
        return max(distances[count - clusters], floor) / max(below, floor, 1e-12)

    kept = count - max(choices, key=gap)
    joined = {child for merge in tree.merges[:kept] for child in merge[:2]}
    cut = [cluster for cluster in range(count + kept) if cluster not in joined]
    clusters = [cluster for cluster in cut if _size(tree, cluster) > 1]
    for number, cluster in enumerate(sorted(clusters, key=lambda cluster: rows[cluster])):
        waiting = [cluster]
        while waiting:
            node = waiting.pop()
            colours[node] = CYCLE[number % len(CYCLE)]
            if node >= len(tree.leaves):
                waiting += tree.merges[node - len(tree.leaves)][:2]
    return colours
