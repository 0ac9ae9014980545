"""Task tree: clusters of tasks whose representations transfer to the same targets.

Two sources are similar if their patterns are. The pattern of a source is the row of logarithms of its order-1
affinities, centred for each target; the distance of two patterns is one minus their correlation; clusters are
joined by average linkage.

Affinities of one target span four orders of magnitude and sum to one, so a few targets would dominate a
comparison of raw values. Affinities are ratios of wins, for which the logarithm is the natural scale;
centring removes the difficulty of each target, and correlation removes the general quality of each source.
Average linkage keeps the distances best: its cophenetic correlation on `taskonomy-16k` is 0.91 (complete
0.85, weighted 0.90). The tree depends little on these choices: the paper's eight 3-D tasks are one subtree
also with euclidean, cosine and city-block distances, with average, complete, weighted and Ward linkage, of
logarithms and of ranks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from taxsolver.errors import InvalidInputError, MissingExtraError
from taxsolver.tensors.affinity import AffinityTensor, FloatArray
from taxsolver.tensors.store import AffinityInput, load_affinity

METRIC: Final = "correlation"
LINKAGE: Final = "average"
_FEWEST_SHARED = 3  # targets that two patterns must share: a correlation over two points is always 1 or -1


@dataclass(frozen=True)
class TaskTree:
    """An agglomerative clustering of sources.

    Attributes:
        leaves: the sources.
        merges: pairs of clusters in the order in which they are joined, as (a, b, distance, size), in SciPy's
            numbering: leaf i is cluster i, merge i makes cluster len(leaves) + i. Distances are in [0, 2] and
            do not fall.
        metric: distance of two patterns.
        method: linkage of two clusters.
    """

    leaves: tuple[str, ...]
    merges: tuple[tuple[int, int, float, int], ...]
    metric: str = METRIC
    method: str = LINKAGE

    def subtrees(self) -> list[frozenset[str]]:
        """List the leaves below every merge, in the order of the merges."""
        below = [frozenset({leaf}) for leaf in self.leaves]
        for left, right, _, _ in self.merges:
            below.append(below[left] | below[right])
        return below[len(self.leaves) :]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"leaves": list(self.leaves), "merges": [list(merge) for merge in self.merges]}


def similarity(affinity: AffinityInput) -> TaskTree:
    """Cluster all sources with order-1 transfers.

    Args:
        affinity: a tensor, or what `load_affinity` takes.

    Raises:
        InvalidInputError: fewer than two sources, or two that share fewer than three measured targets.
        MissingExtraError: SciPy is not installed.

    Examples:
        >>> import taxsolver
        >>> tree = taxsolver.similarity("taskonomy-16k")
        >>> sorted(tree.subtrees()[0])  # the two that are most alike
        ['curvature', 'keypoints3d']
    """
    try:
        from scipy.cluster.hierarchy import linkage
        from scipy.spatial.distance import squareform
    except ImportError:
        raise MissingExtraError("scipy", "the task tree") from None
    tensor = load_affinity(affinity)
    matrix = first_order_matrix(tensor)
    measured = np.flatnonzero(~np.isnan(matrix).all(axis=1))
    leaves = tuple(tensor.tasks[row] for row in measured)
    if len(leaves) < 2:
        raise InvalidInputError(
            f"{tensor.name!r} has order-1 transfers of {len(leaves)} source: two are needed"
        )
    matrix = matrix[measured]
    smallest = np.min(matrix, where=matrix > 0, initial=1.0)
    logarithms = np.log(np.maximum(matrix, smallest))  # an affinity of 0 counts as the smallest measured
    centres = np.nansum(logarithms, axis=0) / np.maximum(1, (~np.isnan(logarithms)).sum(axis=0))
    # One minus the correlation over the targets that both sources have, in [0, 2].
    patterns = logarithms - centres
    count = len(leaves)
    distances = np.zeros((count, count))
    for left in range(count):
        for right in range(left):
            shared = ~np.isnan(patterns[left]) & ~np.isnan(patterns[right])
            if shared.sum() < _FEWEST_SHARED:
                raise InvalidInputError(
                    f"{leaves[right]!r} and {leaves[left]!r} share {shared.sum()} measured targets: "
                    f"{_FEWEST_SHARED} are needed to compare them; leave one out with select()"
                )
            one, other = (row[shared] - row[shared].mean() for row in (patterns[left], patterns[right]))
            size = float(np.linalg.norm(one) * np.linalg.norm(other))
            # Pearson's correlation is 0 where one of the two patterns is constant.
            correlation = float(np.clip(one @ other / size, -1, 1)) if size > 0 else 0.0
            distances[left, right] = distances[right, left] = 1 - correlation
    merges = linkage(squareform(distances, checks=False), LINKAGE)
    return TaskTree(leaves, tuple((int(a), int(b), float(d), int(n)) for a, b, d, n in merges))


def first_order_matrix(tensor: AffinityTensor) -> FloatArray:
    """Float64 (tasks, targets): order-1 affinity of each source for each target, NaN where not measured.

    A target's transfer from its own representation is included, its fully supervised network is not.
    """
    rows = np.flatnonzero((tensor.order == 1) & ~tensor.full_supervision)
    column = {task: number for number, task in enumerate(tensor.targets)}
    matrix = np.full((len(tensor.tasks), len(tensor.targets)), np.nan)
    source = tensor.sources[rows].argmax(axis=1)
    matrix[source, [column[tensor.tasks[target]] for target in tensor.target[rows]]] = tensor.affinity[rows]
    return matrix
