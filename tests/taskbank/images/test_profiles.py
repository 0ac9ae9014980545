"""Colour profiles in images: what is meant is what networks see."""

from __future__ import annotations

import logging
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from colour_profiles import DISPLAY_P3, SRGB, grey_profile, rgb_profile
from taskbank.images.reading import read_photo

P3 = rgb_profile(DISPLAY_P3)
COLOUR = (220, 60, 40)
IN_SRGB = (239, 35, 17)


def seen(image: Image.Image | Path) -> tuple[int, ...]:
    """The colour of the first pixel."""
    return tuple(read_photo(image).pixels[:, 0, 0].tolist())


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "tif"])
def test_colours_of_display_p3_become_srgb(tmp_path: Path, ending: str) -> None:
    """The figure is that of the CSS Color 4 matrices; JPEG and WebP change colours a little by themselves."""
    path = tmp_path / f"a.{ending}"
    Image.new("RGB", (16, 16), COLOUR).save(path, icc_profile=P3, quality=100)
    assert np.abs(np.subtract(seen(path), IN_SRGB)).max() <= (4 if ending in ("jpg", "webp") else 1)


@pytest.mark.parametrize("mode", ["RGBA", "P", "RGBX"])
def test_colours_behind_transparency_and_palettes_are_converted(mode: str) -> None:
    """And transparency is kept: half of it is half white."""
    plain = Image.new("RGB", (4, 4), COLOUR)
    image = plain.quantize() if mode == "P" else plain.convert(mode)
    image.info["icc_profile"] = P3
    assert np.abs(np.subtract(seen(image), IN_SRGB)).max() <= 1
    if mode == "RGBA":
        image.putalpha(128)
        image.info["icc_profile"] = P3
        half = [round(255 - (255 - value) * 128 / 255) for value in IN_SRGB]
        assert np.abs(np.subtract(seen(image), half)).max() <= 1


def test_grey_follows_its_own_curve_and_other_profiles_of_grey_do_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Linear grey 128 is sRGB 188; a profile of colours says nothing about grey."""
    grey = Image.new("L", (4, 4), 128)
    grey.info["icc_profile"] = grey_profile(1.0)
    assert seen(grey) == (188, 188, 188)
    with_alpha = grey.convert("LA")
    with_alpha.info["icc_profile"] = grey_profile(1.0)
    assert seen(with_alpha) == (188, 188, 188)
    grey.info["icc_profile"] = P3
    with caplog.at_level(logging.WARNING):
        assert seen(grey) == (128, 128, 128)


def test_colours_that_are_srgb_already_do_not_change() -> None:
    """Not by one either."""
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    image.info["icc_profile"] = rgb_profile(SRGB)
    assert np.array_equal(read_photo(image).as_bytes(), noise)


@pytest.mark.parametrize("profile", [b"damaged", P3[:200], P3[:128] + b"\xff" * 300, b"\0" * 128])
def test_damaged_profiles_are_left_out_and_said_to_be(
    profile: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The picture is still there."""
    image = Image.new("RGB", (4, 4), COLOUR)
    image.info["icc_profile"] = profile
    with caplog.at_level(logging.WARNING):
        assert seen(image) == COLOUR
    assert "its colour profile is left out" in caplog.text


def save_with_gamma(image: Image.Image, path: Path, gamma: float, *, srgb: bool = False) -> Path:
    """A PNG with a gAMA chunk, and with an sRGB chunk that overrides it."""
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"gAMA", round(gamma * 100_000).to_bytes(4, "big"))
    if srgb:
        chunks.add(b"sRGB", b"\0")
    image.save(path, pnginfo=chunks)
    return path


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA"])
def test_a_png_of_linear_light_becomes_srgb(tmp_path: Path, mode: str) -> None:
    """Linear 128 is sRGB 188, and linear 64 is 137."""
    colours = Image.new("RGB", (4, 4), (128, 64, 0))
    image = {"L": Image.new("L", (4, 4), 128), "P": colours.quantize()}.get(mode) or colours.convert(mode)
    path = save_with_gamma(image, tmp_path / "a.png", 1.0)
    assert seen(path) == ((188, 188, 188) if mode == "L" else (188, 137, 0))


@pytest.mark.parametrize(
    ("gamma", "srgb"), [(0.45455, False), (0.45, False), (1.0, True), (0.0, False), (1000.0, False)]
)
def test_a_png_that_is_srgb_or_whose_gamma_is_a_mistake_does_not_change(
    tmp_path: Path, gamma: float, srgb: bool
) -> None:
    path = save_with_gamma(Image.new("RGB", (4, 4), COLOUR), tmp_path / "a.png", gamma, srgb=srgb)
    assert seen(path) == COLOUR


