from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.taskbank.toy import TOY_COMPACT
from tests.training.toy_store import toy_store
from training.errors import DivergedError, JobsFailedError
from training.runs.checkpoint import save_checkpoint
from training.runs.engine import LocalEngine
from training.stages.grouping.config import GroupingConfig
from training.stages.grouping.fit import NetworkJob, train_network
from training.stages.grouping.report import correlation, transfer_matrix
from training.stages.grouping.stage import LOSSES, TAG_LOSSES, losses_csv, run_grouping, tag_networks
from training.stages.networks.config import TaskNetworksConfig

from taxsolver.grouping import group, load_table

_TASKS = ("normal", "segment_semantic", "edge_texture")


def _config(**learning: object) -> GroupingConfig:
    given = {
        "steps": 6,
        "batch": 4,
        "photometric": False,
        "architecture": TOY_COMPACT,
        "warm_up": 0,
    } | learning
    return GroupingConfig(tasks=_TASKS, tag_every=3, samples=6, learning=TaskNetworksConfig(**given))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("frames")
    return {
        split: toy_store(root / split, rooms=2, first_room=2 * number).root
        for number, split in enumerate(("train", "val", "test"))
    }


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, frames: dict[str, Path]) -> Path:
    out = tmp_path_factory.mktemp("grouping")
    run_grouping(_config(), frames, out, engine=LocalEngine())
    return out


def test_the_table_is_what_taxsolver_groups(done: Path) -> None:
    table = load_table(done / LOSSES)
    assert len(table.networks) == 3 + 7
    assert table.validation_early is not None
    found = group(table, "optimal", 2)
    assert found.status == "optimal"
    assert np.isfinite(found.test_loss)


def test_inter_task_affinity_predicts_losses_of_full_size_networks(done: Path) -> None:
    table = load_table(done / TAG_LOSSES)
    assert len(table.networks) == 7
    singles = table.validation[table.num_predicted == 1]
    assert np.nansum(singles, axis=1).tolist() == [1, 1, 1]


def test_the_report_has_every_method_for_machines_and_people(done: Path) -> None:
    facts = json.loads((done / "report.json").read_text())
    methods = {found["method"] for found in facts["groupings"]}
    assert methods == {"optimal", "hoa", "esa", "all-in-one", "independent", "random", "worst", "tag"}
    assert np.shape(facts["inter_task_affinity"]) == (3, 3)
    text = (done / "report.txt").read_text()
    assert max(map(len, text.splitlines())) <= 100
    assert "tag" in text
    assert "Spearman, pairs and inter-task affinity" in text


def test_a_stage_that_is_done_trains_nothing_again(done: Path, frames: dict[str, Path]) -> None:
    before = {path: path.stat().st_mtime_ns for path in (done / "networks").iterdir()}
    run_grouping(_config(), frames, done, engine=LocalEngine())
    assert {path: path.stat().st_mtime_ns for path in (done / "networks").iterdir()} == before


def test_what_dropout_drops_follows_from_the_step(tmp_path: Path, frames: dict[str, Path]) -> None:
    learning = _config(steps=4).learning
    config = GroupingConfig(tasks=("class_scene", "normal"), tag_every=2, samples=6, learning=learning)
    found = []
    for attempt in range(2):
        job = _job(config, frames, tmp_path / str(attempt))
        train_network(job.path, job)
        found.append(json.loads(job.path.read_text()))
        torch.rand(7)  # somebody else draws
    assert found[0] == found[1]


def _job(config: GroupingConfig, frames: dict[str, Path], out: Path) -> NetworkJob:
    """The network of all tasks."""
    plan = list(config.networks())[-1]
    return NetworkJob(
        plan=plan, config=config, train=frames["train"], val=frames["val"], test=frames["test"], out=out
    )


def test_a_network_that_was_stopped_ends_with_the_same_losses(
    tmp_path: Path, frames: dict[str, Path], done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _job(_config(checkpoint_seconds=0.0), frames, tmp_path)
    left = iter([False, False, False, True])

    def stopping(path: Path, *content: Any) -> None:
        save_checkpoint(path, *content)
        if next(left):
            raise KeyboardInterrupt

    monkeypatch.setattr("training.stages.grouping.fit.save_checkpoint", stopping)
    with pytest.raises(KeyboardInterrupt):
        train_network(job.path, job)
    monkeypatch.undo()
    train_network(job.path, job)
    straight = done / "networks" / job.path.name
    assert json.loads(job.path.read_text()) == json.loads(straight.read_text())
    assert [path.name for path in (tmp_path / "networks").iterdir()] == [job.path.name]


def test_a_loss_that_is_no_number_stops_with_its_step(tmp_path: Path, frames: dict[str, Path]) -> None:
    config = _config(learning_rate=1e30, clip=1e30)
    job = _job(config, frames, tmp_path)
    with pytest.raises(
        DivergedError, match=r"normal\+segment_semantic\+edge_texture: the loss is \S+ at step \d"
    ):
        train_network(job.path, job)
    with pytest.raises(JobsFailedError):
        run_grouping(config, frames, tmp_path / "all", engine=LocalEngine())


def test_losses_stand_by_split_network_and_task() -> None:
    networks = [
        {"network": "a", "cost": 1.0, "losses": {"validation": {"a": 0.5}, "test": {"a": 0.25}}},
        {
            "network": "a+b",
            "cost": 1.0,
            "losses": {"validation": {"a": 1.0, "b": 2.0}, "test": {"a": 3.0, "b": 4.0}},
        },
    ]
    rows = list(csv.reader(losses_csv(networks, ["a", "b"]).splitlines()))
    assert rows[:2] == [["split", "network", "cost", "a", "b"], ["validation", "a", "1.0", "0.5", ""]]
    assert rows[-1] == ["test", "a+b", "1.0", "3.0", "4.0"]


def test_a_tasks_predicted_loss_is_one_less_what_the_others_do_to_it() -> None:
    tag = np.array([[9, 0.2, 0.4], [0.1, 9, -0.2], [0.3, 0.5, 9]])
    networks = [
        {"network": "half:a", "tasks": ["a"], "cost": 0.5, "losses": {"test": {}}},
        {"network": "b", "tasks": ["b"], "cost": 1.0, "losses": {"test": {}}},
        {"network": "a+b+c", "tasks": ["a", "b", "c"], "cost": 1.0, "losses": {"test": {}}},
    ]
    alone, together = tag_networks(networks, ["a", "b", "c"], tag)
    assert alone["losses"]["validation"] == {"b": 1}
    assert together["losses"]["validation"] == pytest.approx({"a": 1 - 0.2, "b": 1 - 0.35, "c": 1 - 0.1})


def test_correlation_is_over_pairs_of_different_tasks() -> None:
    first = np.array([[9.0, 1, 2], [3, 9, 4], [5, 6, 9]])
    second = np.array([[-9.0, 10, 20], [30, -9, 40], [50, 60, -9]])
    assert correlation(first, second) == pytest.approx(1)
    assert correlation(first, np.zeros((3, 3))) is None
    assert correlation(first[:2, :2], second[:2, :2]) is None


def test_transfer_affinity_is_read_by_task_and_unknown_tasks_are_not(tmp_path: Path) -> None:
    from taxsolver import load_affinity, save_affinity

    path = save_affinity(load_affinity("taskonomy-16k"), tmp_path / "t.safetensors")
    matrix = transfer_matrix(path, ("normal", "depth_zbuffer", "mine"))
    assert np.isnan(matrix[2]).all()
    assert np.nanmax(matrix[:, 0]) == 1
    assert 0 < matrix[0, 1] <= 1
