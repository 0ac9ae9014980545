"""Reading images: every form, mode and range; and what happens to files that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from taskbank.errors import ImageError
from taskbank.images.reading import read_photo, split_batch

RED = np.zeros((4, 6, 3), dtype=np.uint8)
RED[..., 0] = 200


def save(path: Path, image: Image.Image, **options: Any) -> Path:
    """Write an image file."""
    image.save(path, **options)
    return path


@pytest.mark.parametrize(
    "given",
    [
        RED,
        Image.fromarray(RED),
        torch.from_numpy(RED).permute(2, 0, 1),
        np.dstack([RED, np.full((4, 6), 255, np.uint8)]),
        Image.fromarray(RED).quantize(4),
    ],
    ids=["array", "PIL", "tensor", "opaque", "palette"],
)
def test_the_same_image_in_any_form_is_the_same_photo(given: Any) -> None:
    """Eight bits, three channels, rows and columns where they belong."""
    photo = read_photo(given)
    assert (photo.width, photo.height, photo.pixels.dtype) == (6, 4, torch.uint8)
    assert np.array_equal(photo.as_bytes(), RED)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "webp"])
def test_files_and_pil_images_agree(tmp_path: Path, suffix: str) -> None:
    """Lossless formats give the array back, also by a path as text."""
    path = save(
        tmp_path / f"red.{suffix}", Image.fromarray(RED), **({"lossless": True} if suffix == "webp" else {})
    )
    assert np.array_equal(read_photo(str(path)).as_bytes(), RED)
    assert read_photo(path).name == str(path)


def test_floats_keep_their_precision() -> None:
    """A float image is not rounded to eight bits."""
    values = np.full((2, 2, 3), 0.1234567, dtype=np.float32)
    assert torch.equal(read_photo(values).pixels, torch.full((3, 2, 2), 0.1234567))
    assert torch.equal(read_photo(torch.full((3, 2, 2), 0.1234567)).pixels, torch.full((3, 2, 2), 0.1234567))


@pytest.mark.parametrize(
    "grey",
    [np.full((2, 3), 51, np.uint8), Image.new("L", (3, 2), 51), torch.full((1, 2, 3), 51, dtype=torch.uint8)],
)
def test_grey_becomes_three_equal_channels(grey: Any) -> None:
    """51 stays 51."""
    assert read_photo(grey).as_bytes().tolist() == [[[51] * 3] * 3] * 2


def test_sixteen_bits_are_read_as_unsigned(tmp_path: Path) -> None:
    """Full scale is white, also above half, and as an array."""
    deep = np.array([[0, 40000, 65535]], dtype=np.uint16)
    expected = torch.tensor([[0, 40000 / 65535, 1]]).expand(3, 1, 3)
    path = save(tmp_path / "deep.png", Image.fromarray(deep))
    for given in (path, deep, Image.open(path)):
        assert torch.allclose(read_photo(given).pixels, expected)
    assert torch.allclose(read_photo(torch.from_numpy(deep)).pixels, expected)


def test_integers_beyond_sixteen_bits_are_refused() -> None:
    """They have no known white."""
    with pytest.raises(ImageError, match="holds integers from 0 to 70000: 16-bit grey is 0 to 65535"):
        read_photo(Image.fromarray(np.array([[0, 70000]], dtype=np.int32)))


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    """In files, palettes, arrays of bytes and arrays of floats."""
    clear = Image.new("RGBA", (2, 2), (200, 0, 0, 0))
    assert read_photo(save(tmp_path / "clear.png", clear)).as_bytes().min() == 255
    assert read_photo(np.array(clear)).as_bytes().min() == 255
    assert read_photo(np.array(clear) / 255.0).pixels.min() == 1
    half = np.full((1, 1, 4), 0.5, dtype=np.float32)
    assert read_photo(half).pixels.flatten().tolist() == [0.75] * 3
    palette = clear.convert("P")
    palette.info["transparency"] = palette.getpixel((0, 0))
    assert read_photo(palette).as_bytes().min() == 255


def test_cmyk_is_converted(tmp_path: Path) -> None:
    """A JPEG of a printer."""
    path = save(tmp_path / "print.jpg", Image.new("CMYK", (8, 8), (0, 255, 255, 0)), quality=95)
    red, green, blue = read_photo(path).as_bytes()[0, 0].tolist()
    assert red > 240
    assert max(green, blue) < 15


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    """A photo that was taken upright is upright; the file keeps its bytes."""
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (40, 20))
    image.paste((255, 255, 255), (0, 0, 20, 20))
    path = save(tmp_path / "turned.png", image, exif=exif)
    before = path.read_bytes()
    photo = read_photo(path)
    assert (photo.width, photo.height) == (20, 40)
    assert photo.as_bytes()[5, 10].tolist() == [255] * 3
    assert photo.as_bytes()[35, 10].tolist() == [0] * 3
    assert path.read_bytes() == before


def test_what_is_given_is_not_written_to() -> None:
    """Nor does a later change of it show."""
    given = RED.copy()
    given.flags.writeable = False
    photo = read_photo(given)
    given.flags.writeable = True
    given[:] = 7
    assert np.array_equal(photo.as_bytes(), RED)
    tensor = torch.rand(3, 4, 4)
    held = tensor.clone()
    pixels = read_photo(tensor).pixels
    tensor.zero_()
    assert torch.equal(pixels, held)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((2, 2, 3), -0.5), r"-0.5 to -0.5: .*\(x \+ 1\) / 2"),
        (np.full((2, 2, 3), 200.0), "divide by 255 or convert to uint8"),
        (np.full((2, 2, 3), -7.0), "from -7 to -7: images are in"),
        (np.full((2, 2, 3), np.nan), "from nan to nan"),
        (torch.full((3, 2, 2), 1.5), r"image \(Tensor\) holds floats from 1.5 to 1.5"),
        (np.zeros((2, 2, 3), np.int64), "cannot be of int64: use uint8, uint16, or float"),
        (torch.zeros((3, 2, 2), dtype=torch.int32), "cannot be of torch.int32"),
        (np.zeros((3, 20, 30)), r"shape \(3, 20, 30\) is not an image .*move channels to the end"),
        (torch.zeros((20, 30, 3)), "move channels to the front"),
        (np.zeros((0, 5, 3)), "is not an image"),
        (np.zeros(5), "is not an image"),
        (7, "cannot be a int: give a path"),
    ],
)
def test_arrays_that_are_no_images_are_refused(values: Any, message: str) -> None:
    """With what they hold, and what is probably meant."""
    with pytest.raises(ImageError, match=message):
        read_photo(values)


def test_files_that_are_no_images_are_refused(tmp_path: Path) -> None:
    """Missing, empty, a directory, text: each in its own words."""
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.png").write_text("no image")
    for name, message in {
        "nothing.png": "does not exist",
        "empty.jpg": r"is empty \(0 bytes\)",
        "text.png": "is not an image of a known format",
        ".": "is a directory",
    }.items():
        with pytest.raises(ImageError, match=message):
            read_photo(tmp_path / name)


@pytest.mark.filterwarnings("ignore")  # Pillow warns of damaged metadata, too
@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tiff", "webp", "bmp"])
@pytest.mark.parametrize("share", [0.9, 0.5, 0.05])
def test_damaged_files_are_refused(tmp_path: Path, suffix: str, share: float) -> None:
    """Cut off after a share of their bytes."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = save(tmp_path / f"whole.{suffix}", Image.fromarray(noise))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ImageError, match=r"whole\."):
        read_photo(path)


def test_decompression_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before they are decoded; Pillow's limit is the limit."""
    path = save(tmp_path / "bomb.png", Image.new("1", (300, 300)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ImageError, match="is refused: .*90000 pixels.* Make it smaller first"):
        read_photo(path)


def test_one_argument_is_one_item_or_several() -> None:
    """A list and a fourth axis are several; a tuple is one item of several images."""
    assert split_batch("a.png") == (["a.png"], True)
    assert split_batch(["a.png"]) == (["a.png"], False)
    assert split_batch(("a.png", "b.png")) == ([("a.png", "b.png")], True)
    items, alone = split_batch(torch.zeros(5, 3, 8, 8))
    assert (len(items), items[0].shape, alone) == (5, (3, 8, 8), False)
    assert len(split_batch(np.zeros((2, 8, 8, 3)))[0]) == 2
    assert split_batch(name for name in ("a", "b")) == (["a", "b"], False)
