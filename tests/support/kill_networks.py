"""Stage 1 on a toy store, in a process of its own that may be killed at any moment.

Run as `python kill_networks.py OUT STEPS`; the store lies beside OUT in `frames`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from tests.taskbank.toy import TOY_COMPACT
from training.data.frames import FrameStore
from training.task_networks.config import TaskNetworksConfig
from training.task_networks.train import train_task_networks

TASKS = ("normal", "fixated_pose")


def main(out: Path, steps: int) -> None:
    """Train, or go on; a checkpoint after every step."""
    config = TaskNetworksConfig(
        architecture=TOY_COMPACT, steps=steps, batch=4, warm_up=1, log_every=1, checkpoint_seconds=0.0
    )
    train_task_networks(config, {"train": FrameStore.open(out.parent / "frames")}, out, tasks=TASKS)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), int(sys.argv[2]))
