"""Units that tasks are learned in: measured, applied, folded into a network's last layers and out again."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from taskbank.learning.output_units import OutputUnits, has_units, measured_units
from taskbank.learning.target import Target
from taskbank.nets.architecture import Architecture, Compact, ResNet50
from taskbank.nets.build import build_decoder
from taskbank.nets.initialise import initialise
from taskbank.tasks.registry import Task, find_task

DEPTH, NORMAL, POSE = (find_task(name) for name in ("depth_zbuffer", "normal", "fixated_pose"))
CODES = torch.rand(2, 8, 4, 4, generator=torch.Generator().manual_seed(0))


def _units_for(task: Task) -> OutputUnits:
    """Different ones for each channel."""
    numbers = range(task.channels)
    return OutputUnits(
        centres=tuple(0.64 - n for n in numbers), spreads=tuple(0.05 * (n + 1) for n in numbers)
    )


def _decoder(task: Task) -> nn.Module:
    decoder = build_decoder(task, Compact()).eval()
    initialise(decoder, 0)
    return decoder


def _codes(task: Task) -> Tensor:
    return CODES if task.num_images == 1 else torch.stack([CODES] * task.num_images, dim=1)


def _state(decoder: nn.Module) -> dict[str, Tensor]:
    return {f"decoder.{key}": value for key, value in decoder.state_dict().items()}


def test_mean_and_spread_count_known_pixels_only() -> None:
    values = torch.tensor([[[[1.0, 3.0], [100.0, 1.0]]], [[[3.0, 3.0], [1.0, 100.0]]]])
    known = torch.tensor([[[[1.0, 1.0], [0.0, 1.0]]], [[[1.0, 1.0], [1.0, 0.0]]]])
    one_by_one = [Target(values=values[[n]], weight=known[[n]]) for n in range(2)]
    assert measured_units(DEPTH, one_by_one) == OutputUnits(centres=(2.0,), spreads=(1.0,))


def test_all_pixels_count_where_nothing_is_said() -> None:
    units = measured_units(DEPTH, [Target(values=torch.tensor([[[[0.0, 2.0]]], [[[0.0, 2.0]]]]))])
    assert units == OutputUnits(centres=(1.0,), spreads=(1.0,))


def test_each_channel_of_a_map_has_its_own() -> None:
    values = torch.tensor([[[[0.0, 2.0]], [[5.0, 11.0]], [[-1.0, -1.5]]]])
    units = measured_units(NORMAL, [Target(values=values)])
    assert units == OutputUnits(centres=(1.0, 8.0, -1.25), spreads=(1.0, 3.0, 0.25))


def test_each_number_has_its_own_and_unknown_samples_do_not_count() -> None:
    values = torch.tensor([[0.0, 1, 2, 3, 4, 5], [2.0, 3, 4, 5, 6, 7], [9.0, 9, 9, 9, 9, 9]])
    units = measured_units(POSE, [Target(values=values, weight=torch.tensor([1.0, 1.0, 0.0]))])
    assert units == OutputUnits(centres=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0), spreads=(1.0,) * 6)


def test_of_a_triplet_the_poses_count_that_are_predicted() -> None:
    truth = torch.stack([torch.arange(18.0), torch.arange(18.0)])
    units = measured_units(find_task("egomotion"), [Target(values=truth)])
    assert units.centres == (*range(6), *range(12, 18))


def test_a_target_that_never_changes_or_is_never_known_has_units() -> None:
    constant = measured_units(DEPTH, [Target(values=torch.full((1, 1, 2, 2), 0.5))])
    assert constant.spreads == pytest.approx((1e-3,))
    unknown = Target(values=torch.ones(1, 1, 2, 2), weight=torch.zeros(1, 1, 2, 2))
    assert measured_units(DEPTH, [unknown]) == OutputUnits()


@pytest.mark.parametrize(
    "name", ["normal", "depth_zbuffer", "curvature", "room_layout", "fixated_pose", "egomotion"]
)
def test_a_folded_network_gives_what_was_learned(name: str) -> None:
    task = find_task(name)
    decoder, codes, units = _decoder(task), _codes(task), _units_for(task)
    with torch.no_grad():
        wanted = units.of_target(decoder(codes))
        weights = _state(decoder)
        before = {key: value.clone() for key, value in weights.items()}
        units.fold(weights)
        decoder.load_state_dict({key.removeprefix("decoder."): value for key, value in weights.items()})
        assert torch.allclose(decoder(codes), wanted, atol=1e-5)
    units.unfold(weights)
    assert all(torch.allclose(weights[key], before[key], atol=1e-4) for key in before)


@pytest.mark.parametrize("task", [NORMAL, POSE], ids=str)
def test_networks_on_top_of_each_other_are_folded_like_one(task: Task) -> None:
    units, alone = _units_for(task), _state(_decoder(task))
    stacked = {key: torch.stack([value, 2 * value]) for key, value in alone.items()}
    doubled = {key: 2 * value for key, value in alone.items()}
    for weights in (alone, stacked, doubled):
        units.fold(weights)
    for key, both in stacked.items():
        assert torch.equal(both[0], alone[key])
        assert torch.equal(both[1], doubled[key])


def test_a_loss_is_taken_in_the_targets_units() -> None:
    units = OutputUnits(centres=(0.64,), spreads=(0.05,))
    loss = units.with_units(lambda output: (output[:, 0] - 0.64).abs())
    assert torch.allclose(loss(torch.tensor([[0.0], [2.0]])), torch.tensor([0.0, 0.1]))


@pytest.mark.parametrize(
    ("name", "architecture", "has"),
    [
        ("depth_zbuffer", Compact(), True),
        ("autoencoding", Compact(), True),
        ("vanishing_point", Compact(), True),
        ("room_layout", Compact(), True),
        ("nonfixated_pose", Compact(), True),
        ("egomotion", Compact(), True),
        ("segment_semantic", Compact(), False),
        ("segment_unsup2d", Compact(), False),
        ("colorization", Compact(), False),
        ("class_scene", Compact(), False),
        ("jigsaw", Compact(), False),
        ("point_matching", Compact(), False),
        ("depth_zbuffer", ResNet50(), False),
    ],
)
def test_maps_and_numbers_have_units(name: str, architecture: Architecture, has: bool) -> None:
    assert has_units(find_task(name), architecture) is has


def test_without_units_nothing_is_changed() -> None:
    output = torch.rand(3, 2, dtype=torch.bfloat16)
    assert OutputUnits().of_target(output) is output
    weights: dict[str, torch.Tensor] = {}
    OutputUnits().fold(weights)
    assert weights == {}
