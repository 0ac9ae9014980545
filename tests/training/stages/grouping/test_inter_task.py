from __future__ import annotations

import torch
from tests.taskbank.toy import TOY_COMPACT
from torch import Tensor
from training.stages.grouping.inter_task import inter_task_affinity, task_losses
from training.stages.grouping.network import MultiTaskNetwork, kept_statistics, moved

from taskbank.learning.target import Target

_TASKS = ("normal", "reshading")


def _network(tasks: tuple[str, ...] = _TASKS) -> MultiTaskNetwork:
    return MultiTaskNetwork(tasks, TOY_COMPACT, seed=0).train()


def _batch(seed: int = 0) -> tuple[Tensor, dict[str, Target]]:
    generator = torch.Generator().manual_seed(seed)
    shown = torch.rand((4, 3, 32, 32), generator=generator) * 2 - 1
    normal = torch.rand((4, 3, 32, 32), generator=generator)
    shading = torch.rand((4, 1, 32, 32), generator=generator)
    return shown, {"normal": Target(values=normal), "reshading": Target(values=shading)}


def test_affinity_is_what_a_step_by_hand_does_to_the_losses() -> None:
    network, rate = _network(), 0.05
    shown, targets = _batch()
    found = inter_task_affinity(network, shown, targets, rate)
    with kept_statistics(network):
        before = task_losses(network, shown, targets)
        weights = list(network.encoder.parameters())
        slopes = torch.autograd.grad(before["reshading"], weights)
        with torch.no_grad():
            for weight, slope in zip(weights, slopes, strict=True):
                weight.sub_(rate * slope)
            after = task_losses(network, shown, targets)
    expected = 1 - torch.stack(list(after.values())) / torch.stack(list(before.values()))
    assert torch.allclose(found[1].float(), expected, atol=1e-6)


def test_a_small_step_lowers_the_tasks_own_loss() -> None:
    found = inter_task_affinity(_network(), *_batch(), 1e-3)
    assert (found.diagonal() > 0).all()


def test_a_step_of_no_length_does_nothing_even_where_dropout_draws() -> None:
    network = _network(("class_scene", "normal"))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in network.decoders.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=generator))
    shown, targets = _batch()
    given = {"class_scene": Target(values=torch.arange(4)), "normal": targets["normal"]}
    assert inter_task_affinity(network, shown, given, 0.0).abs().max() < 1e-5


def test_measuring_leaves_the_network_as_it_was() -> None:
    network = _network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    inter_task_affinity(network, *_batch(), 0.1)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_parameters_are_moved_for_a_while_only() -> None:
    weight = torch.zeros(3)
    with moved({"w": weight}, {"w": torch.ones(3)}):
        assert weight.sum() == 3
    assert weight.sum() == 0


def test_the_gradient_of_the_encoder_is_divided_by_the_root_of_the_tasks() -> None:
    shown, targets = _batch()
    both = _network()
    with torch.no_grad():
        for parameter in both.decoders["reshading"].parameters():
            parameter.zero_()  # gives a constant, so its loss has no gradient in the encoder
    alone = MultiTaskNetwork(("normal",), TOY_COMPACT, seed=0).train()
    alone.encoder.load_state_dict(both.encoder.state_dict())
    alone.decoders["normal"].load_state_dict(both.decoders["normal"].state_dict())
    torch.autograd.backward(task_losses(both, shown, targets)["normal"])
    torch.autograd.backward(task_losses(alone, shown, {"normal": targets["normal"]})["normal"])
    for one, other in zip(both.encoder.parameters(), alone.encoder.parameters(), strict=True):
        assert one.grad is not None
        assert other.grad is not None
        assert torch.allclose(one.grad * 2**0.5, other.grad, atol=1e-6)
