"""Images that cannot be read: always an `ImageError`, whatever a decoder raises."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from taskbank.errors import ImageError
from taskbank.images.reading import read_photo, split_batch

NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def _cut() -> Image.Image:
    content = io.BytesIO()
    Image.fromarray(NOISE).save(content, "PNG")
    return Image.open(io.BytesIO(content.getvalue()[:4000]))


def _closed() -> Image.Image:
    image = Image.new("RGB", (4, 4))
    image.close()
    return image


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_cut, "cannot be read"),
        (_closed, "cannot be read"),
        (lambda: Image.new("RGB", (0, 5)), "is empty: 0 x 5 px"),
        (lambda: torch.zeros(3, 4, 4, device="meta"), "no data"),
        (lambda: torch.zeros(4, 4).to_sparse(), "sparse"),
        (lambda: np.zeros((4, 4, 3), ">c8"), "cannot be of"),
        (lambda: np.zeros((4, 4, 3), object), "cannot be of object"),
        (lambda: np.full((4, 4), 2.0, np.longdouble), "holds floats from 2 to 2"),
        (lambda: "x" * 5000, "cannot be read"),
        (lambda: "a\0b.png", "cannot be read"),
    ],
)
def test_objects_that_are_no_image_are_refused(make: Callable[[], Any], message: str) -> None:
    """With what is wrong."""
    with pytest.raises(ImageError, match=message):
        read_photo(make())


@pytest.mark.parametrize("dtype", [">f4", ">f8", "<f4", "longdouble", ">u2", "<u2", "float16"])
def test_arrays_of_either_order_of_bytes_and_of_any_precision_are_images(dtype: str) -> None:
    """They hold the same values."""
    whole = np.dtype(dtype).kind == "u"
    values = (np.arange(48).reshape(4, 4, 3) * (1000 if whole else 1 / 64)).astype(dtype)
    expected = values.astype(np.float64) / (65535 if whole else 1)
    assert np.allclose(read_photo(values).pixels.permute(1, 2, 0).numpy(), expected, atol=1e-6)


def test_arrays_of_other_classes_are_arrays() -> None:
    """Copying a matrix of three axes corrupts memory in NumPy."""
    values = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # NumPy would rather have no matrices
        matrix = np.matrix(values)
    assert torch.equal(read_photo(matrix).pixels, read_photo(values).pixels)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBX", "RGBa", "CMYK", "YCbCr", "HSV"]
)
def test_rare_modes_are_read(mode: str) -> None:
    """White is white in all of them that have it."""
    image = Image.new("RGB", (4, 4), "white").convert(
        "RGBA" if mode == "RGBa" else mode if mode != "La" else "LA"
    )
    image = image.convert(mode) if mode in ("RGBa", "La") else image
    assert read_photo(image).pixels.min() == 255


def test_pipes_and_devices_are_called_what_they_are(tmp_path: Path) -> None:
    """And are not waited for."""
    os.mkfifo(tmp_path / "a.png")
    for path, kind in ((tmp_path / "a.png", "a pipe"), ("/dev/zero", "a device")):
        with pytest.raises(ImageError, match=f"{path} is {kind}: save the image as a file first"):
            read_photo(path)


@pytest.mark.parametrize("address", ["https://x.org/a.png", "s3://bucket/a.png", "file:///a.png"])
def test_addresses_are_called_addresses(address: str) -> None:
    """Nothing is fetched."""
    for given in (address, Path(address)):  # paths join slashes
        message = f"^{address} is an address: download the image, and name the file"
        with pytest.raises(ImageError, match=message.replace("file:///", "file:/+")):
            read_photo(given)


def test_floats_out_of_range_are_named_with_their_file_and_in_full(tmp_path: Path) -> None:
    """A value just over 1 is not printed as 1."""
    Image.fromarray(np.full((2, 2), np.nextafter(np.float32(1), np.float32(2)))).save(tmp_path / "a.tiff")
    with pytest.raises(ImageError, match=r"a.tiff holds floats from 1.00000012 to 1.00000012: images are in"):
        read_photo(tmp_path / "a.tiff")


def test_content_of_files_is_read_from_bytes_files_and_dicts(tmp_path: Path) -> None:
    """As Hugging Face's datasets hold it, too; the path is the name."""
    path = tmp_path / "a.png"
    Image.new("RGB", (3, 2), "red").save(path)
    content = path.read_bytes()
    with path.open("rb") as file:
        given: list[Any] = [content, bytearray(content), BytesIO(content), file]
        given += [{"bytes": content, "path": "a.png"}, {"bytes": None, "path": str(path)}, {"bytes": content}]
        photos = [read_photo(one) for one in given]
    assert all(torch.equal(photo.pixels, read_photo(path).pixels) for photo in photos)
    named = ["image (bytes)", "image (bytearray)", "image (BytesIO)", str(path), "a.png", str(path)]
    assert [photo.name for photo in photos] == [*named, "image (dict)"]
    assert all(split_batch(one) == ([one], True) for one in given)


def test_content_that_is_no_image_is_refused(tmp_path: Path) -> None:
    """By the name that it came with."""
    (tmp_path / "a.png").write_text("x")
    with (tmp_path / "a.png").open() as text:
        refused: list[tuple[Any, str]] = [
            (b"", r"image \(bytes\) is empty"),
            ({"bytes": b"x" * 9, "path": "b.png"}, "b.png is not an image of a known format"),
            ({"bytes": None, "path": None}, "cannot be a NoneType"),
            (text, "a.png was opened as text: open it with mode 'rb'"),
        ]
        for given, message in refused:
            with pytest.raises(ImageError, match=message):
                read_photo(given)


def test_what_a_plugin_raises_is_an_error_of_the_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of any type, memory that is not there too."""
    (tmp_path / "a.png").write_bytes(b"x")
    for trouble, message in (
        (RuntimeError("Failed to decode frame 0"), "Failed to decode"),
        (KeyError("tag"), "tag"),
        (MemoryError(), "needs more memory than there is"),
        (AssertionError(), "AssertionError"),
    ):

        def opened(path: Path, trouble: BaseException = trouble) -> Image.Image:
            raise trouble

        monkeypatch.setattr(Image, "open", opened)
        with pytest.raises(ImageError, match=message):
            read_photo(tmp_path / "a.png")


def test_types_that_need_a_plugin_are_refused_with_the_way_out(tmp_path: Path) -> None:
    """HEIC says which package reads it."""
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(
        ImageError, match=r"not an image of a known format: install pillow-heif .* or convert"
    ):
        read_photo(tmp_path / "a.heic")
