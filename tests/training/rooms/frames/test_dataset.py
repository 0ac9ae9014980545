"""Stores of rooms: complete, resumable, the same in any run."""

from __future__ import annotations

import logging
import os
import pickle
import shutil
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from training.data.frames import FrameStore, FrameWriter
from training.data.labels.distilled import class_probabilities
from training.data.poses import relative_poses
from training.errors import ConfigError, DataError
from training.learning.samples import samples_of
from training.rooms.cameras.placement import place_cameras
from training.rooms.frames import dataset
from training.rooms.frames.config import RoomsConfig
from training.rooms.frames.dataset import viewed_room, write_rooms, write_splits
from training.rooms.scene import Cameras, Scene

from taskbank.labels.codes import DOMAINS, decode
from taskbank.tasks.registry import TASKS

CONFIG = RoomsConfig(train=2, val=1, test=1, points=2, views=2, size=32, rooms_per_shard=1)

NEEDED = {
    "curvature": "principal_curvature",
    "autoencoding": "rgb", "denoising": "rgb", "inpainting": "rgb", "colorization": "rgb", "jigsaw": "rgb",
    "random": "rgb",
}  # fmt: skip
FROM_CAMERAS = {
    "egomotion", "fixated_pose", "nonfixated_pose", "point_matching", "room_layout", "vanishing_point",
}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frames")
    write_splits(folder, CONFIG)
    return folder


def _same(one: FrameStore, other: FrameStore) -> None:
    for domain in one.domains:
        numbers = range(len(one))
        np.testing.assert_array_equal(one.read(domain, numbers), other.read(domain, numbers), err_msg=domain)
    np.testing.assert_array_equal(one.cameras, other.cameras)
    np.testing.assert_array_equal(one.sightings, other.sightings)


def test_every_task_finds_its_labels(root: Path) -> None:
    store = FrameStore.open(root / "train")

    assert set(store.domains) == {*DOMAINS, "class_object", "class_scene"}
    for task in set(TASKS) - FROM_CAMERAS:
        assert store.has(NEEDED.get(task, task)), task
    cameras = store.cameras
    assert np.isfinite(cameras["box"]).all()
    assert np.isfinite(relative_poses(cameras[::2], cameras[1::2])).all()
    _, counts = np.unique(cameras[["room", "point"]], return_counts=True)
    assert (counts == 2).all()


def test_stores_say_what_they_are(root: Path) -> None:
    store = FrameStore.open(root / "val")

    assert store.size == 32
    assert store.about["source"] == "rooms"
    assert store.about["split"] == "val"
    assert (store.about["rooms"], store.about["points"], store.about["seed"]) == (1, 2, 0)


def test_no_room_is_in_two_stores(root: Path) -> None:
    rooms = [
        set(FrameStore.open(root / split).cameras["room"].tolist()) for split in ("train", "val", "test")
    ]

    assert len(set.union(*rooms)) == sum(map(len, rooms)) == 4


def test_labels_are_plausible(root: Path) -> None:
    store = FrameStore.open(root / "train")
    depth, distance, normal = (
        decode(name, torch.from_numpy(store.read(name, range(len(store))).astype(np.int32)))
        for name in ("depth_zbuffer", "depth_euclidean", "normal")
    )

    assert 0.2 < depth.nanmedian() < 8
    assert (distance >= depth - 2 / 512).all()
    assert (normal[..., 2] < 0).float().mean() > 0.85
    across = (
        torch.linspace(-1, 1, 65)[1::2] * torch.from_numpy(np.tan(store.cameras["fov"] / 2))[:, None, None]
    )
    down = across.transpose(1, 2)
    away = normal[..., 0] * across + normal[..., 1] * down + normal[..., 2]
    assert (away.nan_to_num() < 0.03).all()  # no surface is seen from behind


def test_a_store_is_finished_from_where_it_was_left(root: Path, tmp_path: Path) -> None:
    """Whatever was lost is made again, bit by bit, and what is there is left alone."""
    again = tmp_path / "train"
    shutil.copytree(root / "train", again)
    shutil.rmtree(again / "shard_00001")
    (again / "frames.json").rename(again / "frames.part.json")
    kept = (again / "shard_00000" / "rgb.npy").stat().st_mtime_ns
    told: list[tuple[int, int]] = []

    store = write_rooms(again, CONFIG, "train", progress=lambda done, of: told.append((done, of)))

    _same(store, FrameStore.open(root / "train"))
    assert (again / "shard_00000" / "rgb.npy").stat().st_mtime_ns == kept
    assert told == [(1, 2), (2, 2)]


def test_other_rooms_are_not_mixed_in(root: Path) -> None:
    other = RoomsConfig(train=2, val=1, test=1, points=2, views=2, size=32, rooms_per_shard=1, seed=1)

    with pytest.raises(ConfigError, match="holds frames with seed 0, not 1: write to another folder"):
        write_rooms(root / "train", other, "train")


def test_one_line_says_what_was_written(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="training"):
        write_rooms(root / "test", CONFIG, "test")

    assert caplog.messages == ["test: 4 frames of 1 rooms, 0 of them rendered now at 0.0 a second"]


def test_a_room_is_the_same_by_number_in_any_run() -> None:
    one, other = (viewed_room(CONFIG, 1) for _ in "ab")

    np.testing.assert_array_equal(one.scene.primitives.centre, other.scene.primitives.centre)
    np.testing.assert_array_equal(one.cameras.location, other.cameras.location)


