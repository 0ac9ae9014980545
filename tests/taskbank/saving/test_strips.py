"""Large photographs: the same results as of small ones, in memory that does not follow their size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, toy_network

from taskbank.bank.bank import Bank
from taskbank.file_predictions import Saving, predict_files
from taskbank.images import read_ahead as read_ahead_module
from taskbank.images import reading
from taskbank.images.read_ahead import in_batches, read_ahead
from taskbank.images.reading import read_photo
from taskbank.inference.settings import Settings
from taskbank.options import Axes, Fit
from taskbank.saving import strips
from taskbank.saving.export import Form
from taskbank.saving.strips import png_stream

TASKS = (
    "normal",
    "depth_zbuffer",
    "segment_unsup2d",
    "colorization",
    "curvature",
    "inpainting",
    "segment_semantic",
)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    networks = {task: toy_network(task) for task in TASKS}
    return Bank.save(
        tmp_path_factory.mktemp("toy") / "bank", name="toy", architecture=TOY_COMPACT, networks=networks
    )


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    noise = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    path = tmp_path / "a.png"
    Image.fromarray(noise).resize((130, 95), Image.Resampling.BICUBIC).save(path)
    return path


@pytest.mark.parametrize("fit", [Fit.WHOLE, Fit.CROP, Fit.STRETCH])
def test_strips_give_what_the_whole_gives(
    bank: Bank, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fit: Fit
) -> None:
    """Arrays but for rounding, facts, points, and pictures but for adapted colours."""
    forms = (Form.PNG, Form.NPY, Form.JSON, Form.PLY)
    settings = Settings(device="cpu", fit=fit, size=64)
    for name, large in (("whole", 10**9), ("strips", 0)):
        monkeypatch.setattr(strips, "LARGE", large)
        monkeypatch.setattr(strips, "_STRIP", 130 * 7)
        saving = Saving(folder=tmp_path / name, forms=forms, fov=70, axes=Axes.OPENGL)
        (saved,) = predict_files(bank, TASKS, [(photo,)], saving, settings=settings)
        assert saved.error is None
    names = sorted(path.name for path in (tmp_path / "whole" / "a").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "strips" / "a").iterdir())
    for name in names:
        one, other = (tmp_path / kind / "a" / name for kind in ("whole", "strips"))
        if name.endswith(".npy"):
            np.testing.assert_allclose(
                np.load(one), np.load(other), rtol=1e-4, atol=1e-5
            )  # vector tails round
        elif name.endswith(".json"):
            assert json.loads(one.read_text()) == json.loads(other.read_text())
        elif name.endswith(".ply"):
            assert one.stat().st_size == other.stat().st_size
            heads, points = zip(
                *(file.read_bytes().split(b"end_header\n", 1) for file in (one, other)), strict=True
            )
            assert heads[0] == heads[1]
            fields = [("place", "<f4", 3), ("normal", "<f4", 3), ("colour", "u1", 3)]
            ours, theirs = (np.frombuffer(body, dtype=fields) for body in points)
            for field, *_ in fields:
                np.testing.assert_allclose(ours[field], theirs[field], rtol=1e-4, atol=1e-4)
        elif name != "all_tasks.png":
            with Image.open(one) as left, Image.open(other) as right:
                assert (left.size, left.mode) == (right.size, right.mode)
                apart = np.abs(np.asarray(left).astype(int) - np.asarray(right).astype(int))
            adapted = name in ("depth_zbuffer.png", "curvature.png", "segment_unsup2d.png")
            assert adapted or apart.max() <= 1, name


@pytest.mark.parametrize(("channels", "bits"), [(1, 16), (3, 8), (4, 8)])
def test_a_stream_of_rows_is_a_png_file(tmp_path: Path, channels: int, bits: int) -> None:
    """Whatever rows are written at once."""
    shape = (11, 5) if channels == 1 else (11, 5, channels)
    kind = np.uint16 if bits == 16 else np.uint8
    values = np.random.default_rng(0).integers(0, 2**bits, shape).astype(kind)
    with png_stream(tmp_path / "a.png", 5, 11, channels, bits) as stream:
        for start, stop in ((0, 1), (1, 7), (7, 11)):
            stream.write(values[start:stop])
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), values)


@pytest.mark.parametrize(
    "name", ["a.png", "a.jpg", "grey.png", "deep.png", "palette.png", "alpha.png", "turned.jpg"]
)
def test_huge_images_are_held_reduced_and_keep_their_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Of every mode; colours and the way up stay."""
    ramp = np.tile(np.linspace(0, 255, 400).astype(np.uint8), (300, 1))
    down = np.tile(np.linspace(0, 255, 300).astype(np.uint8)[:, None], (1, 400))
    image = Image.fromarray(np.dstack([ramp, down, 255 - ramp]))
    options: dict[str, Any] = {}
    match name:
        case "grey.png":
            image = image.convert("L")
        case "deep.png":
            image = Image.fromarray(ramp.astype(np.uint16) * 257)
        case "palette.png":
            image = image.quantize(64)
        case "alpha.png":
            image.putalpha(Image.fromarray(ramp))
        case "turned.jpg":
            exif = Image.Exif()
            exif[0x0112] = 6
            options["exif"] = exif
    image.save(tmp_path / name, **options)
    whole = read_photo(tmp_path / name)
    monkeypatch.setattr(reading, "MOST_PIXELS", 10_000)
    held = read_photo(tmp_path / name)
    assert (held.width, held.height) == (whole.width, whole.height)
    assert held.width == (300 if name == "turned.jpg" else 400)
    assert held.pixels.shape[1] * held.pixels.shape[2] <= 10_000
    assert held.rows(10, 20).shape == (3, 10, held.width)
    left, right = held.as_bytes().astype(float), whole.as_bytes().astype(float)
    assert np.abs(left - right).mean() < 12
    given = Image.open(tmp_path / name)
    read_photo(given)
    assert given.size == image.size  # an image of the caller is not changed


