"""Example requests of the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from taskbank.tasks.kinds import Group
from taskbank_demo.planning.board import NEVER, BoardRow, default_rows
from taskbank_demo.planning.drawing.cards import task_cards
from taxsolver.tensors.affinity import AffinityTensor

_NOVEL = ("room_layout", "point_matching", "vanishing_point")
_DEAR = 4  # label cost of a task with labels drawn by hand, relative to one that a scanner measures


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One example request.

    Attributes:
        name: on the page.
        rows: of the board.
        budget: largest total label cost.
    """

    name: str
    rows: tuple[BoardRow, ...]
    budget: int


def presets(tensor: AffinityTensor) -> dict[str, Preset]:
    """Return the presets that are possible for a tensor, by name; the first one always is."""
    found = [make(tensor) for make in _MAKERS]
    return {preset.name: preset for preset in found if preset is not None}


def _everything(tensor: AffinityTensor) -> Preset:
    budget = min(8, max(1, len(tensor.targets) // 2))
    return Preset(name=f"All {len(tensor.targets)} targets", rows=tuple(default_rows(tensor)), budget=budget)


def _three_d(tensor: AffinityTensor) -> Preset | None:
    return _group(tensor, Group.THREE_D, "3D from two labels", 2)


def _semantics(tensor: AffinityTensor) -> Preset | None:
    dear = {card.task for card in task_cards(tensor) if card.group == Group.SEMANTIC}
    rows = tuple(replace(row, cost=_DEAR) if row.task in dear else row for row in default_rows(tensor))
    return Preset(name=f"Semantic labels cost {_DEAR} times", rows=rows, budget=8) if dear else None


def _novel(tensor: AffinityTensor) -> Preset | None:
    targets = tuple(task for task in _NOVEL if task in tensor.targets)
    rows = (replace(row, use=NEVER) if row.task in targets else row for row in default_rows(tensor, targets))
    return Preset(name="Novel tasks with few labels", rows=tuple(rows), budget=3) if targets else None


def _group(tensor: AffinityTensor, group: str, name: str, budget: int) -> Preset | None:
    targets = tuple(card.task for card in task_cards(tensor) if card.group == group and card.target)
    if len(targets) <= budget:
        return None
    return Preset(name=name, rows=tuple(default_rows(tensor, targets)), budget=budget)


_MAKERS: tuple[Callable[[AffinityTensor], Preset | None], ...] = (_everything, _three_d, _semantics, _novel)
