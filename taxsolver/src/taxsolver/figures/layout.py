"""Layout of figures: columns with few crossings, spaced positions, boxes that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]
Link = tuple[int, int]

_SWEEPS = 12


def order_columns(
    links: Sequence[Link], left: Sequence[int], right: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Order two columns of nodes so that few links cross, by the barycentre heuristic.

    Sugiyama, Tagawa and Toda, IEEE Transactions on Systems, Man, and Cybernetics 11(2), 1981.

    Args:
        links: pairs of a node of `left` and a node of `right`.
        left: nodes in their preferred order, which decides between nodes of equal barycentre.
        right: likewise. Nodes of either column without a link go last.

    Returns:
        The nodes of both columns, from the top down.
    """
    columns, tried = (list(left), list(right)), []
    for _ in range(_SWEEPS):
        ordered_right = _by_barycentre([(b, a) for a, b in links], right, columns[0])
        ordered = (_by_barycentre(links, left, ordered_right), ordered_right)
        if ordered == columns:
            break
        columns = ordered
        tried.append(columns)
    return min(tried, key=lambda pair: count_crossings(links, *pair), default=columns)


def count_crossings(links: Sequence[Link], left: Sequence[int], right: Sequence[int]) -> int:
    """Count the pairs of links that cross when the columns are in the given order."""
    if not links:
        return 0
    left_at = {node: row for row, node in enumerate(left)}
    right_at = {node: row for row, node in enumerate(right)}
    a = np.array([left_at[link[0]] for link in links])
    b = np.array([right_at[link[1]] for link in links])
    return int(((a[:, None] < a[None, :]) & (b[:, None] > b[None, :])).sum())


def spread(wanted: Sequence[float], gap: float, lowest: float, highest: float) -> FloatArray:
    """Find the positions nearest to those wanted (least squares) that keep their order and a least distance.

    Args:
        wanted: positions, in the order to keep.
        gap: smallest distance of two neighbours.
        lowest: smallest position.
        highest: largest position; exceeded if there is no room for all.

    Returns:
        float64 (positions,), rising.
    """
    steps = gap * np.arange(len(wanted))
    blocks: list[list[float]] = []  # [sum, count] of runs that touch: pool adjacent violators
    for value in np.asarray(wanted, dtype=np.float64) - steps:
        blocks.append([float(value), 1.0])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    runs = [np.full(int(count), total / count) for total, count in blocks]
    bases = np.concatenate(runs) if runs else np.zeros(0)
    room = max(lowest, highest - (steps[-1] if len(steps) else 0.0))
    spaced: FloatArray = np.clip(bases, lowest, room) + steps
    return spaced


def push_apart(centres: FloatArray, sizes: FloatArray, *, rounds: int = 2000) -> FloatArray:
    """Move boxes until none overlaps another; each overlapping pair is moved apart along its shorter overlap.

    Args:
        centres: float64 (boxes, 2).
        sizes: float64 (boxes, 2); width and height, margins included.
        rounds: largest number of passes.

    Returns:
        float64 (boxes, 2); new centres, unchanged if no boxes overlapped.
    """
    places = np.array(centres, dtype=np.float64)
    reach = (sizes[:, None, :] + sizes[None, :, :]) / 2
    upper = np.triu(np.ones(reach.shape[:2], dtype=bool), k=1)
    for _ in range(rounds):
        offset = places[None, :, :] - places[:, None, :]
        overlap = reach - np.abs(offset)
        pairs = np.argwhere(upper & (overlap > 1e-9).all(axis=2))
        if not len(pairs):
            break
        for first, second in pairs:
            axis = int(np.argmin(overlap[first, second]))
            sign = 1.0 if offset[first, second, axis] >= 0 else -1.0
            step = sign * (overlap[first, second, axis] / 2 + 1e-6)
            places[first, axis] -= step
            places[second, axis] += step
    return places


def seriate(rows: FloatArray) -> IntArray:
    """Order rows so that similar ones are neighbours, by the Fiedler vector of their correlations.

    Atkins, Boman and Hendrickson, SIAM Journal on Computing 28(1), 1998.

    Args:
        rows: float64 (rows, columns), finite.

    Returns:
        int (rows,); indices of rows.
    """
    if len(rows) < 3:
        return np.arange(len(rows))
    centred = rows - rows.mean(axis=1, keepdims=True)
    sizes = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = centred / np.where(sizes > 0, sizes, 1)
    alike = np.clip(unit @ unit.T, -1, 1) + 1
    _, vectors = np.linalg.eigh(np.diag(alike.sum(axis=1)) - alike)
    fiedler = vectors[:, 1] * (1 if vectors[np.abs(vectors[:, 1]).argmax(), 1] > 0 else -1)
    return np.argsort(np.round(fiedler, 9), kind="stable")


def _by_barycentre(links: Sequence[Link], nodes: Sequence[int], other: Sequence[int]) -> list[int]:
    """Sort `nodes`, each the first of a link, by the mean position of the nodes linked to them in `other`."""
    place = {node: row for row, node in enumerate(other)}
    partners: dict[int, list[int]] = {node: [] for node in nodes}
    for node, partner in links:
        partners[node].append(place[partner])
    rank = {node: row for row, node in enumerate(nodes)}

    def key(node: int) -> tuple[float, int]:
        found = partners[node]
        return (round(sum(found) / len(found), 9) if found else float("inf"), rank[node])

    return sorted(nodes, key=key)
