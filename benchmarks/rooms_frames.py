"""Benchmark the renderer: frames per second, and the operations that take the time.

Run from a checkout: `python -m benchmarks.rooms_frames --size 256 --threads 1`; `--device cuda` where there
is one. Rooms are furnished beforehand. Two measurements: the wall clock over whole pictures (medians of
rounds) with the process's own time, and operations as the profiler sees them. Other work on the CPU spoils
the wall clock; on few cores several processes of one thread each give more than one of several threads.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from training.arguments import ScriptParser
from training.rooms.cameras.lens import photograph
from training.rooms.cameras.placement import place_cameras
from training.rooms.frames.render import ViewedRoom, render_frames
from training.rooms.frames.views import cast_views, render_views
from training.rooms.furnishing.build import build_scene
from training.rooms.look import LookOptions, Looks
from training.rooms.scene import Cameras
from training.rooms.tracing.batch import SceneBatch

PLAIN = LookOptions(shadows=False, reflections=False, smooth_edges=False)


def rooms(count: int) -> list[ViewedRoom]:
    """Rooms with two views each."""
    made = []
    for seed in range(count):
        scene = build_scene(seed)
        cameras = place_cameras(scene, seed, points=2, views=2)
        few = Cameras(**{name: getattr(cameras, name)[:2] for name in Cameras.__slots__})
        made.append(ViewedRoom(number=seed, scene=scene, cameras=few))
    return made


def joined(viewed: list[ViewedRoom], device: str) -> tuple[SceneBatch, Tensor, Cameras]:
    """Join rooms and their views into one batch."""
    parts = [room.cameras for room in viewed]
    all_views = {name: np.concatenate([getattr(part, name) for part in parts]) for name in Cameras.__slots__}
    owners = np.concatenate([np.full(len(part.fov), number) for number, part in enumerate(parts)])
    batch = SceneBatch.of([room.scene for room in viewed], device)
    return batch, torch.from_numpy(owners).to(device), Cameras(**all_views)


def seconds(run: Callable[[], object], rounds: int, device: str) -> tuple[float, float]:
    """Median wall time and time of the process of a call, after one to warm up."""
    wall, process = [], []
    for _ in range(rounds + 1):
        start, busy = time.perf_counter(), time.process_time()
        run()
        if device == "cuda":
            torch.cuda.synchronize()
        wall.append(time.perf_counter() - start)
        process.append(time.process_time() - busy)
    return statistics.median(wall[1:]), statistics.median(process[1:])


def main() -> None:
    """Measure and print."""
    parser = ScriptParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=256, help="side of the pictures in px")
    parser.add_argument("--rooms", type=int, default=4, help="rooms, two pictures of each")
    parser.add_argument("--rounds", type=int, default=3, help="repetitions of which the median counts")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    viewed = rooms(given.rooms)
    batch, scene, cameras = joined(viewed, given.device)
    seeds, size = range(len(scene)), given.size
    light = torch.rand((len(scene), size, size, 3), device=given.device)
    looks = Looks.draw(seeds, LookOptions(), given.device)
    parts: dict[str, Callable[[], object]] = {
        "first hits alone": lambda: cast_views(batch, scene, cameras, size),
        "lens to file alone": lambda: photograph(light, light[..., 0] + 1, looks),
        "without shadows and reflections": lambda: render_views(
            batch, scene, cameras, size, seeds, options=PLAIN
        ),
        "everything": lambda: render_views(batch, scene, cameras, size, seeds),
        "everything, with all labels": lambda: render_frames(viewed, size, device=given.device),
    }
    solids = int(batch.valid.sum()) / len(batch)
    print(f"{len(scene)} pictures of {size} px, {solids:.0f} solids a room, {given.device}")
    with torch.inference_mode():
        for name, run in parts.items():
            wall, busy = (taken / len(scene) for taken in seconds(run, given.rounds, given.device))
            print(f"{name:32} {1000 * wall:8.1f} ms, {1000 * busy:8.1f} ms of the CPU a picture; ", end="")
            print(f"{1 / wall:8.2f} pictures a second")
        first = Cameras(**{name: getattr(cameras, name)[:1] for name in Cameras.__slots__})
        _profile(lambda: render_views(batch, scene[:1], first, size, seeds[:1]), given.device)


def _profile(run: Callable[[], object], device: str) -> None:
    """The ten operations that take most time in themselves."""
    kinds = [torch.profiler.ProfilerActivity.CPU]
    if device == "cuda":
        kinds.append(torch.profiler.ProfilerActivity.CUDA)
    with torch.profiler.profile(activities=kinds) as profile:
        run()
    order = "self_device_time_total" if device == "cuda" else "self_cpu_time_total"
    print(profile.key_averages().table(sort_by=order, row_limit=10, max_name_column_width=40))


if __name__ == "__main__":
    main()
