"""Example requests of the page."""

from __future__ import annotations

from dataclasses import dataclass, replace

from taskbank.tasks.kinds import Group
from taskbank_demo.planning.board import NEVER, BoardRow, default_rows
from taskbank_demo.planning.drawing.cards import task_cards
from taxsolver.tensors.affinity import AffinityTensor

_NOVEL = ("room_layout", "point_matching", "vanishing_point")
_FEW = 2  # labels that serve the 3D tasks
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
    cards, rows = task_cards(tensor), default_rows(tensor)
    everything = min(8, max(1, len(tensor.targets) // 2))
    found = [Preset(name=f"All {len(tensor.targets)} targets", rows=tuple(rows), budget=everything)]
    solid = tuple(card.task for card in cards if card.group == Group.THREE_D and card.target)
    if len(solid) > _FEW:
        few = tuple(default_rows(tensor, solid))
        found.append(Preset(name="3D from two labels", rows=few, budget=_FEW))
    dear = {card.task for card in cards if card.group == Group.SEMANTIC}
    if dear:
        priced = tuple(replace(row, cost=_DEAR) if row.task in dear else row for row in rows)
        found.append(Preset(name=f"Semantic labels cost {_DEAR} times", rows=priced, budget=8))
    novel = tuple(task for task in _NOVEL if task in tensor.targets)
    if novel:
        unlabelled = tuple(
            replace(row, use=NEVER) if row.task in novel else row for row in default_rows(tensor, novel)
        )
        found.append(Preset(name="Novel tasks with few labels", rows=unlabelled, budget=3))
    return {preset.name: preset for preset in found}
