"""A bar of what several processes write."""

from __future__ import annotations

from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from training.stages.networks.journal import COLUMNS, metrics_path
from training.stages.networks.watch import steps_written, watched

from taskbank.tasks.registry import find_task

TASKS = [find_task("normal"), find_task("jigsaw")]
HEADER = ",".join(("step", *COLUMNS)) + "\n"


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (None, 0),
        ("", 0),
        (HEADER, 0),
        (HEADER + "50,1,1,1,nan\n", 50),
        (HEADER + "50,1,1,1,nan\n100,0.5,1,1,0.25\n", 100),
        (HEADER + "50,1,1,1,nan\n10", 50),
        (HEADER + "".join(f"{step},0.123456789,0.002,1234.5,nan\n" for step in range(50, 5050, 50)), 5000),
    ],
)
def test_the_last_whole_row_tells_the_step(tmp_path: Path, text: str | None, steps: int) -> None:
    path = tmp_path / "normal.metrics.csv"
    if text is not None:
        path.write_text(text)
    assert steps_written(path) == steps


def test_the_bar_counts_the_steps_of_all_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = StringIO()
    terminal = partial(Console, file=text, force_terminal=True, width=80)
    monkeypatch.setattr("training.runs.metrics.Console", lambda **_: terminal())
    with watched(tmp_path, TASKS, 6 * len(TASKS)):
        metrics_path(tmp_path, TASKS[0]).write_text(HEADER + "6,1,1,1,nan\n")
        metrics_path(tmp_path, TASKS[1]).write_text(HEADER + "4,1,1,1,nan\n")
    assert "10/12" in text.getvalue()


def test_watching_ends_with_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="in between"), watched(tmp_path, TASKS, 6 * len(TASKS)):
        raise ValueError("in between")
