"""The Ray engine on a real cluster of two nodes, one of which is lost on the way."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.taskbank.toy import TOY_COMPACT
from tests.training.toy_store import toy_store
from training.errors import ConfigError, JobsFailedError
from training.runs.engine import Engine, Job, LocalEngine
from training.runs.engine.ray import RayEngine
from training.stages.networks.config import TaskNetworksConfig
from training.stages.networks.stage import run_networks

from toy_jobs import diverge, fit_line, fit_line_noted, write_nothing

_SUPPORT = Path(__file__).parents[3] / "support"
_NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """Two nodes on this machine, and a connection to them."""
    os.environ |= {
        "PYTHONPATH": os.pathsep.join([str(_SUPPORT), os.environ.get("PYTHONPATH", "")]),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    }
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'taskbank[ray]'")
    from ray.cluster_utils import Cluster

    started = Cluster(initialize_head=True, head_node_args={**_NODE, "include_dashboard": False})
    try:
        ray.init(address=started.address, logging_level=logging.ERROR, log_to_driver=False)
        yield started
    finally:
        ray.shutdown()
        started.shutdown()  # type: ignore[no-untyped-call]


def lines(folder: Path, count: int) -> list[Job]:
    return [
        Job(key=f"line {seed}", function=fit_line, arguments={"seed": seed}, output=folder / f"{seed}.bin")
        for seed in range(count)
    ]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def kill_when_busy(cluster: Any, node: Any, notes: Path) -> None:
    """Kill a node as soon as a job has begun on it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if any(node.node_id in path.read_text() for path in notes.iterdir()):
            cluster.remove_node(node, allow_graceful=False)
            return
        time.sleep(0.02)


@pytest.mark.slow
def test_jobs_of_a_lost_node_are_done_elsewhere_with_the_same_results(cluster: Any, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    node = cluster.add_node(**_NODE)
    cluster.wait_for_nodes()
    killer = threading.Thread(target=kill_when_busy, args=(cluster, node, notes))
    killer.start()
    RayEngine(threads=1).run(
        [
            Job(
                key=f"line {seed}",
                function=fit_line_noted,
                arguments={"seed": seed, "notes": notes},
                output=tmp_path / "ray" / f"{seed}.bin",
            )
            for seed in range(4)
        ]
    )
    killer.join()
    begun = [path.read_text().split() for path in notes.iterdir()]
    lost = [nodes for nodes in begun if node.node_id in nodes]
    assert lost
    assert all(len(nodes) == 2 and nodes[1] != node.node_id for nodes in lost)
    LocalEngine(threads=1).run(lines(tmp_path / "local", 4))
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")


@pytest.mark.slow
def test_task_networks_come_out_the_same_on_a_cluster(cluster: Any, tmp_path: Path) -> None:
    store = toy_store(tmp_path / "frames", rooms=3)
    config = TaskNetworksConfig(architecture=TOY_COMPACT, steps=3, batch=4, warm_up=1)
    tasks = ("normal", "egomotion", "class_object")
    engines: dict[str, Engine] = {"local": LocalEngine(threads=1), "ray": RayEngine(threads=1)}
    for name, engine in engines.items():
        run_networks(config, store.root, tmp_path / name, tasks=tasks, engine=engine, workers=2)
    for task in tasks:
        local, ray = (tmp_path / name / f"{task}.safetensors" for name in engines)
        assert local.read_bytes() == ray.read_bytes()
    beside = [json.loads((tmp_path / "ray" / f"{task}.json").read_text())["trained_beside"] for task in tasks]
    assert sorted(beside) == [0, 1, 1]


def test_failures_on_a_cluster_are_told_after_the_others_are_done(cluster: Any, tmp_path: Path) -> None:
    good = lines(tmp_path, 1)
    bad = Job(key="bad", function=diverge, output=tmp_path / "normal.bin")
    lazy = Job(key="lazy", function=write_nothing, output=tmp_path / "lazy.bin")
    with pytest.raises(JobsFailedError) as caught:
        RayEngine().run([bad, lazy, *good])
    assert caught.value.reasons["bad"] == "DivergedError: the loss of normal is nan at step 7"
    assert "--out must lie in a folder that all machines share" in caught.value.reasons["lazy"]
    LocalEngine(threads=1).run(lines(tmp_path / "local", 1))
    assert good[0].output.read_bytes() == (tmp_path / "local" / "0.bin").read_bytes()


def test_done_jobs_start_no_cluster(tmp_path: Path) -> None:
    jobs = lines(tmp_path, 2)
    LocalEngine().run(jobs)
    RayEngine(address="ray://192.0.2.1:1").run(jobs)


@pytest.mark.parametrize(
    ("cpus", "gpus", "message"),
    [
        (-1, 0, "neither below 0"),
        (0, 0, "not both 0"),
        (1, 1.5, r"gpus 1\.5 of a job must be below 1, or whole"),
    ],
)
def test_shares_that_ray_cannot_give_are_refused(cpus: float, gpus: float, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RayEngine(cpus=cpus, gpus=gpus)
