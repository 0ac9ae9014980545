"""A bank says at which size its networks were trained, and images are brought to that size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file
from tests.taskbank.toy import TOY_COMPACT, toy_network, toy_readout
from typer.testing import CliRunner

import taskbank
from taskbank.bank.bank import IMAGE_SIZE, About, Bank
from taskbank.bank.extending import bank_of_transfers
from taskbank.errors import BankFormatError, InvalidInputError
from taskbank_cli.app import app

PHOTO = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)


def save(folder: Path, image_size: int = IMAGE_SIZE) -> Bank:
    """Two task networks and a transfer, trained at that size."""
    return Bank.save(
        folder,
        name="toy",
        architecture=TOY_COMPACT,
        networks={"normal": toy_network("normal"), "jigsaw": toy_network("jigsaw")},
        transfers=(toy_readout(("normal",), "reshading"),),
        image_size=image_size,
    )


@pytest.fixture
def small(tmp_path: Path) -> Bank:
    return save(tmp_path / "small", image_size=64)


def test_a_bank_keeps_its_size(small: Bank, tmp_path: Path) -> None:
    assert (small.index.image_size, small.index.representation) == (64, (8, 4, 4))
    usual = save(tmp_path / "usual").index
    assert (usual.image_size, usual.representation) == (256, (8, 16, 16))


def test_networks_see_images_of_the_banks_size(small: Bank) -> None:
    predictor = taskbank.load("normal", bank=small, device="cpu")
    assert predictor.predict(PHOTO, frame="network").array.shape == (64, 84, 3)
    assert predictor.predict(PHOTO).array.shape == (70, 90, 3)
    assert predictor.encode(PHOTO).shape == (8, 4, 4)
    assert predictor.encode([]).shape == (0, 8, 4, 4)


def test_transfers_and_tiles_see_images_of_the_banks_size(small: Bank) -> None:
    transfer = taskbank.load_transfer("normal", "reshading", bank=small, device="cpu")
    assert transfer.predict(PHOTO, frame="network").array.shape == (64, 84)
    at_64 = taskbank.load("jigsaw", bank=small, device="cpu", size=64).predict(PHOTO)
    assert np.array_equal(taskbank.load("jigsaw", bank=small, device="cpu").predict(PHOTO).array, at_64.array)


def test_another_size_can_be_asked_for(small: Bank) -> None:
    predictor = taskbank.load("normal", bank=small, device="cpu", size=96)
    assert predictor.predict(PHOTO, frame="network").array.shape == (96, 124, 3)


def test_commands_take_the_banks_size_too(small: Bank, tmp_path: Path) -> None:
    Image.fromarray(PHOTO).save(tmp_path / "photo.png")
    out = tmp_path / "codes.safetensors"
    words = [str(tmp_path / "photo.png"), "--bank", small.where, "--out", str(out)]
    done = CliRunner().invoke(app, ["encode", *words, "--tasks", "normal", "--device", "cpu"])
    assert done.exit_code == 0, done.output
    assert [codes.shape[-3:] for codes in load_file(out).values()] == [(8, 4, 4)]
    shown = CliRunner().invoke(app, ["info", small.where]).output
    assert "images of 64 px -> 8 x 4 x 4" in shown


def test_transfers_of_ones_own_may_be_trained_at_another_size(small: Bank, tmp_path: Path) -> None:
    transfers = [(toy_readout(("normal",), "reshading"), About())]
    own = bank_of_transfers(small, tmp_path / "own", name="own", transfers=transfers, image_size=96)
    assert (own.index.image_size, own.index.representation) == (96, (8, 6, 6))
    same = bank_of_transfers(small, tmp_path / "same", name="same", transfers=transfers)
    assert same.index.image_size == 64


@pytest.mark.parametrize("size", [-16, 0, 100, 8192])
def test_a_size_that_no_network_takes_is_refused(small: Bank, tmp_path: Path, size: int) -> None:
    with pytest.raises(InvalidInputError, match=f"image size {size} must be a multiple of 16, 4096 at most"):
        save(tmp_path / "bank", image_size=size)
    assert not (tmp_path / "bank").exists()
    index = Path(small.where) / "bank.json"
    index.write_text(index.read_text().replace('"image_size": 64', f'"image_size": {size}'))
    with pytest.raises(BankFormatError, match=f"is not as expected: image size {size} must be"):
        Bank.open(small.where)
