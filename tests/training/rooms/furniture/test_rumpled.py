from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from training.rooms.draw import Draw
from training.rooms.furnishing.build import _arrays
from training.rooms.furniture import clutter, rumpled
from training.rooms.furniture.piece import Piece, Solid
from training.rooms.scene import Shape
from training.rooms.surfaces.taste import Taste, taste

from solids import gaps


def own(seed: int) -> Taste:
    return taste(Draw(seed), wildness=0.1, photos=0)


def surface(solid: Solid) -> NDArray[np.float64]:
    """Points all over an ellipsoid or a cushion, in the piece's frame, float64 (P, 3)."""
    power = solid.detail if solid.shape is Shape.CUSHION else 2.0
    ways = np.random.default_rng(0).normal(size=(20_000, 3))
    unit = ways / (np.abs(ways) ** power).sum(1, keepdims=True) ** (1 / power)
    points: NDArray[np.float64] = (unit * solid.half) @ np.array(solid.axes).T + solid.centre
    return points


def test_lumps_stay_within_their_rectangle_and_height() -> None:
    for seed in range(20):
        piece = Piece("quilt")
        rumpled.lumps(piece, Draw(seed), own(seed).cloth(), (-0.8, 0.7), (0.1, 1.2), 0.5, 6, 0.1)
        assert len(piece.solids) == 6
        points = np.concatenate([surface(solid) for solid in piece.solids])
        assert (points.min(0)[:2] >= [-0.8, 0.1]).all()
        assert (points.max(0)[:2] <= [0.7, 1.2]).all()
        assert 0.5 < points[:, 2].max() <= 0.6


def test_every_lump_comes_out_of_what_it_lies_on() -> None:
    for seed in range(20):
        piece = Piece("quilt")
        rumpled.lumps(piece, Draw(seed), own(seed).cloth(), (-1, 1), (-1, 1), 0.5, 5, 0.12)
        for solid in piece.solids:
            heights = surface(solid)[:, 2]
            assert heights.min() < 0.5 < heights.max()


@pytest.mark.parametrize("lean", [-0.1, 0.0, 0.3, 1.0, 1.3])
@pytest.mark.parametrize("yaw", [0.0, 0.7])
def test_a_loose_cushion_touches_what_it_lies_on(lean: float, yaw: float) -> None:
    piece = Piece("sofa")
    rumpled.loose_cushion(piece, own(2), (0.1, 0.2, 0.45), 0.22, 0.08, lean, yaw)
    (solid,) = piece.solids
    assert solid.kind == "cushion"
    assert 0.45 - 0.012 < surface(solid)[:, 2].min() < 0.45 + 0.001


def test_a_heap_is_a_mound_with_narrow_folds_on_it() -> None:
    for seed in range(10):
        mound, *folds = rumpled.heap(own(seed), "clothes", 0.3, 0.12, 6).solids
        assert len(folds) == 5
        assert surface(mound)[:, 2].min() < 0 < mound.centre[2]
        for fold in folds:
            assert fold.half[0] < mound.half[0]
            assert fold.half[1] < mound.half[1]
            assert 0 < surface(fold)[:, 2].max() < 0.13


def test_a_garment_hangs_at_both_sides_of_a_back() -> None:
    for seed in range(10):
        back = Piece("chair")
        back.box(own(seed).trim, (-0.2, 0.2), (0.19, 0.21), (0.45, 0.9), edge=0.0)
        rumpled.hung_over(back, own(seed), 0.17, 0.2, 0.9, 0.0)
        solids, _ = _arrays(back.solids)
        assert (gaps(solids, solids)[0] < 0.004).all()
        cloth = np.concatenate([surface(solid) for solid in back.solids if solid.shape is Shape.ELLIPSOID])
        assert cloth[:, 1].min() < 0.18
        assert cloth[:, 1].max() > 0.22
        assert 0.88 < cloth[:, 2].max() < 0.96


def test_open_boxes_have_flaps_that_begin_at_their_rim() -> None:
    opened = [piece for piece in map(clutter.carton, map(own, range(60))) if len(piece.solids) == 6]
    assert len(opened) > 3
    for piece in opened:
        body, _, *flaps = piece.solids
        high = body.centre[2] + body.half[2]
        for flap in flaps:
            axes = np.array(flap.axes)
            long = 0 if abs(flap.centre[0]) > abs(flap.centre[1]) else 1
            inner = np.array(flap.centre) - np.sign(flap.centre[long]) * flap.half[long] * axes[:, long]
            assert abs(inner[long]) == pytest.approx(body.half[long], abs=1e-9)
            assert inner[2] == pytest.approx(high, abs=1e-9)