def test_a_room_too_full_for_its_cameras_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    placed = place_cameras
    seeds: list[int] = []

    def fussy(scene: Scene, seed: int, points: int, views: int, **options: Any) -> Cameras:
        seeds.append(seed)
        if len(seeds) < 3:
            raise DataError("too full")
        return placed(scene, seed, points, views, **options)

    monkeypatch.setattr(dataset, "place_cameras", fussy)

    room = viewed_room(CONFIG, 1)

    assert seeds == list(CONFIG.room_seeds(1))[:3]
    assert room.scene.seed == seeds[-1]


def test_a_room_has_single_views_and_styles_as_configured() -> None:
    cameras = viewed_room(replace(CONFIG, points=1, views=3, singles=1, close=1.0, furniture=0.0), 0).cameras

    assert cameras.point.tolist() == [0, 0, 0, 1]
    assert np.linalg.norm(cameras.fixated - cameras.location, axis=1).max() <= 1.2


def test_a_room_that_never_has_space_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise DataError("too full")

    monkeypatch.setattr(dataset, "place_cameras", never)
    monkeypatch.setattr(dataset, "build_scene", lambda *_: None)

    with pytest.raises(DataError, match="room 1 is too full for 2 points with 2 views each"):
        viewed_room(CONFIG, 1)


@pytest.mark.slow
def test_several_processes_make_the_same_frames(root: Path, tmp_path: Path) -> None:
    store = write_rooms(tmp_path, CONFIG, "train", workers=2)

    _same(store, FrameStore.open(root / "train"))


def test_threads_that_serve_a_gpu_have_their_rooms_and_segments_from_processes() -> None:
    served: list[tuple[int, str]] = []

    def make(number: int, *, device: str, pool: Executor) -> int:
        served.append((pool.submit(os.getpid).result(), device))
        return 10 * number

    with dataset._makers(make, "cuda", 1) as shards:
        found = list(shards(range(4)))

    assert found == [0, 10, 20, 30]
    assert [device for _, device in served] == ["cuda"] * 4
    assert os.getpid() not in {process for process, _ in served}


def test_rooms_from_a_pool_make_the_same_shard(root: Path, tmp_path: Path) -> None:
    writer = FrameWriter(tmp_path, size=CONFIG.size, about=CONFIG.about("test"))
    with ThreadPoolExecutor(2) as pool:
        count = dataset._make_shard(writer, CONFIG, "test", 0, device="cpu", pool=pool)

    assert count == 4
    _same(writer.finish(1), FrameStore.open(root / "test"))


def test_rooms_go_from_one_process_to_another() -> None:
    room = viewed_room(CONFIG, 1)

    sent = pickle.loads(pickle.dumps(room))

    np.testing.assert_array_equal(sent.scene.primitives.axes, room.scene.primitives.axes)
    np.testing.assert_array_equal(sent.cameras.fov, room.cameras.fov)


def test_objects_may_be_labelled_as_a_trained_classifier_sees_them(tmp_path: Path) -> None:
    config = replace(CONFIG, train=1, classifier="tf_efficientnet_lite0")
    made = write_rooms(tmp_path / "labelled", config, "train")
    found = made.read("class_object", np.arange(len(made)))
    assert (found.dtype, found.shape) == (np.dtype(np.float16), (len(made), 1000))
    expected = class_probabilities(made.read("rgb", np.arange(len(made))), "tf_efficientnet_lite0")
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert made.about["classifier"]["licence"] == "Apache-2.0"
    with pytest.raises(ConfigError):  # the same folder holds other labels
        write_rooms(tmp_path / "labelled", replace(config, classifier=""), "train")


def test_additional_rooms_hold_pictures_cameras_and_the_class_of_the_room(tmp_path: Path) -> None:
    """At a size of their own, without views that share their point with no other."""
    config = replace(CONFIG, additional=2, additional_size=16, singles=1, classifier="tf_efficientnet_lite0")
    store = write_rooms(tmp_path / "additional", config, "additional")
    assert (store.domains, store.size, len(store)) == (("class_scene", "rgb"), 16, 2 * 2 * 2)
    assert store.read("rgb", [0, 7]).shape == (2, 16, 16, 3)
    assert store.read("rgb", np.arange(8)).std() > 10
    assert set(store.cameras["room"]) == {3_000_000, 3_000_001}
    for task in ("fixated_pose", "nonfixated_pose", "point_matching", "room_layout", "class_scene"):
        assert len(samples_of(TASKS[task], store, 0)) > 0, task
    # The class is that of all views of a room, and of the room itself.
    kinds = [viewed_room(config, room).scene.scene_class for room in (3_000_000, 3_000_001)]
    assert store.read("class_scene", np.arange(8)).tolist() == [kinds[0]] * 4 + [kinds[1]] * 4


def test_splits_have_additional_rooms_only_if_some_are_asked_for(root: Path, tmp_path: Path) -> None:
    assert sorted(path.name for path in root.iterdir()) == ["test", "train", "val"]
    config = replace(CONFIG, train=1, size=16, additional=1, points=1, singles=1)
    assert list(write_splits(tmp_path, config)) == ["train", "val", "test", "additional"]
    # A single point needs views elsewhere for pairs of different points.
    assert len(FrameStore.open(tmp_path / "additional")) == 3
