"""Worker processes end with the process that started them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from training.runs.worker_processes import worker_pool

from processes import child_process, children, is_alive, wait_while_computing

ROOT = Path(__file__).parents[3]


def test_workers_start_afresh_with_one_thread() -> None:
    with worker_pool(1) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()
        assert pool.submit(torch.get_num_threads).result() == 1


def test_every_pool_of_processes_is_one_that_ends_with_its_parent() -> None:
    """Others would outlive a killed run, and write into the folders of the next."""
    own = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "training").rglob("*.py")
        if "ProcessPoolExecutor(" in path.read_text(encoding="utf-8")
    ]
    assert own == ["training/runs/worker_processes.py"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_workers_of_training_frames_end_when_it_is_killed_and_it_goes_on_when_started_again(
    tmp_path: Path,
) -> None:
    """Nothing half-written is left, and no orphan writes into the next run's folder."""
    words: list[str | Path] = [
        sys.executable,
        "-m",
        "training",
        "frames",
        "--preset",
        "smoke",
        "--out",
        tmp_path / "run",
    ]
    sizes = {"train": 4, "val": 1, "test": 1, "rooms_per_shard": 1}
    words += [word for name, size in sizes.items() for word in ("--set", f"rooms.{name}={size}")]
    words += ["--workers", "2"]
    paths = [str(ROOT), str(ROOT / "taskbank/src"), str(ROOT / "taxsolver/src"), str(ROOT / "cli")]
    options: dict[str, Any] = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}}
    with child_process(words, **options) as parent:
        wait_while_computing(
            [parent.pid], lambda: bool(list(tmp_path.rglob("shard_*"))) or parent.poll() is not None
        )
        assert parent.poll() is None
        workers = children(parent.pid)
        parent.kill()
        parent.wait()
        wait_while_computing(workers, lambda: not any(map(is_alive, workers)))
    assert len(workers) >= 2
    done = subprocess.run(words, check=False, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.rglob("*.partial"))