def test_sixteen_bits_of_grey_follow_profile_and_gamma(tmp_path: Path) -> None:
    """Linear 0.5 is sRGB 0.7354 (IEC 61966-2-1); a profile of colours says nothing about grey."""
    deep = Image.fromarray(np.full((4, 4), 32768, np.uint16))
    path = save_with_gamma(deep, tmp_path / "gamma.png", 1.0)
    assert read_photo(path).pixels[0, 0, 0].item() == pytest.approx(0.7354, abs=1e-3)
    deep.save(tmp_path / "grey.png", icc_profile=grey_profile(1.0))
    assert read_photo(tmp_path / "grey.png").pixels[0, 0, 0].item() == pytest.approx(0.7354, abs=3e-3)
    deep.save(tmp_path / "p3.png", icc_profile=P3)
    assert read_photo(tmp_path / "p3.png").pixels[0, 0, 0].item() == pytest.approx(0.5, abs=1e-4)


P3_POINTS = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
SRGB_POINTS = (0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)


def save_with_chunks(image: Image.Image, path: Path, **chunks: bytes) -> Path:
    """Save a PNG with the given chunks, behind the header, as older releases of Pillow leave out cICP."""
    image.save(path, icc_profile=chunks.pop("icc", None))
    written = path.read_bytes()
    header = 8 + 12 + 13  # signature, and the chunk IHDR
    added = [
        struct.pack(">I", len(content)) + name.encode() + content
        + struct.pack(">I", zlib.crc32(name.encode() + content))
        for name, content in chunks.items()
    ]  # fmt: skip
    path.write_bytes(written[:header] + b"".join(added) + written[header:])
    return path


def points(*numbers: float) -> bytes:
    """Write a chunk cHRM or gAMA."""
    return b"".join(round(number * 100_000).to_bytes(4, "big") for number in numbers)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
@pytest.mark.parametrize(
    "chunks",
    [
        {"cHRM": points(*P3_POINTS)},
        {"cHRM": points(*P3_POINTS), "gAMA": points(0.45455)},
        {"cICP": bytes([12, 13, 0, 1])},
        {"cICP": bytes([12, 1, 0, 1])},  # as cameras encode
        {"cICP": bytes([12, 13, 0, 1]), "cHRM": points(*SRGB_POINTS), "sRGB": b"\0"},
        {"cICP": bytes([12, 13, 0, 1]), "icc": rgb_profile(SRGB)},
    ],
)
def test_colours_that_a_png_states_in_numbers_become_srgb(
    tmp_path: Path, mode: str, chunks: dict[str, bytes]
) -> None:
    """The same colour as with the profile of Display P3; cICP goes before profiles, and they before cHRM."""
    plain = Image.new("RGB", (4, 4), COLOUR)
    image = plain.quantize() if mode == "P" else plain.convert(mode)
    path = save_with_chunks(image, tmp_path / "a.png", **chunks)
    assert np.abs(np.subtract(seen(path), IN_SRGB)).max() <= 1
    with path.open("rb") as file:
        assert np.abs(np.subtract(read_photo(file).pixels[:, 0, 0].tolist(), IN_SRGB)).max() <= 1


@pytest.mark.parametrize(
    "chunks",
    [
        {"cHRM": points(*SRGB_POINTS), "gAMA": points(0.45455)},
        {"cHRM": points(*P3_POINTS), "sRGB": b"\0"},
        {"cHRM": points(*[0.0] * 8)},
        {"cHRM": points(0.3127, 0.329, *[0.2] * 6)},
        {"cHRM": points(*[40_000.0] * 8)},
        {"cICP": bytes([1, 1, 0, 1])},  # frames of videos
        {"cICP": bytes([1, 13, 0, 1])},
    ],
)
def test_numbers_of_srgb_and_impossible_ones_change_nothing(tmp_path: Path, chunks: dict[str, bytes]) -> None:
    """Mistakes of writers are as common as colours."""
    path = save_with_chunks(Image.new("RGB", (4, 4), COLOUR), tmp_path / "a.png", **chunks)
    assert seen(path) == COLOUR


def test_grey_keeps_its_curve_beside_primaries(tmp_path: Path) -> None:
    """Primaries say nothing about grey; linear 128 is sRGB 188, in colour too."""
    chunks = {"cHRM": points(*P3_POINTS), "gAMA": points(1.0)}
    for image in (Image.new("L", (4, 4), 128), Image.new("RGB", (4, 4), (128, 128, 128))):
        path = save_with_chunks(image, tmp_path / "a.png", **chunks)
        assert np.abs(np.subtract(seen(path), 188)).max() <= 1


def test_curves_of_hdr_are_said_to_be_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And a profile beside them is applied; names are written without their escapes."""
    image = Image.new("RGB", (4, 4), COLOUR)
    path = save_with_chunks(image, tmp_path / "a\x1b[2J.png", cICP=bytes([9, 16, 0, 1]), icc=P3)
    with caplog.at_level(logging.WARNING):
        assert np.abs(np.subtract(seen(path), IN_SRGB)).max() <= 1
    assert "cICP 9, 16" in caplog.text
    assert "\x1b" not in caplog.text
