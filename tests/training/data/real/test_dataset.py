from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.data.real.toy_folder import CAMERA, room_folder
from training.data.frames import FrameStore
from training.data.poses import vanishing_points
from training.data.real import dataset
from training.data.real.dataset import FIRST_ROOM, RealConfig, RealStore, write_real
from training.data.real.folder import RealFrame
from training.data.real.labels import label_view
from training.data.real.views import SquareView
from training.errors import ConfigError, DataError
from training.learning.samples import samples_of
from training.learning.targets import BatchReader, make_target

from taskbank.labels.codes import DOMAINS
from taskbank.tasks.registry import TASKS, OutputKind, find_task

_SETTINGS = RealStore(real=RealConfig(views=2, frames_per_shard=1), size=32, camera=CAMERA)
_UNKNOWN = {
    "class_object", "class_scene", "egomotion", "fixated_pose", "nonfixated_pose", "point_matching", "room_layout",
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FrameStore:
    root = tmp_path_factory.mktemp("real")
    return write_real(root / "store", room_folder(root / "files"), _SETTINGS)


def test_each_frame_gives_its_views_with_all_domains(store: FrameStore) -> None:
    assert store.counts == (2, 2)
    assert set(store.domains) == {*DOMAINS, "class_object", "class_scene"}
    assert store.cameras["room"].tolist() == [FIRST_ROOM, FIRST_ROOM, FIRST_ROOM + 1, FIRST_ROOM + 1]
    assert store.cameras["view"].tolist() == [0, 1, 0, 1]
    assert store.about["source"] == "real"
    assert (store.about["frames"], store.about["views"]) == (2, 2)


def test_every_task_has_samples_or_says_that_its_labels_are_unknown(store: FrameStore) -> None:
    for name in TASKS:
        if name == "random":
            continue
        task = find_task(name)
        if task.name in _UNKNOWN:
            with pytest.raises(DataError, match=f"has no sample for {task.name}"):
                samples_of(task, store, 0)
            continue
        samples = samples_of(task, store, 0)
        index = np.arange(len(samples))
        raw = BatchReader(store).load([task], samples, index)
        target = make_target(task, raw, torch.from_numpy(index))
        assert torch.isfinite(target.values.float()).all(), task.name
        if target.weight is not None and task.output is not OutputKind.COLOUR_DISTRIBUTION:
            assert target.weight.sum() > 0, task.name


def test_only_frames_with_gravity_have_vanishing_points_and_they_are_those_of_the_room(
    store: FrameStore,
) -> None:
    known = np.isfinite(store.cameras["angles"]).all(1)
    assert known.tolist() == [True, True, False, False]
    x, y, z = vanishing_points(store.cameras[:2]).reshape(2, 3, 3).transpose(1, 0, 2)
    assert np.degrees(np.arccos(z[:, 1])).max() < 2  # level cameras: up is up
    # The views look left and right of the wall ahead: the room's axes are their own, turned by the pan.
    pan = np.degrees(np.arctan2(np.abs(np.stack([x, y])[..., 0]), np.abs(np.stack([x, y])[..., 2])))
    assert np.allclose(np.minimum(pan, 90 - pan), (np.minimum(pan, 90 - pan))[0], atol=2)


def test_unknown_reshading_counts_nowhere(store: FrameStore) -> None:
    task = find_task("reshading")
    samples = samples_of(task, store, 0)
    raw = BatchReader(store).load([task], samples, [0])
    weight = make_target(task, raw, torch.zeros(1, dtype=torch.int64)).weight
    assert weight is not None
    assert torch.equal(weight[0, 0] > 0, raw["reshading"][0] > 0)


def test_a_store_goes_on_where_it_stopped_and_refuses_other_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = room_folder(tmp_path / "files")
    made: list[str] = []

    def label(frame: RealFrame, view: SquareView, size: int) -> dict[str, Any]:
        made.append(frame.name)
        if stops and frame.name == "001":
            raise KeyboardInterrupt
        return label_view(frame, view, size)

    monkeypatch.setattr(dataset, "label_view", label)
    stops = True
    with pytest.raises(KeyboardInterrupt):
        write_real(tmp_path / "store", folder, _SETTINGS)
    made.clear()
    stops = False
    told: list[tuple[int, int]] = []
    assert len(write_real(tmp_path / "store", folder, _SETTINGS, progress=lambda *at: told.append(at))) == 4
    assert made == ["001", "001"]
    assert told == [(2, 2)]
    (folder.root / "000_label.png").unlink()
    with pytest.raises(ConfigError, match="holds frames with files"):
        write_real(tmp_path / "store", folder, _SETTINGS)


def test_settings_that_make_no_store_are_refused() -> None:
    with pytest.raises(ConfigError, match="views is 0: choose 1 or more"):
        RealConfig(views=0)
    with pytest.raises(ConfigError, match="frames_per_shard is -1: choose 1 or more"):
        RealConfig(frames_per_shard=-1)


def test_objects_are_known_where_a_classifier_labels_them(tmp_path: Path) -> None:
    named = RealConfig(views=2, classifier="tf_efficientnet_lite0", name="toy frames", licence="CC0")
    made = write_real(tmp_path / "store", room_folder(tmp_path / "files"), replace(_SETTINGS, real=named))
    found = made.read("class_object", np.arange(len(made))).astype(float)
    assert found.sum(axis=1) == pytest.approx(np.ones(len(made)), abs=0.01)
    assert len(samples_of(find_task("class_object"), made, 0)) == len(made)
    assert (made.about["name"], made.about["licence"]) == ("toy frames", "CC0")
