"""Transfers run over images: what a bank's networks give by hand, each image encoded once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, TOYS, toy_encoder, toy_network, toy_readout
from torch import nn

import taskbank
from taskbank.bank.bank import About, Bank
from taskbank.errors import InvalidInputError, MissingTaskError, UnknownTaskError
from taskbank.file_predictions import Saving, predict_files
from taskbank.images.framing import fit_photo
from taskbank.images.reading import read_photo
from taskbank.inference.preprocess import InputKind, as_input, preprocess, readout_input_kind
from taskbank.inference.settings import Settings
from taskbank.inference.transfer_engine import TransferEngine
from taskbank.nets.architecture import Architecture
from taskbank.options import Fit
from taskbank.tasks.registry import TASKS

RNG = np.random.default_rng(0)
PHOTOS = [RNG.integers(0, 256, (40 + 7 * n, 60, 3), dtype=np.uint8) for n in range(4)]
CPU = Settings(device="cpu", batch_size=2, fit=Fit.CROP)
BOTH = ("random", "normal")
TARGETS = ("reshading", "class_scene", "fixated_pose", "egomotion", "jigsaw", "inpainting")


@pytest.fixture(scope="module", params=TOYS, ids=lambda made: made.name)
def bank(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """Two sources, and transfers from both to targets of every form."""
    made: Architecture = request.param
    return Bank.save(
        tmp_path_factory.mktemp("toy") / made.name,
        name="toy",
        architecture=made,
        networks={
            "normal": toy_network("normal", made, 1),
            "random": toy_encoder(made, 2),
            "colorization": toy_network("colorization", made, 3),
        },
        transfers=(
            *(toy_readout(BOTH, target, made, seed) for seed, target in enumerate(TARGETS)),
            toy_readout(("colorization",), "reshading", made, 9),
            toy_readout(("depth_zbuffer",), "reshading", made, 9),
        ),
        about_transfers={(BOTH, "class_scene"): About(classes=tuple(f"room {n}" for n in range(63)))},
    )


@pytest.fixture(scope="module")
def compact(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """Two targets of one source."""
    return Bank.save(
        tmp_path_factory.mktemp("toy") / "compact",
        name="toy",
        architecture=TOY_COMPACT,
        networks={"normal": toy_network("normal")},
        transfers=(toy_readout(("normal",), "reshading"), toy_readout(("normal",), "depth_zbuffer")),
    )


def by_hand(bank: Bank, sources: tuple[str, ...], target: str, images: torch.Tensor) -> torch.Tensor:
    """Run the networks as loaded on one image, or on one tuple of images or tiles (P, 3, S, S)."""
    several = images.dim() == 4
    with torch.inference_mode():
        codes = [bank.load_encoder(source)(images if several else images[None]) for source in sources]
        joined = torch.cat(codes, dim=1)
        raw: torch.Tensor = bank.load_transfer(sources, target)(joined[None] if several else joined)
    return raw[0]


def check(given: torch.Tensor, expected: torch.Tensor) -> None:
    """Equal up to rounding."""
    assert given.shape == expected.shape
    assert (given - expected).abs().max() < 1e-4 * max(1.0, float(expected.abs().max()))


def test_targets_are_read_out_in_the_order_of_the_entry(bank: Bank) -> None:
    """Whatever order the sources are named in; several targets and images in batches."""
    outcomes = list(TransferEngine(bank, ["normals", "random"], ["reshade", "scene"], CPU).run(PHOTOS))
    for photo, outcome in zip(PHOTOS, outcomes, strict=True):
        square = fit_photo(read_photo(photo))[0]
        for target in ("reshading", "class_scene"):
            check(outcome.raw[target], by_hand(bank, BOTH, target, square))
        assert outcome.read_from == BOTH


@pytest.mark.parametrize(("target", "number"), [("fixated_pose", 2), ("egomotion", 3)])
def test_targets_of_several_images_take_tuples(bank: Bank, target: str, number: int) -> None:
    """The transfer runs on each image; the decoder joins them."""
    (outcome,) = TransferEngine(bank, BOTH, [target], CPU).run([tuple(PHOTOS[:number])])
    squares = torch.stack([fit_photo(read_photo(photo))[0] for photo in PHOTOS[:number]])
    check(outcome.raw[target], by_hand(bank, BOTH, target, squares))


def test_what_is_hidden_from_the_target_is_hidden_from_its_sources(bank: Bank) -> None:
    """Tiles for the puzzle, a hole for inpainting; a source that sees lightness sees lightness."""
    (outcome,) = TransferEngine(bank, BOTH, ["jigsaw", "inpainting"], CPU).run(PHOTOS[:1])
    preprocessed = preprocess(read_photo(PHOTOS[0]), "crop", 256, tiles=True)
    assert preprocessed.tiles is not None
    check(outcome.raw["jigsaw"], by_hand(bank, BOTH, "jigsaw", preprocessed.tiles))
    check(
        outcome.raw["inpainting"],
        by_hand(bank, BOTH, "inpainting", as_input(preprocessed.square[None], InputKind.HOLE)[0]),
    )
    (light,) = TransferEngine(bank, ["colorization"], ["reshading"], CPU).run(PHOTOS[:1])
    channels = next(bank.load_encoder("colorization").parameters()).shape[1]
    grey = as_input(preprocessed.square[None], InputKind.LIGHTNESS, channels)[0]
    check(light.raw["reshading"], by_hand(bank, ("colorization",), "reshading", grey))
    assert readout_input_kind("colorization", TASKS["normal"]) is InputKind.LIGHTNESS
    assert readout_input_kind("normals", TASKS["inpainting"]) is InputKind.HOLE


def test_each_source_looks_once_for_all_targets(compact: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """Encoders cost the most."""
    calls: list[int] = []

    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = toy_encoder()

        def forward(self, images: torch.Tensor) -> Any:
            calls.append(len(images))
            return self.encoder(images)

    monkeypatch.setattr(Bank, "load_encoder", lambda _bank, _task, **_: Counting().eval())
    list(TransferEngine(compact, ["normal"], ["reshading", "depth"], CPU).run(PHOTOS))
    assert calls == [2, 2]


def test_predictions_say_what_they_were_read_from(bank: Bank) -> None:
    """In the object and in the facts; class names are the transfer's own."""
    predictor = taskbank.load_transfer(["normals", "random"], "scene", bank=bank, device="cpu")
    assert (predictor.task, predictor.sources) == ("class_scene", BOTH)
    given = predictor.predict(PHOTOS[0])
    assert (given.read_from, given.bank, given.bank_digest) == (BOTH, "toy", bank.digest)
    assert given.facts()["read_from"] == list(BOTH)
    assert given.top(1)[0][0].startswith("room ")
    assert len(predictor.predict(PHOTOS)) == 4
    own = taskbank.load("normals", bank=bank, device="cpu").predict(PHOTOS[0])
    assert own.read_from == ()
    assert "read_from" not in own.facts()
    alone = taskbank.load_transfer("colorization", "reshading", bank=bank, device="cpu")
    assert alone.predict(PHOTOS[0]).array.shape == (40, 60)


