"""Choice of the source sets of transfers: all sets over the best few sources, then the best together.

The original's rule (Zamir et al., CVPR 2018, section 3.2.1, and its lists of transfers): orders 2 and 3
take all sets over the five best sources of the target, order 4 over the six best, and order k of 5 and more
the k best.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from taxsolver import ahp
from training.stages.transfers.config import UNTRAINED, TransfersConfig

SourceSet = tuple[str, ...]


def rank_sources(losses: Mapping[str, NDArray[np.float32]], target: str) -> tuple[str, ...]:
    """Rank the sources for source sets by their affinity on held-out rooms, best first.

    Args:
        losses: float (samples,) of each source's transfer of order 1.
        target: the target; its own and the untrained representation are excluded from sets.
    """
    compared = [source for source in losses if source not in {target, UNTRAINED}]
    if len(compared) < 2:
        return tuple(compared)
    table = np.stack([losses[source] for source in compared], axis=1)
    affinity = ahp(table, compared)
    return tuple(compared[place] for place in np.argsort(-affinity, kind="stable"))


def source_sets(
    order: int, ranking: Sequence[str], config: TransfersConfig, target: str
) -> tuple[SourceSet, ...]:
    """Return the source sets of one order, each in the order of the ranking.

    Args:
        order: 1 or more; for order 1, every source by itself.
        ranking: sources, best first; for order 1, all sources in any order.
        config: numbers of best sources.
        target: target of the transfers, which seeds the random pairs.
    """
    if order == 1:
        return tuple((source,) for source in ranking)
    if order > 4:
        return (tuple(ranking[:order]),) if len(ranking) >= order else ()
    best = ranking[: config.top[order - 2]]
    sets = tuple(combinations(best, order))
    if order != 2:
        return sets
    # Random pairs of one of the best sources and another one, so that order 2 also covers weaker sources.
    pairs = [(one, other) for one in best for other in ranking[len(best) :]]
    draw = np.random.default_rng([config.seed, zlib.crc32(target.encode())])
    chosen = draw.permutation(len(pairs))[: config.random_pairs]
    return sets + tuple(pairs[place] for place in sorted(chosen))
