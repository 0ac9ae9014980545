from __future__ import annotations

import numpy as np
import pytest
from training.rooms.draw import Draw
from training.rooms.floor_plan import FloorPlan, Opening, Size, Wall, bare_walls, outline, plan
from training.rooms.furnishing.shell import skirting, wall_boxes
from training.rooms.surfaces.taste import taste

SQUARE = ((0.0, 0.0), (0.0, 3.0), (4.0, 3.0), (4.0, 0.0))
ELL = ((0.0, 0.0), (0.0, 4.0), (2.0, 4.0), (2.0, 2.0), (4.0, 2.0), (4.0, 0.0))


def room(corners: tuple[tuple[float, float], ...]) -> FloorPlan:
    return FloorPlan(outline=corners, walls=bare_walls(corners, 0.2), height=2.5)


def test_the_area_is_that_of_the_floor() -> None:
    assert room(SQUARE).area == pytest.approx(12)
    assert room(ELL).area == pytest.approx(12)


@pytest.mark.parametrize(("x", "y", "held"), [(1, 3, True), (3, 1, True), (3, 3, False), (-1, 1, False)])
def test_a_plan_holds_the_points_within_its_outline(x: float, y: float, held: bool) -> None:
    assert room(ELL).holds(x, y) is held


def test_walls_lie_outwards_of_the_outline() -> None:
    for corners in (SQUARE, ELL):
        for wall in room(corners).walls:
            assert room(corners).holds(*wall.place(wall.length / 2, -0.05))
            assert not room(corners).holds(*wall.place(wall.length / 2, 0.05))


def test_walls_go_on_at_corners_that_stick_out_and_stop_at_others() -> None:
    assert all((wall.before, wall.after) == (0.2, 0.2) for wall in room(SQUARE).walls)
    assert [(wall.before > 0, wall.after > 0) for wall in room(ELL).walls] == [
        (True, True),
        (True, True),
        (True, False),
        (False, True),
        (True, True),
        (True, True),
    ]


def test_a_wall_knows_its_length_its_turn_and_where_it_is_free() -> None:
    hole = Opening(use="window", x=(1.0, 2.0), z=(0.8, 2.0))
    wall = Wall(start=(0, 0), end=(0, 3), thick=0.2, before=0, after=0, openings=(hole,))
    assert wall.length == 3
    assert wall.place(1.0, 0.5) == pytest.approx((-0.5, 1.0))
    assert wall.free((0.0, 1.0), (0.0, 9.0))
    assert wall.free((1.2, 1.8), (0.0, 0.8))
    assert not wall.free((1.9, 2.5), (1.0, 1.5))


def test_the_parts_of_a_wall_and_its_openings_fill_it() -> None:
    holes = (
        Opening(use="door", x=(0.5, 1.5), z=(0.0, 2.0)),
        Opening(use="window", x=(2.0, 3.0), z=(1.0, 2.0)),
    )
    wall = Wall(start=(0, 0), end=(4, 0), thick=0.2, before=0.2, after=0.2, openings=holes)
    parts = wall_boxes(wall, 2.5)
    solid = sum((x[1] - x[0]) * (z[1] - z[0]) for x, z in parts)
    assert solid == pytest.approx(4.4 * 2.5 - 2.0 - 1.0)
    assert len(parts) == 6


def test_skirting_leaves_doors_out() -> None:
    hole = Opening(use="door", x=(1.0, 2.0), z=(0.0, 2.0))
    wall = Wall(start=(0, 0), end=(4, 0), thick=0.2, before=0, after=0, openings=(hole,))
    piece = skirting(wall, taste(Draw(1), wildness=0, photos=0).trim, 0.1, 0.01)
    spans = [(s.centre[0] - s.half[0], s.centre[0] + s.half[0]) for s in piece.solids]
    assert spans == [pytest.approx((0, 0.89)), pytest.approx((2.11, 4))]


def test_outlines_turn_clockwise_and_many_are_no_rectangles() -> None:
    corners = [outline(Draw(seed), 5.0, 4.0) for seed in range(60)]
    for one in corners:
        assert room(one).area > 8
    assert 15 < sum(len(one) > 4 for one in corners) < 55


def test_openings_lie_in_their_walls_and_apart() -> None:
    for seed in range(60):
        drawn = plan(Draw(seed), Size(width=(2.5, 6), depth=(2.2, 5)))
        for wall in drawn.walls:
            for hole in wall.openings:
                assert 0.19 < hole.x[0] < hole.x[1] < wall.length - 0.19
                assert 0 <= hole.z[0] < hole.z[1] < drawn.height - 0.05
            ends = [end for hole in wall.openings for end in hole.x]
            assert ends == sorted(ends)


def test_open_plans_are_larger() -> None:
    closed = [plan(Draw(seed), Size(width=(3, 4), depth=(3, 4))) for seed in range(20)]
    opened = [plan(Draw(seed), Size(width=(3, 4), depth=(3, 4), open_plan=1.0)) for seed in range(20)]

    def widest(plans: list[FloorPlan]) -> list[float]:
        return [one.corners[1][0] - one.corners[0][0] for one in plans]

    assert max(widest(closed)) < 6.3
    assert np.mean(widest(opened)) > 1.2 * np.mean(widest(closed))


def test_windows_keep_above_their_sills() -> None:
    size = Size(width=(3, 5), depth=(3, 5), windows=(2, 3), sills=(1.0, 1.2))
    holes = [hole for seed in range(30) for wall in plan(Draw(seed), size).walls for hole in wall.openings]
    lows = [hole.z[0] for hole in holes if hole.use == "window"]
    assert all(low == 0.08 or 1.0 <= low < 1.2 for low in lows)
    assert sum(low > 0.5 for low in lows) > 0.7 * len(lows)


def test_nearly_every_room_has_a_door_and_heights_are_usual() -> None:
    plans = [plan(Draw(seed), Size(width=(3, 6), depth=(3, 5))) for seed in range(60)]
    with_door = sum(any(o.use in {"door", "doorway"} for w in p.walls for o in w.openings) for p in plans)
    assert with_door >= 57
    assert all(2.25 <= p.height <= 3.2 for p in plans)
