"""Transfers of one target trained as one stack, against the same trained one after another.

Run from a checkout: `python -m benchmarks.stacked_transfers --size 64 --batch 8 --members 26 --device cpu`.
Prints samples a second of both, their ratio, and how far the losses of the last step lie apart: float noise,
which grows with the steps. Other work on the machine spoils the figures.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor
from training.arguments import ScriptParser

from taskbank.learning.fit import Single
from taskbank.learning.stack import ReadoutStack, members_at_once
from taskbank.nets.architecture import Compact
from taskbank.nets.build import TransferReadout, build_readout
from taskbank.nets.initialise import initialise
from taskbank.tasks.registry import Task, find_task

TARGETS = ("normal", "segment_semantic", "class_scene", "fixated_pose", "egomotion")
RATE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One configuration to time.

    Attributes:
        members: number of transfers.
        batch: samples per step of each transfer.
        size: side of the pictures in px.
        steps: number of timed steps, after one that is not timed.
        device: device that the networks run on.
    """

    members: int
    batch: int
    size: int
    steps: int
    device: torch.device


def squares(output: Tensor) -> Tensor:
    """A loss for all forms of decoders: the mean square about 0.3."""
    return (output - 0.3).square().flatten(1).mean(1)


def codes_for(task: Task, case: Case) -> Tensor:
    """Random representations, (members, B, [P,] 8, h, w)."""
    images = (task.num_encodings,) if task.num_encodings > 1 else ()
    shape = (case.members, case.batch, *images, 8, case.size // 16, case.size // 16)
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)).to(case.device)


def stacked(start: TransferReadout, task: Task, codes: Tensor, case: Case) -> tuple[float, Tensor]:
    """Seconds a step of the whole stack, and the last losses."""
    sets = [(f"source{number}",) for number in range(case.members)]
    at_once = members_at_once(start, task, case.batch, case.size, case.device)
    stack = ReadoutStack(start, sets, device=case.device, at_once=at_once)
    optimizer = torch.optim.Adam([*stack.parameters()[0], *stack.parameters()[1]], lr=RATE)

    def step(number: int) -> Tensor:
        optimizer.zero_grad()
        means = stack.backward(codes, squares, seed=number)
        optimizer.step()
        return means

    return _timed(step, case)


def one_after_another(start: TransferReadout, codes: Tensor, case: Case) -> tuple[float, Tensor]:
    """Seconds for a step of every member, and the last losses."""
    seconds, losses = 0.0, []
    for own in codes:
        single = Single(deepcopy(start), case.device)
        optimizer = torch.optim.Adam(single.network.parameters(), lr=RATE)

        def step(
            number: int, single: Single = single, optimizer: torch.optim.Adam = optimizer, own: Tensor = own
        ) -> Tensor:
            optimizer.zero_grad()
            mean = single.backward(own, squares, seed=number)
            optimizer.step()
            return mean

        spent, mean = _timed(step, case)
        seconds += spent
        losses.append(mean)
    return seconds, torch.cat(losses)


def _timed(step: Callable[[int], Tensor], case: Case) -> tuple[float, Tensor]:
    """Seconds a step, and what the last one gave."""
    last = step(0)
    _wait(case.device)
    began = time.perf_counter()
    for number in range(1, case.steps + 1):
        last = step(number)
    _wait(case.device)
    return (time.perf_counter() - began) / case.steps, last


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main() -> None:
    """Print the table."""
    parser = ScriptParser(description=__doc__)
    parser.add_argument("--members", type=int, default=26)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args()
    case = Case(
        members=given.members,
        batch=given.batch,
        size=given.size,
        steps=given.steps,
        device=torch.device(given.device),
    )
    print(f"{case.members} transfers, batches of {case.batch}, {case.size} px, {case.device}")
    print(f"{'target':18}{'alone, samples/s':>18}{'stacked':>10}{'ratio':>8}{'losses apart':>14}")
    for name in TARGETS:
        task = find_task(name)
        start = build_readout(task, Compact(), ("source0",))
        initialise(start, 0)
        codes = codes_for(task, case)
        alone, wanted = one_after_another(start, codes, case)
        together, got = stacked(start, task, codes, case)
        samples = case.members * case.batch
        apart = float((got - wanted).abs().max())
        print(
            f"{name:18}{samples / alone:18.0f}{samples / together:10.0f}{alone / together:7.2f}x{apart:14.1e}"
        )


if __name__ == "__main__":
    main()
