"""Fits: what part of a photo the network sees, and the way back."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as transforms

from taskbank.errors import InvalidInputError
from taskbank.images import framing
from taskbank.images.framing import Box, fit_photo, to_input_frame
from taskbank.images.photo import Photo
from taskbank.images.reading import read_photo
from taskbank.options import Fit

FITS = list(Fit)


def ramp(width: int, height: int) -> Photo:
    """A photo whose red is the column and whose green is the row, as shares of the size."""
    x = (np.arange(width) + 0.5) / width
    y = (np.arange(height) + 0.5) / height
    return read_photo(np.stack([*np.meshgrid(x, y), np.zeros((height, width))], axis=-1))


@pytest.mark.parametrize(
    ("fit", "box"),
    [
        (Fit.WHOLE, Box(0, 0, 200, 100)),
        (Fit.CROP, Box(50, 0, 150, 100)),
        (Fit.PAD, Box(0, -50, 200, 150)),
        (Fit.STRETCH, Box(0, 0, 200, 100)),
    ],
)
def test_the_box_is_the_part_of_the_photo_that_fills_the_square(fit: Fit, box: Box) -> None:
    """For a photo twice as wide as high."""
    square, view = fit_photo(ramp(200, 100), fit)
    assert view.box == box
    columns = 512 if fit is Fit.WHOLE else 256
    assert (view.width, view.height, view.size, square.shape) == (200, 100, (columns, 256), (3, 256, columns))


def test_the_network_sees_minus_one_to_one_in_the_given_order() -> None:
    """Black is -1, white 1; rows stay rows."""
    half = np.zeros((64, 64, 3), dtype=np.uint8)
    half[32:] = 255
    square, _ = fit_photo(read_photo(half))
    assert (float(square[:, 10].max()), float(square[:, -10].min())) == (-1, 1)


def test_padding_is_mid_grey() -> None:
    """Zero, as a bias-free network would have it."""
    square, _ = fit_photo(read_photo(np.full((10, 20), 255, np.uint8)), "pad")
    assert square[:, :64].abs().max() == 0
    assert square[:, 64:192].min() == 1


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(200, 100), (90, 333), (256, 256), (31, 17), (1, 1), (700, 3)])
def test_the_way_back_leads_to_the_same_place(fit: Fit, size: tuple[int, int]) -> None:
    """A ramp that goes through the square and back is itself wherever the network saw it."""
    photo = ramp(*size)
    square, view = fit_photo(photo, fit)
    back, seen = to_input_frame((square + 1) / 2, view)
    assert back.shape == photo.pixels.shape
    error = (back - photo.pixels).abs().amax(0)
    # At the edges of what it saw, values are continued or mixed with padding.
    margin = max(3, max(size) // 32)
    inner = torch.zeros_like(seen)
    inner[margin:-margin, margin:-margin] = True
    if fit is Fit.CROP:
        inner &= seen.roll(margin, 0) & seen.roll(-margin, 0) & seen.roll(margin, 1) & seen.roll(-margin, 1)
    assert not inner.any() or error[inner].max() < 0.003


@pytest.mark.parametrize("fit", FITS)
def test_what_the_network_saw_is_known(fit: Fit) -> None:
    """The centred square for a crop, everything otherwise."""
    _, view = fit_photo(ramp(200, 100), fit)
    _, seen = to_input_frame(torch.zeros(1, 16, 16), view)
    assert int(seen.sum()) == (100 * 100 if fit is Fit.CROP else 200 * 100)
    assert bool(seen[:, 50:150].all())


def test_points_of_the_square_have_a_place_in_the_input() -> None:
    """Corners and centre."""
    _, view = fit_photo(ramp(200, 100), Fit.CROP)
    assert view.to_input(0, 0) == (50, 0)
    assert view.to_input(256, 256) == (150, 100)
    assert view.to_input(128, 128) == (100, 50)


def test_large_maps_are_enlarged_strip_by_strip(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same result."""
    _, view = fit_photo(ramp(60, 40))
    values = torch.rand((3, 8, 8), generator=torch.Generator().manual_seed(0))
    whole, _ = to_input_frame(values, view)
    monkeypatch.setattr("taskbank.images.framing._STRIP", 1)
    assert torch.equal(to_input_frame(values, view)[0], whole)


def test_wrong_fits_and_sizes_are_refused() -> None:
    """With what is allowed."""
    with pytest.raises(InvalidInputError, match="unknown fit 'squash': choose whole, crop, pad, stretch"):
        fit_photo(ramp(4, 4), "squash")
    with pytest.raises(InvalidInputError, match="size 250 is not a positive multiple of 16: 240 and 256"):
        fit_photo(ramp(4, 4), "crop", 250)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("size", [(16, 32), (48, 64), (70, 90)])
def test_photos_are_scaled_as_torchvision_scales_them(dtype: torch.dtype, size: tuple[int, int]) -> None:
    """To the last bit, where the processor is one on which torchvision scales bytes as bytes."""
    pixels = torch.randint(0, 256, (3, 48, 64), generator=torch.Generator().manual_seed(0)).to(dtype)
    pixels = pixels / 255 if dtype == torch.float32 else pixels
    theirs = transforms.resize(pixels, list(size), v2.InterpolationMode.BILINEAR, antialias=True)
    theirs = transforms.to_dtype(theirs, torch.float32, scale=True) * 2 - 1
    ours = framing._scaled(pixels, size)
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= (2.1 / 255 if dtype == torch.uint8 else 1e-6)


def test_predicting_needs_no_torchvision() -> None:
    """It takes two seconds to import, before the first image."""
    code = "import sys, taskbank.file_predictions; print('torchvision' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
