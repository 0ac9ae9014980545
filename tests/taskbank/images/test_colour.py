"""Lab against scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import color

from taskbank.images.colour import lab_to_rgb, lightness, rgb_to_lab

RGB = np.random.default_rng(0).random((16, 17, 3))
PLANES = torch.from_numpy(RGB).permute(2, 0, 1)


def test_lab_is_that_of_scikit_image() -> None:
    """To a thousandth of a unit."""
    assert np.allclose(rgb_to_lab(PLANES).permute(1, 2, 0), color.rgb2lab(RGB), atol=1e-3)
    assert np.allclose(lightness(PLANES)[0], color.rgb2lab(RGB)[..., 0], atol=1e-3)


def test_lab_comes_back_as_srgb() -> None:
    """In single precision."""
    assert torch.allclose(lab_to_rgb(rgb_to_lab(PLANES.float())), PLANES.float(), atol=1e-4)


def test_colours_that_a_screen_cannot_show_are_cut() -> None:
    """To its range."""
    given = lab_to_rgb(torch.tensor([50.0, 120, -120])[:, None, None])
    assert (float(given.min()), float(given.max())) == pytest.approx((0, 1))
