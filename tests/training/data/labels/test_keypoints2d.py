"""Determinants of Hessians are those of scikit-image, but for its shift by one pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from skimage import feature
from training.data.labels.keypoints2d import hessian_determinant, keypoints2d

SKIMAGE: Any = feature


def _spots(size: int) -> torch.Tensor:
    """A bright disc of a twelfth of the side across on grey, and a straight edge."""
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    middle = size / 2 - 0.5
    disc = (rows - middle) ** 2 + (columns - middle) ** 2 < (size / 24) ** 2
    picture = torch.where(columns < size / 8, 0.2, 0.5)
    return torch.where(disc, 0.9, picture)[None, ..., None].expand(1, size, size, 3).contiguous()


@pytest.mark.parametrize("sigma", [1.0, 3.0, 7.0])
def test_one_scale_is_that_of_scikit_image_moved_to_the_middle_of_its_box(sigma: float) -> None:
    brightness = np.random.default_rng(0).random((64, 64))

    found = hessian_determinant(torch.from_numpy(brightness)[None], sigma)[0].numpy()

    expected = SKIMAGE.hessian_matrix_det(brightness, sigma)
    np.testing.assert_allclose(found[24:41, 24:41], expected[23:40, 23:40], atol=1e-7)


@pytest.mark.parametrize("sigma", [1.0, 4.2, 7.4])
def test_the_response_is_symmetric(sigma: float) -> None:
    brightness = torch.rand(1, 40, 40, generator=torch.Generator().manual_seed(1))

    found = hessian_determinant(brightness, sigma)

    for flipped in ([-1], [-2]):
        again = hessian_determinant(brightness.flip(flipped), sigma).flip(flipped)
        torch.testing.assert_close(found, again, atol=1e-6, rtol=0)


def test_blobs_fire_in_their_middle_and_edges_and_planes_do_not() -> None:
    response = keypoints2d(_spots(128))[0]

    peak = response[64, 64]
    assert peak > 0.005
    assert response.max() < 1.1 * peak
    assert response[40:88, 0:24].max() < 0.2 * peak  # along the edge
    assert response[-8:, -8:].max() < 1e-9


@pytest.mark.parametrize("size", [32, 100, 256])
def test_brightness_alone_gives_no_response(size: int) -> None:
    assert keypoints2d(torch.full((1, size, size, 3), 0.8)).max() < 1e-9


def test_a_picture_twice_as_large_has_the_same_response() -> None:
    small, large = keypoints2d(_spots(128))[0], keypoints2d(_spots(256))[0]

    assert small.max().item() == pytest.approx(large.max().item(), rel=0.35)


def test_responses_are_never_negative() -> None:
    noise = torch.rand(1, 48, 48, 3, generator=torch.Generator().manual_seed(2))

    assert keypoints2d(noise).min() >= 0
