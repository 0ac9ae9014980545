"""Positions of all boxes and lines in the figure of a taxonomy."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from taxsolver.figures.layout import order_columns, spread
from taxsolver.figures.text import readable, text_width
from taxsolver.planning.taxonomy import Taxonomy

# All sizes are in inches.
MARGIN, HEAD, FOOT, ROW, BOX = 0.3, 1.75, 1.15, 0.31, 0.23
BAR, MEASURE = 0.5, 1.05  # width of a bar, and of the column that holds a bar and its number
NARROWEST, NARROWEST_GAP = 9.0, 2.2
NAME_SIZE = 9.5  # points


@dataclass(frozen=True)
class Sheet:
    """Positions in the figure, in inches from its lower left corner.

    Attributes:
        sources: supervised task -> vertical position of its middle.
        targets: target that is read out -> vertical position of its middle.
        source_x: left and right edge of the boxes of sources.
        target_x: left and right edge of the boxes of targets.
        width: width of the whole figure.
        height: height of the whole figure.
    """

    sources: dict[str, float]
    targets: dict[str, float]
    source_x: tuple[float, float]
    target_x: tuple[float, float]
    width: float
    height: float

    @classmethod
    def of(cls, taxonomy: Taxonomy) -> Sheet:
        """Place sources in a column on the left and the targets read out from them on the right."""
        left, right = rows_of(taxonomy)
        height = HEAD + max(len(left), len(right)) * ROW + FOOT
        top = height - HEAD - ROW / 2
        source_start = MARGIN + (MEASURE if len(right) < len(taxonomy.transfers) else 0.0)
        source_end = source_start + _box_width(taxonomy.sources)
        target_width = _box_width(right)
        taken = source_end + target_width + 0.15 + 2 * MEASURE - 0.1 + MARGIN
        width = max(taken + NARROWEST_GAP, NARROWEST)
        target_start = source_end + width - taken
        return cls(
            sources={task: top - row * ROW for task, row in left.items()},
            targets={task: top - row * ROW for task, row in right.items()},
            source_x=(source_start, source_end),
            target_x=(target_start, target_start + target_width),
            width=width,
            height=height,
        )

    @property
    def meet_x(self) -> float:
        """Horizontal position at which the lines of one transfer meet."""
        return self.target_x[0] - 0.33


def rows_of(taxonomy: Taxonomy) -> tuple[dict[str, float], dict[str, float]]:
    """Assign rows, from 0 at the top, to supervised tasks and targets read out; needs no matplotlib.

    The nodes of the shorter column are beside their linked nodes.
    """
    sources = taxonomy.sources
    served = [transfer for transfer in taxonomy.transfers if not transfer.full_supervision]
    number = {task: index for index, task in enumerate(sources)}
    links = [(number[source], index) for index, transfer in enumerate(served) for source in transfer.sources]
    # Targets of the same sources are sorted by quality, or by gain if there is no quality.
    worth = [
        next((value for value in (transfer.quality, transfer.gain) if not math.isnan(value)), -1.0)
        for transfer in served
    ]
    preferred = sorted(range(len(served)), key=lambda index: -worth[index])
    left, right = order_columns(links, range(len(sources)), preferred)
    left_at = {node: float(row) for row, node in enumerate(left)}
    right_at = {node: float(row) for row, node in enumerate(right)}
    if len(left) < len(right):
        left_at = _beside(left, links, right_at)
    elif len(right) < len(left):
        right_at = _beside(right, [(b, a) for a, b in links], left_at)
    return (
        {sources[node]: row for node, row in left_at.items()},
        {served[node].target: row for node, row in right_at.items()},
    )


def _box_width(tasks: Collection[str]) -> float:
    return max((text_width(readable(task), NAME_SIZE) for task in tasks), default=0.6) + 0.24


def _beside(nodes: list[int], links: list[tuple[int, int]], other: dict[int, float]) -> dict[int, float]:
    """Rows of the shorter column: each node is near the middle of its linked nodes in the other column."""
    last = float(len(other) - 1)
    linked = [[other[b] for a, b in links if a == node] for node in nodes]
    wanted = [sum(rows) / len(rows) if rows else last for rows in linked]
    return dict(zip(nodes, spread(wanted, 1.0, 0.0, last).tolist(), strict=True))
