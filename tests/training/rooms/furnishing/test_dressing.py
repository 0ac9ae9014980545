"""Fittings of a room's shell."""

from __future__ import annotations

import pytest
from training.errors import DataError
from training.rooms.draw import Draw
from training.rooms.floor_plan import FloorPlan, bare_walls
from training.rooms.furnishing.arrange import Room
from training.rooms.furnishing.dressing import light_ceiling
from training.rooms.furnishing.footprint import footprint
from training.rooms.furniture.piece import Bounds
from training.rooms.surfaces.taste import taste

# The middle of its corners is outside of this room.
CORNERS = ((0.0, 0.0), (0.0, 1.0), (3.0, 1.0), (3.0, 4.0), (4.0, 4.0), (4.0, 0.0))


@pytest.mark.parametrize("seed", range(5))
def test_a_room_that_is_full_to_the_ceiling_has_a_light_if_it_must(seed: int) -> None:
    bare = FloorPlan(outline=CORNERS, walls=bare_walls(CORNERS, 0.2), height=2.5)
    room = Room(bare, taste(Draw(seed), wildness=0, photos=0), 300)
    room.taken.take(footprint(Bounds(-9.0, 9.0, -9.0, 9.0, 0.0, 3.0), 0.0, 0.0, 0.0, 0.0))
    light_ceiling(room, least=0)
    assert room.bulbs == []
    light_ceiling(room, least=1)
    assert room.bulbs
    assert all(0 < b.x < 4 and 0 < b.y < 4 and 0 < b.z < 2.5 and (b.y < 1 or b.x > 3) for b in room.bulbs)


def test_a_room_with_no_place_between_its_walls_is_refused() -> None:
    narrow = ((0.0, 0.0), (0.0, 0.1), (4.0, 0.1), (4.0, 0.0))
    bare = FloorPlan(outline=narrow, walls=bare_walls(narrow, 0.2), height=2.5)
    with pytest.raises(DataError, match=r"a room of 4\.0 x 0\.1 m has no place for a lamp"):
        light_ceiling(Room(bare, taste(Draw(1), wildness=0, photos=0), 300), least=1)