def test_read_ahead_waits_where_too_much_is_held() -> None:
    """Counted in bytes; what is asked for next is always read."""
    made: list[int] = []

    def read(number: int) -> int:
        made.append(number)
        return number

    source = read_ahead(range(20), read, workers=2, ahead=10, weigh=lambda _: 100, most=250)
    given = [next(source)]
    assert len(made) <= 6
    given += list(source)
    assert given == list(range(20))
    made.clear()
    heavy = read_ahead(range(5), read, workers=2, ahead=10, weigh=lambda _: 1000, most=1)
    assert next(heavy) == 0
    assert len(made) <= 4
    heavy.close()  # type: ignore[attr-defined] # a generator


def test_batches_are_full_by_number_or_by_bytes() -> None:
    assert list(in_batches(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    weights = [1, 1, 5, 1, 9, 1]
    assert list(in_batches(weights, 3, lambda weight: weight, most=6)) == [[1, 1, 5], [1, 9], [1]]
    assert read_ahead_module.MOST_BYTES < 2**30


def test_photos_held_reduced_are_predicted_at_full_size(
    bank: Bank, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Close to what all pixels give."""
    monkeypatch.setattr(reading, "MOST_PIXELS", 130 * 95 // 4)
    saving = Saving(folder=tmp_path / "out", forms=(Form.NPY, Form.PNG))
    list(
        predict_files(
            bank, ["normal", "colorization"], [(photo,)], saving, settings=Settings(device="cpu", size=32)
        )
    )
    assert np.load(tmp_path / "out" / "a" / "normal.npy").shape == (95, 130, 3)
    assert np.load(tmp_path / "out" / "a" / "colorization.npy").shape == (95, 130, 3)
    assert torch.is_tensor(read_photo(photo).pixels)
