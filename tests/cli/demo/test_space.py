"""The demo as a Hugging Face Space: a folder that runs with nothing but what its requirements install."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

import taskbank_demo
from processes import child_process
from taskbank_demo.space.assemble import PACKAGES, assemble

ROOT = Path(taskbank_demo.__file__).parent


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("space") / "mine"
    assemble(folder)
    return folder


def test_its_front_matter_names_its_program(space: Path) -> None:
    front = (space / "README.md").read_text(encoding="utf-8").split("---")[1]
    facts = dict(line.split(": ", 1) for line in front.strip().splitlines())
    assert facts["sdk"] == "gradio"
    assert (space / facts["app_file"]).is_file()


def test_it_holds_the_packages_and_asks_no_index_for_them(space: Path) -> None:
    lines = (space / "requirements.txt").read_text(encoding="utf-8").splitlines()
    names = {re.split(r"[^\w-]", line)[0].replace("_", "-") for line in lines[1:]}
    assert names >= {
        "torch",
        "torchvision",
        "gradio",
        "av",
        "highspy",
        "networkx",
        "safetensors",
        "matplotlib",
        "rich",
    }
    assert not names & set(PACKAGES)
    assert not [line for line in lines if ";" in line]
    for name in PACKAGES:
        assert (space / name / "__init__.py").is_file()
    assert (space / "taxsolver" / "data" / "taskonomy-16k.safetensors").is_file()
    assert (space / "taskbank_demo" / "assets" / "page.css").is_file()


def test_it_starts_from_its_own_folder(space: Path) -> None:
    """For all addresses; the packages are those of the folder, whatever else is installed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "TASKBANK_BANK"}}
    told = {**kept, "GRADIO_SERVER_PORT": str(port), "PYTHONUNBUFFERED": "1"}
    program = (
        "import runpy, sys; sys.path.insert(0, '.'); import taskbank_demo; print(taskbank_demo.__file__);"
        "runpy.run_path('app.py', run_name='__main__')"
    )
    with child_process(
        [sys.executable, "-c", program], cwd=space, env=told, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert Path(process.stdout.readline().strip()).resolve().is_relative_to(space)
        assert "taskbank" in _page(f"http://127.0.0.1:{port}/")


def _page(url: str) -> str:
    """The page, once it is served."""
    until = time.monotonic() + 90
    while time.monotonic() < until:
        try:
            return httpx.get(url, timeout=60).raise_for_status().text
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError(f"nothing is served at {url}")


def test_a_folder_that_holds_something_is_refused(space: Path) -> None:
    with pytest.raises(FileExistsError, match="is not empty: name a new folder"):
        assemble(space)


@pytest.mark.parametrize(
    ("arguments", "message"), [([], "usage: python -m"), ([str(ROOT)], "error: .* is not empty")]
)
def test_the_command_says_what_is_wrong(arguments: list[str], message: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "taskbank_demo.space.assemble", *arguments],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert re.match(message, done.stderr)