def test_transfers_that_are_not_there_are_named(bank: Bank) -> None:
    """With what the target is read out from; a source without encoder too."""
    with pytest.raises(MissingTaskError, match="reshading is read out from random,normal or colorization"):
        TransferEngine(bank, ["normal"], ["reshading"], CPU)
    with pytest.raises(MissingTaskError, match="no task 'depth_zbuffer' in the bank"):
        TransferEngine(bank, ["depth"], ["reshading"], CPU)
    with pytest.raises(UnknownTaskError, match="did you mean normal"):
        TransferEngine(bank, ["nromal"], ["reshading"], CPU)
    with pytest.raises(InvalidInputError, match="no task was named"):
        TransferEngine(bank, [], ["reshading"], CPU)
    with pytest.raises(InvalidInputError, match="cannot run together"):
        TransferEngine(bank, BOTH, ["reshading", "egomotion"], CPU)


def test_files_are_those_of_predictions(compact: Bank, tmp_path: Path) -> None:
    """A picture, facts with the sources, and a sheet; a damaged image is reported."""
    Image.fromarray(PHOTOS[0]).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"damaged")
    inputs = [(tmp_path / "a.png",), (tmp_path / "b.png",)]
    saving = Saving(folder=tmp_path / "out")
    reports = list(
        predict_files(compact, ["reshading", "depth"], inputs, saving, sources=["normals"], settings=CPU)
    )
    assert [report.error is None for report in reports] == [True, False]
    assert {path.name for path in (tmp_path / "out" / "a").iterdir()} == {
        "reshading.png", "reshading.json", "depth_zbuffer.png", "depth_zbuffer_16bit.png", "depth_zbuffer.json",
        "all_tasks.png",
    }  # fmt: skip
    facts = json.loads((tmp_path / "out" / "a" / "reshading.json").read_text())
    assert (facts["read_from"], facts["bank"]["sha256"]) == (["normal"], compact.digest)
