"""Stage 1 on a toy store, in processes of its own that may be killed at any moment.

Run as `python kill_networks.py OUT STEPS WORKERS`; the store lies beside OUT in `frames`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.taskbank.toy import TOY_COMPACT
from training.runs.engine import LocalEngine
from training.stages.networks.config import TaskNetworksConfig
from training.stages.networks.stage import run_networks

TASKS = ("normal", "fixated_pose")


def main(out: Path, steps: int, workers: int) -> None:
    """Train, or go on; a checkpoint after every step."""
    config = TaskNetworksConfig(
        architecture=TOY_COMPACT, steps=steps, batch=4, warm_up=1, log_every=1, checkpoint_seconds=0.0
    )
    engine = LocalEngine(workers=workers, threads=1)
    run_networks(config, out.parent / "frames", out, tasks=TASKS, engine=engine, workers=workers)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
