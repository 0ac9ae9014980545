"""Maps of photographs: read as they are stored, cut and scaled as the photograph."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from training.errors import DataError
from training.stages.novel.maps import find_maps, fit_map, read_map

from taskbank.images.framing import Box, View
from taskbank.options import Fit

VIEW = View(width=6, height=4, box=Box(1, 0, 5, 4), size=(2, 2), fit=Fit.CROP)


def saved(path: Path, array: np.ndarray, mode: str | None = None) -> Path:
    """A PNG or NumPy file."""
    if path.suffix == ".npy":
        np.save(path, array)
    else:
        Image.fromarray(array if mode is None else array.astype(np.uint8), mode).save(path)
    return path


def test_png_of_8_and_16_bits_hold_their_codes(tmp_path: Path) -> None:
    deep = np.array([[0, 1], [40000, 65535]], np.uint16)
    np.testing.assert_array_equal(read_map(saved(tmp_path / "d.png", deep)), deep[None])
    grey = np.array([[0, 255]], np.uint8)
    np.testing.assert_array_equal(read_map(saved(tmp_path / "g.png", grey)), grey[None])
    colour = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(read_map(saved(tmp_path / "c.png", colour)), colour.transpose(2, 0, 1))


def test_what_is_transparent_is_unknown(tmp_path: Path) -> None:
    grey = np.array([[[7, 255], [9, 0]]], np.uint8)
    np.testing.assert_array_equal(read_map(saved(tmp_path / "g.png", grey)), [[[7, np.nan]]])
    colour = np.array([[[1, 2, 3, 0], [4, 5, 6, 9]]], np.uint8)
    expected = np.array([[[np.nan, 4]], [[np.nan, 5]], [[np.nan, 6]]])
    np.testing.assert_array_equal(read_map(saved(tmp_path / "c.png", colour)), expected)


def test_arrays_are_unknown_where_any_channel_is_nan(tmp_path: Path) -> None:
    array = np.array([[[1, 2, np.nan], [4, 5, 6]]])
    expected = np.array([[[np.nan, 4]], [[np.nan, 5]], [[np.nan, 6]]])
    np.testing.assert_array_equal(read_map(saved(tmp_path / "a.npy", array)), expected)
    assert read_map(saved(tmp_path / "b.npy", np.ones((2, 3, 1), bool))).shape == (1, 2, 3)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones(3), r"shape \(3,\): maps are \(H, W\) or \(H, W, 3\)"),
        (np.ones((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (np.ones((0, 2)), r"shape \(0, 2, 1\)"),
        (np.array([["a"]]), "of <U1, not of numbers"),
        (np.array([[1j]]), "of complex128, not of numbers"),
        (np.array([[np.inf]]), "infinite numbers"),
    ],
)
def test_arrays_that_are_no_maps_are_refused(tmp_path: Path, array: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_map(saved(tmp_path / "a.npy", array))


def test_files_that_are_no_maps_are_refused(tmp_path: Path) -> None:
    for name in ("broken.png", "broken.npy"):
        (tmp_path / name).write_bytes(b"nothing of the kind at all, whatever it is called")
        with pytest.raises(DataError, match=rf"{name} cannot be read"):
            read_map(tmp_path / name)
    palette = Image.fromarray(np.zeros((2, 2), np.uint8)).convert("P")
    palette.save(tmp_path / "p.png")
    with pytest.raises(DataError, match="has a palette"):
        read_map(tmp_path / "p.png")


def test_colours_of_16_bits_are_refused_for_readers_drop_half_of_them(tmp_path: Path) -> None:
    """A file of one pixel, put together by hand."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(7))),
        (b"IEND", b""),
    ]
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    (tmp_path / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    with pytest.raises(DataError, match="has 16 bits in colour or with transparency: save it as .npy"):
        read_map(tmp_path / "deep.png")


def test_the_middle_is_cut_and_scaled() -> None:
    values = np.zeros((1, 4, 6), np.float32)
    values[:, :, [0, 5]] = 1000  # outside of the square
    values[:, 2:, 1:3] = 8
    fitted = fit_map(values, VIEW, Path("m.npy"))
    assert fitted.shape == (1, 2, 2)
    assert fitted[0, 1, 0] > 5
    assert fitted[0, 0, 1] < 2
    assert fitted.max() <= 8


def test_unknown_pixels_do_not_count() -> None:
    values = np.full((1, 4, 6), 3, np.float32)
    values[:, :2, 1:3] = np.nan
    fitted = fit_map(values, VIEW, Path("m.npy"))
    assert bool(fitted[0, 0, 0].isnan())
    np.testing.assert_allclose(fitted[0, [0, 1, 1], [1, 0, 1]], 3)


def test_maps_have_the_size_of_their_photographs() -> None:
    with pytest.raises(DataError, match=r"m\.png is 4 x 6 px, its photograph 6 x 4 \(turned upright"):
        fit_map(np.zeros((1, 6, 4), np.float32), VIEW, Path("m.png"))
    with pytest.raises(DataError, match="no known pixel where networks look"):
        fit_map(np.full((1, 4, 6), np.nan, np.float32), VIEW, Path("m.png"))


def test_maps_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.png", "deep/b.npy", "notes.txt"):
        (tmp_path / name).touch()
    photographs = {"a.jpg": Path("a.jpg"), "deep/b.JPG": Path("deep/b.JPG")}
    assert find_maps(tmp_path, photographs) == {
        "a.jpg": tmp_path / "a.png",
        "deep/b.JPG": tmp_path / "deep/b.npy",
    }
    (tmp_path / "c.npy").touch()
    with pytest.raises(
        DataError, match=r"1 label\(s\) without a photograph \(c\): 2 photographs and 3 labels"
    ):
        find_maps(tmp_path, photographs)
    (tmp_path / "a.npy").touch()
    with pytest.raises(DataError, match="several maps are called alike but for the suffix: a"):
        find_maps(tmp_path, photographs)
    with pytest.raises(DataError, match="several photographs are called alike"):
        find_maps(tmp_path, {"a.jpg": Path("a.jpg"), "a.png": Path("a.png")})
    with pytest.raises(DataError, match="is no folder: maps are files"):
        find_maps(tmp_path / "a.png", photographs)
