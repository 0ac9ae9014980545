"""One network that learns: its loss, its flat weights and their average, its discriminator, its pictures."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.training.stages.networks.toy_networks import CONFIG, CPU, LEARNED, WIDTHS, batch_of
from torch import Tensor, nn
from training.data.frames import FrameStore
from training.errors import ConfigError
from training.runs.checkpoint import load_checkpoint, save_checkpoint
from training.stages.networks.adversary import Adversary, Discriminator, is_judged
from training.stages.networks.config import Schedule
from training.stages.networks.flat import FlatNetwork
from training.stages.networks.folder import NetworksFolder
from training.stages.networks.learner import Learner, new_network

from taskbank.learning.losses import losses
from taskbank.learning.output_units import OutputUnits
from taskbank.nets.architecture import Architecture, Backbone, Compact
from taskbank.nets.build import TaskNetwork
from taskbank.nets.compact import ReadoutWidths
from taskbank.nets.initialise import initialise
from taskbank.nets.liveness import dead_channels
from taskbank.options import Precision
from taskbank.tasks.registry import Task, find_task


@pytest.mark.parametrize("task", LEARNED, ids=lambda task: task.name)
def test_every_tasks_loss_falls_on_a_batch_that_is_learned_by_heart(store: FrameStore, task: Task) -> None:
    config = replace(CONFIG, steps=20, learning_rate=0.01)
    learner = Learner(task, config, CPU)
    shown, target = batch_of(task, store, config).pair(task)
    course = [float(learner.learn(shown, target, step)) for step in range(20)]
    assert np.mean(course[-5:]) < np.mean(course[:5])


@pytest.mark.parametrize("name", [task.name for task in LEARNED if task.num_images == 1])
def test_every_map_has_a_sample_picture(store: FrameStore, tmp_path: Path, name: str) -> None:
    from training.stages.networks.pictures import is_painted, write_strip

    task = find_task(name)
    if not is_painted(task):
        assert task.decoder.name not in {"PIXEL", "COLORIZATION"}
        return
    shown, target = batch_of(task, store).pair(task)
    network = new_network(task, CONFIG).eval()
    with torch.no_grad():
        write_strip(tmp_path / "strip.png", task, shown[:2], target, network(shown[:2]))
    with Image.open(tmp_path / "strip.png") as picture:
        colours = np.asarray(picture)
    assert colours.shape == (2 * 36, 3 * 36, 3)
    assert colours[:32, 36:68].std() > 0 or name == "curvature"


def test_a_network_starts_from_its_seed_and_task() -> None:
    normal, depth = find_task("normal"), find_task("reshading")
    first, again = (next(new_network(normal, CONFIG).parameters()) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, next(new_network(depth, CONFIG).parameters()))
    assert not torch.equal(first, next(new_network(normal, replace(CONFIG, seed=1)).parameters()))


@pytest.mark.parametrize("schedule", list(Schedule))
def test_a_step_is_as_long_as_the_learning_rate_of_its_number(store: FrameStore, schedule: Schedule) -> None:
    """Adam's first step moves every weight by the rate, whatever the gradient."""
    config = replace(CONFIG, steps=100, warm_up=9, learning_rate=0.01, weight_decay=0.0, schedule=schedule)
    task = find_task("normal")
    shown, target = batch_of(task, store, config).pair(task)
    moved = {}
    for step in (0, 9, 99):
        learner = Learner(task, config, CPU)
        before = learner.network.encoder.get_parameter("compress.0.weight").detach().clone()
        learner.learn(shown, target, step)
        after = learner.network.encoder.get_parameter("compress.0.weight").detach()
        moved[step] = float((after - before).abs().median())
    assert moved == pytest.approx({step: config.learning_rate_at(step) for step in moved}, rel=0.01)
    assert moved[0] < moved[9] > 5 * moved[99]  # warm-up, and the end of the schedule


