"""Best transfer of each target for every largest order: the table for a novel task."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from taxsolver.arguments import check_count, check_flag
from taxsolver.errors import InvalidInputError
from taxsolver.tensors.affinity import Names
from taxsolver.tensors.store import AffinityInput, load_affinity

_MOST = 24  # largest `max_order` that is allowed even for tensors of few tasks: every cap makes a row


@dataclass(frozen=True)
class RankRow:
    """Transfer of largest affinity for one target and one cap on the order.

    Attributes:
        target: the task that is predicted.
        order: the cap; the transfer may have fewer sources.
        sources: sources of the transfer; empty where no transfer within the cap was measured.
        affinity: as in the tensor; NaN without a transfer.
        gain: share of test images on which it beats training from scratch, in [0, 1]; NaN where not measured.
        quality: the same against full supervision.
    """

    target: str
    order: int
    sources: tuple[str, ...]
    affinity: float
    gain: float
    quality: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with None in place of NaN."""
        return {
            "target": self.target,
            "order": self.order,
            "sources": list(self.sources),
            "affinity": None if math.isnan(self.affinity) else self.affinity,
            "gain": None if math.isnan(self.gain) else self.gain,
            "quality": None if math.isnan(self.quality) else self.quality,
        }


def rank(
    affinity: AffinityInput,
    *,
    targets: Names = "all",
    max_order: int = 4,
    sources: Names | None = None,
    allow_random: bool = False,
) -> list[RankRow]:
    """Find the transfer of largest affinity and order at most k, for every target and k = 1..max_order.

    Transfers that read the target itself are left out: each target is treated as a novel task, which has no
    labels but those that its transfer is trained on. With `allow_random` this is the "novel task" table of
    Zamir et al., CVPR 2018 (https://arxiv.org/abs/1804.08328), section 4.2.

    Args:
        affinity: a tensor, or what `load_affinity` takes.
        targets: tasks to find transfers for.
        max_order: the largest cap.
        sources: tasks that may be read; None for all.
        allow_random: include untrained sources (random projections). Naming them in `sources` includes them
            as well.

    Returns:
        Rows in the order of the targets, then of the caps.

    Raises:
        UnknownTaskError: a name is not known.
        InvalidInputError: `max_order` is not a whole number of at least 1, or `sources` is empty.

    Examples:
        >>> import taxsolver
        >>> best = taxsolver.rank("taskonomy-16k", targets="reshading", max_order=1)[0]
        >>> best.sources, round(best.gain, 3)
        (('normal',), 0.883)
    """
    check_count(max_order, "max_order")
    allow_random = check_flag(allow_random, "allow_random")
    tensor = load_affinity(affinity)
    if max_order > max(_MOST, len(tensor.tasks)):
        raise InvalidInputError(
            f"max_order is {max_order}, but there are {len(tensor.tasks)} tasks: no transfer has more sources"
        )
    allowed = set(tensor.tasks) if allow_random else set(tensor.tasks) - set(tensor.untrained)
    if sources is not None:
        allowed = set(tensor.names.find_all(sources, "sources"))
        if not allowed:
            raise InvalidInputError("sources is empty: name at least one task")
    usable = ~np.isnan(tensor.affinity) & ~tensor.reads_itself & ~tensor.full_supervision
    usable &= ~tensor.sources[:, ~tensor.mask(allowed)].any(axis=1)
    rows = []
    for target in tensor.find_targets(targets):
        own = usable & (tensor.target == tensor.tasks.index(target))
        for cap in range(1, max_order + 1):
            found = np.flatnonzero(own & (tensor.order <= cap))
            if not len(found):
                rows.append(RankRow(target, cap, (), math.nan, math.nan, math.nan))
                continue
            # Of equal affinities, that of fewer sources is the best, then the first.
            best = found[np.lexsort((found, tensor.order[found], -tensor.affinity[found]))[0]]
            measures = (float(values[best]) for values in (tensor.affinity, tensor.gain, tensor.quality))
            rows.append(RankRow(target, cap, tensor.source_names(best), *measures))
    return rows
