"""The programme of a kind of room: its size, its furniture, and the small things in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from training.rooms.floor_plan import Size
from training.rooms.furnishing.arrange import Room
from training.rooms.furniture import selections
from training.rooms.furniture.clutter import Maker

Group: TypeAlias = Callable[[Room], object]


class Step(NamedTuple):
    """Something to be put up: with a probability, and then so many times; `single` where it is one piece."""

    do: Group
    chance: float = 1.0
    least: int = 1
    most: int = 1
    single: bool = False


def wall(maker: Maker, chance: float = 1.0, least: int = 1, most: int = 1) -> Step:
    """A piece with its back to a wall."""
    return Step(lambda room: room.by_wall(maker(room.taste), tries=16), chance, least, most, True)


def free(maker: Maker, chance: float = 1.0, least: int = 1, most: int = 1) -> Step:
    """A piece somewhere on the floor."""
    return Step(lambda room: room.anywhere(maker(room.taste)), chance, least, most, True)


def hung(maker: Maker, low: float, high: float, chance: float = 1.0, most: int = 1) -> Step:
    """A piece on a wall, its frame's origin so high."""
    return Step(
        lambda room: room.by_wall(maker(room.taste), lift=room.draw.between(low, high)), chance, 1, most
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """One kind of room.

    Attributes:
        scene: name of its class in `class_scene`.
        size: of its plan.
        steps: furniture, in order: what comes first finds a place.
        weight: how often it is drawn.
        wet: whether walls and floor are tiled, mostly.
        hard: whether the floor is no carpet, mostly.
        rugs: most rugs.
        pictures: least and most things on walls.
        strewn: most things on the floor.
        floor: which things lie on the floor.
    """

    scene: str
    size: Size
    steps: tuple[Step, ...]
    weight: float = 1.0
    wet: bool = False
    hard: bool = False
    rugs: int = 1
    pictures: tuple[int, int] = (1, 5)
    strewn: int = 10
    floor: Mapping[Maker, float] = field(default_factory=lambda: selections.FLOOR)
