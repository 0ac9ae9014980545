"""Dead representations and constant outputs, on tensors that say what they are."""

from __future__ import annotations

import pytest
import torch

from taskbank.errors import InvalidInputError
from taskbank.nets.liveness import OutputVariation, dead_channels


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    """Standard normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_channels_that_are_the_same_for_all_images_are_dead_at_any_scale(scale: float) -> None:
    codes = random(10, 6, 8, 8)
    codes[:, 1] = 0.0
    codes[:, 2] = random(8, 8, seed=1)  # differs by place, not by image
    codes[:, 3] = 2.0 + 1e-6 * codes[:, 3]  # rounding
    codes[:, 4] = (codes[:, 4] - 3.5).relu()  # a spike now and then
    codes[:, 5] = (codes[:, 5] - 1.0).relu()  # zero at 84 % of places, and alive
    assert dead_channels(scale * codes).tolist() == [False, True, True, True, True, False]


def test_a_code_of_zeros_is_dead_and_one_image_tells_nothing() -> None:
    assert dead_channels(torch.zeros(2, 8, 4, 4)).all()
    with pytest.raises(InvalidInputError, match="two different ones are needed"):
        dead_channels(random(1, 8, 4, 4))


def variation(outputs: torch.Tensor, batch: int = 3) -> float:
    """Of outputs that are taken in by batches."""
    taken = OutputVariation()
    for start in range(0, len(outputs), batch):
        taken.add(outputs[start : start + batch])
    return taken.value


@pytest.mark.parametrize("scale", [1e-5, 1.0, 1e5])
def test_the_variation_of_outputs_is_that_over_images_relative_to_their_size(scale: float) -> None:
    outputs = 1.0 + 0.5 * random(7, 3, 6, 6)
    wanted = outputs.double().var(0, correction=0).mean().sqrt() / outputs.double().square().mean().sqrt()
    assert variation(scale * outputs) == pytest.approx(float(wanted), rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.3, 1e-20, 1e6])
def test_outputs_that_are_all_alike_vary_by_exactly_nothing(value: float) -> None:
    assert variation(torch.full((7, 4), value)) == 0.0


def test_one_output_does_not_tell_whether_it_is_a_constant() -> None:
    with pytest.raises(InvalidInputError, match=r"1 output\(s\): two are needed"):
        variation(torch.ones(1, 4))
