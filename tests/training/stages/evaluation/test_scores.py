from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.taskbank.toy import TOY_COMPACT, toy_encoder, toy_network
from tests.training.toy_store import toy_store
from training.data.frames import FrameStore
from training.errors import DataError
from training.learning.samples import samples_of
from training.stages.evaluation.scores import measure_of, score_bank
from training.stages.evaluation.truth import true_value

from taskbank.bank.bank import About, Bank
from taskbank.geometry import box_corners, compose
from taskbank.tasks.registry import TASKS

_PREDICTED = [task for task in TASKS.values() if task.name != "random"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FrameStore:
    return toy_store(tmp_path_factory.mktemp("store"), rooms=3)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    networks = {task.name: toy_network(task.name) for task in _PREDICTED} | {"random": toy_encoder()}
    return Bank.save(
        tmp_path_factory.mktemp("bank") / "toy", name="toy", architecture=TOY_COMPACT, networks=networks
    )


@pytest.mark.parametrize(
    "task", [task for task in _PREDICTED if task.name != "jigsaw"], ids=lambda task: task.name
)
def test_the_truth_itself_has_the_best_score(store: FrameStore, task) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    samples = samples_of(task, store, seed=0)
    measure = measure_of(task)
    for index in range(min(6, len(samples))):
        truth = true_value(task, store, samples, index)
        measure.add(_as_predicted(task.name, truth), truth)
    for name, value in measure.result().items():
        best = 0.0 if name in _ERRORS else 100.0 if name == "psnr" else 1.0
        assert value == pytest.approx(best, abs=0.03), name


_ERRORS = (
    "mean", "median", "abs_rel", "rmse", "abs_rel_scaled", "rmse_scaled", "l1", "rotation", "rotation_median",
    "translation", "translation_median", "corners", "edges", "angle",
)  # fmt: skip


def _as_predicted(task: str, truth: np.ndarray) -> np.ndarray:
    """The prediction that says the same."""
    said = truth.astype(np.float64)
    if task.startswith("class_"):
        said = np.eye(TASKS[task].channels)[int(truth)]
    elif task.startswith("segment_unsup"):
        said = np.eye(int(truth.max()) + 1)[truth] * 5
    elif task == "segment_semantic":
        said = truth
    return said


def test_a_bank_of_all_tasks_is_scored_as_users_would_see_it(bank: Bank, store: FrameStore) -> None:
    scores = score_bank(bank, store, limit=4, device="cpu")
    assert list(scores) == [task.name for task in _PREDICTED]
    for task, numbers in scores.items():
        assert len(numbers) > 1, task
        assert numbers["samples"] <= 4
        assert np.isfinite(list(numbers.values())).all(), task


def test_scores_do_not_change_from_run_to_run(bank: Bank, store: FrameStore) -> None:
    tasks = ["normals", "denoising", "matching"]
    first = score_bank(bank, store, tasks, limit=3, device="cpu")
    assert list(first) == ["normal", "denoising", "point_matching"]
    assert first == score_bank(bank, store, tasks, limit=3, device="cpu")


def test_three_images_have_three_true_poses_of_which_the_last_is_composed(store: FrameStore) -> None:
    task = TASKS["egomotion"]
    poses = true_value(task, store, samples_of(task, store, seed=0), 0)
    assert poses.shape == (3, 6)
    assert np.allclose(poses[2], compose(poses[0], poses[1]))


def test_the_true_layout_has_the_rooms_corners_in_the_cameras_frame(store: FrameStore) -> None:
    task = TASKS["room_layout"]
    samples = samples_of(task, store, seed=0)
    corners = box_corners(true_value(task, store, samples, 0))
    box = store.cameras[samples.frames[0]]["box"]
    sides = np.linalg.norm(corners[4] - corners[0]), np.linalg.norm(corners[2] - corners[0])
    assert sorted(sides) == pytest.approx(sorted((box[1] - box[0])[:2]))


@pytest.mark.parametrize("name", ["normal", "curvature", "edge_occlusion", "keypoints3d", "reshading"])
def test_what_depends_on_geometry_is_unknown_where_depth_is(store: FrameStore, name: str) -> None:
    task = TASKS[name]
    values = true_value(task, store, samples_of(task, store, seed=0), 0)
    assert np.isnan(values[:3, :3]).all()
    assert np.isfinite(values[4:, 4:]).all()


def test_segments_are_unknown_where_the_depth_that_makes_them_is(store: FrameStore) -> None:
    surfaces, colours = (
        true_value(TASKS[name], store, samples_of(TASKS[name], store, seed=0), 0)
        for name in ("segment_unsup25d", "segment_unsup2d")
    )
    assert (surfaces[:3, :3] == -1).all()
    assert surfaces[4:, 4:].min() >= 0
    assert colours.min() >= 0


def test_what_depends_on_pixels_is_known_everywhere(store: FrameStore) -> None:
    task = TASKS["edge_texture"]
    assert np.isfinite(true_value(task, store, samples_of(task, store, seed=0), 0)).all()


def test_missing_labels_are_named(bank: Bank, store: FrameStore, tmp_path: Path) -> None:
    few = FrameStore(root=store.root, size=store.size, domains=("rgb",), about={}, counts=store.counts)
    with pytest.raises(DataError, match="normal needs labels of 'normal'"):
        score_bank(bank, few, ["normals"], device="cpu")


def test_frames_are_shown_as_they_are_unless_they_have_the_banks_size(
    store: FrameStore, tmp_path: Path
) -> None:
    """Then a task of several images is shown the size that its network was trained on."""
    networks = {"fixated_pose": toy_network("fixated_pose")}

    def scores(side: int, own: int | None) -> dict[str, dict[str, float]]:
        about = {"fixated_pose": About(image_size=own)}
        folder = tmp_path / f"{side}_{own}"
        bank = Bank.save(
            folder, name="toy", architecture=TOY_COMPACT, networks=networks, about=about, image_size=side
        )
        return score_bank(bank, store, limit=4, device="cpu")

    plain = scores(store.size, None)
    assert scores(store.size, store.size // 2) != plain
    assert scores(2 * store.size, store.size // 2) == plain
