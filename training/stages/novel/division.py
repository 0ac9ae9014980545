"""Division of photographs into training, ranking and test parts.

Photographs of one group (one place) stay together. Groups are assigned in a random order, each to the part
that lacks most of its share; for class labels, one class after another, so that every part has its share of
each class.
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
    """Assign each photograph to a part.

    Args:
        groups: group number of each photograph.
        shares: shares of the training part and of the held-out part.
        seed: seed of the order.
        classes: class number of each photograph; None without classes.

    Raises:
        DataError: there are fewer than three groups, or a class has no training photographs.
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
    """Assign each group to the part that lacks most."""
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
    """Give an empty part one group of the part that has most, which is needed if groups are few."""
    for part in Part:
        if part not in parts.values():
            counts = [sum(other is one for other in parts.values()) for one in Part]
            richest = list(Part)[int(np.argmax(counts))]
            parts[next(group for group in order if parts[group] is richest)] = part


def _teach_all(
    parts: dict[int, Part], order: Sequence[int], members: dict[int, list[int]], classes: Sequence[int]
) -> None:
    """Move groups so that every class is in the training part.

    Raises:
        DataError: the held-out or the test part would be empty.
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
