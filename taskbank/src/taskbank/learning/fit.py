"""Training loop of transfers and of networks from scratch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from taskbank.errors import DivergedError
from taskbank.learning.config import TrainingSettings
from taskbank.learning.forward import channels_last, run
from taskbank.learning.output_units import OutputUnits
from taskbank.learning.parts import Batch
from taskbank.learning.stack import LossOf, decaying
from taskbank.options import Precision

_LOOK_EVERY = 50  # steps between checks of the losses, each of which synchronises with the GPU
_DROP = 0.1
_STEPS = 1 << 24  # more than any run has, so that seeds of steps do not collide


class Learner(Protocol):
    """One network or many that are trained together."""

    def __len__(self) -> int:
        """Return the number of networks."""

    def parameters(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return weights with weight decay, and all other parameters."""

    def backward(self, inputs: Tensor, loss_of: LossOf, seed: int) -> Tensor:
        """Add gradients, with dropout drawn from the seed; return the mean loss of each network."""

    def losses(self, inputs: Tensor, loss_of: LossOf) -> Tensor:
        """Return losses, float (networks, B), in evaluation mode."""

    def fold(self, units: OutputUnits) -> None:
        """Fold the output units into the networks, which then output the target's units."""


class Single:
    """One network as a learner.

    Args:
        network: network, which is moved to the device and trained in place.
        device: device of the network.
        precision: precision of activations in training; losses are measured in FP32, the precision of banks'
            predictions.
    """

    def __init__(
        self, network: nn.Module, device: torch.device, precision: Precision = Precision.FP32
    ) -> None:
        self.network = network.to(device)
        self._precision = precision

    def __len__(self) -> int:
        return 1

    def parameters(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return weights with weight decay, and all other parameters."""
        names = decaying(self.network)
        both: tuple[list[Tensor], list[Tensor]] = [], []
        for name, value in self.network.named_parameters():
            both[name not in names].append(value)
        return both

    def backward(self, inputs: Tensor, loss_of: LossOf, seed: int) -> Tensor:
        """Add the gradients of the mean loss, in training mode; return the loss, float (1,)."""
        torch.manual_seed(seed)
        mean = loss_of(run(self.network.train(), channels_last(inputs), self._precision)).mean()
        mean.backward()  # type: ignore[no-untyped-call]
        return mean.detach()[None]

    @torch.no_grad()
    def losses(self, inputs: Tensor, loss_of: LossOf) -> Tensor:
        """Return losses, float (1, B), in evaluation mode."""
        return loss_of(run(self.network.eval(), channels_last(inputs), Precision.FP32))[None]

    def fold(self, units: OutputUnits) -> None:
        """Fold the output units into the networks, which then output the target's units."""
        weights = dict(self.network.state_dict())
        units.fold(weights)
        self.network.load_state_dict(weights)


def fit(
    learner: Learner,
    batches: Iterable[Batch],
    config: TrainingSettings,
    *,
    weight_decay: float,
    seed: int,
    what: str,
    units: OutputUnits | None = None,
) -> None:
    """Train networks in place.

    Args:
        learner: one network or many; Adam updates each weight independently, so stacked networks are trained
            as if alone.
        batches: one batch for each of `config.steps`.
        config: number of steps and learning rate.
        weight_decay: weight decay of weights, not of biases and batch norms.
        seed: seed of dropout.
        what: name of the trained networks, for messages.
        units: units of the outputs in training; afterwards networks output the target's units.

    Raises:
        DivergedError: a loss is not finite.
    """
    units = units or OutputUnits()
    decayed, others = learner.parameters()
    groups: list[dict[str, Any]] = [{"params": decayed, "weight_decay": weight_decay}, {"params": others}]
    optimizer = torch.optim.Adam(groups, lr=config.learning_rate)
    drop = math.ceil(config.drop_at * config.steps)
    # Dropout draws from torch's global generators, which are restored afterwards.
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        for step, (inputs, loss_of) in enumerate(batches):
            if step == drop:
                for group in optimizer.param_groups:
                    group["lr"] = config.learning_rate * _DROP
            optimizer.zero_grad()
            means = learner.backward(inputs, units.with_units(loss_of), seed * _STEPS + step)
            optimizer.step()
            looked_at = step % _LOOK_EVERY == 0 or step == config.steps - 1
            if looked_at and not bool(torch.isfinite(means).all()):
                number = int(torch.isfinite(means).logical_not().nonzero()[0])
                raise DivergedError(
                    f"{what}: the loss of network {number} is {means[number].item()} at step {step}: lower "
                    "the learning rate"
                )
    learner.fold(units)
