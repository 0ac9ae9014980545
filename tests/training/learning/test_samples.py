from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from tests.training.toy_store import toy_store
from training.data.frames import CAMERA, SIGHTING, FrameStore, FrameWriter
from training.errors import DataError
from training.learning.samples import domains_of, samples_of

from taskbank.tasks.registry import TASKS, find_task

LEARNED = [task for task in TASKS.values() if task.name != "random"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FrameStore:
    return toy_store(tmp_path_factory.mktemp("store"))


def bare_store(
    root: Path, places: list[tuple[int, int, int]], sightings: tuple[tuple[int, int, int], ...] = ()
) -> FrameStore:
    """A store without labels, out of (room, point, view) of its frames and (frame, room, point) seen."""
    cameras = np.zeros(len(places), CAMERA)
    for camera, (room, point, view) in zip(cameras, places, strict=True):
        camera["room"], camera["point"], camera["view"] = room, point, view
    seen = np.array([(frame, room, point, 0, 0) for frame, room, point in sightings], dtype=SIGHTING)
    writer = FrameWriter(root, size=16, about={})
    writer.write_shard(0, {"rgb": np.zeros((len(places), 16, 16, 3), np.uint8)}, cameras, seen)
    return writer.finish(1)


def test_every_task_has_samples_of_as_many_frames_as_it_takes(store: FrameStore) -> None:
    for task in LEARNED:
        frames = samples_of(task, store, 0).frames
        assert frames.dtype == np.int64
        assert frames.shape[1:] == (() if task.num_images == 1 else (task.num_images,))
        assert frames.min() >= 0
        assert frames.max() < len(store)


def test_frames_without_the_label_are_left_out(store: FrameStore) -> None:
    objects = samples_of(find_task("class_object"), store, 0).frames
    assert set(np.flatnonzero(store.read("class_object", np.arange(len(store))) == -1)).isdisjoint(objects)
    assert len(objects) == (store.read("class_object", np.arange(len(store))) >= 0).sum()
    layouts = samples_of(find_task("room_layout"), store, 0).frames
    assert set(store.cameras["room"][layouts]) == {0, 1, 2}


def test_fixated_pairs_are_all_pairs_of_views_of_one_point_in_order(tmp_path: Path) -> None:
    store = bare_store(
        tmp_path, [(0, 0, 1), (0, 0, 0), (0, 1, 0), (1, 0, 0), (0, 0, 2), (0, -1, 0), (0, -1, 1)]
    )
    pairs = samples_of(find_task("fixated_pose"), store, 0).frames
    assert sorted(map(tuple, pairs.tolist())) == [(0, 4), (1, 0), (1, 4)]
    assert samples_of(find_task("egomotion"), store, 0).frames.tolist() == [[1, 0, 4]]


def test_nonfixated_pairs_see_a_common_point_and_are_fixed_on_different_ones(tmp_path: Path) -> None:
    places = [(0, 0, 0), (0, 1, 0), (0, 2, 0), (0, 3, 0), (1, 2, 0)]
    # Frames 0 and 1 see point 2, which frame 2 fixates; frame 3 sees and is seen by nobody.
    store = bare_store(tmp_path, places, ((0, 0, 2), (1, 0, 2)))
    pairs = samples_of(find_task("nonfixated_pose"), store, 0).frames
    assert pairs.tolist() == [[0, 1], [0, 2], [1, 2]]


def test_nonfixated_pairs_are_what_brute_force_finds(store: FrameStore) -> None:
    cameras = store.cameras
    seen: dict[int, set[tuple[int, int]]] = {
        frame: {(int(camera["room"]), int(camera["point"]))} for frame, camera in enumerate(cameras)
    }
    for sighting in store.sightings:
        seen[int(sighting["frame"])].add((int(sighting["room"]), int(sighting["point"])))
    wanted = {
        pair
        for pair in combinations(range(len(store)), 2)
        if seen[pair[0]] & seen[pair[1]] and cameras["point"][pair[0]] != cameras["point"][pair[1]]
    }
    found = set(map(tuple, samples_of(find_task("nonfixated_pose"), store, 0).frames.tolist()))
    assert found <= wanted
    assert len(found) > len(wanted) / 2


def test_points_that_many_see_give_a_bounded_number_of_pairs(tmp_path: Path) -> None:
    places = [(0, point, 0) for point in range(60)]
    store = bare_store(tmp_path, places, tuple((frame, 0, 0) for frame in range(1, 60)))
    assert len(samples_of(find_task("nonfixated_pose"), store, 0)) == 4 * 60


def test_matches_are_as_many_of_each_kind_and_labelled_so(store: FrameStore) -> None:
    samples = samples_of(find_task("point_matching"), store, 0)
    assert samples.label is not None
    assert samples.label.mean() == 0.5
    points = store.cameras["point"][samples.frames]
    rooms = store.cameras["room"][samples.frames]
    assert np.array_equal(points[:, 0] == points[:, 1], samples.label == 1)
    assert (rooms[:, 0] == rooms[:, 1]).all()
    assert 0 < samples.label[:10].sum() < 10  # shuffled


def test_the_seed_decides_what_is_drawn(store: FrameStore) -> None:
    task = find_task("point_matching")
    first, again, other = (samples_of(task, store, seed).frames for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_only_frames_that_may_be_used_are(store: FrameStore) -> None:
    among = store.cameras["room"] == 1
    for task in LEARNED:
        assert among[samples_of(task, store, 0, among=among).frames].all()


def test_domains_are_the_tasks_own_and_the_depth_that_masks_it(store: FrameStore) -> None:
    assert domains_of(find_task("curvature"), store) == ("principal_curvature", "depth_zbuffer")
    assert domains_of(find_task("depth_zbuffer"), store) == ("depth_zbuffer",)
    assert domains_of(find_task("keypoints2d"), store) == ("keypoints2d",)
    assert domains_of(find_task("inpainting"), store) == ()
    assert domains_of(find_task("egomotion"), store) == ()


def test_missing_labels_are_named(tmp_path: Path) -> None:
    store = bare_store(tmp_path, [(0, 0, 0)])
    with pytest.raises(
        DataError, match="normal needs labels of 'normal', but .* has rgb: leave the task out"
    ):
        samples_of(find_task("normal"), store, 0)


@pytest.mark.parametrize(
    ("task", "lacking"),
    [
        ("fixated_pose", "no point is fixated by two frames"),
        ("egomotion", "no point is fixated by three frames"),
        ("nonfixated_pose", "no two frames that are fixed on different points see a common one"),
        ("point_matching", "it needs points that two frames fixate"),
    ],
)
def test_a_task_without_any_sample_says_what_lacks(tmp_path: Path, task: str, lacking: str) -> None:
    store = bare_store(tmp_path, [(0, 0, 0), (0, 1, 0)])
    with pytest.raises(DataError, match=f"has no sample for {task}: {lacking}"):
        samples_of(find_task(task), store, 0)
