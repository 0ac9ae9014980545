"""Checkpoints: what comes back is what was written, and damage is noticed."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from training.errors import CheckpointError, StorageError
from training.runs.checkpoint import (
    Every,
    discard_checkpoint,
    has_checkpoint,
    load_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
)

from disks import files_no_larger_than

OPTIMIZERS: dict[str, Callable[[nn.Module], Optimizer]] = {
    "adam": lambda net: Adam(net.parameters(), lr=0.01, betas=(0.8, 0.99), amsgrad=True),
    "adamw": lambda net: AdamW(
        [
            {"params": [net.get_parameter("0.weight")], "lr": 0.02},
            {"params": [net.get_parameter("2.weight")], "lr": 0.01},
        ],
        weight_decay=0.1,
    ),
    "sgd": lambda net: SGD(net.parameters(), lr=0.1),
    "momentum": lambda net: SGD(net.parameters(), lr=0.1, momentum=0.9),
}


def small_network(seed: int = 0) -> nn.Sequential:
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return net


def train(net: nn.Module, optimizer: Optimizer, steps: int, generator: torch.Generator) -> None:
    for _ in range(steps):
        loss = (net(torch.randn(5, 4, generator=generator)) - 1).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] *= 0.9


@pytest.mark.parametrize(
    "value",
    [
        torch.tensor([1.5, -math.inf, math.nan], dtype=torch.bfloat16),
        torch.arange(6, dtype=torch.int64).reshape(2, 3).T,
        torch.tensor([True, False]),
        torch.tensor(3.25, dtype=torch.float64),
        torch.zeros(0, 3),
        torch.Generator().manual_seed(5).get_state(),
        torch.ones(2, dtype=torch.float16, requires_grad=True),
    ],
    ids=lambda value: str(value.dtype),
)
def test_tensors_come_back_bit_for_bit(tmp_path: Path, value: Tensor) -> None:
    path = tmp_path / "deep" / "state.safetensors"
    save_checkpoint(path, {"a": value}, {})
    found = load_checkpoint(path)[0]["a"]
    assert found.dtype == value.dtype
    assert found.shape == value.shape
    assert torch.equal(found.nan_to_num(), value.detach().nan_to_num())


def test_tensors_may_share_memory(tmp_path: Path) -> None:
    whole = torch.arange(4.0)
    save_checkpoint(tmp_path / "s", {"all": whole, "same": whole, "part": whole[1:3]}, {})
    tensors, _ = load_checkpoint(tmp_path / "s")
    assert tensors["part"].tolist() == [1, 2]
    assert tensors["same"].tolist() == tensors["all"].tolist() == [0, 1, 2, 3]


def test_facts_come_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    facts: dict[str, Any] = {
        "step": 12,
        "best": math.inf,
        "note": "ä\n",
        "rng": rng.bit_generator.state,
        "list": [1, None, True],
    }
    expected = rng.random(4)
    save_checkpoint(tmp_path / "s", {}, facts)
    found = load_checkpoint(tmp_path / "s")[1]
    assert found == facts
    again = np.random.default_rng()
    again.bit_generator.state = found["rng"]
    rng.bit_generator.state = facts["rng"]
    assert again.random(4).tolist() == expected.tolist()


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("steps_before", [0, 3])
def test_training_goes_on_as_if_it_had_not_stopped(tmp_path: Path, kind: str, steps_before: int) -> None:
    undisturbed, generator = small_network(), torch.Generator().manual_seed(1)
    optimizer = OPTIMIZERS[kind](undisturbed)
    train(undisturbed, optimizer, steps_before, generator)
    save_checkpoint(
        tmp_path / "s",
        {**undisturbed.state_dict(), **optimizer_tensors(optimizer), "generator": generator.get_state()},
        {},
    )
    train(undisturbed, optimizer, 4, generator)

    resumed, again = small_network(seed=9), torch.Generator()
    tensors, _ = load_checkpoint(tmp_path / "s")
    resumed.load_state_dict({name: tensors[name] for name in resumed.state_dict()})
    fresh = OPTIMIZERS[kind](resumed)
    restore_optimizer(fresh, tensors)
    again.set_state(tensors["generator"])
    train(resumed, fresh, 4, again)

    for name, value in undisturbed.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value), name


def test_state_of_two_optimizers_is_kept_apart_by_prefix() -> None:
    nets = [small_network(seed) for seed in (0, 1)]
    optimizers = [OPTIMIZERS["adam"](net) for net in nets]
    for seed, (net, optimizer) in enumerate(zip(nets, optimizers, strict=True)):
        train(net, optimizer, 2, torch.Generator().manual_seed(seed))
    both = optimizer_tensors(optimizers[0], "a.") | optimizer_tensors(optimizers[1], "b.")
    fresh = OPTIMIZERS["adam"](nets[1])
    restore_optimizer(fresh, both, "b.")
    expected = optimizers[1].state_dict()["state"][0]["exp_avg"]
    assert torch.equal(fresh.state_dict()["state"][0]["exp_avg"], expected)


def test_state_of_other_parameters_is_refused() -> None:
    net = small_network()
    optimizer = OPTIMIZERS["adam"](net)
    train(net, optimizer, 1, torch.Generator())
    state = optimizer_tensors(optimizer)
    with pytest.raises(
        CheckpointError, match=r"optimizer\.state\.0\.\w+ is \(8, 4\), its parameter is \(2, 3\)"
    ):
        restore_optimizer(Adam(nn.Linear(3, 2).parameters()), state)
    fewer = {name: value for name, value in state.items() if not name.startswith("optimizer.state.0")}
    with pytest.raises(CheckpointError, match=r"optimizer\.state\.1\.\w+: the optimiser has 1 parameter"):
        restore_optimizer(Adam([net.get_parameter("0.weight")]), fewer)
    with pytest.raises(CheckpointError, match=r"optimizer\.group\.1\.lr: the optimiser has 1 group"):
        restore_optimizer(optimizer, {"optimizer.group.1.lr": torch.tensor(0.1)})


def test_an_optimizer_that_keeps_more_than_tensors_is_refused() -> None:
    net = small_network()
    optimizer = torch.optim.LBFGS(net.parameters())
    net(torch.ones(1, 4)).sum().backward()
    optimizer.step(lambda: 0.0)  # type: ignore[no-untyped-call]
    with pytest.raises(CheckpointError, match=r"LBFGS keeps '\w+' as \w+, only tensors can be stored"):
        optimizer_tensors(optimizer)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [flip_a_bit, cut, empty])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    tmp_path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.safetensors"
    for step in (1, 2):
        save_checkpoint(path, {"a": torch.full((3,), step)}, {"step": step})
    damage(path)
    tensors, facts = load_checkpoint(path)
    assert facts == {"step": 1}
    assert tensors["a"].tolist() == [1, 1, 1]
    assert str(path) in caplog.text


def test_two_damaged_checkpoints_are_an_error_with_both_reasons(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    for _ in range(2):
        save_checkpoint(path, {"a": torch.ones(3)}, {})
    flip_a_bit(path)
    cut(tmp_path / "state.safetensors.previous")
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert "state.safetensors is damaged: its content is not what was written" in message
    assert "state.safetensors.previous is not a readable checkpoint" in message
    assert message.endswith("delete it to begin again")


def test_a_file_of_another_kind_is_no_checkpoint(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "weights.safetensors")
    with pytest.raises(CheckpointError, match=r"is not a readable checkpoint: 'facts'"):
        load_checkpoint(tmp_path / "weights.safetensors")


def test_a_kill_between_the_two_renames_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "s"
    save_checkpoint(path, {}, {"step": 1})
    path.rename(tmp_path / "s.previous")
    assert has_checkpoint(path)
    assert load_checkpoint(path)[1] == {"step": 1}


def test_no_checkpoint_is_said_to_be_none(tmp_path: Path) -> None:
    assert not has_checkpoint(tmp_path / "s")
    with pytest.raises(CheckpointError, match=r"no checkpoint at .*s: there is no such file"):
        load_checkpoint(tmp_path / "s")


def test_discarding_leaves_nothing(tmp_path: Path) -> None:
    for _ in range(3):
        save_checkpoint(tmp_path / "s", {}, {})
    discard_checkpoint(tmp_path / "s")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_both_generations(tmp_path: Path) -> None:
    path = tmp_path / "s"
    for step in (1, 2):
        save_checkpoint(path, {"a": torch.zeros(10)}, {"step": step})
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with files_no_larger_than(1_000_000), pytest.raises(StorageError, match=r"cannot write .*File too large"):
        save_checkpoint(path, {"a": torch.zeros(1_000_000)}, {"step": 3})
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_every_is_due_at_once_with_zero_seconds_and_not_soon_with_many() -> None:
    always, seldom = Every(0), Every(3600)
    assert all(always.due() for _ in range(3))
    assert not any(seldom.due() for _ in range(3))
