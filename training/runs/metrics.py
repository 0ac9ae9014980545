"""Metrics during training: a CSV file that tolerates interruptions, and progress bars."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from threading import Lock

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from training.atomic_files import write_whole
from training.errors import ConfigError, StorageError

STEP = "step"

_terminal = Lock()  # held by the visible bar


class MetricsFile:
    """A CSV file with one row per measurement and `step` in the first column.

    Args:
        path: named `*.metrics.csv` by convention, see `training.runs.stage`; its folder is created.
        columns: names of the metrics.
        after_step: the step from which training continues; rows of later steps are dropped, as these steps
            are repeated.

    Raises:
        ConfigError: the file has other columns.
        StorageError: the file cannot be written.
    """

    def __init__(self, path: Path, columns: Sequence[str], *, after_step: int = 0) -> None:
        self.path = path
        self.columns = (STEP, *columns)
        kept = [row for row in self._rows() if int(row[0]) <= after_step] if after_step else []
        text = _as_lines([self.columns, *kept])
        write_whole(path, lambda file: file.write(text.encode()))

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Add a row.

        Args:
            step: number of finished steps.
            values: one number per column.

        Raises:
            StorageError: the file cannot be written.
        """
        row = [str(step), *(repr(float(values[name])) for name in self.columns[1:])]
        try:
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(_as_lines([row]))
        except OSError as error:
            raise StorageError(f"cannot write {self.path}: {error}") from error

    def _rows(self) -> list[list[str]]:
        """Read the complete rows; a line that was cut off by an interruption is dropped."""
        if not self.path.exists():
            return []
        whole, _, _ = self.path.read_text(encoding="utf-8").rpartition("\n")
        header, *rows = list(csv.reader(StringIO(whole))) or [list(self.columns)]
        if tuple(header) != self.columns:
            raise ConfigError(
                f"{self.path} has columns {', '.join(header)}, not {', '.join(self.columns)}: delete it or "
                "take another --out"
            )
        return [row for row in rows if len(row) == len(self.columns)]


def read_metrics(path: Path) -> dict[str, list[float]]:
    """Read the columns of a metrics file, including `step`."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    return {name: [float(row[place]) for row in rows] for place, name in enumerate(header)}


@contextmanager
def progress(label: str, total: int, *, done: int = 0) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on stderr if that is a terminal without another bar.

    Args:
        label: name of the counted items.
        total: number of items; a single one has no bar.
        done: number of items finished before.

    Yields:
        a function to call with the number of further finished items.
    """
    console = Console(stderr=True)
    shows = total > 1 and console.is_terminal and _terminal.acquire(blocking=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console, transient=True, disable=not shows) as bar:
            task = bar.add_task(label, total=total, completed=done)
            yield lambda steps: bar.advance(task, steps)
    finally:
        if shows:
            _terminal.release()


def leave_bars() -> None:
    """Switch off progress bars in this process, as another process uses the terminal."""
    _terminal.acquire(blocking=False)


def _as_lines(rows: Sequence[Sequence[str]]) -> str:
    """Convert rows to CSV."""
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
