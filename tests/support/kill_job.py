"""A stage with real SGD on synthetic data, in a process of its own that may be killed at any moment.

Run as `python kill_job.py OUT STEPS`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from training.atomic_files import write_whole
from training.runs.checkpoint import (
    has_checkpoint,
    load_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
)
from training.runs.metrics import MetricsFile
from training.runs.stage import run_stage


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Of the stage."""

    steps: int
    seed: int = 3


def main(folder: Path, steps: int) -> None:
    """Do the stage, or what is left of it."""
    settings = Settings(steps=steps)
    run_stage(folder, name="toy", config=settings, inputs=[], body=lambda where: _learn(where, settings))


def _learn(folder: Path, settings: Settings) -> None:
    """Fit a small network; batches come from a generator whose state is in the checkpoint."""
    generator = torch.Generator().manual_seed(settings.seed)
    net = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 1))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(0, 0.3, generator=generator)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    path, step = folder / ".toy.checkpoint", 0
    if has_checkpoint(path):
        tensors, facts = load_checkpoint(path)
        step = facts["step"]
        net.load_state_dict({name: tensors[name] for name in net.state_dict()})
        restore_optimizer(optimizer, tensors)
        generator.set_state(tensors["generator"])
    metrics = MetricsFile(folder / "toy.metrics.csv", ["loss"], after_step=step)
    while step < settings.steps:
        inputs = torch.randn(16, 6, generator=generator)
        loss = (net(inputs) - inputs.prod(1, keepdim=True)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        metrics.write(step, {"loss": loss.item()})
        if step % 5 == 0:
            state = {**net.state_dict(), **optimizer_tensors(optimizer), "generator": generator.get_state()}
            save_checkpoint(path, state, {"step": step})
    weights = torch.cat([value.detach().reshape(-1) for value in net.parameters()])
    write_whole(folder / "weights.bin", lambda file: file.write(weights.numpy().tobytes()))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), int(sys.argv[2]))
