"""Losses on their way to a file, and the one place that stops a run whose loss is no number."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from taskbank.tasks import Task
from training.errors import DivergedError
from training.metrics import MetricsFile
from training.task_networks.config import TaskNetworksConfig
from training.task_networks.feed import samples_a_step

COLUMNS = ("loss", "learning_rate", "images_per_second", "held_out_loss")


class Journal:
    """Collects losses on the device and writes them down every so often.

    Args:
        folder: gets `TASK.metrics.csv`.
        tasks: that learn.
        config: of the stage.
        first: step that learning begins or goes on with.
    """

    def __init__(self, folder: Path, tasks: Sequence[Task], config: TaskNetworksConfig, first: int) -> None:
        self._tasks = tuple(tasks)
        self._config = config
        self._files = [
            MetricsFile(folder / f"{task.name}.metrics.csv", COLUMNS, after_step=first) for task in tasks
        ]
        self._losses: list[Tensor] = []
        self._next = first
        self._since = time.monotonic()

    def note(self, losses: Sequence[Tensor]) -> None:
        """Keep one step's losses, one a task; nothing waits for the device."""
        self._losses.append(torch.stack(list(losses)))

    def write(self, held_out: Mapping[str, float] | None = None) -> None:
        """Write the mean losses since the last time.

        Args:
            held_out: losses on held-out rooms by task, where they were measured.

        Raises:
            DivergedError: a loss is no finite number.
        """
        if not self._losses:
            return
        table = torch.stack(self._losses).cpu()
        self._check(table)
        done = self._next + len(table)
        seconds = max(time.monotonic() - self._since, 1e-9)
        for place, (task, file) in enumerate(zip(self._tasks, self._files, strict=True)):
            images = samples_a_step(task, self._config.batch) * task.num_images * len(table)
            row = {
                "loss": float(table[:, place].mean()),
                "learning_rate": self._config.learning_rate_at(done - 1),
                "images_per_second": images / seconds,
                "held_out_loss": (held_out or {}).get(task.name, math.nan),
            }
            file.write(done, row)
        self._losses, self._next, self._since = [], done, time.monotonic()

    def _check(self, table: Tensor) -> None:
        """Refuse losses (steps, tasks) that are no finite numbers."""
        wrong = (~table.isfinite()).nonzero()
        if len(wrong) == 0:
            return
        row, place = wrong[0].tolist()
        raise DivergedError(
            f"{self._tasks[place].name}: the loss of step {self._next + row} is {float(table[row, place])}: "
            "begin again with a lower learning_rate, or look for labels that are no numbers"
        )