def learned_from_shuffled(store: FrameStore, name: str, architecture: Architecture, steps: int) -> Tensor:
    """Representations (N, C, h, w) after steps in which no label belongs to its picture."""
    config = replace(CONFIG, architecture=architecture, steps=400, learning_rate=0.012, ema=0.5)
    task = find_task(name)
    learner = Learner(task, config, CPU)
    shown, target = batch_of(task, store, config).pair(task)
    draws = torch.Generator().manual_seed(0)
    for step in range(steps):
        order = torch.randperm(len(target.values), generator=draws)
        learner.learn(shown, replace(target, values=target.values[order]), step)
    return learner.encode(shown).flatten(0, -4)


BACKBONE = Backbone(
    model="test_efficientnet",
    level=3,
    shared=0,
    widths=ReadoutWidths(decoder=(8, 4, 4, 4), decoder_blocks=(1, 1, 1), head=(8, 8, 8)),
)


@pytest.mark.parametrize(
    ("name", "architecture"),
    [("jigsaw", CONFIG.architecture), ("fixated_pose", CONFIG.architecture), ("jigsaw", BACKBONE)],
    ids=["jigsaw", "fixated_pose", "backbone"],
)
def test_a_representation_does_not_die_of_labels_that_tell_nothing(
    store: FrameStore, name: str, architecture: Architecture
) -> None:
    codes = learned_from_shuffled(store, name, architecture, 150)
    assert not dead_channels(codes).any()
    assert float(codes.std(0).mean()) > 0.1


def test_a_relu_behind_the_representation_dies(store: FrameStore) -> None:
    """So the labels of the test above are those that killed networks."""
    codes = learned_from_shuffled(
        store, "jigsaw", Compact(widths=replace(WIDTHS, code_activation="relu")), 150
    )
    assert float(dead_channels(codes).float().mean()) >= 0.5


def small_network() -> nn.Module:
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 36, 2))
    torch.random.set_rng_state(torch_state)
    return network


def stepped(network: nn.Module, shown: Tensor, step: Callable[[], None]) -> Tensor:
    for _ in range(3):
        torch.autograd.backward(network(shown).square().mean())
        step()
    given: Tensor = network(shown)
    return given


def test_a_flat_network_learns_as_one_of_many_tensors() -> None:
    shown = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    usual, flat = small_network(), FlatNetwork(small_network())
    usual_steps = torch.optim.AdamW(usual.parameters(), lr=0.01, weight_decay=0)
    flat_steps = torch.optim.AdamW(flat.weights, lr=0.01, weight_decay=0)

    def step_usual() -> None:
        nn.utils.clip_grad_norm_(usual.parameters(), 0.5)
        usual_steps.step()
        usual_steps.zero_grad()

    def step_flat() -> None:
        flat.gather_gradients()
        nn.utils.clip_grad_norm_(flat.weights, 0.5)
        flat_steps.step()
        flat.forget_gradients()

    wanted, found = stepped(usual, shown, step_usual), stepped(flat.network, shown, step_flat)
    assert torch.allclose(wanted, found, atol=1e-5)
    assert flat.wide.numel() + flat.narrow.numel() == sum(one.numel() for one in usual.parameters())


def test_an_average_follows_weights_and_norms() -> None:
    goal, own = small_network(), small_network()
    for parameter in own.parameters():
        nn.init.zeros_(parameter)
    goal(torch.rand(4, 3, 8, 8))
    before = {key: value.clone() for key, value in own.state_dict().items()}
    FlatNetwork(own).follow(FlatNetwork(goal), 0.25)
    for key, value in own.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(value, 0.75 * before[key] + 0.25 * goal.state_dict()[key])


def test_a_loaded_state_reaches_a_flat_network() -> None:
    flat = FlatNetwork(small_network())
    state = {key: value + 1 for key, value in flat.network.state_dict().items()}
    flat.network.load_state_dict(state)
    assert torch.equal(flat.wide[: 4 * 3 * 9].detach().reshape(4, 3, 3, 3), state["0.weight"])


