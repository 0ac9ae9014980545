"""The command that serves the demo, its address, and the Space."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.taskbank.toy import TOY_COMPACT, toy_network
from typer.testing import CliRunner

import taskbank_demo
from processes import child_process
from taskbank.bank.bank import Bank
from taskbank_cli.app import app
from taskbank_demo.errors import SettingError
from taskbank_demo.launch import Running, launch
from taskbank_demo.settings import DemoSettings

ROOT = Path(taskbank_demo.__file__).parent


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bank for one photograph and for two."""
    networks = {task: toy_network(task) for task in ("normal", "depth_zbuffer", "point_matching")}
    folder = tmp_path_factory.mktemp("toy") / "bank"
    return Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks=networks).where


def test_words_after_the_module_are_refused_not_dropped() -> None:
    words = [sys.executable, "-m", "taskbank_demo", "--port", "1"]
    paths = os.pathsep.join(sys.path)
    done = subprocess.run(
        words,
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: --port has no meaning here: options belong to  taskbank demo\n"


def test_a_server_starts_from_a_program_that_has_an_event_loop(bank: str) -> None:
    """A notebook, say."""

    async def start() -> int:
        with launch(DemoSettings(bank=bank, device="cpu", port=0)) as running:
            return httpx.get(running.url).status_code

    assert asyncio.run(start()) == 200


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    """Before anything is loaded."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingError, match=f"port {port} .*choose another --port"):
            launch(DemoSettings(port=port))


def test_a_host_that_is_not_here_is_refused() -> None:
    """An address of documents, which no machine has."""
    with pytest.raises(SettingError, match=r"cannot listen on 192.0.2.1"):
        launch(DemoSettings(host="192.0.2.1", port=0))


def test_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does so if the extra is missing."""
    real = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> Any:
        return None if name == "gradio" else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 1
    message = "error: the page needs gradio: run  pip install ./taxsolver '.[demo]'  in a checkout\n"
    assert result.stderr == message


def test_the_command_serves_until_it_is_stopped(bank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It prints the address; a warning where everybody gets in."""
    monkeypatch.setattr(Running, "wait", lambda running: httpx.get(running.url).raise_for_status())
    result = CliRunner().invoke(app, ["demo", "--bank", bank, "--port", "0", "--device", "cpu"])
    assert result.exit_code == 0, result.output
    assert re.search(r"http://127\.0\.0\.1:\d+/ \(Ctrl-C stops it\)", result.stdout)
    assert "anybody" not in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_told_to_stop_leaves_no_files(
    bank: str, tmp_path: Path, number: signal.Signals
) -> None:
    """By Ctrl-C as by whoever runs services; exit code 0."""
    command = [sys.executable, "-c", "from taskbank_cli.app import app; app()", "demo", "--port", "0"]
    with child_process(
        [*command, "--bank", bank, "--device", "cpu"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/ \(Ctrl-C stops it\)\n", first)
        url = first.split()[0]
        httpx.post(f"{url}gradio_api/upload", files={"files": ("a.png", b"x")}).raise_for_status()
        (folder,) = tmp_path.glob("taskbank-demo-*")
        assert list(folder.rglob("a.png"))
        process.send_signal(number)
        _, complaints = process.communicate(timeout=60)
        assert (process.returncode, complaints) == (0, "")
        assert not folder.exists()


def test_the_command_turns_wrong_settings_into_one_line() -> None:
    """Exit code 1."""
    result = CliRunner().invoke(app, ["demo", "--auth", "ann"])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: auth needs a user and a password with a colon")
