"""Terminal escapes in names never reach the terminal, whatever the command."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

EVIL = "\x1b]0;pwned\x07\x1b[2J\x9b31mbank"

TASKBANK = [
    ["info", "--bank", EVIL],
    ["predict", EVIL, "--tasks", "normals"],
    ["predict", "photo.jpg", "--tasks", EVIL],
    ["predict", "photo.jpg", "--bank", EVIL],
    ["transfer", "photo.jpg", "--sources", EVIL, "--target", "normals"],
    ["encode", "photo.jpg", "--tasks", "normals", "--bank", EVIL],
    ["encode", "photo.jpg", "--sources", f"timm:{EVIL}"],
    ["probe", "--images", EVIL, "--labels", EVIL],
    ["export", EVIL],
    ["export", "normals", "--bank", EVIL],
    ["push", EVIL, "owner/name"],
    ["push", "rooms", EVIL],
    ["download", EVIL],
    ["convert", EVIL, "--out", "bank"],
    ["models", "--only", EVIL],
    ["models", EVIL],
    ["predict", "photo.jpg", f"--{EVIL}"],
    ["predict", "photo.jpg", "--fit", EVIL],
    [EVIL],
]
TAXSOLVER = [
    ["--affinity", EVIL, "--targets", "all", "--budget", "2"],
    ["--targets", EVIL, "--budget", "2"],
    ["--targets", "all", "--budget", "2", "--label-cost", f"{EVIL}=2"],
    ["--targets", "all", "--budget", "2", "--plot", f"{EVIL}.xyz"],
    ["--problem", EVIL],
    ["rank", EVIL],
    ["compare", EVIL, "taskonomy-16k"],
    ["sweep", "--affinity", EVIL],
    ["group", "--table", EVIL, "--budget", "1"],
    ["group", "--setting", "1", "--budget", "2", "--weights", f"{EVIL}=2"],
    ["ahp", EVIL],
    ["chain", "--budgets", EVIL],
    ["front", "--affinity", EVIL],
    ["stability", "--budget", "2", "--affinity", EVIL],
    ["sweep", f"--{EVIL}"],
    ["sweep", "--max-order", EVIL],
    [EVIL],
]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No Hub is asked, and relative paths lead nowhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("NO_COLOR", "1")


def check(app: object, words: list[str]) -> None:
    done = CliRunner().invoke(app, words)  # type: ignore[arg-type] # of both commands
    assert done.exit_code in {1, 2}, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    assert not set(done.output) & {"\x1b", "\x07", "\x9b"}, done.output


@pytest.mark.parametrize("words", TASKBANK, ids=lambda words: " ".join(words).replace(EVIL, "EVIL"))
def test_taskbank_prints_no_escapes_of_others(words: list[str]) -> None:
    from taskbank_cli.app import app

    check(app, words)


@pytest.mark.parametrize("words", TAXSOLVER, ids=lambda words: " ".join(words).replace(EVIL, "EVIL"))
def test_taxsolver_prints_no_escapes_of_others(words: list[str]) -> None:
    from taxsolver_cli.app import app

    check(app, words)
