"""`taskbank info`, `download` and `push`: as users run them, against a Hub on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.taskbank.toy import TOY_COMPACT, toy_encoder, toy_network
from typer.testing import CliRunner

from hub_server import HubServer, hub_server
from taskbank.bank.bank import About, Bank
from taskbank.bank.index import INDEX_NAME, decoder_path, encoder_path
from taskbank_cli.app import app

runner = CliRunner()
REPO = "someone/toy-bank"


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """A bank of two tasks."""
    return Bank.save(
        tmp_path / "bank",
        name="toy",
        architecture=TOY_COMPACT,
        networks={"normal": toy_network("normal"), "random": toy_encoder()},
        about={"normal": About(metrics={"mean angle": 20.5}, licence="CC0-1.0")},
        licence="MIT",
    )


@pytest.fixture
def server(bank: Bank) -> Iterator[HubServer]:
    """A Hub that holds that bank."""
    root = Path(bank.where)
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.*")}
    with hub_server() as running:
        running.state.accounts["hf_secret"] = "someone"
        running.state.add(REPO, files)
        yield running


def run(server: HubServer, home: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, which reads huggingface_hub's variables afresh."""
    environment = os.environ | {
        "HF_ENDPOINT": server.endpoint,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",  # its storage is not part of the server
        "NO_PROXY": "127.0.0.1",
        "COLUMNS": "80",
        **variables,
    }
    code = "from taskbank_cli.app import app; app()"
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, env=environment, check=False
    )


def test_info_shows_tasks_sizes_licences_and_metrics(bank: Bank) -> None:
    """Of a folder."""
    done = runner.invoke(app, ["info", bank.where])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == [
        "bank",
        "toy,",
        "compact,",
        "images",
        "of",
        "256",
        "px",
        "->",
        "8",
        "x",
        "16",
        "x",
        "16",
    ]
    assert any(bank.digest in line for line in lines)
    rows = {line.split()[0]: line.split() for line in lines if line}
    assert rows["normal"] == ["normal", "normals", "0.0", "CC0-1.0", "mean", "angle", "20.5"]
    assert rows["random"] == ["random", "representation", "only", "0.0", "MIT", "-"]


def test_info_as_json_holds_the_index(bank: Bank) -> None:
    """And what it does not say itself."""
    facts = json.loads(runner.invoke(app, ["info", bank.where, "--json"]).stdout)
    assert (facts["where"], facts["sha256"], facts["size"]) == (bank.where, bank.digest, bank.size)
    assert facts["tasks"]["normal"]["metrics"] == {"mean angle": 20.5}


def test_info_without_a_bank_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As long as none is bundled; with the variable, it is that one."""
    monkeypatch.setattr("taskbank.bank.source._BUNDLED_FOLDER", tmp_path)
    monkeypatch.delenv("TASKBANK_BANK", raising=False)
    done = runner.invoke(app, ["info"])
    assert done.exit_code == 1
    assert "is not bundled" in done.stderr
    monkeypatch.setenv("TASKBANK_BANK", str(tmp_path / "nowhere"))
    assert "no bank at" in runner.invoke(app, ["info"]).stderr


def test_download_fetches_what_is_named_and_works_offline_afterwards(
    server: HubServer, tmp_path: Path
) -> None:
    """The variables of huggingface_hub hold: address, cache, offline mode."""
    home = tmp_path / "home"
    source = f"hf://{REPO}"
    done = run(server, home, "download", source, "--tasks", "normals")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 files, 0.0 MB, checked: ")
    assert server.state.bodies() == [INDEX_NAME, encoder_path("normal"), decoder_path("normal")]
    folder = Path(done.stdout.splitlines()[0].split("checked: ")[1])
    assert folder.is_relative_to(home)
    assert Bank.open(folder).load("normal") is not None
    server.state.forget()
    again = run(server, home, "download", source, "--tasks", "normal", HF_HUB_OFFLINE="1")
    assert again.stdout == done.stdout
    missing = run(server, home, "download", source, HF_HUB_OFFLINE="1")
    assert missing.returncode == 1
    assert "offline mode is on" in missing.stderr.splitlines()[-1]
    assert server.state.requests == []


def test_push_and_info_of_what_was_pushed(server: HubServer, bank: Bank, tmp_path: Path) -> None:
    """With a token from the environment; without it, an error of one line."""
    home = tmp_path / "home"
    words = ("push", bank.where, "someone/new", "--private", "--revision", "v1")
    refused = run(server, home, *words, HF_TOKEN="")
    assert refused.returncode == 1
    assert "log in with `hf auth login` or set HF_TOKEN" in refused.stderr.splitlines()[-1]
    done = run(server, home, *words, HF_TOKEN="hf_secret")
    assert done.returncode == 0, done.stderr
    commit = server.state.repos["someone/new"].branches["v1"]
    assert done.stdout == f"pushed: open it with hf://someone/new@{commit}\n"
    assert server.state.repos["someone/new"].private
    shown = run(server, home, "info", f"hf://someone/new@{commit}", "--json", HF_TOKEN="hf_secret")
    assert json.loads(shown.stdout)["sha256"] == bank.digest


@pytest.mark.parametrize("words", [["info"], ["download"], ["push", "{}", "a"]])
def test_a_known_error_is_one_line_and_exit_code_1(words: list[str], tmp_path: Path) -> None:
    """A folder without a bank."""
    filled = [word.format(tmp_path) for word in words]
    done = runner.invoke(app, filled if "push" in words else [*filled, str(tmp_path)])
    assert done.exit_code == 1
    assert done.stderr.startswith("error: no bank at")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["--help"], ["info", "{}"], ["download", "{}"], ["convert", "--help"]])
def test_torch_is_not_imported(bank: Bank, words: list[str]) -> None:
    """Nothing is computed."""
    filled = [word.format(bank.where) for word in words]
    code = (
        "import sys\nfrom taskbank_cli.app import app\n"
        f"app({filled!r}, standalone_mode=False)\n"
        "sys.exit('torch' in sys.modules or 'huggingface_hub' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
