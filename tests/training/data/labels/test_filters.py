"""Gradients and blurs equal those of scikit-image and mean the same at every size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from skimage import color, filters
from training.data.labels.filters import blur, gradient, grey, shrunk

FILTERS: Any = filters


@pytest.fixture
def noise() -> torch.Tensor:
    return torch.rand(2, 48, 64, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def test_the_gradient_is_that_of_scikit_image_per_512th_of_the_width(noise: torch.Tensor) -> None:
    expected = np.stack([FILTERS.sobel(picture) for picture in noise.numpy()])

    np.testing.assert_allclose(gradient(noise).numpy(), expected * 64 / 512, atol=1e-12)


@pytest.mark.parametrize("sigma", [0.3, 1.5, 3.0])
def test_the_blur_is_that_of_scikit_image(noise: torch.Tensor, sigma: float) -> None:
    expected = np.stack([FILTERS.gaussian(picture, sigma, truncate=4.0) for picture in noise.numpy()])

    np.testing.assert_allclose(blur(noise, sigma).numpy(), expected, atol=1e-6)


def test_a_blur_narrower_than_a_pixel_does_nothing(noise: torch.Tensor) -> None:
    assert torch.equal(blur(noise, 0.1), noise)


def test_grey_is_the_luma_of_scikit_image() -> None:
    rgb = torch.rand(5, 6, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    np.testing.assert_allclose(grey(rgb).numpy(), color.rgb2gray(rgb.numpy()), atol=1e-7)


def test_lengths_shrink_with_the_picture() -> None:
    assert shrunk(3.0, 512) == 3.0
    assert shrunk(3.0, 128) == 0.75


@pytest.mark.parametrize("size", [64, 256])
def test_a_slope_has_the_same_gradient_at_every_size(size: int) -> None:
    ramp = (torch.arange(size) / size).expand(size, size)[None]

    assert gradient(ramp)[0, 5, 5].item() == pytest.approx(2 / 512 * 0.5**0.5, rel=1e-3)


def test_a_jump_has_the_same_sum_over_the_picture_at_every_size() -> None:
    shares = []
    for size in (64, 256):
        jump = torch.zeros(1, size, size)
        jump[..., size // 2 :] = 1
        shares.append(gradient(jump).mean().item())

    assert shares[0] == pytest.approx(shares[1], rel=1e-5)
