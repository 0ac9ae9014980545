"""Output of `taxsolver` commands, run in this process."""

from __future__ import annotations

import json
import shlex
from typing import Any

from typer.testing import CliRunner

from taxsolver_cli.app import app


def printed_by(command: str) -> dict[str, Any]:
    """Return the JSON that a command prints, without the seconds."""
    program, *words = shlex.split(command)
    assert program == "taxsolver"
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    printed: dict[str, Any] = json.loads(done.stdout)
    printed.pop("seconds", None)
    return printed
