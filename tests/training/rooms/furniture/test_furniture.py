from __future__ import annotations

from collections.abc import Callable
from math import pi

import numpy as np
import pytest
from training.rooms.draw import Draw
from training.rooms.furnishing.build import _arrays
from training.rooms.furniture import (
    bathroom,
    beds,
    kitchen,
    lamps,
    office,
    plants,
    seating,
    selections,
    soft,
    storage,
    structure,
    tables,
)
from training.rooms.furniture.piece import Piece, times, turn
from training.rooms.scene import Shape
from training.rooms.surfaces.taste import Taste, taste

from solids import gaps, reached

STANDING: dict[str, Callable[[Taste], Piece]] = {
    maker.__name__: maker
    for maker in (
        *(seating.chair, seating.stool, seating.bench, seating.office_chair, seating.sofa, seating.armchair),
        *(
            seating.ottoman,
            seating.rocking_chair,
            tables.dining_table,
            tables.coffee_table,
            tables.side_table,
        ),
        *(
            tables.desk,
            tables.pool_table,
            storage.bookcase,
            storage.wardrobe,
            storage.dresser,
            storage.cabinet,
        ),
        *(storage.tv_stand, storage.night_stand, storage.chest, storage.filing_cabinet, storage.rack),
        *(beds.bed, beds.four_poster, beds.bunk_bed, beds.crib, kitchen.refrigerator, kitchen.washer),
        *(bathroom.toilet, bathroom.bathtub, bathroom.washstand, bathroom.shower, structure.fireplace),
        *(lamps.floor_lamp, lamps.arc_lamp, soft.rug, structure.ladder, office.television, office.workplace),
        *selections.COMMON,
        *selections.TABLE,
        *selections.KITCHEN,
        *selections.BATH,
        *selections.SEATS,
        *selections.FLOOR,
        *selections.TOYS,
        *selections.DESK,
    )
}


def own(seed: int) -> Taste:
    return taste(Draw(seed), wildness=0.1, photos=0)


@pytest.mark.parametrize("name", sorted(STANDING))
def test_a_piece_stands_on_the_ground_in_one_piece(name: str) -> None:
    for seed in range(5):
        piece = STANDING[name](own(seed))
        floor = Piece("floor")
        floor.box(own(0).trim, (-3, 3), (-3, 3), (-0.1, 0.0), edge=0)
        if name == "shower":
            back = piece.bounds().y1
            floor.box(own(0).trim, (-3, 3), (back, back + 0.1), (0.0, 2.5), edge=0)
        solids, _ = _arrays(floor.join(piece).solids)
        assert reached(gaps(solids, solids) < 0.004, solids.label == 2).all(), seed
        assert piece.bounds().z0 > -0.06


@pytest.mark.parametrize("name", sorted(STANDING))
def test_tops_lie_within_the_piece_and_not_above_it(name: str) -> None:
    for seed in range(3):
        piece = STANDING[name](own(seed))
        around = piece.bounds()
        for top in piece.tops:
            assert around.x0 - 1e-6 <= top.x - top.half_x < top.x + top.half_x <= around.x1 + 1e-6
            assert around.y0 - 1e-6 <= top.y - top.half_y < top.y + top.half_y <= around.y1 + 1e-6
            assert 0 < top.z <= around.z1 + 1e-6


def test_designs_differ() -> None:
    for name in ("chair", "dining_table", "sofa", "bed", "bookcase", "cabinet"):
        shapes = {tuple(s.half for s in STANDING[name](own(seed)).solids) for seed in range(20)}
        assert len(shapes) == 20


@pytest.mark.parametrize("units", [2, 3, 5])
def test_a_counter_has_a_stove_and_a_sink(units: int) -> None:
    kinds = {solid.kind for solid in kitchen.counter_run(own(2), units).solids}
    assert {"oven", "sink", "counter"} <= kinds


def test_an_island_is_cabinets_under_one_counter() -> None:
    for units in (2, 3, 4):
        piece = kitchen.island(own(units), units)
        (slab,) = [solid for solid in piece.solids if solid.kind == "counter"]
        others = [solid for solid in piece.solids if solid.kind == "kitchen cabinet"]
        assert max(solid.centre[2] + solid.half[2] for solid in others) == pytest.approx(kitchen.HIGH)
        assert slab.centre[2] - slab.half[2] == pytest.approx(kitchen.HIGH)
        assert piece.things == units + 1


def test_books_stand_side_by_side_within_their_length() -> None:
    for seed in range(10):
        row = storage.books(own(seed), 0.6, 0.2, 0.3)
        around = row.bounds()
        assert -0.301 <= around.x0 < around.x1 <= 0.301
        assert around.z0 == pytest.approx(0, abs=1e-3)
        assert around.z1 <= 0.3
        assert row.things == len(row.solids) > 5


def test_a_plant_is_as_tall_as_asked() -> None:
    for seed in range(10):
        assert plants.plant(own(seed), tall=1.0).bounds().z1 == pytest.approx(1.0, abs=0.35)


def test_a_hanging_lamp_hangs_from_the_ceiling_down_to_its_drop() -> None:
    for seed in range(10):
        around = lamps.pendant(own(seed), 0.6).bounds()
        assert around.z1 == pytest.approx(0, abs=1e-6)
        assert around.z0 == pytest.approx(-0.6, abs=0.06)


def test_turns_are_rotations_by_the_right_hand() -> None:
    np.testing.assert_allclose(np.array(turn(2, pi / 2)) @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(np.array(turn(0, pi / 2)) @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(np.array(turn(1, pi / 2)) @ [0, 0, 1], [1, 0, 0], atol=1e-12)
    one, two = turn(0, 0.3), turn(2, 0.7)
    np.testing.assert_allclose(times(one, two), np.array(one) @ np.array(two), atol=1e-12)


def test_a_rod_goes_from_one_point_to_the_other() -> None:
    piece = Piece("thing")
    start, end = np.array([0.1, -0.2, 0.3]), np.array([0.5, 0.4, -0.1])
    solid = piece.rod(own(1).trim, tuple(start), tuple(end), 0.01)
    axes = np.array(solid.axes)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)
    np.testing.assert_allclose(np.array(solid.centre) + axes[:, 2] * solid.half[2], end, atol=1e-12)
    assert solid.shape is Shape.CYLINDER


def test_joined_pieces_keep_their_things_apart() -> None:
    paint = own(1).trim
    inner, outer = Piece("cup"), Piece("tray")
    inner.box(paint, (0.0, 1.0), (0.0, 0.2), (0.0, 0.1))
    inner.top((0.0, 1.0), (0.0, 0.2), 0.1)
    outer.box(paint, (-1, 1), (-1, 1), (0.0, 0.1))
    outer.join(inner, 2.0, 0.0, 0.5, pi / 2)
    assert [(solid.kind, solid.thing) for solid in outer.solids] == [("tray", 0), ("cup", 1)]
    assert outer.solids[1].centre == pytest.approx((1.9, 0.5, 0.55))
    top = outer.tops[0]
    assert (top.x, top.y, top.z, top.yaw) == pytest.approx((1.9, 0.5, 0.6, pi / 2))
