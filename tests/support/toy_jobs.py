"""Jobs for engines: small, real, and some that go wrong."""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path

import torch
from training.atomic_files import write_whole
from training.errors import DivergedError

log = logging.getLogger(__name__)


def fit_line(output: Path, *, seed: int, steps: int = 20, pause: float = 0.0) -> None:
    """Fit a line by gradient descent and write the weights' bytes."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(64, 8, generator=generator)
    targets = inputs @ torch.arange(8.0)[:, None]
    weights = torch.zeros(8, 1, requires_grad=True)
    optimizer = torch.optim.Adam([weights], lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        (inputs @ weights - targets).square().mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        time.sleep(pause)
    write_whole(output, lambda file: file.write(weights.detach().numpy().tobytes()))


def diverge(output: Path) -> None:
    """Fail as a task network does."""
    raise DivergedError(f"the loss of {output.stem} is nan at step 7")


def divide(output: Path) -> None:
    """Fail as a mistake in the code does."""
    output.write_text(str(1 / int("0")))


def warn(output: Path) -> None:
    """Log a line."""
    log.warning("%s is done", output.stem)
    output.touch()


def sleep_noted(output: Path) -> None:
    """Note which process this is, then take longer than anybody waits."""
    output.with_suffix(".pid").write_text(str(os.getpid()))
    time.sleep(600)


def write_nothing(output: Path) -> None:
    """Return as if all were well."""


def die_once(output: Path, *, scratch: Path) -> None:
    """Have the process killed at the first attempt."""
    if not scratch.exists():
        scratch.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    write_whole(output, lambda file: file.write(b"second attempt"))


def die(output: Path) -> None:
    """Have the process killed at every attempt."""
    os.kill(os.getpid(), signal.SIGKILL)


def fit_line_noted(output: Path, *, seed: int, notes: Path) -> None:
    """Fit a line slowly, and note on which machine of a Ray cluster that was begun."""
    import ray

    with (notes / f"{output.stem}.txt").open("a") as file:
        file.write(f"{ray.get_runtime_context().get_node_id()}\n")
    fit_line(output, seed=seed, pause=0.05)
