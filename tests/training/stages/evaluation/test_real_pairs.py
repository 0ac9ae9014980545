from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.taskbank.toy import TOY_COMPACT, toy_network
from tests.training.data.real.test_sequences import intrinsics, write_sequence
from training.data.poses import relative_poses
from training.data.real.folder import RealFolder, RealFrame
from training.stages.evaluation.real_pairs import best_number, real_samples, score_real_pairs, true_values

from taskbank.bank.bank import Bank
from taskbank.tasks.registry import OutputKind


@pytest.fixture(scope="module")
def sequence(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[RealFrame], np.ndarray]:
    root = tmp_path_factory.mktemp("sequence")
    records = write_sequence(root)
    return list(RealFolder(root, intrinsics()).frames()), records


def _bank(folder: Path, *names: str) -> Bank:
    networks = {name: toy_network(name) for name in names}
    return Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks=networks)


def test_truths_are_the_poses_of_the_renderers_cameras(sequence: tuple[list[RealFrame], np.ndarray]) -> None:
    frames, records = sequence
    samples = real_samples(frames, 100)
    for name in ("fixated_pose", "nonfixated_pose"):
        pairs = samples[name].frames
        expected = relative_poses(records[pairs[:, 0]], records[pairs[:, 1]])
        assert np.allclose(true_values(frames, samples[name]), expected, atol=1e-9)
    (triplet,) = true_values(frames, samples["egomotion"])
    three = [relative_poses(records[i], records[j]) for i, j in ((0, 1), (1, 2), (0, 2))]
    assert np.allclose(triplet, three, atol=1e-9)


def test_matches_are_as_many_fixated_pairs_as_others(sequence: tuple[list[RealFrame], np.ndarray]) -> None:
    samples = real_samples(sequence[0], 100)["point_matching"]
    assert samples.label is not None
    assert samples.label.mean() == 0.5
    fixated = {tuple(pair) for pair in real_samples(sequence[0], 100)["fixated_pose"].frames.tolist()}
    assert [tuple(pair) in fixated for pair in samples.frames.tolist()] == samples.label.astype(bool).tolist()


def test_a_bank_is_measured_beside_the_best_constant(
    tmp_path: Path, sequence: tuple[list[RealFrame], np.ndarray]
) -> None:
    bank = _bank(tmp_path / "bank", "egomotion", "fixated_pose", "normal", "point_matching")
    scores = score_real_pairs(bank, sequence[0], device="cpu")
    assert (
        set(scores["networks"]) == set(scores["constant"]) == {"egomotion", "fixated_pose", "point_matching"}
    )
    assert scores["networks"]["fixated_pose"]["samples"] == 4
    assert scores["constant"]["point_matching"]["accuracy"] == 0.5
    # Of one triplet the constant is the truth.
    assert scores["constant"]["egomotion"]["rotation"] == pytest.approx(0, abs=1e-5)
    assert np.isfinite(scores["networks"]["fixated_pose"]["rotation"])


def test_frames_without_poses_and_banks_without_such_networks_have_no_scores(
    tmp_path: Path, sequence: tuple[list[RealFrame], np.ndarray]
) -> None:
    bare = [
        RealFrame(name=one.name, rgb=one.rgb, depth=one.depth, labels=None, intrinsics=one.intrinsics)
        for one in sequence[0]
    ]
    nothing: dict[str, dict[str, dict[str, float]]] = {"networks": {}, "constant": {}}
    assert score_real_pairs(_bank(tmp_path / "pairs", "egomotion"), bare, device="cpu") == nothing
    assert score_real_pairs(_bank(tmp_path / "maps", "normal"), sequence[0], device="cpu") == nothing


def test_the_constant_is_the_median_of_each_number() -> None:
    truths = [np.array([0.0, 5.0]), np.array([1.0, 3.0]), np.array([5.0, 4.0])]
    assert best_number(OutputKind.POSE, truths).tolist() == [1.0, 4.0]
    assert best_number(OutputKind.MATCH, [np.asarray(1), np.asarray(0)]) == 0.5