def test_recalibrated_norms_are_those_of_what_is_shown(store: FrameStore) -> None:
    task = find_task("normal")
    learner = Learner(task, CONFIG, CPU)
    shown = [batch_of(task, store).pair(task)[0] for _ in range(2)]
    shown[1] = shown[1] * 0.5
    network: TaskNetwork = deepcopy(learner.average)
    with learner.recalibration() as take_in:
        for pictures in shown:
            take_in(pictures)
    assert not any(module.training for module in learner.average.modules())
    stem: Any = network.encoder.stem
    first = [stem[0](pictures) for pictures in shown]
    norm: Any = learner.average.encoder.stem
    wanted = torch.stack([maps.mean((0, 2, 3)) for maps in first]).mean(0)
    assert torch.allclose(norm[1].running_mean, wanted, atol=1e-5)
    assert norm[1].momentum == stem[1].momentum


def test_a_second_recalibration_forgets_the_first(store: FrameStore) -> None:
    learner = Learner(find_task("normal"), CONFIG, CPU)
    shown = batch_of(learner.task, store).pair(learner.task)[0]
    means = []
    for pictures in (shown, 0.5 * shown, shown):
        with learner.recalibration() as take_in:
            take_in(pictures)
        means.append(learner.average.encoder.get_buffer("stem.1.running_mean").clone())
    assert torch.equal(means[0], means[2])
    assert not torch.allclose(means[0], means[1])


@pytest.mark.parametrize(("step", "stays"), [(0, 0.1), (1000, 0.8)])
def test_the_average_keeps_its_share_in_each_step_and_less_at_first(
    store: FrameStore, step: int, stays: float
) -> None:
    config = replace(CONFIG, steps=2000)
    learner = Learner(find_task("normal"), config, CPU)
    before = {name: value.clone() for name, value in learner.average.named_parameters()}
    learner.learn(*batch_of(learner.task, store, config).pair(learner.task), step)
    weights = dict(learner.network.named_parameters())
    for name, value in learner.average.named_parameters():
        wanted = stays * before[name] + (1 - stays) * weights[name].detach()
        assert torch.allclose(value, wanted, atol=1e-7)
    assert not all(torch.equal(before[name], value) for name, value in weights.items())


@pytest.mark.parametrize("clip", [0.01, 1e6])
def test_a_gradient_is_shortened_to_what_is_allowed(store: FrameStore, clip: float) -> None:
    config = replace(CONFIG, clip=clip)
    learner = Learner(find_task("normal"), config, CPU)
    shown, target = batch_of(learner.task, store, config).pair(learner.task)
    network = deepcopy(learner.network).train()
    torch.autograd.backward(losses(learner.task, network(shown), target).mean())
    alone = torch.cat([one.grad.flatten() for one in network.parameters() if one.grad is not None]).norm()
    learner.learn(shown, target, 0)
    used = torch.cat([one.grad for one in learner._flat.weights if one.grad is not None]).norm()
    assert float(used) == pytest.approx(min(clip, float(alone)), rel=1e-3)


def test_weights_decay_and_biases_and_norms_do_not(store: FrameStore) -> None:
    task = find_task("normal")
    taught = []
    for decay in (0.0, 10.0):
        learner = Learner(task, replace(CONFIG, weight_decay=decay), CPU)
        learner.learn(*batch_of(task, store).pair(task), 0)
        taught.append(dict(learner.network.named_parameters()))
    same = {name for name, value in taught[0].items() if torch.equal(value, taught[1][name])}
    assert {name for name, value in taught[0].items() if value.ndim == 1} <= same
    assert "encoder.stem.0.weight" not in same


