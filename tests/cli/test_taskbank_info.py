"""`taskbank info` names faulty networks: by the index, or by what they make of photographs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, toy_network
from typer.testing import CliRunner

from taskbank.bank.bank import About, Bank
from taskbank_cli.app import app


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> str:
    """`normal` is dead, which its index does not say; the index says that `reshading` gives a constant."""
    networks = {name: toy_network(name) for name in ("normal", "reshading")}
    torch.nn.init.zeros_(networks["normal"].encoder.get_parameter("compress.1.weight"))
    about = {"reshading": About(metrics={"output_variation": 0.0})}
    folder = tmp_path_factory.mktemp("bank") / "toy"
    Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks=networks, about=about, image_size=32)
    return str(folder)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder of three."""
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(3):
        pixels = np.random.default_rng(seed).integers(0, 256, (40, 60, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed}.png")
    return str(folder)


def info(*words: str) -> str:
    """Return the output of `taskbank info`."""
    done = CliRunner().invoke(app, ["info", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_faults_that_the_index_states_are_listed(bank: str) -> None:
    assert info(bank).split("Faulty networks:\n")[1] == (
        "  reshading is constant: its outputs vary by 0.0e+00 of their size\n"
    )


def test_faults_that_photographs_show_are_listed(bank: str, photos: str) -> None:
    listed = info(bank, "--measure", photos).split("Faulty networks:\n")[1].splitlines()
    assert [line.split(":")[0].strip() for line in listed] == ["normal is dead", "normal is constant"]


def test_faults_are_in_the_json(bank: str, photos: str) -> None:
    assert [fault["network"] for fault in json.loads(info(bank, "--json"))["faults"]] == ["reshading"]
    measured = json.loads(info(bank, "--json", "--measure", photos))["faults"]
    assert {(fault["network"], fault["fault"]) for fault in measured} == {
        ("normal", "dead"), ("normal", "constant"),
    }  # fmt: skip


def test_one_photograph_is_an_error(bank: str, photos: str) -> None:
    done = CliRunner().invoke(app, ["info", bank, "--measure", str(Path(photos) / "0.png")])
    assert (done.exit_code, "1 image(s) do not tell" in done.stderr) == (1, True)


@pytest.mark.parametrize("word", ["tasks", "--version"])
def test_a_full_disk_is_one_line(word: str) -> None:
    """The output cannot be written; run as a process."""
    command = [sys.executable, "-c", "import sys; from taskbank_cli.app import app; sys.exit(app())", word]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300, check=False
        )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "error: cannot print: No space left on device" in done.stderr
