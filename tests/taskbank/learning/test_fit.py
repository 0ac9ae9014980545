"""The loop that transfers and networks from scratch learn in: steps of known size, units, and losses that fail."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.training.stages.transfers.toy_run import toy_config
from torch import Tensor, nn
from training.errors import DivergedError

from taskbank.learning.fit import Single, fit
from taskbank.learning.output_units import OutputUnits


class Slope:
    """A learner of one decaying and one other number, whose loss falls by 1 a unit of each."""

    def __init__(self) -> None:
        self.decaying = torch.zeros(1, requires_grad=True)
        self.other = torch.zeros(1, requires_grad=True)
        self.course: list[float] = []
        self.seeds: list[int] = []
        self.folded: list[OutputUnits] = []

    def __len__(self) -> int:
        return 1

    def parameters(self) -> tuple[list[Tensor], list[Tensor]]:
        """Weights that decay, and all others."""
        return [self.decaying], [self.other]

    def backward(self, inputs: Tensor, loss_of: Any, seed: int) -> Tensor:
        """The same gradient in every step."""
        self.course.append(float(self.other.detach()))
        self.seeds.append(seed)
        torch.autograd.backward(-(self.decaying + self.other).sum())
        mean: Tensor = loss_of(inputs).mean()
        return mean[None]

    def losses(self, inputs: Tensor, loss_of: Any) -> Tensor:
        """Of no use here."""
        raise NotImplementedError

    def fold(self, units: OutputUnits) -> None:
        """Remember the units."""
        self.folded.append(units)


def taught(loss: float = 0.0, weight_decay: float = 0.0, **settings: Any) -> Slope:
    """A slope after its steps."""
    config = toy_config(learning_rate=0.1, **settings)
    batches = ((torch.full((2,), loss), lambda output: output) for _ in range(config.steps))
    learner = Slope()
    fit(learner, batches, config, weight_decay=weight_decay, seed=3, what="slopes")
    return learner


def test_the_rate_drops_to_a_tenth_from_the_step_that_is_asked_for() -> None:
    """With a gradient of one size, a step of Adam is as long as the rate."""
    learner = taught(steps=9, drop_at=0.5)
    steps = torch.tensor([*learner.course, float(learner.other.detach())]).diff()
    assert steps.tolist() == pytest.approx([0.1] * 5 + [0.01] * 4, rel=1e-4)


def test_only_the_weights_that_decay_are_drawn_to_zero() -> None:
    plain, decayed = taught(steps=6), taught(steps=6, weight_decay=5.0)
    assert torch.equal(decayed.other, plain.other)
    assert bool(decayed.decaying < 0.9 * plain.decaying)


def test_no_step_has_the_seed_of_another() -> None:
    seeds = taught(steps=4).seeds
    assert len(set(seeds)) == 4
    assert min(seeds) >= 3 * (1 << 24)


def test_outputs_are_in_the_targets_units_in_the_end() -> None:
    assert taught(steps=2).folded == [OutputUnits()]


def test_a_loss_that_is_no_number_stops_the_training() -> None:
    with pytest.raises(DivergedError, match="slopes: the loss of network 0 is nan at step 0"):
        taught(loss=float("nan"), steps=3)


def test_a_single_network_learns_in_training_mode_and_is_measured_in_evaluation_mode() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(4, 1))
    learner = Single(network, torch.device("cpu"))
    modes: list[bool] = []

    def loss_of(output: Tensor) -> Tensor:
        modes.append(network.training)
        return output.square().flatten(1).mean(1)

    shown = torch.ones(3, 1, 2, 2)
    learner.backward(shown, loss_of, 0)
    assert torch.equal(learner.losses(shown, loss_of), learner.losses(shown, loss_of))
    assert modes == [True, False, False]
