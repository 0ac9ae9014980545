"""Rooms that are held out, and fewer images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.training.stages.transfers.toy_run import toy_config
from tests.training.toy_store import toy_store
from training.data.frames import FrameStore
from training.errors import DataError
from training.stages.transfers.divide import divide


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FrameStore:
    return toy_store(tmp_path_factory.mktemp("frames"), rooms=4)


def test_a_share_of_the_rooms_is_held_out(store: FrameStore) -> None:
    division = divide(store, toy_config(held_out=0.5))
    assert division.learned.sum() == division.held_out.sum() == len(store) // 2
    assert not (division.learned & division.held_out).any()


def test_one_room_is_always_held_out_and_one_learned_from(store: FrameStore) -> None:
    for share in (0.01, 0.99):
        division = divide(store, toy_config(held_out=share))
        assert division.learned.any()
        assert division.held_out.any()


def test_fewer_images_come_in_whole_points(store: FrameStore) -> None:
    division = divide(store, toy_config(images=6))
    cameras = store.cameras[division.learned]
    assert len(cameras) == 6
    points = [tuple(pair) for pair in cameras[["room", "point"]].tolist()]
    assert sorted(points.count(point) for point in set(points)) == [3, 3]


def test_another_seed_holds_other_rooms_out(store: FrameStore) -> None:
    held = [divide(store, toy_config(seed=seed)).held_out for seed in range(6)]
    assert any(not np.array_equal(held[0], other) for other in held[1:])


def test_one_room_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 1 room: transfers need two at least"):
        divide(toy_store(tmp_path, rooms=1), toy_config())
