"""Training task networks in one process: in pieces, killed, beside each other, and what is left of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tests.training.stages.networks.toy_networks import CONFIG, THREE, same_weights
from torch import Tensor
from training.data.frames import FrameStore
from training.errors import ConfigError, DataError, DivergedError
from training.learning.batches import BatchReader
from training.runs.metrics import read_metrics
from training.stages.networks.held_out import HeldOut, learned_from
from training.stages.networks.learner import Learner, new_network
from training.stages.networks.train import train_task_networks

from taskbank.learning.losses import losses
from taskbank.options import Precision
from taskbank.tasks.registry import find_task


def test_a_run_in_pieces_ends_with_the_same_weights(store: FrameStore, whole: Path, tmp_path: Path) -> None:
    pieces = 0
    while not train_task_networks(CONFIG, {"train": store}, tmp_path, tasks=THREE, max_seconds=0).finished:
        pieces += 1
    assert pieces == 5
    assert same_weights(whole, tmp_path)
    assert [path.name for path in tmp_path.glob("*.checkpoint*")] == []


@pytest.mark.parametrize("dies_at", [(3, "egomotion"), (6, "normal")])
def test_a_run_that_dies_ends_with_the_same_weights(
    store: FrameStore, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: tuple[int, str]
) -> None:
    config = replace(CONFIG, checkpoint_seconds=0)
    step_to_die, task_to_die = dies_at
    learn, keep = Learner.learn, Learner.weights_to_keep

    def dying(self: Learner, shown: Tensor, target: Any, step: int) -> Tensor:
        if (step, self.task.name) == dies_at:
            raise KeyboardInterrupt
        return learn(self, shown, target, step)

    def dying_in_the_end(self: Learner) -> dict[str, Tensor]:
        if step_to_die == config.steps and self.task.name == task_to_die:
            raise KeyboardInterrupt
        return keep(self)

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "learn", dying)
        patch.setattr(Learner, "weights_to_keep", dying_in_the_end)
        with pytest.raises(KeyboardInterrupt):
            train_task_networks(config, {"train": store}, tmp_path, tasks=THREE)
    assert train_task_networks(config, {"train": store}, tmp_path, tasks=THREE).finished
    assert same_weights(whole, tmp_path)
    rows = [read_metrics(path / "normal.metrics.csv")["loss"] for path in (whole, tmp_path)]
    assert rows[0][-1] == pytest.approx(np.mean(rows[1][-2:]))


def test_networks_do_not_depend_on_which_are_trained_beside_them(
    store: FrameStore, whole: Path, tmp_path: Path
) -> None:
    for task in THREE:
        train_task_networks(CONFIG, {"train": store}, tmp_path, tasks=[task])
    assert same_weights(whole, tmp_path)


def test_networks_that_were_saved_at_different_steps_end_with_the_same_weights(
    store: FrameStore, whole: Path, tmp_path: Path
) -> None:
    for task, steps in (("normal", 4), ("egomotion", 1)):
        for _ in range(steps):
            done = train_task_networks(CONFIG, {"train": store}, tmp_path, tasks=[task], max_seconds=0)
        assert done.steps == steps
    assert train_task_networks(CONFIG, {"train": store}, tmp_path, tasks=THREE, max_seconds=0).steps == 1
    assert train_task_networks(CONFIG, {"train": store}, tmp_path, tasks=THREE).finished
    assert same_weights(whole, tmp_path)
    assert [path.name for path in tmp_path.glob("*.checkpoint*")] == []
    for task in THREE:
        rows = read_metrics(tmp_path / f"{task}.metrics.csv")
        assert rows["step"] == sorted(set(rows["step"]))
        assert rows["held_out_loss"][-1] == read_metrics(whole / f"{task}.metrics.csv")["held_out_loss"][-1]


def test_those_that_are_ahead_are_not_taught_twice(
    store: FrameStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        train_task_networks(CONFIG, {"train": store}, tmp_path, tasks=["normal"], max_seconds=0)
    taught: list[tuple[str, int]] = []
    learn = Learner.learn

    def noted(self: Learner, shown: Tensor, target: Any, step: int) -> Tensor:
        taught.append((self.task.name, step))
        return learn(self, shown, target, step)

    monkeypatch.setattr(Learner, "learn", noted)
    train_task_networks(CONFIG, {"train": store}, tmp_path, tasks=["normal", "egomotion"])
    assert [step for task, step in taught if task == "normal"] == [4, 5]
    assert [step for task, step in taught if task == "egomotion"] == list(range(6))


def test_a_network_that_is_gone_is_trained_again(store: FrameStore, whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    (tmp_path / "egomotion.safetensors").unlink()
    assert train_task_networks(CONFIG, {"train": store}, tmp_path, tasks=THREE).finished
    assert same_weights(whole, tmp_path)


def test_finished_networks_are_not_trained_again(
    store: FrameStore, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Learner, "learn")
    done = train_task_networks(CONFIG, {"train": store}, whole, tasks=("normals", *THREE))
    assert done.finished


def test_what_is_kept_fits_the_task_network_and_says_how_it_was_made(store: FrameStore, whole: Path) -> None:
    task = find_task("normal")
    network = new_network(task, CONFIG)
    weights = load_file(whole / "normal.safetensors")
    assert all(value.dtype == torch.float32 for value in weights.values())
    assert {key.split(".")[0] for key in weights} == {"encoder", "decoder"}
    missing = network.load_state_dict(weights, strict=False)
    assert missing.unexpected_keys == []
    assert all(key.endswith("num_batches_tracked") for key in missing.missing_keys)
    about = json.loads((whole / "normal.json").read_text())
    held_out = HeldOut.of(task, store, ~learned_from(store, CONFIG), CONFIG)
    assert held_out is not None
    shown, target = held_out.batch(BatchReader(store), held_out.index, CONFIG).pair(task)
    with torch.no_grad():
        wanted = losses(task, network.eval()(shown), target).mean()
    assert about["metrics"]["held_out_loss"] == pytest.approx(wanted.item(), rel=1e-4)
    assert (about["steps"], about["device"], about["trained_beside"]) == (6, "cpu", 2)
    assert about["image_size"] == store.size
    assert about["parameters"] == sum(parameter.numel() for parameter in network.parameters())


def test_metrics_and_pictures_are_written_as_it_goes(whole: Path) -> None:
    found = read_metrics(whole / "normal.metrics.csv")
    assert found["step"] == [2, 4, 6]
    assert np.isnan(found["held_out_loss"]).tolist() == [True, False, False]
    assert min(found["images_per_second"]) > 0
    assert found["learning_rate"] == [CONFIG.learning_rate_at(step) for step in (1, 3, 5)]
    pictures = sorted((whole / "pictures").rglob("*.png"))
    assert [path.relative_to(whole / "pictures").as_posix() for path in pictures] == [
        "normal/0000004.png",
        "normal/0000006.png",
    ]
    with Image.open(pictures[0]) as picture:
        assert picture.size == (3 * 36, 4 * 36)


def test_a_loss_that_is_no_number_stops_with_task_and_step(store: FrameStore, tmp_path: Path) -> None:
    config = replace(CONFIG, learning_rate=1e30, warm_up=0)
    with pytest.raises(DivergedError, match=r"reshading: the loss of step 1 is (nan|inf): begin again"):
        train_task_networks(config, {"train": store}, tmp_path, tasks=["reshading"])
    assert list(tmp_path.glob("*.safetensors")) == []


def test_another_configuration_is_not_mixed_in(store: FrameStore, whole: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is of another configuration or of other frames"):
        train_task_networks(replace(CONFIG, seed=1), {"train": store}, whole, tasks=THREE)
    train_task_networks(CONFIG, {"train": store}, tmp_path, tasks=["normal"], max_seconds=0)
    with pytest.raises(ConfigError, match=r"checkpoint is of another configuration"):
        train_task_networks(replace(CONFIG, seed=1), {"train": store}, tmp_path, tasks=["normal"])
    renewed = train_task_networks(
        replace(CONFIG, seed=1), {"train": store}, tmp_path, tasks=["normal"], resume=False
    )
    assert renewed.finished


def test_how_often_it_writes_may_change_on_the_way(store: FrameStore, tmp_path: Path) -> None:
    train_task_networks(CONFIG, {"train": store}, tmp_path, tasks=["normal"], max_seconds=0)
    often = replace(CONFIG, log_every=1, checkpoint_seconds=0, resident=True, readers=2)
    assert train_task_networks(often, {"train": store}, tmp_path, tasks=["normal"]).finished


def test_a_missing_split_and_missing_labels_are_named(store: FrameStore, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="learn from 'train', but there is only val"):
        train_task_networks(CONFIG, {"val": store}, tmp_path)
    lacking = replace(store, domains=("rgb",))
    with pytest.raises(DataError, match="normal needs labels of 'normal'"):
        train_task_networks(CONFIG, {"train": lacking}, tmp_path, tasks=["normal"])


def test_a_discriminators_state_survives_a_stop(store: FrameStore, tmp_path: Path) -> None:
    config = replace(CONFIG, adversarial=0.3, adversarial_from=1, steps=3, batch=4)
    whole, pieces, without = (tmp_path / name for name in ("whole", "pieces", "without"))
    train_task_networks(config, {"train": store}, whole, tasks=["normal"])
    while not train_task_networks(config, {"train": store}, pieces, tasks=["normal"], max_seconds=0).finished:
        assert len(list(pieces.glob("*.checkpoint"))) == 1
    train_task_networks(replace(config, adversarial=0), {"train": store}, without, tasks=["normal"])
    assert same_weights(whole, pieces, ("normal",))
    assert not same_weights(whole, without, ("normal",))


@pytest.mark.gpu
def test_networks_learn_on_a_gpu_and_go_on_there(store: FrameStore, tmp_path: Path) -> None:
    config = replace(CONFIG, precision=Precision.BF16, resident=True)
    done = train_task_networks(config, {"train": store}, tmp_path, "cuda", tasks=THREE, max_seconds=0)
    assert not done.finished
    assert train_task_networks(config, {"train": store}, tmp_path, "cuda", tasks=THREE).finished
    for task in THREE:
        weights = load_file(tmp_path / f"{task}.safetensors")
        assert all(value.isfinite().all() for value in weights.values())
