"""Programme of a kind of room: size, furniture, and small objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from training.rooms.floor_plan import Size
from training.rooms.furnishing.arrange import Room
from training.rooms.furniture import selections
from training.rooms.furniture.clutter import Maker

Group: TypeAlias = Callable[[Room], object]


class Addition(NamedTuple):
    """Furniture to add with a probability and a number of times; `single` if it is one piece."""

    do: Group
    chance: float = 1.0
    least: int = 1
    most: int = 1
    single: bool = False


def wall(maker: Maker, chance: float = 1.0, least: int = 1, most: int = 1) -> Addition:
    """Return the addition of a piece with its back to a wall."""
    return Addition(lambda room: room.by_wall(maker(room.taste), tries=16), chance, least, most, True)


def free(maker: Maker, chance: float = 1.0, least: int = 1, most: int = 1) -> Addition:
    """Return the addition of a piece anywhere on the floor."""
    return Addition(lambda room: room.anywhere(maker(room.taste)), chance, least, most, True)


def hung(maker: Maker, low: float, high: float, chance: float = 1.0, most: int = 1) -> Addition:
    """Return the addition of a piece on a wall, with its origin between two heights."""
    return Addition(
        lambda room: room.by_wall(maker(room.taste), lift=room.draw.between(low, high)), chance, 1, most
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """One kind of room.

    Attributes:
        scene: name of its class in `class_scene`.
        size: size of its plan.
        steps: furniture in order; earlier steps find places more easily.
        weight: relative frequency.
        wet: True if walls and floor are mostly tiled.
        hard: True if the floor is mostly no carpet.
        rugs: largest number of rugs.
        pictures: least and largest number of objects on walls.
        strewn: largest number of objects on the floor.
        floor: kinds of objects on the floor.
    """

    scene: str
    size: Size
    steps: tuple[Addition, ...]
    weight: float = 1.0
    wet: bool = False
    hard: bool = False
    rugs: int = 1
    pictures: tuple[int, int] = (1, 5)
    strewn: int = 10
    floor: Mapping[Maker, float] = field(default_factory=lambda: selections.FLOOR)