def test_half_precision_trains_with_full_precision_weights(store: FrameStore) -> None:
    config = replace(CONFIG, precision=Precision.BF16, steps=20, learning_rate=0.01)
    task = find_task("normal")
    learner = Learner(task, config, CPU)
    shown, target = batch_of(task, store, config).pair(task)
    course = [float(learner.learn(shown, target, step)) for step in range(20)]
    assert course[-1] < course[0]
    assert all(parameter.dtype == torch.float32 for parameter in learner.network.parameters())


def test_dropout_leaves_the_process_generator_as_it_was(store: FrameStore) -> None:
    task = find_task("fixated_pose")
    learner = Learner(task, CONFIG, CPU)
    shown, target = batch_of(task, store).pair(task)
    before = torch.random.get_rng_state()
    learner.learn(shown, target, 0)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", ["normal", "colorization"])
def test_a_discriminator_learns_to_tell_outputs_from_truths(store: FrameStore, name: str) -> None:
    task = find_task(name)
    config = replace(CONFIG, batch=4)
    discriminator = Discriminator(2 if name == "colorization" else 3)
    initialise(discriminator, 0)
    adversary = Adversary(task, discriminator, 0, 0)
    shown, target = batch_of(task, store, config).pair(task)
    output = new_network(task, config)(shown).detach()
    adversary._descent.param_groups[0]["lr"] = 0.01  # a hundred thousandth takes days
    course = [float(adversary.learn(shown, output, target, step)) for step in range(15)]
    assert np.mean(course[-3:]) < np.mean(course[:3])
    assert adversary.doubt(shown, output, target, 15) > 0.7  # it is sure that outputs are not true


def test_maps_of_values_and_colours_are_judged_and_no_others() -> None:
    judged = {task.name for task in LEARNED if is_judged(task)}
    assert judged == {
        "autoencoding", "colorization", "curvature", "denoising", "depth_euclidean", "depth_zbuffer",
        "edge_occlusion", "edge_texture", "inpainting", "keypoints2d", "keypoints3d", "normal", "reshading",
    }  # fmt: skip


def test_kept_weights_give_the_targets_units_and_are_gone_on_with_in_others(store: FrameStore) -> None:
    task = find_task("fixated_pose")
    learner = Learner(task, CONFIG, CPU, units=OutputUnits(centres=(0.3,) * 6, spreads=(0.08,) * 6))
    shown = batch_of(task, store).pair(task)[0]
    wanted = learner.show(shown)
    network = new_network(task, replace(CONFIG, seed=1)).eval()
    network.load_state_dict(learner.weights_to_keep(), strict=False)
    with torch.no_grad():
        assert torch.allclose(network(shown), wanted, atol=1e-5)
    other = Learner(task, replace(CONFIG, seed=1), CPU, units=OutputUnits((0.1,) * 6, (0.5,) * 6))
    other.begin_from(learner.weights_to_keep())
    assert torch.allclose(other.show(shown), wanted, atol=1e-5)


def test_a_checkpoint_holds_the_units(store: FrameStore, tmp_path: Path) -> None:
    task = find_task("fixated_pose")
    folder = NetworksFolder(tmp_path, CONFIG, store)
    units = OutputUnits(centres=(0.3,) * 6, spreads=(0.08,) * 6)
    folder.save(Learner(task, CONFIG, CPU, units=units), 3, 1.0)
    learner = Learner(task, CONFIG, CPU)
    assert folder.restore(learner) == (3, 1.0)
    assert learner.units == units


def test_a_checkpoint_without_units_is_of_an_earlier_version(store: FrameStore, tmp_path: Path) -> None:
    learner = Learner(find_task("fixated_pose"), CONFIG, CPU)
    folder = NetworksFolder(tmp_path, CONFIG, store)
    folder.save(learner, 3, 1.0)
    path = tmp_path / "fixated_pose.checkpoint"
    tensors, facts = load_checkpoint(path)
    save_checkpoint(path, tensors, {name: fact for name, fact in facts.items() if name != "units"})
    with pytest.raises(ConfigError, match=r"fixated_pose.checkpoint is of an earlier version"):
        folder.restore(learner)
