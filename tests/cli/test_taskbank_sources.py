"""`taskbank encode --sources --time`: messages, exit codes, files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from tests.taskbank.toy import TOY_COMPACT, toy_network
from typer.testing import CliRunner, Result

from taskbank.bank.bank import Bank
from taskbank_cli.app import app

runner = CliRunner()
CONVNEXT = "timm:test_convnext@1?weights=random"
CALLED = "timm:test_convnext@1#random"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a toy bank."""
    networks = {"normal": toy_network("normal"), "reshading": toy_network("reshading")}
    folder = tmp_path_factory.mktemp("toy") / "bank"
    return Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks=networks, image_size=64).where


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of two images."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in "ab":
        noise = np.random.default_rng(ord(name)).integers(0, 256, (40, 60, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{name}.png")
    return folder


def encode(*words: object) -> Result:
    """The command, as typed."""
    return runner.invoke(app, ["encode", *map(str, words)])


def test_sources_of_banks_and_of_others_go_into_one_file(bank: str, photos: Path, tmp_path: Path) -> None:
    """With their costs beside it, in the words and numbers of the table that is printed."""
    out = tmp_path / "features.safetensors"
    done = encode(photos, "--bank", bank, "--sources", f"normals,{CONVNEXT}", "--time", "-o", out)
    assert done.exit_code == 0, done.stderr
    assert f"2 of 2 input(s), 2 representation(s) in {out}" in done.stdout
    with safe_open(out, framework="np") as file:
        assert file.get_tensor("normal").shape == (2, 8, 4, 4)
        assert file.get_tensor(CALLED).shape == (2, 32, 20, 20)
        told = json.loads(file.metadata()["sources"])
    with (tmp_path / "features.costs.csv").open() as file_of_costs:
        rows = list(csv.DictReader(file_of_costs))
    assert [row["task"] for row in rows] == ["normal", CALLED, "*"]
    assert [float(row["price"]) for row in rows] == [*(one["milliseconds"] for one in told), 0]
    for row in rows[:2]:
        assert f"{float(row['price']):.1f}" in done.stdout


def test_encoders_of_tasks_are_timed_too(bank: str, photos: Path, tmp_path: Path) -> None:
    """The file of representations stays as it is without --time."""
    plain, timed = tmp_path / "plain.safetensors", tmp_path / "timed.safetensors"
    assert encode(photos, "--bank", bank, "-o", plain).exit_code == 0
    assert encode(photos, "--bank", bank, "--time", "-o", timed).exit_code == 0
    assert plain.read_bytes() == timed.read_bytes()
    assert (
        (tmp_path / "timed.costs.csv")
        .read_text()
        .startswith("task,price,images_full,images_transfer\nnormal,")
    )
    assert not (tmp_path / "plain.costs.csv").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sources", "timm:test_vit@77?weights=random"], "choose 0 to 5, or -1 for the last"),
        (["--sources", "nobody"], "unknown source 'nobody'"),
        (["--sources", CONVNEXT, "--tasks", "normals"], "--tasks and --sources do not go together"),
        (["--sources", CONVNEXT, "--raw"], "--raw and --sources do not go together"),
        (["--sources", CONVNEXT, "--precision", "fp16"], "precision fp16 needs a GPU"),
    ],
)
def test_what_cannot_be_leaves_nothing_behind(
    bank: str, photos: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    """One message, exit code 1."""
    done = encode(photos, "--bank", bank, *words, "--time", "-o", tmp_path / "out" / "features.safetensors")
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list((tmp_path / "out").rglob("*"))


def test_costs_that_are_there_are_not_replaced(bank: str, photos: Path, tmp_path: Path) -> None:
    """Nothing is encoded then."""
    (tmp_path / "f.costs.csv").write_text("mine")
    done = encode(photos, "--bank", bank, "--time", "-o", tmp_path / "f.safetensors")
    assert done.exit_code == 1
    assert "f.costs.csv" in done.stderr
    assert not (tmp_path / "f.safetensors").exists()


def test_an_image_that_cannot_be_read_is_named_at_the_end(bank: str, photos: Path, tmp_path: Path) -> None:
    """The others are encoded."""
    (photos / "a.png").write_bytes(b"damaged")
    done = encode(photos, "--bank", bank, "--sources", "normals", "-o", tmp_path / "f.safetensors")
    assert done.exit_code == 1
    assert "1 of 2 input(s), 1 representation(s)" in done.stdout
    assert "failed: " in done.stderr
    assert "a.png" in done.stderr
