"""Choice of the transfers that come with a bank, by priority and within its size limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from taskbank.bank.bank import TransferKey
from taskbank.tasks.registry import SCRATCH
from taxsolver import AffinityTensor
from training.stages.evaluation.config import EvaluateConfig
from training.stages.transfers.config import UNTRAINED

ASKED_FOR = (
    "normal", "depth_zbuffer", "reshading", "edge_occlusion", "segment_semantic", "curvature",
    "depth_euclidean", "room_layout", "keypoints3d", "edge_texture", "class_scene", "class_object",
    "vanishing_point", "segment_unsup25d", "segment_unsup2d", "keypoints2d", "egomotion", "fixated_pose",
    "nonfixated_pose", "point_matching", "denoising", "inpainting", "colorization", "jigsaw", "autoencoding",
)  # fmt: skip
"""Targets in falling order of priority."""


def wanted_transfers(affinity: AffinityTensor, config: EvaluateConfig) -> list[TransferKey]:
    """List the transfers that a bank should have, without repetition, by falling priority.

    Targets to be compared come first, each with its best transfer of every order, further sources of order 1,
    `random` and `scratch`; then the best transfers of the others.

    Args:
        affinity: tensor of stage 3.
        config: orders to include, and targets whose sources can be compared.
    """
    place = {task: number for number, task in enumerate(ASKED_FOR)}  # a user's own task comes last
    targets = sorted(affinity.targets, key=lambda target: place.get(target, len(place)))
    shown = [target for target in targets if target in config.shown_targets]
    keys: list[TransferKey] = []
    for target in shown:
        # The best transfers, evenly spaced sources from good to bad, and both controls.
        ranked = _ranked(affinity, target, 1)
        places = np.linspace(0, len(ranked) - 1, min(config.shown_sources, len(ranked)))
        keys += [*_best(affinity, target, config), *(ranked[round(place)] for place in places)]
        keys += [*_ranked(affinity, target, 1, untrained=True)[:1], ((SCRATCH,), target)]
    keys += [key for target in targets if target not in shown for key in _best(affinity, target, config)]
    once: dict[tuple[frozenset[str], str], TransferKey] = {}
    for sources, target in keys:
        once.setdefault((frozenset(sources), target), (sources, target))
    return list(once.values())


def those_that_fit(
    wanted: Iterable[TransferKey], size_of: Callable[[TransferKey], int], available: float
) -> list[TransferKey]:
    """Choose the transfers that fit, in order; too large ones are skipped.

    Args:
        wanted: transfers by falling priority.
        size_of: function that returns the bytes of a transfer's file.
        available: bytes that are left; infinite for no limit.
    """
    chosen = []
    for key in wanted:
        size = size_of(key)
        if size <= available:
            chosen.append(key)
            available -= size
    return chosen


def _best(affinity: AffinityTensor, target: str, config: EvaluateConfig) -> Iterator[TransferKey]:
    """Yield the best transfer of a target for every order in the settings."""
    for order in config.transfer_orders:
        yield from _ranked(affinity, target, order)[:1]


def _ranked(
    affinity: AffinityTensor, target: str, order: int, *, untrained: bool = False
) -> Sequence[TransferKey]:
    """Transfers of a target by falling affinity, with or without the untrained source."""
    useful = ~(affinity.full_supervision | affinity.reads_itself | np.isnan(affinity.affinity))
    rows = useful & (affinity.target == affinity.tasks.index(target)) & (affinity.order == order)
    if UNTRAINED in affinity.tasks:
        rows &= affinity.sources[:, affinity.columns((UNTRAINED,))].any(axis=1) == untrained
    elif untrained:
        return []
    numbers = np.flatnonzero(rows)
    best = numbers[np.argsort(-affinity.affinity[numbers], kind="stable")]
    return [(affinity.transfer(int(row)).sources, target) for row in best]
