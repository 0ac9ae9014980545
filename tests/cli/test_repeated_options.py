"""No option of any command keeps the last of several values in silence: lists add up, the rest is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from training.__main__ import app as training_app
from typer.main import get_command
from typer.testing import CliRunner, Result

from taskbank_cli.app import app as taskbank_app
from taxsolver_cli.app import app as taxsolver_app

ROOT = Path(__file__).parents[2]
APPS = {"taxsolver": taxsolver_app, "taskbank": taskbank_app, "python -m training": training_app}


def commands(app: typer.Typer) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command of an app, groups too, with the words that lead to it."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), get_command(app))]
    while waiting:
        words, command = waiting.pop()
        yield words, command
        waiting += [((*words, name), inner) for name, inner in getattr(command, "commands", {}).items()]


COMMANDS = [
    pytest.param(command, id=" ".join([name, *words]))
    for name, app in APPS.items()
    for words, command in commands(app)
]


@pytest.mark.parametrize("command", COMMANDS)
def test_no_option_keeps_the_last_of_two_values_in_silence(
    command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [one for one in command.params if one.param_type_name == "option" and not one.is_flag]
    for option in options:
        first, last = option.opts[0], option.opts[-1]  # a long and a short spelling, where there are two
        if option.multiple:
            params, command.params = command.params, [option]  # alone, so that no other is missing
            context = command.make_context("command", [first, "one", last, "two"])
            command.params = params
            assert [str(value) for value in context.params[option.name]] == ["one", "two"]
        else:
            with pytest.raises(typer.Exit) as stopped:
                command.make_context("command", [first, "1", last, "2"])
            assert stopped.value.exit_code == 2
            said = capsys.readouterr().err
            assert said == f"error: {first} is given 2 times, but takes one value: keep one\n"


def run(app: typer.Typer, *words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_every_command_was_walked() -> None:
    walked = {one.id for one in COMMANDS}
    assert {"taxsolver", "taxsolver sweep", "taxsolver affinity import"} <= walked
    assert {"taskbank predict", "taskbank learn", "taskbank push", "python -m training run"} <= walked
    assert {"python -m training frames", "python -m training bundle"} <= walked


@pytest.mark.parametrize(
    ("apart", "together"),
    [
        (["-t", "normals", "--targets", "depth", "-b", "2"], ["-t", "normals,depth", "-b", "2"]),
        (
            ["-t", "all", "-b", "4", "--exclude", "normals", "--exclude", "depth,reshading"],
            ["-t", "all", "-b", "4", "--exclude", "normals,depth,reshading"],
        ),
        (
            ["-t", "all", "-b", "5", "--label-cost", "normal=3", "--label-cost", "edge_texture=2"],
            ["-t", "all", "-b", "5", "--label-cost", "normal=3,edge_texture=2"],
        ),
        (
            [
                "sweep",
                "-t",
                "normals",
                "--budgets",
                "1",
                "--budgets",
                "3-4",
                "--orders",
                "1",
                "--orders",
                "2",
            ],
            ["sweep", "-t", "normals", "--budgets", "1,3-4", "--orders", "1,2"],
        ),
        (
            ["rank", "-t", "normals", "--sources", "reshading", "--sources", "edge_occlusion"],
            ["rank", "-t", "normals", "--sources", "reshading,edge_occlusion"],
        ),
    ],
)
def test_lists_add_up(apart: list[str], together: list[str]) -> None:
    found = [run(taxsolver_app, *words, "--json") for words in (apart, together)]
    assert [one.exit_code for one in found] == [0, 0]
    first, second = ([line for line in one.stdout.splitlines() if "seconds" not in line] for one in found)
    assert first == second


def test_a_weight_that_is_given_twice_is_refused() -> None:
    done = run(
        taxsolver_app, "-t", "normals", "-b", 1, "--label-cost", "normal=1", "--label-cost", "normal=2"
    )
    assert done.exit_code == 2
    assert done.output == "error: --label-cost: 'normal' is given twice\n"


def test_flags_may_be_repeated() -> None:
    assert run(taxsolver_app, "affinity", "list", "--json", "--json").exit_code == 0


def test_the_commands_refuse_repeats_in_the_same_words() -> None:
    copies = [ROOT / folder / "once.py" for folder in ("cli/taxsolver_cli", "cli/taskbank_cli")]
    assert len({copy.read_bytes() for copy in copies}) == 1
