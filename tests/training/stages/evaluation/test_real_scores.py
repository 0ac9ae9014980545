from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.taskbank.toy import TOY_COMPACT, toy_network
from training.data.real.camera import Intrinsics
from training.data.real.folder import RealFrame
from training.data.room_classes import nyu40
from training.errors import DataError
from training.stages.evaluation.real_scores import best_constant, score_constant, score_real
from training.stages.evaluation.real_truth import REAL_TRUTHS

from taskbank.bank.bank import Bank

_SIZE = 64
_CAMERA = Intrinsics(fx=80, fy=80, cx=31.5, cy=31.5)


def _frame(name: str, step: float, label: str = "bed") -> RealFrame:
    """A wall straight ahead at 2 m whose right half is `step` metres farther away."""
    depth = np.full((_SIZE, _SIZE), 2.0, np.float32)
    depth[:, _SIZE // 2 :] += step
    labels = np.full((_SIZE, _SIZE), nyu40("wall"), np.uint8)
    labels[:8] = nyu40(label)
    labels[8:12] = 0
    rgb = np.random.default_rng(int(step)).integers(0, 255, (_SIZE, _SIZE, 3), dtype=np.uint8)
    return RealFrame(name=name, rgb=rgb, depth=depth, labels=labels, intrinsics=_CAMERA)


@pytest.fixture(scope="module")
def frames() -> list[RealFrame]:
    return [_frame("a", 1), _frame("b", 1), _frame("c", 2)]


def test_a_wall_straight_ahead_has_the_known_normals_and_brightness() -> None:
    frame = _frame("a", 0)
    far = RealFrame(name="a", rgb=frame.rgb, depth=frame.depth * 2, labels=None, intrinsics=_CAMERA)
    assert np.allclose(REAL_TRUTHS["normal"](far), [0, 0, -1], atol=1e-4)
    shading = REAL_TRUTHS["reshading"](far)
    assert shading[31:33, 31:33].mean() == pytest.approx(0.64 * 2.5 * 8 / (8 + 4**2), abs=0.001)
    assert shading[0, 0] < shading[31, 31]


def test_occlusion_edges_are_where_depth_jumps() -> None:
    edges = REAL_TRUTHS["edge_occlusion"](_frame("a", 1))
    assert edges[:, 31:33].min() > 10 * edges[:, :16].max()


def test_labels_become_the_tasks_classes_and_tables_are_unknown() -> None:
    semantic = REAL_TRUTHS["segment_semantic"](_frame("a", 0))
    assert semantic[0, 0] == 6  # bed is the sixth label on disk
    assert semantic[9, 0] == 0
    assert semantic[20, 0] == 1  # background
    assert REAL_TRUTHS["segment_semantic"](_frame("a", 0, "table"))[0, 0] == 0


def test_a_frame_without_labels_has_no_semantic_truth() -> None:
    frame = _frame("a", 0)
    bare = RealFrame(name="a", rgb=frame.rgb, depth=frame.depth, labels=None, intrinsics=_CAMERA)
    assert not REAL_TRUTHS["segment_semantic"](bare).any()


def test_a_bank_is_scored_on_the_tasks_that_have_a_truth(tmp_path: Path, frames: list[RealFrame]) -> None:
    held = ["normal", "depth_zbuffer", "edge_occlusion", "reshading", "segment_semantic", "autoencoding"]
    networks = {name: toy_network(name) for name in held}
    bank = Bank.save(tmp_path / "bank", name="toy", architecture=TOY_COMPACT, networks=networks)
    scores = score_real(bank, frames, device="cpu")
    assert list(scores) == held[:-1]
    assert all(np.isfinite(list(numbers.values())).all() for numbers in scores.values())
    assert list(score_real(bank, frames, ["normals"], device="cpu")) == ["normal"]


def test_tasks_without_a_truth_are_refused(tmp_path: Path, frames: list[RealFrame]) -> None:
    bank = Bank.save(
        tmp_path / "bank", name="toy", architecture=TOY_COMPACT, networks={"normal": toy_network("normal")}
    )
    with pytest.raises(
        DataError, match="real frames have no truth for 'autoencoding': choose from normal, depth_z"
    ):
        score_real(bank, frames, ["autoencoder"], device="cpu")


def test_the_best_constant_depth_is_the_geometric_mean_and_is_scored_like_a_network(
    frames: list[RealFrame],
) -> None:
    scores = score_constant(frames, ["depth_zbuffer"])["depth_zbuffer"]
    # Left halves are met exactly; right halves are 3, 3 and 4.
    mean = 36 ** (1 / 3)
    errors = [abs(mean - true) / true / 2 for true in (3, 3, 4)]
    assert scores["abs_rel"] == pytest.approx(np.mean(errors))


def test_constant_directions_are_means_and_constant_labels_the_commonest() -> None:
    normals = np.array([[[[0, 0, -1.0]]], [[[0, -1.0, 0]]], [[[np.nan] * 3]]])
    assert np.allclose(best_constant("normal", normals), [0, -np.sqrt(0.5), -np.sqrt(0.5)])
    labels = np.array([[[1, 3]], [[2, 3]], [[2, 0]]])
    assert best_constant("segment_semantic", labels).tolist() == [[2, 3]]


def test_a_pixel_that_is_known_nowhere_gets_the_value_of_all_others() -> None:
    depth = np.array([[[1.0, np.nan]], [[3.0, np.nan]]])
    assert np.allclose(best_constant("depth_zbuffer", depth), [[np.sqrt(3), np.sqrt(3)]])
