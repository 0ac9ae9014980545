"""The best constants, against brute force."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.stages.transfers.toy_run import toy_config
from tests.training.toy_store import toy_store
from training.stages.transfers.config import TransfersConfig
from training.stages.transfers.reading import Reading

from taskbank.learning.best_constant import Constant, best_constant
from taskbank.learning.losses import losses
from taskbank.learning.target import Target
from taskbank.learning.train import train_constant
from taskbank.tasks.registry import find_task

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reading]:
    store = toy_store(tmp_path_factory.mktemp("frames"), rooms=3, gaps=False)
    names = (
        "autoencoding",
        "normal",
        "curvature",
        "class_scene",
        "segment_semantic",
        "fixated_pose",
        "egomotion",
        "segment_unsup2d",
    )
    return {name: Reading(find_task(name), store, Path(), toy_config(), CPU) for name in names}


def mean_loss(reading: Reading, output: torch.Tensor) -> float:
    """Mean loss of one constant over all samples."""
    rows = np.arange(len(reading))
    target = reading.target(rows)
    with torch.no_grad():
        return float(losses(reading.task, output[None].expand(len(rows), *output.shape), target).mean())


def estimated(reading: Reading, config: TransfersConfig | None = None) -> torch.Tensor:
    found: torch.Tensor = train_constant(reading, config or toy_config(), 32)(torch.zeros(1))[0]
    return found.detach()


@pytest.mark.parametrize("task", ["normal", "curvature", "class_scene", "segment_semantic"])
def test_no_small_change_of_the_constant_is_better(readings: dict[str, Reading], task: str) -> None:
    reading = readings[task]
    best = estimated(reading)
    least = mean_loss(reading, best)
    generator = torch.Generator().manual_seed(0)
    for size in (0.05, 0.2, 1.0):
        for _ in range(4):
            changed = best + size * torch.randn(best.shape, generator=generator)
            assert mean_loss(reading, changed) > least - 1e-4


def test_medians_and_means_are_those_of_numpy(readings: dict[str, Reading]) -> None:
    reading = readings["autoencoding"]
    ordered = np.sort(reading.target(np.arange(len(reading))).values.numpy(), axis=0)
    np.testing.assert_allclose(estimated(reading).numpy(), ordered[(len(ordered) - 1) // 2], atol=1e-6)


def test_masked_pixels_take_no_part(monkeypatch: pytest.MonkeyPatch, readings: dict[str, Reading]) -> None:
    values = torch.tensor([0.0, 1.0, 100.0]).reshape(3, 1, 1, 1).expand(3, 2, 1, 2).clone()
    weight = torch.tensor([[1.0, 0], [1.0, 0], [0, 0]]).reshape(3, 1, 1, 2)
    target = Target(values=values, weight=weight)
    reading = readings["curvature"]
    monkeypatch.setattr(reading, "target", lambda rows: target)
    found = train_constant(reading, toy_config(batch=64), 32)(torch.zeros(1))[0].detach()
    assert found[:, 0, 0].tolist() == pytest.approx([0.5, 0.5])  # the third is not known there
    assert found[:, 0, 1].tolist() == [0, 0]  # never known


def test_the_median_counts_samples_as_their_losses_do(
    monkeypatch: pytest.MonkeyPatch, readings: dict[str, Reading]
) -> None:
    values = torch.tensor([0.0, 1.0, 2.0]).reshape(3, 1, 1, 1).expand(3, 3, 1, 4).clone()
    weight = torch.tensor([[1.0, 1, 1, 1], [1.0, 1, 1, 1], [1.0, 0, 0, 0]]).reshape(3, 1, 1, 4)
    target = Target(values=values, weight=weight)
    reading = readings["normal"]
    monkeypatch.setattr(reading, "target", lambda rows: target)
    found = train_constant(reading, toy_config(batch=64), 32)(torch.zeros(1))[0].detach()
    # The only known pixel of the third picture is its whole loss: it counts like four of the others.
    assert found[:, 0, 0].tolist() == [2, 2, 2]
    assert found[:, 0, 1].tolist() == [0, 0, 0]


def test_scenes_get_their_frequencies(readings: dict[str, Reading]) -> None:
    likely = estimated(readings["class_scene"]).softmax(0)
    assert likely[:3].tolist() == pytest.approx([1 / 3] * 3, abs=2e-3)
    assert likely[3:].sum() < 2e-3


@pytest.mark.parametrize("task", ["fixated_pose", "egomotion"])
def test_constants_of_poses_are_learned_under_their_own_loss(readings: dict[str, Reading], task: str) -> None:
    reading = readings[task]
    rows = np.arange(len(reading))
    mean = reading.target(rows).values.mean(0)
    start = torch.cat([mean[:6], mean[12:]]) if task == "egomotion" else mean
    learned = mean_loss(reading, estimated(reading, toy_config(steps=300)))
    assert learned < mean_loss(reading, start)


def test_a_map_of_embeddings_beats_one_embedding_everywhere(readings: dict[str, Reading]) -> None:
    reading = readings["segment_unsup2d"]
    found = estimated(reading, toy_config(steps=40))
    assert found.shape == (64, 32, 32)
    assert mean_loss(reading, found) < mean_loss(reading, torch.zeros(64, 32, 32))


@pytest.mark.parametrize("name", ["colorization", "jigsaw"])
def test_constants_of_colours_and_orders_are_their_frequencies(name: str) -> None:
    task = find_task(name)
    values = torch.tensor([[3, 4], [3, 5], [3, 4]])
    if name == "jigsaw":
        target = Target(values=values[:, 1])
        wanted = {4: 2 / 3, 5: 1 / 3}
    else:
        shares = torch.tensor([0.75, 0.25]).expand(3, 2)
        maps = (values[..., None, None], shares[..., None, None])
        target = Target(values=maps[0], shares=maps[1])
        wanted = {3: 0.75, 4: 1 / 6, 5: 1 / 12}
    found = best_constant(task, [target], [], size=1, steps=1, drop=1)(torch.zeros(1))[0].detach()
    likely = found.softmax(0).flatten()
    assert {bin_: likely[bin_].item() for bin_ in wanted} == pytest.approx(wanted, abs=2e-3)


def test_a_constant_does_not_look() -> None:
    constant = Constant(torch.arange(3.0))
    assert torch.equal(constant(torch.rand(2)), constant(torch.rand(2)))
    assert constant(torch.rand(5)).shape == (5, 3)


def test_a_map_of_embeddings_is_learned_as_well_at_a_smaller_size(monkeypatch: pytest.MonkeyPatch) -> None:
    task, size = find_task("segment_unsup2d"), 256
    draw = torch.Generator().manual_seed(1)

    def left_and_right() -> Target:
        places = torch.randint(0, size, (2, 100, 2), generator=draw)
        return Target(values=torch.cat([places, (places[..., 1:] >= 90).long()], dim=-1))

    batches = [left_and_right() for _ in range(30)]
    found = {}
    for coarse in (64, size):
        monkeypatch.setattr("taskbank.learning.best_constant._COARSE", coarse)
        constant = best_constant(task, [], batches, size=size, steps=30, drop=20)
        output = constant(torch.zeros(2))
        assert output.shape == (2, 64, size, size)
        found[coarse] = float(losses(task, output, batches[0]).mean().detach())
    assert found[64] == pytest.approx(found[size], rel=0.02)
