"""Transfers of one target and one order, trained side by side as one model.

All of them have the same shape, so their weights are stacked and `torch.func.vmap` runs them in one pass: a
convolution of M members becomes one convolution of M groups. Each member reads its own representations, has
its own batch statistics, and gets the same gradients as alone; dropout drops the same hidden units of all.

An alternative are grouped convolutions written by hand. For 26 transfers to surface normals, batches of
eight, on one CPU core, compared with one after another, they are 1.30 times as fast with eight at once at 64
px (vmap 1.16), and 1.0 times at 128 px (vmap 0.9). They need a second version of every decoder and its
dropout, so they are not used. Heads gain most: 2.8 times. Maps are slower on a CPU, because single members
run channels last: milliseconds of a step of 16 alone and with eight at once are 17 and 10 at 16 px, 15 and 19
at 32 px, 32 and 50 at 64 px. `members_at_once` chooses accordingly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from taskbank.learning.forward import channels_last, run
from taskbank.learning.output_units import OutputUnits
from taskbank.nets.build import TransferReadout
from taskbank.options import Precision
from taskbank.tasks.registry import DecoderForm, Task

LossOf = Callable[[Tensor], Tensor]
"""Function from a target's output (B, ...) to one loss per sample (B,)."""

_CPU_WORK = 2e9  # pixels of a batch times weights; above it, all at once are slower on a CPU


@dataclass(frozen=True, slots=True)
class _Part:
    """Members that run in one pass.

    Attributes:
        span: range of the members.
        parameters: name -> (members, ...).
        buffers: name -> (members, ...).
    """

    span: slice
    parameters: dict[str, Tensor]
    buffers: dict[str, Tensor]


class ReadoutStack:
    """Transfers that start from the same weights and differ in their sources.

    Args:
        start: a transfer with the initial weights, which is copied.
        sets: the sources of each member.
        device: device of the members.
        at_once: number of members in one pass, which affects memory and speed, but not results in FP32. None
            for all.
        precision: precision of activations if members are trained one by one. Several in one pass are trained
            in FP32, as torch's autocast does not apply to convolutions in a vmap. Losses are always measured
            in FP32, the precision of banks' predictions.
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
        self._precision = precision if at_once == 1 else Precision.FP32  # equal for every member
        self._shape = deepcopy(start).to(device)  # only its forward is used, not its weights
        step = at_once or len(sets)
        spans = [slice(first, min(first + step, len(sets))) for first in range(0, len(sets), step)]
        self._parts = [_part(self._shape, span) for span in spans]

    def __len__(self) -> int:
        return len(self.sets)

    def parameters(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return tensors (members, ...): weights with weight decay, and all other parameters."""
        names = decaying(self._shape)
        both: tuple[list[Tensor], list[Tensor]] = [], []
        for part in self._parts:
            for name, value in part.parameters.items():
                both[name not in names].append(value)
        return both

    def backward(self, codes: Tensor, loss_of: LossOf, seed: int) -> Tensor:
        """Add the gradients of every member's mean loss, in training mode.

        Torch's global generators are seeded, as dropout draws from them; `fit` restores them.

        Args:
            codes: float (members, B, [P,] channels, h, w).
            loss_of: the loss, which must work in a vmap.
            seed: seed of dropout, equal in every pass.

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
        """Return losses of every member on its codes, float (members, B), in evaluation mode."""
        self._shape.eval()
        exact = Precision.FP32
        return torch.cat([self._losses(part, codes[part.span], loss_of, exact) for part in self._parts])

    @torch.no_grad()
    def fold(self, units: OutputUnits) -> None:
        """Fold the units into every member after training, so that it outputs the target's units."""
        for part in self._parts:
            units.fold(part.parameters)

    def state(self, member: int) -> dict[str, Tensor]:
        """Return the state of one member for `TransferReadout.load_state_dict`, on the CPU."""
        part = next(part for part in self._parts if part.span.start <= member < part.span.stop)
        place = member - part.span.start
        named = {**part.parameters, **part.buffers}
        return {name: value[place].detach().to("cpu", copy=True) for name, value in named.items()}

    def _losses(self, part: _Part, codes: Tensor, loss_of: LossOf, precision: Precision) -> Tensor:
        """Losses of a part, float (members of the part, B)."""

        def one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], own: Tensor) -> Tensor:
            return loss_of(run(partial(functional_call, self._shape, (parameters, buffers)), own, precision))

        if len(codes) == 1:  # a single member is faster without vmap
            parameters, buffers = (
                {name: each[0] for name, each in kind.items()} for kind in (part.parameters, part.buffers)
            )
            return one(parameters, buffers, channels_last(codes[0]))[None]
        losses: Tensor = vmap(one, randomness="same")(part.parameters, part.buffers, codes)
        return losses


def members_at_once(
    start: TransferReadout, task: Task, batch: int, size: int, device: torch.device
) -> int | None:
    """Return the number of members for one pass: all (None), or one for maps on a CPU unless they are tiny.

    Args:
        start: a transfer of the members' shape.
        task: the target.
        batch: samples in a batch.
        size: side of the target's maps in px.
        device: device of the members.
    """
    maps = task.decoder in {DecoderForm.PIXEL, DecoderForm.COLORIZATION}
    work = batch * size**2 * sum(parameter.numel() for parameter in start.parameters())
    return 1 if maps and device.type == "cpu" and work > _CPU_WORK else None


def decaying(network: nn.Module) -> frozenset[str]:
    """Return the names of parameters with weight decay: weights of layers, not biases and batch norms."""
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
