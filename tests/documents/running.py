"""The commands of the documents and of `--help`, those that tests type, and how they type them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from training.__main__ import app as training_app
from typer.testing import CliRunner

from documented import ROOT, Documented, commands_of_documents, commands_of_help
from taskbank_cli.app import app as taskbank_app
from taxsolver_cli.app import app as taxsolver_app

APPS = {"taxsolver": taxsolver_app, "taskbank": taskbank_app, "python -m training": training_app}

NOT_RUN = {
    r"make demo": "CI runs it",
    r"make test": "CI runs it",
    r"pip install .*": "needs a package index; test_packaging.py does it in tests marked `network`",
    r".*training/run_all\.sh --preset smoke .*": "test_training_commands.py begins with it",
    r"taskbank push .*": "needs the Hub; test_taskbank_hub.py pushes to one on this machine",
    r"taskbank download hf://.*": "needs the Hub; test_taskbank_hub.py downloads from one on this machine",
    r"taskbank convert visualpriors .*": "downloads 3.4 GB; test_convert_published.py serves small ones",
    r"taxsolver --install-completion": "writes into the start-up file of the shell",
    r"python -m training\.published_affinities": "writes the shipped tensors; their own test makes them",
    r"python -m training\.rooms\.frames\.gallery OUT\.png": "renders for minutes; tests/training/rooms/ renders less",
    r"python -m training (evaluation|frames) \.\.\. .*": "needs real frames; tests/training/data/real/ makes some",
    r"python -m training\.rooms\.surfaces\.environments .*": "needs the package; test_environments.py converts a toy",
    r"taxsolver (affinity import|ahp|group( --table)?)|taskbank encode|python -m training bundle": "only named",
}
"""Commands that are not run here, and why."""


def _all_commands() -> list[Documented]:
    found = list(commands_of_documents())
    for name, app in APPS.items():
        found += commands_of_help(app, name)
    return list({each.words: each for each in found}.values())


ALL_COMMANDS = _all_commands()
"""Every command, once."""

COMMANDS = [each for each in ALL_COMMANDS if not any(re.fullmatch(every, each.words) for every in NOT_RUN)]
"""The commands that are run."""


def is_training(words: str) -> bool:
    """Tell whether a command is a stage of training or uses what one wrote."""
    return words.startswith("python -m training ") and not is_own_task(words)


def is_own_task(words: str) -> bool:
    """Tell whether a command belongs to the chain that learns, plans and predicts a task of your own."""
    return "daylight" in words


def type_command(words: str, folder: Path) -> None:
    """Run a command in a folder; commands of ours run in this process, as importing takes the longest.

    Raises:
        AssertionError: it ended with another exit code than 0.
    """
    before = Path.cwd()
    os.chdir(folder)
    try:
        for name, app in APPS.items():
            if words.startswith(f"{name} "):
                done = CliRunner().invoke(
                    app, shlex.split(words.removeprefix(f"{name} ")), catch_exceptions=False
                )
                assert done.exit_code == 0, f"{words}\n{done.output}"
                return
        command = [sys.executable, *shlex.split(words)[1:]]
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        ended = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, f"{words}\n{ended.stdout}{ended.stderr}"
    finally:
        os.chdir(before)
