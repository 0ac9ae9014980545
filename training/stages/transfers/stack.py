"""Transfers of one target and one order, trained side by side as one model.

All of them have the same shape, so their weights are stacked and `torch.func.vmap` runs them in one pass: a
convolution of M members becomes one convolution of M groups. Each member reads its own representations,
keeps its own batch statistics, and gets the gradients it would get alone; dropout drops the same hidden
numbers of all.

Convolutions with groups written out by hand were tried beside it, for 26 transfers to surface normals,
batches of eight, one CPU core, against one after another: 64 px, eight at once, 1.30 times as fast against
1.16 here; 128 px 1.0 against 0.9. They need every decoder, and its dropout, written a second time, so they
were left. Heads gain most: 2.8 times. Maps lose on a CPU since they run channels last when they run alone:
milliseconds of a step of 16 alone and with eight at once, 16 px 17 and 10, 32 px 15 and 19, 64 px 32 and 50.
`members_at_once` knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from taskbank.nets.build import TransferReadout
from taskbank.options import Precision
from taskbank.tasks.registry import DecoderForm, Task
from training.learning.forward import channels_last, run
from training.learning.output_units import OutputUnits

LossOf = Callable[[Tensor], Tensor]
"""A target's output (B, ...) -> one loss a sample (B,)."""

_CPU_WORK = 2e9  # pixels of a batch times weights: with more of it a CPU takes longer for all at once


@dataclass(frozen=True, slots=True)
class _Part:
    """Members that are run in one pass.

    Attributes:
        span: which members.
        parameters: name -> (members, ...).
        buffers: likewise.
    """

    span: slice
    parameters: dict[str, Tensor]
    buffers: dict[str, Tensor]


class ReadoutStack:
    """Transfers that start from the same weights and differ in what they read.

    Args:
        start: a transfer of their shape; it is copied.
        sets: the sources of each member.
        device: where they are run.
        at_once: members in one pass: memory and speed depend on it, results in FP32 do not. None for all.
        precision: of activations while they learn one by one. More in one pass learn in FP32, as torch's
            autocast does not reach convolutions within a vmap. Losses are measured in FP32 at all times:
            banks predict in it.
    """

    def __init__(
        self,
        start: TransferReadout,
        sets: Sequence[tuple[str, ...]],
        *,
        device: torch.device,
        at_once: int | None = None,
        precision: Precision = Precision.FP32,
    ) -> None:
        self.sets = tuple(sets)
        self._precision = precision if at_once == 1 else Precision.FP32  # the same for every member
        self._shape = deepcopy(start).to(device)  # its forward is run, its own weights are not
        step = at_once or len(sets)
        spans = [slice(first, min(first + step, len(sets))) for first in range(0, len(sets), step)]
        self._parts = [_part(self._shape, span) for span in spans]

    def __len__(self) -> int:
        return len(self.sets)

    def parameters(self) -> tuple[list[Tensor], list[Tensor]]:
        """Tensors (members, ...): weights that decay, and all others."""
        names = decaying(self._shape)
        both: tuple[list[Tensor], list[Tensor]] = [], []
        for part in self._parts:
            for name, value in part.parameters.items():
                both[name not in names].append(value)
        return both

    def backward(self, codes: Tensor, loss_of: LossOf, seed: int) -> Tensor:
        """Add the gradients of every member's mean loss, in training mode.

        Torch's global generators are seeded, for dropout draws from them; `fit` puts them back.

        Args:
            codes: float (members, B, [P,] channels, h, w).
            loss_of: the loss; one that can be vmapped.
            seed: of dropout, the same in every pass.

        Returns:
            float (members,): mean losses, without gradients.
        """
        self._shape.train()
        means = []
        for part in self._parts:
            torch.manual_seed(seed)
            mean = self._losses(part, codes[part.span], loss_of, self._precision).mean(1)
            mean.sum().backward()  # type: ignore[no-untyped-call]
            means.append(mean.detach())
        return torch.cat(means)

    @torch.no_grad()
    def losses(self, codes: Tensor, loss_of: LossOf) -> Tensor:
        """Float (members, B): losses of every member on its codes, in evaluation mode."""
        self._shape.eval()
        exact = Precision.FP32
        return torch.cat([self._losses(part, codes[part.span], loss_of, exact) for part in self._parts])

    @torch.no_grad()
    def fold(self, units: OutputUnits) -> None:
        """Let every member give the target's units itself, once it has learned."""
        for part in self._parts:
            units.fold(part.parameters)

    def state(self, member: int) -> dict[str, Tensor]:
        """Return the state of one member for `TransferReadout.load_state_dict`, on the CPU."""
        part = next(part for part in self._parts if part.span.start <= member < part.span.stop)
        place = member - part.span.start
        named = {**part.parameters, **part.buffers}
        return {name: value[place].detach().to("cpu", copy=True) for name, value in named.items()}

    def _losses(self, part: _Part, codes: Tensor, loss_of: LossOf, precision: Precision) -> Tensor:
        """Float (members of the part, B)."""

        def one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], own: Tensor) -> Tensor:
            return loss_of(run(partial(functional_call, self._shape, (parameters, buffers)), own, precision))

        if len(codes) == 1:  # a pass of one is faster without
            parameters, buffers = (
                {name: each[0] for name, each in kind.items()} for kind in (part.parameters, part.buffers)
            )
            return one(parameters, buffers, channels_last(codes[0]))[None]
        losses: Tensor = vmap(one, randomness="same")(part.parameters, part.buffers, codes)
        return losses


def members_at_once(
    start: TransferReadout, task: Task, batch: int, size: int, device: torch.device
) -> int | None:
    """Return the number of members for one pass: all (None), or one where a CPU makes maps that are not tiny.

    Args:
        start: a transfer of their shape.
        task: the target.
        batch: samples in a batch.
        size: side of the target's maps in px.
        device: where they are run.
    """
    maps = task.decoder in {DecoderForm.PIXEL, DecoderForm.COLORIZATION}
    work = batch * size**2 * sum(parameter.numel() for parameter in start.parameters())
    return 1 if maps and device.type == "cpu" and work > _CPU_WORK else None


def decaying(network: nn.Module) -> frozenset[str]:
    """Names of parameters that weight decay is for: weights of layers, no biases and no batch norms."""
    layers = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    return frozenset(
        f"{name}.weight" for name, module in network.named_modules() if isinstance(module, layers)
    )


def _part(start: nn.Module, span: slice) -> _Part:
    """Stack copies of the starting weights, one for each member."""
    members = span.stop - span.start

    def copies(value: Tensor) -> Tensor:
        return value.detach().expand(members, *value.shape).clone()

    return _Part(
        span=span,
        parameters={name: copies(value).requires_grad_() for name, value in start.named_parameters()},
        buffers={name: copies(value) for name, value in start.named_buffers()},
    )
