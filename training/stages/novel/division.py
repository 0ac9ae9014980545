"""Division of photographs: to learn from, to rank the sources, and to test everything on.

Photographs of one group (one place) stay together. Groups are dealt out in a random order, each to the part
that lacks most of its share; with classes as labels, one class after another, so that every part has its
share of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from training.errors import DataError


class Part(StrEnum):
    """The parts that photographs are divided into."""

    LEARNED = "learned"
    HELD_OUT = "held_out"
    TEST = "test"


def divide(
    groups: Sequence[int],
    shares: tuple[float, float],
    seed: int,
    classes: Sequence[int] | None = None,
) -> list[Part]:
    """The part of each photograph.

    Args:
        groups: number of the place of each photograph.
        shares: of the photographs that are learned from, and of those that are held out.
        seed: of the order.
        classes: number of the class of each photograph; None where there are none.

    Raises:
        DataError: there are fewer than three places, or nothing to learn a class from.
    """
    members: dict[int, list[int]] = {}
    for photograph, group in enumerate(groups):
        members.setdefault(group, []).append(photograph)
    if len(members) < len(Part):
        raise DataError(
            f"the photographs are of {len(members)} group(s): three at least are needed, to learn from, to "
            "rank sources on and to test on"
        )
    kind = {group: 0 if classes is None else classes[own[0]] for group, own in members.items()}
    draw = np.random.default_rng(seed)
    order = sorted(draw.permutation(sorted(members)).tolist(), key=kind.__getitem__)
    parts = _dealt(order, {group: len(own) for group, own in members.items()}, shares)
    _fill_empty(parts, order)
    if classes is not None:
        _teach_all(parts, order, members, classes)
    return [parts[group] for group in groups]


def _dealt(order: Sequence[int], sizes: dict[int, int], shares: tuple[float, float]) -> dict[int, Part]:
    """Each group to the part that lacks most."""
    wanted = dict(zip(Part, (*shares, 1 - sum(shares)), strict=True))
    held = dict.fromkeys(Part, 0)
    parts, seen = {}, 0
    for group in order:
        seen += sizes[group]
        part = max(Part, key=lambda one: wanted[one] * seen - held[one])
        parts[group] = part
        held[part] += sizes[group]
    return parts


def _fill_empty(parts: dict[int, Part], order: Sequence[int]) -> None:
    """Give a part that got nothing, for groups are few, one of the part that has most."""
    for part in Part:
        if part not in parts.values():
            counts = [sum(other is one for other in parts.values()) for one in Part]
            richest = list(Part)[int(np.argmax(counts))]
            parts[next(group for group in order if parts[group] is richest)] = part


def _teach_all(
    parts: dict[int, Part], order: Sequence[int], members: dict[int, list[int]], classes: Sequence[int]
) -> None:
    """See that every class is learned from.

    Raises:
        DataError: that would leave nothing to rank sources on, or to test on.
    """
    for label in sorted(set(classes)):
        owners = [group for group in order if any(classes[one] == label for one in members[group])]
        if all(parts[group] is not Part.LEARNED for group in owners):
            parts[owners[0]] = Part.LEARNED
    missing = [part.value for part in Part if part not in parts.values()]
    if missing:
        raise DataError(
            f"nothing is left for {' and '.join(missing)} when every class is to be learned: label more "
            "groups"
        )
