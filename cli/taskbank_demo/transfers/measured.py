"""Measured affinity of a transfer, and its rank among the transfers of its target."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from taskbank_demo.transfers.menu import Choice
from taxsolver import AffinityTensor, Transfer, UnknownTaskError, load_affinity

_NOT_MEASURED = "\N{EN DASH}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A rank among transfers, by affinity.

    Attributes:
        place: 1 for the highest affinity; equal affinities share a rank.
        of: number of transfers with an affinity.
    """

    place: int
    of: int

    def words(self) -> str:
        """Write the rank as in `3rd of 25`."""
        return f"{ordinal(self.place)} of {self.of}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Measurement and ranks of one transfer in one affinity tensor.

    Attributes:
        tensor: name of the affinity tensor.
        own: whether the tensor was measured on the networks of this bank, according to its name.
        transfer: the measurement; None if the tensor has none.
        in_order: rank among the target's transfers with the same number of sources; None without an affinity.
        overall: rank among the target's transfers of all orders.
        peers: every measured transfer of the target, highest affinity first; without full supervision.
        full_supervision: the measurement of the target's own network.
    """

    tensor: str
    own: bool
    transfer: Transfer | None
    in_order: Place | None = None
    overall: Place | None = None
    peers: tuple[Transfer, ...] = ()
    full_supervision: Transfer | None = None

    def facts(self) -> dict[str, Any]:
        """Return the facts for the API, JSON-ready."""
        facts: dict[str, Any] = {"tensor": self.tensor, "of_this_bank": self.own, "measured": False}
        if self.transfer is not None:
            facts |= {"measured": True, **self.transfer.to_dict()}
        for name, place in (("rank_in_order", self.in_order), ("rank_overall", self.overall)):
            facts[name] = place and {"place": place.place, "of": place.of}
        full = self.full_supervision
        facts["full_supervision_affinity"] = full and full.to_dict()["affinity"]
        return facts


@cache
def shipped_tensor(name: str) -> AffinityTensor:
    """Load a tensor that comes with taxsolver, once.

    Args:
        name: one of `taxsolver.available_affinities()`.
    """
    return load_affinity(name)


def fitting_tensor(bank: str, available: Sequence[str]) -> str:
    """Return the name of the initial affinity tensor: the bank's own, or the default one.

    Args:
        bank: name of the bank.
        available: names of tensors, the default first.
    """
    return bank if bank in available else available[0]


def standing(tensor: AffinityTensor, bank: str, choice: Choice) -> Standing:
    """Look up a transfer of a bank in a tensor.

    Args:
        tensor: any affinity tensor, which may lack the transfer.
        bank: name of the bank.
        choice: the transfer.
    """
    own = tensor.name == bank
    try:
        column = tensor.tasks.index(tensor.names.find(choice.target))
        wanted = {tensor.names.find(source) for source in choice.sources}
    except UnknownTaskError:
        return Standing(tensor=tensor.name, own=own, transfer=None)
    of_target = tensor.target == column
    full = np.flatnonzero(of_target & tensor.full_supervision)
    rows = np.flatnonzero(of_target & ~tensor.full_supervision & ~tensor.reads_itself)
    measured = [tensor.transfer(int(row)) for row in rows]
    found = next((transfer for transfer in measured if set(transfer.sources) == wanted), None)
    peers = sorted(
        (each for each in measured if not math.isnan(each.affinity)), key=lambda each: -each.affinity
    )
    same = [peer for peer in peers if found is not None and peer.order == found.order]
    return Standing(
        tensor=tensor.name,
        own=own,
        transfer=found,
        in_order=_place(found, same),
        overall=_place(found, peers),
        peers=tuple(peers),
        full_supervision=tensor.transfer(int(full[0])) if full.size else None,
    )


def by_affinity(tensor: AffinityTensor, choices: Iterable[Choice]) -> tuple[tuple[Choice, float | None], ...]:
    """Sort transfers by affinity, highest first; unmeasured ones come last."""
    rated = []
    for choice in choices:
        transfer = standing(tensor, "", choice).transfer
        known = transfer is not None and not math.isnan(transfer.affinity)
        rated.append((choice, transfer.affinity if transfer is not None and known else None))
    return tuple(sorted(rated, key=lambda pair: (pair[1] is None, -(pair[1] or 0.0), pair[0].name)))


def share_words(share: float) -> str:
    """Write a share in per cent; a dash if it was not measured."""
    return _NOT_MEASURED if math.isnan(share) else f"{share:.0%}"


def affinity_words(affinity: float) -> str:
    """Write an affinity with its first digits; a dash if it was not measured."""
    if math.isnan(affinity):
        return _NOT_MEASURED
    return f"{affinity:.3f}" if affinity >= 0.01 else f"{affinity:.5f}"


def ordinal(number: int) -> str:
    """Write an ordinal number: `1st`, `2nd`, `11th`."""
    teens = number % 100 in {11, 12, 13}
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _place(transfer: Transfer | None, among: Sequence[Transfer]) -> Place | None:
    """Return the rank of a transfer among others, if it has an affinity."""
    if transfer is None or math.isnan(transfer.affinity):
        return None
    return Place(place=1 + sum(peer.affinity > transfer.affinity for peer in among), of=len(among))
