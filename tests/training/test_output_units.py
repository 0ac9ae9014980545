"""Units that maps are learned in: measured, applied, folded into a network's last layer and out of it again."""

from __future__ import annotations

import pytest
import torch
from training.output_units import OutputUnits, has_units, measured_units
from training.targets import Target

from taskbank.nets.architecture import Architecture, Compact, ResNet50
from taskbank.nets.build import build_decoder
from taskbank.nets.initialise import initialise
from taskbank.tasks import find_task

UNITS = OutputUnits(centre=0.64, spread=0.05)
CODES = torch.rand(2, 8, 4, 4, generator=torch.Generator().manual_seed(0))


def test_mean_and_spread_count_known_pixels_only() -> None:
    values = torch.tensor([[[[1.0, 3.0], [100.0, 1.0]]], [[[3.0, 3.0], [1.0, 100.0]]]])
    known = torch.tensor([[[[1.0, 1.0], [0.0, 1.0]]], [[[1.0, 1.0], [1.0, 0.0]]]])
    one_by_one = [Target(values=values[[n]], weight=known[[n]]) for n in range(2)]
    assert measured_units(one_by_one) == OutputUnits(centre=2.0, spread=1.0)


def test_all_pixels_count_where_nothing_is_said() -> None:
    units = measured_units([Target(values=torch.tensor([[[[0.0, 2.0]], [[0.0, 2.0]]]]))])
    assert units == OutputUnits(centre=1.0, spread=1.0)


def test_a_target_that_never_changes_or_is_never_known_has_units() -> None:
    assert measured_units([Target(values=torch.full((1, 1, 2, 2), 0.5))]).spread == pytest.approx(1e-3)
    unknown = Target(values=torch.ones(1, 1, 2, 2), weight=torch.zeros(1, 1, 2, 2))
    assert measured_units([unknown]) == OutputUnits()


@pytest.mark.parametrize("name", ["normal", "depth_zbuffer", "edge_texture"])
def test_a_folded_network_gives_what_was_learned(name: str) -> None:
    network = build_decoder(find_task(name), Compact()).eval()
    initialise(network, 0)
    with torch.no_grad():
        wanted = UNITS.of_target(network(CODES))
        weights = {f"decoder.{key}": value for key, value in network.state_dict().items()}
        before = {key: value.clone() for key, value in weights.items()}
        UNITS.fold(weights)
        network.load_state_dict({key.removeprefix("decoder."): value for key, value in weights.items()})
        assert torch.allclose(network(CODES), wanted, atol=1e-6)
    UNITS.unfold(weights)
    assert all(torch.allclose(weights[key], before[key], atol=1e-5) for key in before)


def test_a_loss_is_taken_in_the_targets_units() -> None:
    loss = UNITS.with_units(lambda output: (output - 0.64).abs())
    assert torch.allclose(loss(torch.tensor([0.0, 2.0])), torch.tensor([0.0, 0.1]))


@pytest.mark.parametrize(
    ("name", "architecture", "has"),
    [
        ("depth_zbuffer", Compact(), True),
        ("autoencoding", Compact(), True),
        ("segment_semantic", Compact(), False),
        ("segment_unsup2d", Compact(), False),
        ("colorization", Compact(), False),
        ("vanishing_point", Compact(), False),
        ("depth_zbuffer", ResNet50(), False),
    ],
)
def test_maps_of_values_have_units(name: str, architecture: Architecture, has: bool) -> None:
    assert has_units(find_task(name), architecture) is has


def test_without_units_nothing_is_changed() -> None:
    output = torch.rand(3, dtype=torch.bfloat16)
    assert OutputUnits().of_target(output) is output
    weights: dict[str, torch.Tensor] = {}
    OutputUnits().fold(weights)
    assert weights == {}
