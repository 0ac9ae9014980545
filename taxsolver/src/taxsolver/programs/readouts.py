"""Transfers of an instance by target: what a target is worth without sources, with one, and with several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from taxsolver.programs.instance import FloatArray, Instance, IntArray


@dataclass(frozen=True, eq=False)
class Readouts:
    """Transfers of each target by the number of sources that are not required anyway.

    Transfers that cannot be the best of their target are left out: those no heavier than `base`, than another
    one that reads the same source, or than one that reads one of their sources.

    Attributes:
        base: float64 (targets,); weight of the heaviest transfer from required sources, or where there is
            none the least weight of the target, which no plan falls below.
        source: int (targets, most); sources of transfers of one source, heaviest first, then `num_tasks`.
        weight: float64 (targets, most); their weights, then `base`.
        weight_of: float64 (targets, tasks + 1); their weights by source, `base` elsewhere.
        sets: int (sets, largest order); sources of transfers of two or more, by target, then `num_tasks`.
        set_target: int (sets,).
        set_weight: float64 (sets,).
        first_set: int (targets + 1,); place of the first set of each target.
        num_tasks: number of columns of the instance.
    """

    base: FloatArray
    source: IntArray
    weight: FloatArray
    weight_of: FloatArray
    sets: IntArray
    set_target: IntArray
    set_weight: FloatArray
    first_set: IntArray
    num_tasks: int

    @classmethod
    def of(cls, instance: Instance) -> Readouts:
        """Sort the transfers of an instance."""
        tasks, targets = len(instance.cost), instance.num_targets
        members = np.where(np.append(instance.required, True)[instance.members], tasks, instance.members)
        order = (members < tasks).sum(axis=1)
        base = np.full(targets, np.inf)
        np.minimum.at(base, instance.target, instance.weight)
        free = order == 0
        np.maximum.at(base, instance.target[free], instance.weight[free])
        useful = instance.weight > base[instance.target]
        weight_of = np.repeat(base[:, None], tasks + 1, axis=1)
        single = np.flatnonzero(useful & (order == 1))
        np.maximum.at(
            weight_of, (instance.target[single], members[single].min(axis=1)), instance.weight[single]
        )
        ranked = np.argsort(-weight_of, axis=1, kind="stable")
        weight = np.take_along_axis(weight_of, ranked, axis=1)
        ranked[weight <= base[:, None]] = tasks
        most = max(1, int((ranked < tasks).sum(axis=1).max()))
        several = np.flatnonzero(useful & (order > 1))
        alone = weight_of[instance.target[several, None], members[several]].max(axis=1, initial=-np.inf)
        several = several[instance.weight[several] > alone]
        several = several[np.lexsort((-instance.weight[several], instance.target[several]))]
        sets = np.sort(members[several], axis=1)  # required sources became `tasks`, which sorts last
        sets = sets[:, : max(1, int(order[several].max(initial=1)))]
        return cls(
            base=base,
            source=ranked[:, :most].copy(),
            weight=weight[:, :most].copy(),
            weight_of=weight_of,
            sets=sets.astype(np.intp),
            set_target=instance.target[several].astype(np.intp),
            set_weight=instance.weight[several],
            first_set=np.searchsorted(instance.target[several], np.arange(targets + 1)),
            num_tasks=tasks,
        )

    @property
    def num_targets(self) -> int:
        """Number of targets."""
        return len(self.base)

    @property
    def heaviest(self) -> FloatArray:
        """float64 (targets,): the largest weight of each target."""
        heaviest = self.weight[:, 0].copy()
        np.maximum.at(heaviest, self.set_target, self.set_weight)
        return heaviest
