"""Recording of a network's losses in a file; stops the run if a loss is not finite."""

from __future__ import annotations

import math
import time
from pathlib import Path

import torch
from torch import Tensor

from taskbank.tasks.registry import Task
from training.errors import DivergedError
from training.runs.metrics import MetricsFile
from training.stages.networks.config import TaskNetworksConfig
from training.stages.networks.feed import samples_a_step

COLUMNS = ("loss", "learning_rate", "images_per_second", "held_out_loss")


def metrics_path(folder: Path, task: Task) -> Path:
    """Return the path of a task's losses."""
    return folder / f"{task.name}.metrics.csv"


class Journal:
    """Collects a task's losses on the device and writes them at intervals.

    Args:
        folder: folder of `TASK.metrics.csv`.
        task: the task.
        config: settings of the stage.
        first: first step of this run.
    """

    def __init__(self, folder: Path, task: Task, config: TaskNetworksConfig, first: int) -> None:
        self._task = task
        self._config = config
        self._file = MetricsFile(metrics_path(folder, task), COLUMNS, after_step=first)
        self._losses: list[Tensor] = []
        self._next = first
        self._since = time.monotonic()

    def note(self, loss: Tensor) -> None:
        """Store one step's loss () without synchronising with the device."""
        self._losses.append(loss)

    def write(self, held_out: float | None = None) -> None:
        """Write the mean loss since the last call.

        Args:
            held_out: the loss on held-out rooms, if measured.

        Raises:
            DivergedError: a loss is not finite.
        """
        if not self._losses:
            self._since = time.monotonic()
            return
        losses = torch.stack(self._losses).cpu()
        self._check(losses)
        done = self._next + len(losses)
        seconds = max(time.monotonic() - self._since, 1e-9)
        images = samples_a_step(self._task, self._config.batch) * self._task.num_images * len(losses)
        row = {
            "loss": float(losses.mean()),
            "learning_rate": self._config.learning_rate_at(done - 1),
            "images_per_second": images / seconds,
            "held_out_loss": math.nan if held_out is None else held_out,
        }
        self._file.write(done, row)
        self._losses, self._next, self._since = [], done, time.monotonic()

    def _check(self, losses: Tensor) -> None:
        """Raise if any of the losses (steps,) is not finite."""
        wrong = (~losses.isfinite()).nonzero()
        if len(wrong) == 0:
            return
        row = int(wrong[0])
        raise DivergedError(
            f"{self._task.name}: the loss of step {self._next + row} is {float(losses[row])}: "
            "begin again with a lower learning_rate, or check labels for NaN"
        )
