"""`taskbank convert`: what it prints and with which code it ends."""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from taskbank.nets.encoder import ResNetEncoder
from taskbank_cli.app import app

runner = CliRunner()


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One encoder of full size, all zeros, and a file that is none."""
    folder = tmp_path_factory.mktemp("checkpoints")
    with torch.device("meta"):
        shapes = ResNetEncoder().state_dict()
    state = {name: torch.zeros(value.shape, dtype=value.dtype) for name, value in shapes.items()}
    torch.save({"state_dict": state}, folder / "scratch")
    digest = sha256((folder / "scratch").read_bytes()).hexdigest()
    (folder / "scratch").rename(folder / f"jigsaw_encoder-{digest}.pth")
    (folder / "README").touch()
    return folder


def test_convert_tells_what_it_made_and_what_it_left(checkpoints: Path, tmp_path: Path) -> None:
    """The result on stdout, the rest on stderr; `info` shows the bank."""
    out = tmp_path / "bank"
    done = runner.invoke(app, ["convert", str(checkpoints), str(out), "--storage", "int8", "--name", "old"])
    assert (done.exit_code, done.stdout) == (0, f"1 tasks, 23.9 MB: {out}\n")
    assert done.stderr == "converting jigsaw\nnot a checkpoint: README\n"
    shown = json.loads(runner.invoke(app, ["info", str(out), "--json"]).stdout)
    assert (shown["name"], shown["licence"], list(shown["tasks"])) == ("old", "MIT", ["jigsaw"])


@pytest.mark.parametrize(
    ("words", "ending"),
    [
        (["nowhere", "out"], (1, "error: nowhere is not a folder")),
        (["{}", "out", "--tasks", "depth"], (1, "error: no task 'depth_zbuffer' in")),
        (["{}", "out", "--tasks", "nromal"], (1, "error: unknown task 'nromal': did you mean normal?")),
        (["{}", "out", "--storage", "fp8"], (2, "fp8")),
        (["{}"], (2, "OUT")),
    ],
)
def test_errors_are_told_with_exit_codes(
    checkpoints: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    ending: tuple[int, str],
) -> None:
    """1 for known errors, 2 for wrong usage; nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    done = runner.invoke(app, ["convert", *(word.format(checkpoints) for word in words)])
    code, message = ending
    assert done.exit_code == code
    assert message in done.stderr
    assert not (tmp_path / "out").exists()


def test_without_visualpriors_the_command_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In one line."""
    monkeypatch.setitem(sys.modules, "visualpriors.taskonomy_network", None)
    done = runner.invoke(app, ["convert", "visualpriors", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "`pip install visualpriors`" in done.stderr
