"""Numbers out of counters: the same everywhere, and as good as random ones."""

import numpy as np
import pytest
import torch
from scipy import stats
from training.rooms.noise import cloud, faded, gaussian, hashed, uniform, value_noise

COUNTER = torch.arange(20_000, dtype=torch.int32)


def _expected(*numbers: int) -> int:
    """The same hash with Python's unbounded integers, cut to 32 bits."""
    total = 0
    for number, factor in zip(numbers, (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F), strict=False):
        total ^= number * factor & 0xFFFFFFFF
    total = (total ^ total >> 16) * 0x7FEB352D & 0xFFFFFFFF
    total = (total ^ total >> 15) * 0x846CA68B & 0xFFFFFFFF
    return total ^ total >> 16


@pytest.mark.parametrize("numbers", [(0, 1), (12, 7, 99), (-5, 3, 2, 1), (2**31 - 1, 0, -(2**31))])
def test_hashes_are_those_of_32_bit_arithmetic(numbers: tuple[int, ...]) -> None:
    """Signs of torch's integers do not matter."""
    first = torch.tensor([numbers[0]], dtype=torch.int32)
    assert int(hashed(first, *numbers[1:])) & 0xFFFFFFFF == _expected(*numbers)


def test_uniform_numbers_pass_a_test_of_uniformity() -> None:
    """Along every one of the arguments."""
    for position in range(4):
        arguments: list[torch.Tensor | int] = [3, 5, 7, 11]
        arguments[position] = COUNTER
        assert stats.kstest(uniform(*arguments).numpy(), "uniform").pvalue > 1e-3


def test_gaussian_numbers_pass_a_test_of_normality() -> None:
    """And those of another purpose have nothing to do with them."""
    one, two = gaussian(COUNTER, 1, 2).numpy(), gaussian(COUNTER, 1, 3).numpy()
    assert stats.kstest(one, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.03


def test_a_hash_needs_a_tensor() -> None:
    """Numbers alone have no device."""
    with pytest.raises(TypeError, match=r"one of the numbers to hash must be a tensor, got \(1, 2\)"):
        hashed(1, 2)


def test_noise_is_smooth_and_stays_in_its_range() -> None:
    """Across the borders of its cells, left and right of zero."""
    x = torch.linspace(-3, 3, 6001)
    seed = torch.zeros(6001, dtype=torch.int32)
    values = value_noise(x, 0.3 * x, seed)
    assert values.abs().max() <= 1
    assert values.diff().abs().max() < 0.01
    assert values.std() > 0.2


def test_what_a_pixel_covers_is_left_out() -> None:
    """A cloud seen from far away is even."""
    x = torch.rand(1000, generator=torch.Generator().manual_seed(0)) * 50
    seed = torch.ones(1000, dtype=torch.int32)
    near, far = (cloud(x, x, seed, torch.full((1000,), foot)) for foot in (0.001, 1.0))
    assert near.std() > 0.3
    assert far.abs().max() == 0
    assert faded(torch.tensor([0.0, 0.45, 0.8])).tolist() == pytest.approx([1, 0.5, 0])
