"""`taskbank predict --save dataset,ply`: photographs become a data set, depth becomes points."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, toy_network
from typer.testing import CliRunner, Result

from taskbank.bank.bank import Bank
from taskbank_cli.app import app


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a toy bank."""
    networks = {task: toy_network(task) for task in ("normal", "depth_zbuffer", "autoencoding")}
    folder = tmp_path_factory.mktemp("toy") / "bank"
    return Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks=networks).where


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A grey photograph in a folder."""
    (tmp_path / "attic").mkdir()
    Image.new("RGB", (60, 40), (90, 90, 90)).save(tmp_path / "attic" / "window.png")
    return tmp_path / "attic" / "window.png"


def predict(photo: Path, bank: str, out: Path, *words: object) -> Result:
    """The command, as typed."""
    options = ["predict", photo, "--bank", bank, "--out", out, "--device", "cpu", *words]
    return CliRunner().invoke(app, [str(word) for word in options])


def test_labels_go_to_a_building_named_after_the_folder(bank: str, photo: Path, tmp_path: Path) -> None:
    """Tasks that the dataset has no files for are named."""
    done = predict(photo, bank, tmp_path / "out", "--save", "dataset")
    assert done.exit_code == 0
    assert "the dataset has no files for autoencoding" in done.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["attic", "attic.csv"]
    folders = sorted(path.name for path in (tmp_path / "out" / "attic").iterdir())
    assert folders == ["depth_zbuffer", "normal", "point_info", "rgb"]


def test_the_building_can_be_named(bank: str, photo: Path, tmp_path: Path) -> None:
    """In letters of a folder's name."""
    words = ("--save", "dataset", "-t", "normals", "--building")
    assert predict(photo, bank, tmp_path / "out", *words, "hall").exit_code == 0
    assert (tmp_path / "out" / "hall" / "normal").is_dir()
    wrong = predict(photo, bank, tmp_path / "out", *words, "../hall")
    assert wrong.exit_code == 1
    assert "building '../hall' must be letters" in wrong.stderr


def test_points_are_seen_through_the_field_of_view_that_is_given(
    bank: str, photo: Path, tmp_path: Path
) -> None:
    """It is that of the photograph's width; without it, the networks' square has 75 degrees."""
    for words, focal in ((("--fov", 90), 30), ((), 26.0645)):
        out = tmp_path / f"out{focal}"
        assert predict(photo, bank, out, "--save", "ply", "-t", "depth", *words).exit_code == 0
        header = (out / "window" / "depth_zbuffer.ply").read_bytes()[:400]
        assert f"60 x 40 px, focal length {focal} px".encode() in header


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--save", "ply", "-t", "normals"), "a point cloud (ply) is made of depth, not of normal"),
        (("--save", "dataset", "-t", "autoencoding"), "the dataset has no files for autoencoding"),
        (("--save", "dataset", "--fit", "pad"), "goes with --fit whole or crop, not pad"),
        (("--fov", "180"), "fov 180 must lie between 0 and 180 degrees"),
    ],
)
def test_forms_that_would_stay_empty_are_refused(
    bank: str, photo: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    """In one line, and nothing is written."""
    done = predict(photo, bank, tmp_path / "out", *words)
    assert done.exit_code == 1
    assert message in done.stderr
    assert not (tmp_path / "out").exists()
