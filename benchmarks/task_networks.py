"""Benchmark stage 1: pictures per second when one network, several or all are trained in one job.

Run from a checkout: `python -m benchmarks.task_networks --size 128`; `--device cuda` where there is one. A
few rooms are rendered first. Each row trains some networks side by side from batches that they share, and
tells pictures times networks a second beside training one alone. On a CPU seconds are those of the process,
which other work on the machine spoils less.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
from training.arguments import ScriptParser
from training.data.frames import FrameStore
from training.rooms.frames.config import RoomsConfig
from training.rooms.frames.dataset import write_rooms
from training.stages.networks.config import TaskNetworksConfig
from training.stages.networks.train import chosen_tasks, train_task_networks

from taskbank.options import Precision

WARM_UP = 3  # steps that are not counted: caches, compilation of kernels
GROUPS = (
    ("normal",),
    ("normal", "depth_zbuffer", "curvature", "reshading"),
    tuple(task.name for task in chosen_tasks(None)),
)


def rendered(folder: Path, size: int, device: str) -> FrameStore:
    """Frames of eight rooms with all labels, and how fast they came."""
    config = RoomsConfig(train=8, points=2, views=3, size=size, rooms_per_shard=4)
    began = clock(device)
    store = write_rooms(folder, config, "train", device=device)
    print(f"rendered with all labels: {len(store) / (clock(device) - began):.2f} pictures a second")
    return store


def clock(device: str) -> float:
    """Seconds of the process, or of the wall where a GPU does the work."""
    return time.process_time() if device == "cpu" else time.perf_counter()


def seconds(config: TaskNetworksConfig, store: FrameStore, tasks: tuple[str, ...], device: str) -> float:
    """Measure the seconds of the counted steps of these networks together."""
    taken = []
    for steps in (WARM_UP, config.steps + WARM_UP):
        with tempfile.TemporaryDirectory() as folder:
            began = clock(device)
            train_task_networks(replace(config, steps=steps), {"train": store}, Path(folder), device, tasks)
            taken.append(clock(device) - began)
    return taken[1] - taken[0]


def main() -> None:
    """Measure and print."""
    parser = ScriptParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=128, help="side of the pictures in px")
    parser.add_argument("--batch", type=int, default=16, help="pictures a step")
    parser.add_argument("--steps", type=int, default=8, help="that are counted")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    config = TaskNetworksConfig(
        steps=given.steps, batch=given.batch, warm_up=1, held_out=0.2, held_out_samples=2, recalibration=1,
        check_every=10**6, log_every=10**6, precision=Precision(given.precision),
    )  # fmt: skip
    print(f"{given.size} px, batches of {given.batch}, {given.precision}, {given.device}")
    with tempfile.TemporaryDirectory() as folder:
        store = rendered(Path(folder) / "frames", given.size, given.device)
        alone = None
        print("networks in a job   pictures x networks a second   beside one alone")
        for tasks in GROUPS:
            rate = len(tasks) * given.steps * given.batch / seconds(config, store, tasks, given.device)
            alone = alone or rate
            print(f"{len(tasks):16d} {rate:30.1f} {rate / alone:21.2f} x")


if __name__ == "__main__":
    main()
