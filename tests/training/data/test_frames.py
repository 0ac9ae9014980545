"""Stores of frames: what is written is read, whole or not at all."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from training.data import frames as frames_module
from training.data.frames import CAMERA, SIGHTING, FrameStore, FrameWriter
from training.errors import ConfigError, DataError, StorageError

ABOUT = {"source": "test", "seed": 3}


def _shard(number: int, count: int = 3) -> tuple[dict[str, NDArray[Any]], NDArray[np.void], NDArray[np.void]]:
    generator = np.random.default_rng(number)
    labels: dict[str, NDArray[Any]] = {
        "rgb": generator.integers(0, 256, (count, 16, 16, 3)).astype(np.uint8),
        "depth_zbuffer": generator.integers(0, 65536, (count, 16, 16)).astype(np.uint16),
        "class_scene": np.full(count, number, dtype=np.int16),
    }
    cameras = np.zeros(count, dtype=CAMERA)
    cameras["room"], cameras["view"] = number, np.arange(count)
    sightings = np.array([(1, number, 0, 3.5, 4.5)], dtype=SIGHTING)
    return labels, cameras, sightings


def _written(root: Path, counts: tuple[int, ...] = (3, 2)) -> FrameStore:
    writer = FrameWriter(root, size=16, about=ABOUT)
    for number, count in enumerate(counts):
        writer.write_shard(number, *_shard(number, count))
    return writer.finish(len(counts))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    store = _written(tmp_path / "store")

    assert len(store) == 5
    assert store.domains == ("class_scene", "depth_zbuffer", "rgb")
    assert store.about == ABOUT
    assert store.counts == (3, 2)
    expected = np.concatenate([_shard(number, count)[0]["rgb"] for number, count in ((0, 3), (1, 2))])
    np.testing.assert_array_equal(store.read("rgb", np.arange(5)), expected)
    assert store.cameras["room"].tolist() == [0, 0, 0, 1, 1]


def test_frames_are_read_in_any_order_and_shape(tmp_path: Path) -> None:
    store = _written(tmp_path)
    wanted = np.array([[4, 0], [3, 3], [1, 2]])

    found = store.read("depth_zbuffer", wanted)

    assert found.shape == (3, 2, 16, 16)
    assert found.dtype == np.uint16
    whole = store.read("depth_zbuffer", range(5))
    np.testing.assert_array_equal(found, whole[wanted])


def test_sightings_are_numbered_within_the_store(tmp_path: Path) -> None:
    store = _written(tmp_path)

    assert store.sightings["frame"].tolist() == [1, 4]
    assert store.sightings["room"].tolist() == [0, 1]


def test_a_store_can_be_sent_to_another_process_without_what_it_read(tmp_path: Path) -> None:
    store = _written(tmp_path)
    before = len(pickle.dumps(store))
    store.read("rgb", [0])
    _ = store.cameras

    sent = pickle.dumps(store)

    assert len(sent) == before
    np.testing.assert_array_equal(pickle.loads(sent).read("rgb", [4]), store.read("rgb", [4]))


def test_no_more_arrays_are_open_than_files_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames_module, "_MOST_MAPS", 2)
    store = _written(tmp_path, (1, 1, 1, 1))

    for _ in "ab":
        assert store.read("class_scene", range(4)).tolist() == [0, 1, 2, 3]
    assert len(store._maps) == 2


def test_an_interrupted_writer_goes_on_where_it_stopped(tmp_path: Path) -> None:
    first = FrameWriter(tmp_path, size=16, about=ABOUT)
    first.write_shard(0, *_shard(0))
    half = tmp_path / ".shard_00001.1.partial"
    half.mkdir()
    (half / "rgb.npy").write_bytes(b"half")

    second = FrameWriter(tmp_path, size=16, about=ABOUT)

    assert second.has_shard(0)
    assert not second.has_shard(1)
    second.write_shard(1, *_shard(1))
    assert len(second.finish(2)) == 6


def test_a_store_is_not_continued_with_other_frames(tmp_path: Path) -> None:
    FrameWriter(tmp_path / "begun", size=16, about=ABOUT)
    _written(tmp_path / "finished")

    for name in ("begun", "finished"):
        with pytest.raises(ConfigError, match=r"holds frames with seed 3, not 4: write to another folder"):
            FrameWriter(tmp_path / name, size=16, about=ABOUT | {"seed": 4})
        with pytest.raises(ConfigError, match=r"holds frames of size 16, not 32"):
            FrameWriter(tmp_path / name, size=32, about=ABOUT)
    assert len(FrameWriter(tmp_path / "finished", size=16, about=ABOUT).finish(2)) == 5


def test_an_unfinished_store_is_not_read(tmp_path: Path) -> None:
    FrameWriter(tmp_path, size=16, about=ABOUT).write_shard(0, *_shard(0))

    with pytest.raises(DataError, match=r"no frames in .*frames\.json is missing, make them first"):
        FrameStore.open(tmp_path)


def test_a_store_is_not_finished_with_holes(tmp_path: Path) -> None:
    writer = FrameWriter(tmp_path, size=16, about=ABOUT)
    writer.write_shard(1, *_shard(1))

    with pytest.raises(DataError, match=r"lacks shard_00000: write all shards before finishing"):
        writer.finish(2)
    with pytest.raises(DataError, match=r"a store needs one shard at least"):
        writer.finish(0)


def test_shards_hold_the_same_domains(tmp_path: Path) -> None:
    writer = FrameWriter(tmp_path, size=16, about=ABOUT)
    labels, cameras, sightings = _shard(0)
    writer.write_shard(0, labels, cameras, sightings)
    writer.write_shard(1, {"rgb": labels["rgb"]}, cameras, sightings)

    with pytest.raises(DataError, match="hold different domains"):
        writer.finish(2)


def test_labels_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no labels of 'normal': it has class_scene, depth_zbuffer, rgb"):
        _written(tmp_path).read("normal", [0])


def test_damaged_and_missing_arrays_are_named(tmp_path: Path) -> None:
    path = tmp_path / "shard_00001" / "rgb.npy"
    _written(tmp_path)
    good = path.read_bytes()

    path.write_bytes(good[:200])
    with pytest.raises(DataError, match=r"cannot read .*shard_00001/rgb\.npy .* make the frames again"):
        FrameStore.open(tmp_path).read("rgb", [4])
    np.save(path, np.zeros((7, 16, 16, 3), np.uint8))
    with pytest.raises(DataError, match=r"rgb\.npy holds 7 frames, 2 are expected"):
        FrameStore.open(tmp_path).read("rgb", [4])
    shutil.rmtree(path.parent)
    with pytest.raises(DataError, match=r"cannot read .*rgb\.npy"):
        FrameStore.open(tmp_path).read("rgb", [4])
    assert FrameStore.open(tmp_path).read("rgb", [0]).shape == (1, 16, 16, 3)


def test_a_damaged_index_and_one_of_later_times_are_refused(tmp_path: Path) -> None:
    _written(tmp_path)
    index = tmp_path / "frames.json"
    content = json.loads(index.read_text())

    index.write_text(json.dumps(content | {"format": 9}))
    with pytest.raises(DataError, match="has format 9, known is 1"):
        FrameStore.open(tmp_path)
    index.write_text("{")
    with pytest.raises(DataError, match="is damaged"):
        FrameStore.open(tmp_path)


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")

    with pytest.raises(StorageError, match="cannot write"):
        FrameWriter(blocked / "store", size=16, about=ABOUT)
    writer = FrameWriter(tmp_path / "store", size=16, about=ABOUT)
    (tmp_path / "store" / "shard_00000").write_text("in the way")
    with pytest.raises(StorageError, match=r"cannot write .*shard_00000"):
        writer.write_shard(0, *_shard(0))
    assert not list((tmp_path / "store").glob(".*"))
