"""Stage 1 as jobs: the same weights from any number of them, and nothing lost when the number changes."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.training.stages.networks.toy_networks import CONFIG, THREE, same_weights
from torch import Tensor
from training.data.frames import FrameStore
from training.errors import DataError, JobsFailedError
from training.runs.engine import Job, LocalEngine
from training.stages.networks.config import OwnSettings
from training.stages.networks.learner import Learner
from training.stages.networks.stage import run_networks
from training.stages.networks.train import TRAIN, train_task_networks

JOBS = {"workers": 2, "tasks": THREE}


class Recording:
    """An engine that remembers what it was asked to do, and does some of it.

    Args:
        does: how many of the jobs; it dies instead of the next.
    """

    def __init__(self, does: int = 100) -> None:
        self._does = does
        self.groups: list[tuple[str, ...]] = []

    def run(self, jobs: Sequence[Job]) -> None:
        """Do as many as it does."""
        self.groups = [job.arguments["tasks"] for job in jobs]
        LocalEngine(threads=1).run(jobs[: self._does])
        if self._does < len(jobs):
            raise KeyboardInterrupt


class DyingAfterTheFirstStep:
    """An engine whose jobs leave a checkpoint each."""

    def run(self, jobs: Sequence[Job]) -> None:
        """Take the first step of every job."""
        for job in jobs:
            given = job.arguments
            stores = {TRAIN: FrameStore.open(given["frames"])}
            train_task_networks(given["config"], stores, given["out"], tasks=given["tasks"], max_seconds=0)
        raise KeyboardInterrupt


def test_a_task_without_samples_is_told_of_before_any_job_begins(store: FrameStore, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs"
    shutil.copytree(store.root, pairs)
    for path in pairs.glob("shard_*/cameras.npy"):
        cameras = np.load(path)
        cameras["point"] += 100 * (cameras["view"] > 1)
        np.save(path, cameras)
    engine = Recording()
    with pytest.raises(DataError, match="no sample for egomotion: no point is fixated by three frames"):
        run_networks(CONFIG, pairs, tmp_path / "out", engine=engine, tasks=THREE)
    assert engine.groups == []


def test_two_processes_leave_the_same_weights_as_one(store: FrameStore, whole: Path, tmp_path: Path) -> None:
    run_networks(CONFIG, store.root, tmp_path / "one", engine=LocalEngine(threads=1), tasks=THREE)
    two = LocalEngine(workers=2, threads=1)
    run_networks(CONFIG, store.root, tmp_path / "two", engine=two, **JOBS)  # type: ignore[arg-type]
    assert same_weights(whole, tmp_path / "one")
    assert same_weights(whole, tmp_path / "two")
    assert sorted(path.name for path in (tmp_path / "two").iterdir() if path.is_file()) == sorted(
        [".stage.lock", "stage.json"]
        + [f"{task}.{ending}" for task in THREE for ending in ("json", "metrics.csv", "safetensors")]
    )


@pytest.mark.parametrize(("workers", "jobs", "groups"), [(1, None, 1), (2, None, 2), (2, 3, 3), (7, None, 3)])
def test_there_are_as_many_jobs_as_workers_or_as_is_said(
    store: FrameStore, tmp_path: Path, workers: int, jobs: int | None, groups: int
) -> None:
    engine = Recording(does=0)
    with pytest.raises(KeyboardInterrupt):
        run_networks(
            replace(CONFIG, jobs=jobs), store.root, tmp_path, tasks=THREE, engine=engine, workers=workers
        )
    assert len(engine.groups) == groups
    assert sorted(task for group in engine.groups for task in group) == sorted(THREE)


def test_the_longest_job_comes_first(store: FrameStore, tmp_path: Path) -> None:
    engine, shorter, longer = Recording(does=0), THREE[:2], THREE[2:]
    own = (OwnSettings(tasks=longer, steps=10 * CONFIG.steps),)
    with pytest.raises(KeyboardInterrupt):
        run_networks(replace(CONFIG, own=own), store.root, tmp_path, tasks=THREE, engine=engine)
    assert engine.groups == [longer, shorter]


def test_what_is_finished_is_in_no_job_of_the_next_run(
    store: FrameStore, whole: Path, tmp_path: Path
) -> None:
    first, second = Recording(does=1), Recording()
    with pytest.raises(KeyboardInterrupt):
        run_networks(CONFIG, store.root, tmp_path, engine=first, **JOBS)  # type: ignore[arg-type]
    run_networks(replace(CONFIG, jobs=1), store.root, tmp_path, tasks=THREE, engine=second)
    assert second.groups == [tuple(task for task in THREE if task not in first.groups[0])]
    assert same_weights(whole, tmp_path)


@pytest.mark.parametrize("workers", [(1, 2), (3, 1)])
def test_what_was_begun_goes_on_in_another_number_of_jobs(
    store: FrameStore, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: tuple[int, int]
) -> None:
    steps = []
    learn = Learner.learn

    def noted(self: Learner, shown: Tensor, target: Any, step: int) -> Tensor:
        steps.append(step)
        return learn(self, shown, target, step)

    monkeypatch.setattr(Learner, "learn", noted)
    before, after = workers
    with pytest.raises(KeyboardInterrupt):
        run_networks(
            CONFIG, store.root, tmp_path, tasks=THREE, engine=DyingAfterTheFirstStep(), workers=before
        )
    assert steps == [0, 0, 0]
    run_networks(CONFIG, store.root, tmp_path, tasks=THREE, engine=Recording(), workers=after)
    assert sorted(steps) == sorted([*range(CONFIG.steps)] * 3)
    assert same_weights(whole, tmp_path)
    assert list(tmp_path.glob("*.checkpoint*")) == []


def test_another_number_of_jobs_is_no_other_stage(store: FrameStore, tmp_path: Path) -> None:
    config = replace(CONFIG, steps=1)
    run_networks(config, store.root, tmp_path, tasks=("normal",))
    engine = Recording()
    run_networks(replace(config, jobs=5), store.root, tmp_path, tasks=("normal",), engine=engine, workers=3)
    assert engine.groups == []


def test_a_network_that_was_deleted_is_trained_again(store: FrameStore, tmp_path: Path) -> None:
    config, tasks = replace(CONFIG, steps=1), ("normal", "egomotion")
    run_networks(config, store.root, tmp_path, tasks=tasks)
    weights = (tmp_path / "egomotion.safetensors").read_bytes()
    (tmp_path / "egomotion.safetensors").unlink()
    engine = Recording()
    run_networks(config, store.root, tmp_path, tasks=tasks, engine=engine)
    assert engine.groups == [("egomotion",)]
    assert (tmp_path / "egomotion.safetensors").read_bytes() == weights


def test_a_group_that_diverges_is_named_and_the_others_are_done(store: FrameStore, tmp_path: Path) -> None:
    config = replace(CONFIG, steps=3, log_every=1, learning_rate=1e30, warm_up=0, jobs=2)
    with pytest.raises(
        JobsFailedError, match=r"reshading: DivergedError: reshading: the loss of step 1 is"
    ) as caught:
        run_networks(config, store.root, tmp_path, tasks=("reshading",), engine=LocalEngine(threads=1))
    assert "run the same command again: finished jobs are skipped" in str(caught.value)


def test_the_stage_says_once_what_it_is_about_to_do(
    store: FrameStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        run_networks(replace(CONFIG, steps=1), store.root, tmp_path, **JOBS)  # type: ignore[arg-type]
    said = [record for record in caplog.records if ".stages.networks." in record.name]
    lines = [record.getMessage() for record in said if record.levelno == logging.INFO]
    assert lines == ["networks: 3 of 3 tasks are left, in 2 job(s)"]
