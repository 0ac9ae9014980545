"""The dataset's files into stores: every number comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, toy_network
from tests.training.data.taskonomy.on_disk import BUILDINGS, SIZE, frames_of, report
from training.data.frames import CAMERA, SIGHTING, FrameStore, FrameWriter
from training.data.taskonomy import (
    Layout,
    TaskonomyConfig,
    export_store,
    import_taskonomy,
    write_splits,
)
from training.data.taskonomy.importing import REPORT
from training.errors import ConfigError, DataError
from training.learning.samples import samples_of

from taskbank.bank.bank import Bank
from taskbank.file_predictions import Saving, predict_files
from taskbank.inference.settings import Settings
from taskbank.saving.export import Form
from taskbank.tasks.registry import find_task


def test_frames_without_a_point_are_exported_as_points_of_their_own(tmp_path: Path) -> None:
    """Two frames that are the same point and view are refused."""
    cameras = np.zeros(2, CAMERA)
    cameras["point"], cameras["location"], cameras["fov"] = -1, np.nan, np.nan
    rgb = np.arange(2 * 8 * 8 * 3, dtype=np.uint8).reshape(2, 8, 8, 3)

    def stored(name: str) -> FrameStore:
        writer = FrameWriter(tmp_path / name, size=8, about={})
        writer.write_shard(0, {"rgb": rgb}, cameras, np.empty(0, SIGHTING))
        return writer.finish(1)

    export_store(stored("apart"), tmp_path / "data")
    files = sorted((tmp_path / "data" / "room_00000" / "rgb").iterdir())
    assert [path.name for path in files] == [f"point_{point}_view_0_domain_rgb.png" for point in (0, 1)]
    cameras["point"] = 3
    with pytest.raises(DataError, match="room 0 has several frames of point 3, view 0"):
        export_store(stored("alike"), tmp_path / "other")


@pytest.mark.parametrize("layout", Layout)
def test_every_layout_gives_every_number_back(
    layout: Layout, store: FrameStore, tmp_path: Path, config: TaskonomyConfig
) -> None:
    """Pictures, classes, cameras and sightings, from a folder that is found by looking."""
    export_store(store, tmp_path / "data", layout=layout)
    given = import_taskonomy(tmp_path / "data", tmp_path / "out", "train", config)
    assert given.about["buildings"] == {str(room): name for room, name in enumerate(BUILDINGS[:3])}
    wanted = frames_of(store)
    for domain in store.domains:
        before, after = store.read(domain, wanted), given.read(domain, np.arange(len(given)))
        if domain.startswith("class"):
            channels = np.where(after.sum(axis=1) > 0.99, after.argmax(axis=1), -1)
            assert np.array_equal(channels, before), domain
        else:
            assert before.dtype == after.dtype
            assert np.array_equal(before, after), domain
    for field in CAMERA.names or ():
        assert np.array_equal(store.cameras[wanted][field], given.cameras[field], equal_nan=True), field
    mine = store.sightings[np.isin(store.sightings["frame"], wanted)]
    keys = ["frame", "room", "point"]
    assert len(mine) > 3
    first, second = np.sort(mine, order=keys), np.sort(given.sightings, order=keys)
    assert np.array_equal(first[keys], second[keys])
    for axis in "xy":
        assert np.abs(first[axis] - second[axis]).max() <= 0.5
    assert report(tmp_path / "out") == []


def test_pairs_triplets_and_matches_are_those_of_the_frames(
    store: FrameStore, exported: Path, tmp_path: Path, config: TaskonomyConfig
) -> None:
    """As many samples of the tasks of several images as the frames gave before."""
    given = import_taskonomy(exported, tmp_path / "out", "train", config)
    among = store.cameras["room"] < 3
    for name in ("fixated_pose", "nonfixated_pose", "point_matching", "room_layout", "vanishing_point"):
        task = find_task(name)
        before = samples_of(task, store, 0, among=among)
        assert np.array_equal(before.frames, samples_of(task, given, 0).frames), name


def test_splits_share_no_room_and_rooms_keep_their_numbers(
    exported: Path, tmp_path: Path, config: TaskonomyConfig
) -> None:
    """Over the whole dataset."""
    given = import_taskonomy(exported, tmp_path / "val", "val", config)
    assert np.unique(given.cameras["room"]).tolist() == [3]
    assert given.about["buildings"] == {"3": "room_00003"}


def test_folders_and_files_go_by_other_names_too(
    damaged: Path, store: FrameStore, tmp_path: Path, config: TaskonomyConfig
) -> None:
    """As in the original code, and in older archives."""
    renamed = {
        "point_info": ("points", "fixatedpose"),
        "segment_semantic": ("segmentsemantic", "segmentsemantic"),
        "nonfixated_matches": ("nonfixated_matches", "nonfixatedpose"),
        "keypoints2d": ("keypoints2d", "keypoint2d"),
        "class_object": ("class_object", "class_1000"),
    }
    for building in BUILDINGS:
        for domain, (folder, ending) in renamed.items():
            old = damaged / building / domain
            for path in list(old.iterdir()):
                path.rename(path.with_name(path.name.replace(f"domain_{domain}", f"domain_{ending}")))
            old.rename(damaged / building / folder)
    (damaged / BUILDINGS[0] / "rgb" / "Thumbs.db").touch()
    (damaged / "splits").mkdir()
    given = import_taskonomy(damaged, tmp_path / "out", "train", config)
    wanted = frames_of(store)
    assert np.array_equal(given.cameras["location"], store.cameras["location"][wanted])
    for domain in ("segment_semantic", "keypoints2d"):
        assert np.array_equal(given.read(domain, np.arange(12)), store.read(domain, wanted))
    assert len(given.sightings)
    assert report(tmp_path / "out") == []


def test_an_interrupted_import_goes_on_with_what_is_missing(
    exported: Path, tmp_path: Path, config: TaskonomyConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole shards are kept, and the result is that of one go."""
    whole = import_taskonomy(exported, tmp_path / "whole", "train", config)
    write = FrameWriter.write_shard
    written: list[int] = []

    def stop_at_the_last(self: FrameWriter, number: int, *rest: object) -> None:
        if number == 2:
            raise KeyboardInterrupt
        written.append(number)
        write(self, number, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(FrameWriter, "write_shard", stop_at_the_last)
    with pytest.raises(KeyboardInterrupt):
        import_taskonomy(exported, tmp_path / "parts", "train", config)
    monkeypatch.undo()
    assert written == [0, 1]
    before = (tmp_path / "parts" / "shard_00000" / "rgb.npy").stat().st_mtime_ns
    parts = import_taskonomy(exported, tmp_path / "parts", "train", config)
    assert (tmp_path / "parts" / "shard_00000" / "rgb.npy").stat().st_mtime_ns == before
    assert np.array_equal(parts.read("normal", np.arange(12)), whole.read("normal", np.arange(12)))
    assert (tmp_path / "parts" / REPORT).read_text() == (tmp_path / "whole" / REPORT).read_text()


def test_a_folder_of_another_plan_is_refused(exported: Path, tmp_path: Path, config: TaskonomyConfig) -> None:
    """Frames of two settings are not mixed."""
    import_taskonomy(exported, tmp_path / "out", "train", config)
    with pytest.raises(ConfigError, match="holds frames of size 32, not 16: write to another folder"):
        import_taskonomy(exported, tmp_path / "out", "train", replace(config, size=16))
    with pytest.raises(ConfigError, match="holds frames with buildings .*, not {'3': 'room_00003'}"):
        import_taskonomy(exported, tmp_path / "out", "val", config)
    fewer = replace(config, frames_per_building=2)
    with pytest.raises(ConfigError, match="holds frames with candidates 12, not 6"):
        import_taskonomy(exported, tmp_path / "out", "train", fewer)


def test_several_processes_write_what_one_does(
    exported: Path, tmp_path: Path, config: TaskonomyConfig
) -> None:
    """Shard by shard."""
    alone = replace(config, size=16, domains=("normal", "class_scene"), frames_per_shard=4)
    one = import_taskonomy(exported, tmp_path / "one", "train", alone)
    two = import_taskonomy(exported, tmp_path / "two", "train", replace(alone, workers=2))
    for domain in one.domains:
        assert np.array_equal(one.read(domain, np.arange(12)), two.read(domain, np.arange(12)))
    assert one.cameras.tobytes() == two.cameras.tobytes()


def test_fewer_frames_of_a_building_are_whole_points(
    exported: Path, tmp_path: Path, config: TaskonomyConfig
) -> None:
    """So that pairs are left; the seed says which."""
    some = TaskonomyConfig(splits=config.splits, size=SIZE, domains=(), frames_per_building=2)
    given = import_taskonomy(exported, tmp_path / "out", "train", some)
    assert np.unique(given.cameras["room"], return_counts=True)[1].tolist() == [2, 2, 2]
    for room in range(3):
        assert len(np.unique(given.cameras["point"][given.cameras["room"] == room])) == 1


def test_photographs_with_predicted_labels_can_be_read(tmp_path: Path, config: TaskonomyConfig) -> None:
    """As `taskbank predict --save dataset` writes them: frames without a known pose."""
    networks = {task: toy_network(task) for task in ("depth_zbuffer", "class_scene", "room_layout")}
    bank = Bank.save(tmp_path / "bank", name="toy", architecture=TOY_COMPACT, networks=networks)
    Image.effect_noise((300, 200), 60).convert("RGB").save(tmp_path / "photo.png")
    saving = Saving(folder=tmp_path / "data", forms=(Form.DATASET,), building="holiday", fov=80)
    list(predict_files(bank, networks, [(tmp_path / "photo.png",)], saving, settings=Settings(device="cpu")))
    write_splits(config.splits, {"test": ["holiday"]})
    given = import_taskonomy(tmp_path / "data", tmp_path / "out", "test", replace(config, size=512))
    assert given.domains == ("class_scene", "depth_zbuffer", "rgb")
    with Image.open(tmp_path / "data/holiday/rgb/point_0_view_0_domain_rgb.png") as image:
        assert np.array_equal(given.read("rgb", [0])[0], np.asarray(image))
    assert given.read("class_scene", [0]).sum() == pytest.approx(1, abs=0.01)
    camera = given.cameras[0]
    assert camera["point"] == -1
    assert camera["fov"] == pytest.approx(2 * np.arctan(200 / 300 * np.tan(np.radians(40))))
    assert report(tmp_path / "out") == []


def test_wrong_words_and_empty_places_are_refused(
    exported: Path, tmp_path: Path, config: TaskonomyConfig
) -> None:
    """With what was found instead."""
    with pytest.raises(ConfigError, match="unknown split 'dev': choose train, val, test"):
        import_taskonomy(exported, tmp_path / "out", "dev", config)
    with pytest.raises(ConfigError, match="unknown domain 'depth': choose from rgb, depth_zbuffer"):
        TaskonomyConfig(splits=config.splits, domains=("depth",))
    with pytest.raises(ConfigError, match="size 0, frames_per_shard 128"):
        TaskonomyConfig(splits=config.splits, size=0)
    with pytest.raises(DataError, match=r"no frame of split 'test' .* 4 building\(s\) are there, 0 of them"):
        import_taskonomy(exported, tmp_path / "out", "test", config)
    with pytest.raises(DataError, match="no dataset at .*nowhere: it is not a folder"):
        import_taskonomy(tmp_path / "nowhere", tmp_path / "out", "train", config)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="expected are folders BUILDING/DOMAIN, DOMAIN/taskonomy/BUILDING"):
        import_taskonomy(tmp_path / "empty", tmp_path / "out", "train", config)
    assert not (tmp_path / "out").exists()
