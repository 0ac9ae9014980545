"""The rooms that are rendered: splits and seeds never share a room."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
from training.errors import ConfigError, DataError
from training.rooms.frames.config import ATTEMPTS, RENDERER, SPLITS, RoomsConfig, folder_digest
from training.runs.settings import settings_from, settings_of


def test_no_room_is_in_two_splits() -> None:
    config = RoomsConfig(train=1_000_000, val=1_000_000, test=1_000_000, additional=1_000_000)
    spans = sorted((config.rooms(split).start, config.rooms(split).stop) for split in SPLITS)

    assert all(stop <= start for (_, stop), (start, _) in pairwise(spans))


def test_more_rooms_in_one_split_leave_the_others_alone() -> None:
    few, many = RoomsConfig(train=5), RoomsConfig(train=500)

    assert few.rooms("test") == many.rooms("test")
    assert few.about("val") == many.about("val")
    assert few.about("train") != many.about("train")


def test_no_two_rooms_share_a_seed() -> None:
    ends = (0, 1, 999_999, 1_000_000, 2_999_999, 3_999_999)
    seeds = [
        seed
        for config, room in product([RoomsConfig(seed=0), RoomsConfig(seed=1)], ends)
        for seed in config.room_seeds(room)
    ]

    assert len(set(seeds)) == len(seeds) == 2 * len(ends) * ATTEMPTS


def test_the_index_names_images_by_their_digest_not_their_place(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(b"picture")
    one, two = (RoomsConfig(textures=str(tmp_path / name)).about("train") for name in ("one", "two"))

    assert one == two
    assert one["textures"] == folder_digest(tmp_path / "one", "textures")
    (tmp_path / "two" / "a.png").write_bytes(b"other")
    assert folder_digest(tmp_path / "two", "textures") != one["textures"]


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no textures in .*: give a folder of images, or none at all"):
        RoomsConfig(textures=str(tmp_path)).about("train")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("points", 0, "points is 0: choose 1 or more"),
        ("views", 0, "views is 0: choose 1 or more"),
        ("singles", -1, "singles is -1: choose 0 or more"),
        (
            "close",
            0.8,
            "furniture is 0.25 and close 0.8: choose shares of 0 or more that add up to 1 at most",
        ),
        (
            "furniture",
            -0.1,
            "furniture is -0.1 and close 0.2: choose shares of 0 or more that add up to 1 at most",
        ),
        ("rooms_per_shard", 0, "rooms_per_shard is 0: choose 1 or more"),
        ("val", -1, "val is -1 rooms: choose 0 to 1000000"),
        ("size", 100, "size is 100 px: choose a multiple of 16"),
        ("seed", -2, "seed is -2: choose 0 to 2147483647"),
    ],
)
def test_what_cannot_be_rendered_is_refused(field: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(RoomsConfig(), **{field: value})


def test_styles_share_the_photographs() -> None:
    assert list(RoomsConfig(furniture=0.3, close=0.5).styles().values()) == pytest.approx([0.2, 0.3, 0.5])


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ConfigError, match="no split 'dev': choose from train, val, test"):
        RoomsConfig().rooms("dev")


def test_frames_tell_which_renderer_made_them_and_nobody_can_choose_it() -> None:
    assert RoomsConfig().about("train")["renderer"] == RENDERER
    assert settings_of(RoomsConfig(), only_compared=True)["renderer"] == RENDERER
    with pytest.raises(ConfigError, match="rooms has no setting 'renderer'"):
        settings_from(RoomsConfig, {"renderer": 1}, "rooms")
