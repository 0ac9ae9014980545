"""Metrics files: rows stay in step with checkpoints."""

from __future__ import annotations

from functools import partial
from io import StringIO
from pathlib import Path
from threading import Lock

import numpy as np
import pytest
from rich.console import Console
from training.errors import ConfigError, StorageError
from training.runs.metrics import MetricsFile, leave_bars, progress, read_metrics

from disks import files_no_larger_than

COLUMNS = ("loss", "lr")


def write_rows(metrics: MetricsFile, steps: range) -> None:
    for step in steps:
        metrics.write(step, {"lr": 0.1 / step, "loss": float(np.float32(1 / 3)) * step})


def test_rows_can_be_read_again(tmp_path: Path) -> None:
    write_rows(MetricsFile(tmp_path / "deep" / "a.metrics.csv", COLUMNS), range(1, 3))
    found = read_metrics(tmp_path / "deep" / "a.metrics.csv")
    assert found == {
        "step": [1, 2],
        "loss": [float(np.float32(1 / 3)), 2 * float(np.float32(1 / 3))],
        "lr": [0.1, 0.05],
    }


def test_an_interrupted_file_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    write_rows(MetricsFile(tmp_path / "whole.csv", COLUMNS), range(1, 9))
    write_rows(MetricsFile(tmp_path / "torn.csv", COLUMNS), range(1, 7))
    with (tmp_path / "torn.csv").open("a") as file:
        file.write("7,0.3")
    write_rows(MetricsFile(tmp_path / "torn.csv", COLUMNS, after_step=4), range(5, 9))
    assert (tmp_path / "torn.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_training_from_the_start_begins_an_empty_file(tmp_path: Path) -> None:
    write_rows(MetricsFile(tmp_path / "a.csv", COLUMNS), range(1, 3))
    MetricsFile(tmp_path / "a.csv", COLUMNS)
    assert (tmp_path / "a.csv").read_text() == "step,loss,lr\n"


def test_going_on_without_a_file_begins_one(tmp_path: Path) -> None:
    MetricsFile(tmp_path / "a.csv", COLUMNS, after_step=3)
    assert read_metrics(tmp_path / "a.csv") == {"step": [], "loss": [], "lr": []}


def test_other_columns_are_refused(tmp_path: Path) -> None:
    MetricsFile(tmp_path / "a.csv", COLUMNS)
    with pytest.raises(
        ConfigError, match=r"a\.csv has columns step, loss, lr, not step, accuracy: delete it or"
    ):
        MetricsFile(tmp_path / "a.csv", ["accuracy"], after_step=3)


def test_a_missing_value_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="lr"):
        MetricsFile(tmp_path / "a.csv", COLUMNS).write(1, {"loss": 1.0})


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    metrics = MetricsFile(tmp_path / "a.csv", COLUMNS)
    with (tmp_path / "a.csv").open("a") as file:
        file.write("1,1.0,1.0\n" * 100_000)
    with files_no_larger_than(1_000_000), pytest.raises(StorageError, match=r"cannot write .*a\.csv"):
        write_rows(metrics, range(1, 2))


def test_a_bar_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("steps", 5, done=2) as advance:
        advance(3)
    assert capsys.readouterr() == ("", "")


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """Return the text that bars write, as if stderr were a terminal."""
    text = StringIO()
    terminal = partial(Console, file=text, force_terminal=True, width=80)
    monkeypatch.setattr("training.runs.metrics.Console", lambda **_: terminal())
    return text


def test_only_the_outermost_bar_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    text = on_a_terminal(monkeypatch)
    with progress("jobs", 2) as advance, progress("steps", 5) as advance_within:
        advance_within(5)
        advance(2)
    assert "jobs" in text.getvalue()
    assert "2/2" in text.getvalue()
    assert "steps" not in text.getvalue()
    with progress("steps", 5):
        pass
    assert "steps" in text.getvalue()


def test_a_single_thing_has_no_bar_and_leaves_room_for_that_within(monkeypatch: pytest.MonkeyPatch) -> None:
    text = on_a_terminal(monkeypatch)
    with progress("jobs", 1), progress("steps", 5):
        pass
    assert "jobs" not in text.getvalue()
    assert "steps" in text.getvalue()


def test_a_process_that_leaves_bars_to_another_shows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    text = on_a_terminal(monkeypatch)
    monkeypatch.setattr("training.runs.metrics._terminal", Lock())
    leave_bars()
    with progress("steps", 5):
        pass
    assert text.getvalue() == ""
