"""Measurements of finished networks: toys that are dead, give a constant, or learned by heart."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.training.stages.networks.toy_networks import CONFIG, CPU, THREE
from training.data.frames import FrameStore
from training.errors import DeadNetworkError
from training.learning.batches import BatchReader
from training.stages.networks.examine import examine
from training.stages.networks.held_out import HeldOut, learned_from
from training.stages.networks.learner import Learner
from training.stages.networks.stage import run_networks

from taskbank.tasks.registry import find_task


def parts(task: str, store: FrameStore) -> tuple[HeldOut, HeldOut]:
    """Held-out samples of a task, and some that are learned from."""
    among = learned_from(store, CONFIG)
    held_out, learned = (HeldOut.of(find_task(task), store, part, CONFIG) for part in (~among, among))
    assert held_out is not None
    assert learned is not None
    return held_out, learned


def measured(learner: Learner, store: FrameStore) -> dict[str, float]:
    """Of a learner on the held-out samples of its task."""
    return examine(learner, *parts(learner.task.name, store), BatchReader(store), CONFIG)


@pytest.mark.parametrize("name", ["normal", "egomotion"])
def test_a_dead_network_is_seen_to_be_dead_and_no_better_than_a_constant(
    store: FrameStore, name: str
) -> None:
    learner = Learner(find_task(name), CONFIG, CPU)
    alive = measured(learner, store)
    assert alive["dead_channels"] == 0.0
    assert alive["output_variation"] > 1e-3
    torch.nn.init.zeros_(learner.average.encoder.get_parameter("compress.1.weight"))
    dead = measured(learner, store)
    assert (dead["dead_channels"], dead["output_variation"]) == (1.0, 0.0)
    assert dead["constant_loss"] == alive["constant_loss"]


def test_the_constants_loss_is_that_of_the_median_of_what_is_learned_from(store: FrameStore) -> None:
    learner = Learner(find_task("autoencoding"), CONFIG, CPU)
    held_out, learned = parts("autoencoding", store)
    reader = BatchReader(store)
    pictures = [
        np.concatenate([batch.pair(learner.task)[1].values.numpy() for batch in part.batches(reader, CONFIG)])
        for part in (learned, held_out)
    ]
    ordered = np.sort(pictures[0], axis=0)
    wanted = np.abs(pictures[1] - ordered[(len(ordered) - 1) // 2]).mean()
    found = examine(learner, held_out, learned, reader, CONFIG)
    assert found["constant_loss"] == pytest.approx(wanted, rel=1e-5)


def test_what_learned_the_samples_by_heart_beats_the_constant_on_them(store: FrameStore) -> None:
    config = replace(CONFIG, steps=120, learning_rate=0.02, ema=0.5)
    learner = Learner(find_task("autoencoding"), config, CPU)
    _, learned = parts("autoencoding", store)
    reader = BatchReader(store)
    before = examine(learner, learned, learned, reader, config)
    batches = list(learned.batches(reader, config))
    for step in range(120):
        learner.learn(*batches[step % len(batches)].pair(learner.task), step)
    after = examine(learner, learned, learned, reader, config)
    assert before["beats_constant"] == 0.0
    assert after["beats_constant"] == 1.0
    assert after["held_out_loss"] < after["constant_loss"] < before["held_out_loss"]


@pytest.fixture
def dead(whole: Path, tmp_path: Path) -> Path:
    """Three networks of which one has a representation of zeros."""
    folder = tmp_path / "dead"
    shutil.copytree(whole, folder)
    path = folder / "egomotion.safetensors"
    weights = load_file(path)
    for name in ("weight", "bias"):
        weights[f"encoder.compress.1.{name}"] = torch.zeros(8)
    save_file(weights, path)
    return folder


def test_the_stage_fails_on_a_dead_network_but_leaves_all_and_goes_on_if_told_to(
    store: FrameStore, dead: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config, out = replace(CONFIG, steps=0, start=dead), tmp_path / "out"
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(DeadNetworkError, match=r"1 task network\(s\) are dead:\n  egomotion: 100% of its"),
    ):
        run_networks(config, store.root, out, tasks=THREE)
    assert "egomotion is dead: 100% of its channels" in caplog.text
    assert {path.stem for path in out.glob("*.safetensors")} == set(THREE)
    assert set(json.loads((out / "egomotion.json").read_text())["faults"]) >= {"dead", "constant"}
    with pytest.raises(DeadNetworkError) as again:
        run_networks(config, store.root, out, tasks=THREE)
    assert again.value.tasks == ("egomotion",)
    assert run_networks(replace(config, refuse_dead=False), store.root, out, tasks=THREE) == out
