"""JPEG without files, against Pillow's."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from training.rooms.cameras.jpeg import through_jpeg


def picture(height: int, width: int) -> np.ndarray:
    astronaut = data.astronaut()  # type: ignore[no-untyped-call]
    return np.asarray(astronaut[:height, 100 : 100 + width])


def filed(pixels: np.ndarray, quality: int) -> np.ndarray:
    """Through a file of Pillow, colour at half the resolution."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(file).convert("RGB"))


@pytest.mark.parametrize("quality", [30, 60, 90])
@pytest.mark.parametrize("shape", [(128, 128), (100, 68)])
def test_pictures_come_back_as_from_files(quality: int, shape: tuple[int, int]) -> None:
    """Much nearer to Pillow's than to the original; Pillow interpolates colour, hence not the same."""
    pixels = picture(*shape)
    given = torch.tensor(pixels[None] / 255, dtype=torch.float32)
    ours = (through_jpeg(given, torch.tensor([float(quality)]))[0].numpy() * 255).round()
    theirs = filed(pixels, quality).astype(float)
    assert np.abs(ours - theirs).mean() < 0.6 * np.abs(pixels - theirs).mean()
    assert np.abs((ours - theirs) @ [0.299, 0.587, 0.114]).mean() < 0.8


def test_quality_0_leaves_the_picture_alone() -> None:
    """In a batch in which others are coded."""
    pixels = torch.tensor(picture(64, 64) / 255, dtype=torch.float32).expand(2, -1, -1, -1)
    both = through_jpeg(pixels, torch.tensor([0.0, 20.0]))
    assert torch.equal(both[0], pixels[0])
    assert (both[1] - pixels[1]).abs().mean() > 0.01
