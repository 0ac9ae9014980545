"""Images out of a folder as materials."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from training.errors import DataError
from training.rooms.surfaces.textures import Textures

from toy_spots import spots


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


def even(grey: int) -> np.ndarray:
    return np.full((16, 16, 3), grey)


def test_images_are_numbered_by_their_paths(tmp_path: Path) -> None:
    """Also in folders; seeds beyond the last begin again."""
    for name, grey in (("b/one.png", 200), ("a/two.png", 100), ("b/notes.txt", 0)):
        if name.endswith("png"):
            save(tmp_path / name, even(grey))
        else:
            (tmp_path / name).write_text("no image")
    textures = Textures.load(tmp_path, side=8)
    assert len(textures) == 2
    for seed, grey in ((0, 100), (1, 200), (2, 100)):
        assert torch.allclose(
            textures.colours(spots(seed=seed)), torch.tensor((grey / 255) ** 2.2), atol=1e-3
        )


def test_images_lie_upright_and_repeat_every_scale_metres(tmp_path: Path) -> None:
    """The left half red, the lower half blue too."""
    pixels = np.zeros((64, 64, 3))
    pixels[:, :32, 0] = 255
    pixels[32:, :, 2] = 255
    save(tmp_path / "a.png", pixels)
    face = spots(side=40, extent=1.0, scale=1.0, footprint=0.001, seed=0)
    colours = Textures.load(tmp_path, side=64).colours(face).reshape(40, 40, 3)
    assert torch.allclose(colours[:20], colours[20:], atol=1e-4)
    # column 25 is at u = 0.275, left of the image's middle; rows 5 and 12 at v = -0.725 and -0.375, that is
    # 0.275 and 0.625 above the image's lower border
    assert colours[5, 25].tolist() == pytest.approx([1, 0, 1], abs=0.01)
    assert colours[12, 25].tolist() == pytest.approx([1, 0, 0], abs=0.01)
    assert colours[12, 35].tolist() == pytest.approx([0, 0, 0], abs=0.01)


def test_from_far_away_the_mean_is_seen(tmp_path: Path) -> None:
    """A fine chequerboard is even."""
    board = np.indices((64, 64)).sum(0) % 2 * 255
    save(tmp_path / "a.png", np.repeat(board[..., None], 3, 2))
    textures = Textures.load(tmp_path, side=64)
    far = textures.colours(spots(scale=0.2, footprint=0.05, seed=0))
    assert far.std() < 1e-4
    assert far.mean() == pytest.approx((127.5 / 255) ** 2.2, abs=0.01)
    assert textures.colours(spots(scale=0.2, footprint=1e-4, seed=0)).std() > 0.1


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    """An empty folder, a broken file, a side that does not halve."""
    with pytest.raises(
        DataError, match=r"no texture in .*: expected images ending in .jpeg, .jpg, .png, .webp"
    ):
        Textures.load(tmp_path)
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"a.png is not an image that can be read: .*; remove or repair it"):
        Textures.load(tmp_path)
    with pytest.raises(ValueError, match="the side of textures must be a power of two, got 100"):
        Textures.load(tmp_path, side=100)
