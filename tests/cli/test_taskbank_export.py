"""`taskbank export`: what is printed, exit codes, files."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.taskbank.toy import TOY_COMPACT, toy_network
from typer.testing import CliRunner, Result

from taskbank.bank.bank import Bank
from taskbank_cli.app import app

runner = CliRunner()


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a toy bank."""
    folder = tmp_path_factory.mktemp("toy") / "bank"
    networks = {"normal": toy_network("normal")}
    return Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks=networks, image_size=64).where


def export(*words: object) -> Result:
    """The command, as typed."""
    return runner.invoke(app, ["export", *map(str, words)])


def test_the_largest_difference_is_printed(bank: str, tmp_path: Path) -> None:
    out = tmp_path / "n.pt"
    done = export("normals", "--bank", bank, "--format", "torchscript", "--dynamic", "--verify", "-o", out)
    assert done.exit_code == 0, done.stderr
    assert f"MB: {out}" in done.stdout
    assert "images: float32 (batch, 3, height, width)" in done.stdout
    assert "1 at once, 64 px: largest difference " in done.stdout
    assert "8 at once, 96 px: largest difference " in done.stdout
    assert out.stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["normals", "-o", "{out}/n.pt"], "must end in .onnx"),
        (["depth", "-o", "{out}/d.onnx"], "no task 'depth_zbuffer'"),
        (["normalz", "-o", "{out}/d.onnx"], "unknown task 'normalz'"),
        (["normals", "-o", "{out}/n.onnx", "--images", "nowhere.png"], "--images are for --verify"),
        (["normals", "-o", "{out}/n.onnx", "--verify", "--images", "nowhere.png"], "nowhere.png"),
    ],
)
def test_what_cannot_be_is_one_message_and_no_file(
    bank: str, tmp_path: Path, words: list[str], message: str
) -> None:
    done = export(*(word.format(out=tmp_path / "out") for word in words), "--bank", bank)
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list((tmp_path / "out").rglob("*"))
