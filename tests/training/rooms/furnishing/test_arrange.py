from __future__ import annotations

from math import pi

import pytest
from training.rooms.draw import Draw
from training.rooms.floor_plan import FloorPlan, Opening, Wall, bare_walls
from training.rooms.furnishing.arrange import Room
from training.rooms.furnishing.clutter import Spread
from training.rooms.furnishing.footprint import Footprint, Taken, footprint, overlap
from training.rooms.furniture.piece import Bounds, Piece, Top
from training.rooms.surfaces.taste import taste

CORNERS = ((0.0, 0.0), (0.0, 3.0), (4.0, 3.0), (4.0, 0.0))


def empty(seed: int = 1, limit: int = 300) -> Room:
    bare = FloorPlan(outline=CORNERS, walls=bare_walls(CORNERS, 0.2), height=2.5)
    return Room(bare, taste(Draw(seed), wildness=0, photos=0), limit)


def block(wide: float, deep: float, high: float, room: Room) -> Piece:
    piece = Piece("box")
    piece.box(room.taste.trim, (-wide / 2, wide / 2), (-deep / 2, deep / 2), (0.0, high))
    return piece


def square(x: float, y: float, yaw: float, low: float = 0.0) -> Footprint:
    return footprint(Bounds(-0.5, 0.5, -0.5, 0.5, 0.0, 1.0), x, y, low, yaw)


@pytest.mark.parametrize(
    ("other", "overlaps"),
    [
        (square(0.9, 0, 0), True),
        (square(1.0, 0, 0), False),
        (square(1.15, 0, pi / 4), True),
        (square(1.25, 0, pi / 4), False),
        (square(0.5, 0, 0, low=1.0), False),
        (square(0.5, 0, 0, low=0.9), True),
    ],
)
def test_boxes_overlap_where_they_do(other: Footprint, overlaps: bool) -> None:
    assert overlap(square(0, 0, 0), other) is overlaps
    assert overlap(other, square(0, 0, 0)) is overlaps


def test_corners_of_a_turned_footprint() -> None:
    corners = {(round(x, 6), round(y, 6)) for x, y in square(1, 0, pi / 2).corners}
    assert corners == {(0.5, -0.5), (0.5, 0.5), (1.5, -0.5), (1.5, 0.5)}


def test_walls_and_the_way_to_a_door_are_taken() -> None:
    hole = Opening(use="door", x=(1.0, 2.0), z=(0.0, 2.0))
    first, *others = bare_walls(CORNERS, 0.2)
    wall = Wall(start=first.start, end=first.end, thick=0.2, before=0.2, after=0.2, openings=(hole,))
    taken = Taken(FloorPlan(outline=CORNERS, walls=(wall, *others), height=2.5))
    small = Bounds(-0.1, 0.1, -0.1, 0.1, 0.0, 1.0)
    assert taken.free(footprint(small, 0.11, 0.5, 0.0, 0.0))
    assert not taken.free(footprint(small, 0.05, 0.5, 0.0, 0.0))
    assert not taken.free(footprint(small, 0.4, 1.5, 0.0, 0.0))
    assert taken.free(footprint(small, 0.9, 1.5, 0.0, 0.0))
    assert not taken.free(footprint(small, 5.0, 1.5, 0.0, 0.0))


def test_a_piece_by_a_wall_turns_its_back_to_it() -> None:
    for seed in range(20):
        room = empty(seed)
        placed = room.by_wall(block(1.0, 0.4, 1.0, room))
        assert placed is not None
        back = placed.at(0.0, placed.bounds.y1 + 0.01)
        assert not room.plan.holds(*back)
        assert room.plan.holds(placed.x, placed.y)


def test_pieces_never_overlap() -> None:
    room = empty(3)
    placed = [room.anywhere(block(0.7, 0.5, 1.0, room)) for _ in range(12)]
    prints = [footprint(p.bounds, p.x, p.y, p.z, p.yaw) for p in placed if p]
    assert len(prints) > 3
    assert not any(overlap(a, b) for a in prints for b in prints if a is not b)


def test_what_finds_no_place_is_left_out() -> None:
    room = empty()
    assert room.anywhere(block(5.0, 2.0, 1.0, room), tries=200) is None
    full = room.put(block(0.5, 0.5, 1.0, room), 0.0, 0.0, 0.0)
    assert full is None


def test_the_limit_on_solids_is_kept() -> None:
    room = empty(limit=2)
    for _ in range(5):
        room.anywhere(block(0.3, 0.3, 0.3, room), tries=50)
    assert len(room.solids) == 2


def test_space_before_a_piece_is_kept_free_but_may_be_used_later() -> None:
    room = empty()
    piece = block(1.0, 0.4, 1.0, room)
    piece.front = 0.5
    assert room.put(block(0.4, 0.4, 0.5, room), 2.0, 1.0, 0.0)
    assert room.put(piece, 2.0, 1.6, 0.0) is None
    assert room.put(piece, 2.0, 2.2, 0.0)
    assert room.put(block(0.2, 0.2, 0.5, room), 2.0, 1.8, 0.0)


def test_a_chair_may_stand_under_a_table() -> None:
    room = empty()
    table, chair = block(1.0, 0.8, 0.75, room), block(0.4, 0.4, 0.45, room)
    table.block((-0.5, 0.5), (-0.4, 0.4), (0.65, 0.75))
    assert room.put(table, 2.0, 1.5, 0.0)
    assert room.put(chair, 2.0, 1.2, 0.0)


def test_things_on_a_top_stay_on_it_and_apart() -> None:
    room = empty(5)
    spread = Spread(room, Top(1.0, 1.0, 0.5, 0.3, 0.7, 0.8, 0.5))
    put = sum(spread.put(block(0.2, 0.15, 0.2, room)) for _ in range(12))
    assert put >= 2
    assert len(room.solids) == put
    assert all(solid.centre[2] == pytest.approx(0.9) for solid in room.solids)
    assert not spread.put(block(0.1, 0.1, 0.6, room))
    assert not spread.put(block(1.5, 0.1, 0.1, room))


def test_draws_are_repeatable_and_within_their_ranges() -> None:
    one, two = Draw(5, 6), Draw(5, 6)
    assert [one.share() for _ in range(600)] == [two.share() for _ in range(600)]
    draws = [one.normal(0.0, 1.0, -1.0, 0.5) for _ in range(500)]
    assert -1 <= min(draws) < max(draws) <= 0.5
    assert {one.whole(2, 4) for _ in range(100)} == {2, 3, 4}
    assert {one.weighted({"a": 1.0, "b": 0.0, "c": 1.0}) for _ in range(100)} == {"a", "c"}
    assert sorted(one.shuffled([3, 1, 2])) == [1, 2, 3]
