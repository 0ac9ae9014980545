"""Stacked transfers against the same transfers alone, form by form of decoder."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from tests.training.stages.transfers.toy_run import TINY
from torch import Tensor

from taskbank.learning.stack import ReadoutStack, decaying, members_at_once
from taskbank.nets.architecture import Architecture, Compact, ResNet50
from taskbank.nets.build import TransferReadout, build_readout
from taskbank.nets.decoders import DecoderWidths
from taskbank.nets.initialise import UNTRAINED_GAIN, initialise
from taskbank.options import Precision
from taskbank.tasks.registry import DecoderForm, find_task

CPU = torch.device("cpu")
ORIGINAL = ResNet50(
    decoder=DecoderWidths(pixel=(8, 8, 8, 8, 8, 8, 8, 8, 4, 4, 4, 4, 4), colour=(8,) * 12), max_hidden=8
)
SETS = (("normal",), ("curvature",), ("random",))
STEPS = 3
FORMS = ["normal", "segment_unsup2d", "colorization", "class_scene", "fixated_pose", "egomotion", "jigsaw"]


def squares(output: Tensor) -> Tensor:
    return (output - 0.3).square().flatten(1).mean(1)


def watched_squares() -> tuple[list[torch.dtype], Callable[[Tensor], Tensor]]:
    """Types of the outputs that a loss has seen, and the loss."""
    seen: list[torch.dtype] = []

    def loss_of(output: Tensor) -> Tensor:
        seen.append(output.dtype)
        return squares(output.float())

    return seen, loss_of


def prepared(task: str, architecture: Architecture) -> tuple[TransferReadout, Tensor]:
    """A transfer in double precision, and batches (steps, members, ...)."""
    found = find_task(task)
    start = build_readout(found, architecture, ("normal",))
    initialise(start, 3, gain=UNTRAINED_GAIN)
    side = 16 if architecture is ORIGINAL and found.decoder is not DecoderForm.PIXEL else 2
    images = (found.num_encodings,) if found.num_encodings > 1 else ()
    shape = (STEPS, len(SETS), 4, *images, 8, side, side)
    return start.double(), torch.rand(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("at_once", [1, 2, None])
@pytest.mark.parametrize(
    ("task", "architecture"),
    [
        *((task, TINY) for task in FORMS),
        *((task, ORIGINAL) for task in ("normal", "class_scene", "egomotion")),
    ],
)
def test_a_member_of_a_stack_learns_what_it_learns_alone(
    task: str, architecture: Architecture, at_once: int | None
) -> None:
    start, batches = prepared(task, architecture)
    stack = ReadoutStack(start, SETS, device=CPU, at_once=at_once)
    optimizer = torch.optim.Adam([*stack.parameters()[0], *stack.parameters()[1]], lr=0.01)
    with torch.random.fork_rng():
        for step, batch in enumerate(batches):
            optimizer.zero_grad()
            stack.backward(batch, squares, seed=step)
            optimizer.step()
        alone = [learned_alone(start, batches[:, member]) for member in range(len(SETS))]
    for member, network in enumerate(alone):
        state = stack.state(member)
        assert state.keys() == network.state_dict().keys()
        for name, value in network.state_dict().items():
            torch.testing.assert_close(state[name], value, rtol=1e-6, atol=1e-8, msg=f"{name} of {member}")


def learned_alone(start: TransferReadout, batches: Tensor) -> TransferReadout:
    """The plain loop, without a stack."""
    network = copy.deepcopy(start).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for step, batch in enumerate(batches):
        torch.manual_seed(step)
        optimizer.zero_grad()
        squares(network(batch)).mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return network.eval()


def test_members_differ_where_their_codes_do() -> None:
    start, batches = prepared("normal", TINY)
    stack = ReadoutStack(start, SETS, device=CPU)
    losses = stack.losses(batches[0], squares)
    assert losses.shape == (3, 4)
    assert (losses[0] - losses[1]).abs().max() > 1e-4


def test_losses_are_those_of_each_member_in_evaluation_mode() -> None:
    start, batches = prepared("class_scene", TINY)
    stack = ReadoutStack(start, SETS, device=CPU, at_once=2)
    with torch.no_grad():
        wanted = torch.stack([squares(start.eval()(codes)) for codes in batches[0]])
    torch.testing.assert_close(stack.losses(batches[0], squares), wanted)


def test_the_start_is_left_as_it_was() -> None:
    start, batches = prepared("normal", TINY)
    before = copy.deepcopy(start.state_dict())
    stack = ReadoutStack(start, SETS, device=CPU)
    stack.backward(batches[0], squares, seed=0)
    assert all(torch.equal(value, before[name]) for name, value in start.state_dict().items())
    assert all(parameter.grad is None for parameter in start.parameters())


def test_weights_of_layers_decay_and_nothing_else() -> None:
    start, _ = prepared("class_scene", TINY)
    names = decaying(start)
    assert {"transfer.stream1.0.weight", "decoder.narrow.weight"} <= names
    assert not names & {"transfer.bn_in.weight", "decoder.narrow.bias", "transfer.stream1.1.weight"}


@pytest.mark.parametrize(
    ("task", "architecture", "size", "wanted"),
    [
        ("normal", Compact(), 16, None),
        ("normal", Compact(), 64, 1),
        ("normal", TINY, 64, None),
        ("colorization", Compact(), 64, 1),
        ("class_scene", Compact(), 64, None),
    ],
)
def test_maps_that_are_not_tiny_are_run_one_by_one_on_a_cpu(
    task: str, architecture: Architecture, size: int, wanted: int | None
) -> None:
    start, _ = prepared(task, architecture)
    assert members_at_once(start, find_task(task), 8, size, CPU) == wanted


def test_a_gpu_runs_all_at_once() -> None:
    start, _ = prepared("normal", Compact())
    assert members_at_once(start, find_task("normal"), 32, 256, torch.device("cuda")) is None


def test_transfers_learn_in_half_precision_and_keep_full_weights() -> None:
    start, batches = prepared("normal", TINY)
    seen, loss_of = watched_squares()
    half = ReadoutStack(start.float(), SETS, device=CPU, at_once=1, precision=Precision.BF16)
    full = ReadoutStack(start.float(), SETS, device=CPU, at_once=1)
    codes = batches[0].float()
    means = half.backward(codes, loss_of, seed=0)
    assert torch.allclose(means, full.backward(codes, loss_of, seed=0), rtol=0.05)
    assert seen == [torch.bfloat16] * 3 + [torch.float32] * 3
    assert all(weight.dtype is torch.float32 for kind in half.parameters() for weight in kind)


def test_all_members_of_passes_learn_in_the_same_precision() -> None:
    start, batches = prepared("normal", TINY)
    seen, loss_of = watched_squares()
    passes_of_two_and_one = ReadoutStack(start.float(), SETS, device=CPU, at_once=2, precision=Precision.BF16)
    passes_of_two_and_one.backward(batches[0].float(), loss_of, seed=0)
    assert seen == [torch.float32] * 2


def test_transfers_that_learn_in_half_precision_are_measured_in_full() -> None:
    start, batches = prepared("normal", TINY)
    half, full = (
        ReadoutStack(start.float(), SETS, device=CPU, at_once=1, precision=precision)
        for precision in (Precision.BF16, Precision.FP32)
    )
    codes = batches[0].float()
    assert torch.equal(half.losses(codes, squares), full.losses(codes, squares))
