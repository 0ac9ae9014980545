"""`taskbank tasks`, `--version` and the error boundary."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

import taskbank
from taskbank.tasks.registry import TASKS, find_task
from taskbank_cli.app import app
from taskbank_cli.errors import ErrorBoundary

runner = CliRunner()


def test_tasks_lists_every_task_within_80_columns() -> None:
    """One row per task."""
    done = runner.invoke(app, ["tasks"])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0].rstrip("*") for line in lines[1:27]] == list(TASKS)
    assert "other names" in lines[-1]
    assert "--json" in lines[-1]


def test_tasks_as_json_hold_every_field() -> None:
    """The same facts for programs."""
    done = runner.invoke(app, ["tasks", "--json"])
    listed = json.loads(done.stdout)
    assert [task["name"] for task in listed] == list(TASKS)
    normal = next(task for task in listed if task["name"] == "normal")
    assert "rgb2sfnorm" in normal["aliases"]
    assert (normal["output"], normal["channels"], normal["value_range"]) == ("normals", 3, [-1.0, 1.0])


def test_version_is_the_packages() -> None:
    """`taskbank --version` prints one line."""
    done = runner.invoke(app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"taskbank {taskbank.__version__}\n")


@pytest.mark.parametrize("words", [["nosuch"], ["tasks", "--nosuch"]])
def test_wrong_usage_exits_with_2(words: list[str]) -> None:
    """Unknown commands and options."""
    assert runner.invoke(app, words).exit_code == 2


@pytest.mark.parametrize("words", [["--help"], ["tasks"], ["tasks", "--json"]])
def test_torch_is_not_imported(words: list[str]) -> None:
    """Help and the list of tasks answer at once."""
    code = (
        "import sys\nfrom taskbank_cli.app import app\n"
        f"app({words!r}, standalone_mode=False)\n"
        "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def failing_app() -> typer.Typer:
    """A command that asks for a task that does not exist, and one with a bug."""
    failing = typer.Typer(cls=ErrorBoundary)

    @failing.command()
    def known() -> None:
        find_task("nromals")

    @failing.command()
    def bug() -> None:
        raise RuntimeError("a bug")

    return failing


def test_a_known_error_is_one_line_on_stderr_and_exit_code_1() -> None:
    """No traceback for what the user can mend."""
    done = runner.invoke(failing_app(), ["known"])
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: unknown task 'nromals'")
    assert done.stderr.count("\n") == 1


def test_the_debug_variable_brings_the_traceback_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """For reports."""
    monkeypatch.setenv("TASKBANK_DEBUG", "1")
    done = runner.invoke(failing_app(), ["known"])
    assert isinstance(done.exception, taskbank.UnknownTaskError)


def test_an_unknown_error_is_not_hidden() -> None:
    """A bug shows itself."""
    assert isinstance(runner.invoke(failing_app(), ["bug"]).exception, RuntimeError)
