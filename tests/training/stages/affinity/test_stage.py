"""Affinity tensors from losses with known answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.training.toy_store import toy_store
from training.errors import ConfigError, DataError
from training.stages.affinity.stage import AffinityConfig, affinity_of, load_intervals, run_affinity
from training.stages.affinity.target import target_affinity
from training.stages.transfers.loss_files import TEST, SampleLosses, losses_path, save_losses

from taxsolver import ahp, load_affinity, solve, stability

ROOMS = np.repeat(np.arange(20, dtype=np.int32), 5)


def hand_made(seed: int = 0) -> dict[str, np.ndarray]:
    """Losses of three sources, a pair and the controls: the lower the offset, the better."""
    draw = np.random.default_rng(seed)
    offsets = {
        "normal": 0.0, "jigsaw": 2.0, "random": 3.0, "normal+jigsaw": -0.5, "scratch": 1.0, "average": 4.0,
        "full_supervision": -1.0,
    }  # fmt: skip
    return {name: (offset + draw.normal(0, 1, 100)).astype(np.float32) for name, offset in offsets.items()}


def write_stage_2(folder: Path, targets: tuple[str, ...] = ("reshading", "curvature")) -> Path:
    """Write the losses that stage 2 leaves for stage 3."""
    for number, target in enumerate(targets):
        made = hand_made(number)
        kinds = {
            "order_1": ("normal", "jigsaw", "random"), "order_2": ("normal+jigsaw",), "scratch": ("scratch",),
            "average": ("average",), "full_supervision": ("full_supervision",),
        }  # fmt: skip
        for kind, names in kinds.items():
            by_name = {name: made[name] for name in names}
            save_losses(losses_path(folder, target, kind), {TEST: SampleLosses(ROOMS, by_name)})
    counts = {
        "targets": targets,
        "images_transfer": 80,
        "rooms_learned": 8,
        "rooms_held_out": 2,
        "rooms_test": 20,
    }
    (folder / "counts.json").write_text(json.dumps({**counts, "config": {"seed": 0}}))
    return folder


def test_affinities_are_those_of_ahp_and_sum_to_one(tmp_path: Path) -> None:
    tensor, _ = affinity_of(AffinityConfig(resamples=2), write_stage_2(tmp_path), images_full=1000)
    assert tensor.targets == ("curvature", "reshading")
    for number, target in enumerate(("reshading", "curvature")):
        rows = np.flatnonzero(tensor.target == tensor.tasks.index(target)).tolist()
        made = hand_made(number)
        names = [
            "full_supervision" if tensor.full_supervision[row] else "+".join(tensor.source_names(row))
            for row in rows
        ]
        losses = np.stack(
            [made["normal+jigsaw" if name == "jigsaw+normal" else name] for name in names], axis=1
        )
        np.testing.assert_allclose(tensor.affinity[rows], ahp(losses), rtol=1e-6)
        assert tensor.affinity[rows].sum() == pytest.approx(1)


def test_gain_and_quality_are_shares_of_samples(tmp_path: Path) -> None:
    tensor, _ = affinity_of(AffinityConfig(resamples=2), write_stage_2(tmp_path))
    made = hand_made(0)
    target = tensor.tasks.index("reshading")
    row = next(
        row
        for row in np.flatnonzero(tensor.target == target).tolist()
        if tensor.source_names(row) == ("normal",)
    )
    assert tensor.gain[row] == pytest.approx((made["normal"] < made["scratch"]).mean())
    assert tensor.quality[row] == pytest.approx((made["normal"] < made["full_supervision"]).mean())


def test_full_supervision_is_a_row_that_reads_its_target(tmp_path: Path) -> None:
    tensor, _ = affinity_of(AffinityConfig(resamples=2), write_stage_2(tmp_path))
    rows = np.flatnonzero(tensor.full_supervision).tolist()
    assert [tensor.source_names(row) for row in rows] == [("reshading",), ("curvature",)]
    np.testing.assert_allclose(tensor.quality[rows], 0.5)


def test_controls_are_no_rows(tmp_path: Path) -> None:
    tensor, _ = affinity_of(AffinityConfig(resamples=2), write_stage_2(tmp_path))
    assert len(tensor) == 2 * 5
    assert not {"scratch", "average"} & set(tensor.tasks)
    assert tensor.untrained == ("random",)


def test_taxsolver_plans_with_what_is_written(tmp_path: Path) -> None:
    transfers = write_stage_2(tmp_path / "transfers")
    train = tmp_path / "train"
    toy_store(train, rooms=1)
    path = run_affinity(AffinityConfig(resamples=5), transfers, {"train": train}, tmp_path)
    tensor = load_affinity(path)
    plan = solve(tensor, budget=1, max_order=1, supervise_targets=False)
    assert plan.sources == ("normal",)
    assert (tensor.images_full, tensor.images_transfer) == (9, 80)
    assert {"splits", "scratch", "full_supervision", "random", "average", "intervals"} <= set(tensor.about)
    assert len(tensor.about["losses_sha256"]) == 64
    assert load_intervals(path.parent)["gain"].shape == (len(tensor), 2)
    np.testing.assert_allclose(tensor.intervals["gain"], load_intervals(path.parent)["gain"])
    assert stability(tensor, budget=1, max_order=1, objective="gain", draws=5).origin == "intervals"


def test_the_header_tells_other_losses_apart(tmp_path: Path) -> None:
    transfers = write_stage_2(tmp_path)
    first, _ = affinity_of(AffinityConfig(resamples=1), transfers)
    other = {TEST: SampleLosses(ROOMS, {"average": hand_made(5)["average"]})}
    save_losses(losses_path(transfers, "reshading", "average"), other)
    second, _ = affinity_of(AffinityConfig(resamples=1), transfers)
    assert first.about["losses_sha256"] != second.about["losses_sha256"]


def test_intervals_hold_the_estimate_and_widen_when_frames_of_a_room_are_alike() -> None:
    alone = target_affinity(
        "x", SampleLosses(np.arange(100, dtype=np.int32), hand_made()), resamples=200, level=0.9, seed=0
    )
    copies = {name: np.repeat(values[:20], 5) for name, values in hand_made().items()}
    alike = target_affinity("x", SampleLosses(ROOMS, copies), resamples=200, level=0.9, seed=0)
    naive = target_affinity(
        "x", SampleLosses(np.arange(100, dtype=np.int32), copies), resamples=200, level=0.9, seed=0
    )
    for found in (alone, alike):
        for measure, values in found.values.items():
            low, high = found.intervals[measure].T
            assert (low <= values + 1e-9).all()
            assert (values <= high + 1e-9).all()
    width = {name: np.diff(one.intervals["gain"][0])[0] for name, one in (("alike", alike), ("naive", naive))}
    assert width["alike"] > 1.6 * width["naive"]  # the square root of five, about


def test_intervals_are_the_middle_nine_tenths_of_seeded_draws_of_whole_rooms(tmp_path: Path) -> None:
    """Against samples that are really repeated as often as their room was drawn."""
    tensor, intervals = affinity_of(AffinityConfig(resamples=40), write_stage_2(tmp_path))
    made = hand_made(0)
    share = np.full(20, 1 / 20)
    gains = []
    for often in np.random.default_rng([0, 20]).multinomial(20, share, size=40):
        samples = np.repeat(np.arange(100), often[ROOMS])
        gains.append((made["normal"][samples] < made["scratch"][samples]).mean())
    target = tensor.tasks.index("reshading")
    rows = np.flatnonzero(tensor.target == target).tolist()
    row = next(row for row in rows if tensor.source_names(row) == ("normal",))
    np.testing.assert_allclose(intervals["gain"][row], np.quantile(gains, [0.05, 0.95]), atol=1e-9)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    covered = []
    for trial in range(60):
        draw = np.random.default_rng(trial)
        shift = np.repeat(draw.normal(0, 0.7, 20), 5)
        better = (
            shift + draw.normal(0, 0.7, 100) - 0.5
        )  # scratch minus normal, so that P(better > 0) is known
        losses = {
            "normal": np.zeros(100, np.float32), "scratch": better.astype(np.float32),
            "full_supervision": np.ones(100, np.float32),
        }  # fmt: skip
        found = target_affinity("x", SampleLosses(ROOMS, losses), resamples=100, level=0.9, seed=trial)
        truth = 0.30685  # P(N(-0.5, 2 * 0.49) > 0)
        low, high = found.intervals["gain"][0]
        covered.append(low <= truth <= high)
    assert 0.75 < np.mean(covered) < 0.99


def test_missing_controls_are_named() -> None:
    losses = {"normal": np.zeros(100, np.float32)}
    with pytest.raises(DataError, match="x has no losses of scratch and full_supervision: run stage 2 again"):
        target_affinity("x", SampleLosses(ROOMS, losses), resamples=1, level=0.9, seed=0)


def test_an_unfinished_stage_2_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no counts\.json: run stage 2 first"):
        affinity_of(AffinityConfig(), tmp_path)


def test_intervals_need_draws() -> None:
    with pytest.raises(ConfigError, match="resamples 0 must be at least 1"):
        AffinityConfig(resamples=0)
