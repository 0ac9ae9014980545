"""`kill -9` at random moments, and the same command again until it ends: the same numbers."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from tests.training.toy_store import toy_store

from processes import child_process

ROOT = Path(__file__).parents[3]
JOB = ROOT / "tests" / "support" / "kill_job.py"
NETWORKS = ROOT / "tests" / "support" / "kill_networks.py"


def begin(*words: object) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """A process that finds this checkout."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support"), os.environ.get("PYTHONPATH", "")])
    return child_process(
        [sys.executable, *map(str, words)],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def run_with_kills(runs: Sequence[Sequence[object]], folder: Path, seed: int) -> int:
    """Run until it ends, killed while it is at work in every run but the last; how often it was half-way.

    Args:
        runs: words of each command.
        folder: where it is at work.
        seed: of the moments.
    """
    draws = random.Random(seed)
    half_way = 0
    for words in runs[:-1]:
        with begin(*words) as process:
            rows = _rows(folder)
            while process.poll() is None and _rows(folder) == rows:
                time.sleep(0.005)
            time.sleep(draws.uniform(0, 0.15))
            process.kill()
            process.communicate()
        half_way += not (folder / "stage.json").exists() and not list(folder.glob("*.safetensors"))
    with begin(*runs[-1]) as process:
        _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()
    return half_way


def _rows(folder: Path) -> int:
    """Size of the metrics so far: it changes once training is at work."""
    metrics = list(folder.glob("*.metrics.csv"))
    return metrics[0].stat().st_size if metrics else 0


def results(folder: Path) -> dict[str, bytes]:
    """Weights and metrics."""
    kept = (*folder.glob("weights.bin"), *folder.glob("*.metrics.csv"))
    return {path.name: path.read_bytes() for path in kept}


def test_training_that_is_killed_again_and_again_ends_with_the_same_numbers(tmp_path: Path) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    run_with_kills([[JOB, undisturbed, 600]], undisturbed, seed=0)
    half_way = run_with_kills([[JOB, killed, 600]] * 3, killed, seed=0)
    assert half_way >= 1
    assert len(results(killed)) == 2
    assert results(killed) == results(undisturbed)
    assert not list(killed.glob(".*.partial"))


def test_task_networks_that_are_killed_and_go_on_in_other_jobs_end_with_the_same_weights(
    tmp_path: Path,
) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    toy_store(tmp_path / "frames", rooms=3)
    run_with_kills([[NETWORKS, undisturbed, 40, 1]], undisturbed, seed=1)
    half_way = run_with_kills([[NETWORKS, killed, 40, workers] for workers in (1, 2, 1)], killed, seed=1)
    assert half_way >= 1
    weights = {path.name: path.read_bytes() for path in killed.glob("*.safetensors")}
    assert sorted(weights) == ["fixated_pose.safetensors", "normal.safetensors"]
    for name, content in weights.items():
        assert content == (undisturbed / name).read_bytes()
