"""Tasks with settings of their own, and networks that go on from those of another run."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.training.stages.networks.toy_networks import CONFIG, same_weights
from training.data.frames import FrameStore
from training.errors import ConfigError, DataError
from training.runs.settings import settings_from
from training.stages.networks.config import OwnSettings, TaskNetworksConfig
from training.stages.networks.finished import origins_of, spent_on
from training.stages.networks.stage import run_networks
from training.stages.networks.train import train_task_networks

from taskbank.nets.architecture import Compact
from taskbank.tasks.registry import find_task

TWO = ("normal", "depth_zbuffer")
BRIEF = replace(CONFIG, own=(OwnSettings(tasks=("normals",), steps=2, learning_rate=0.01),))


def test_a_tables_own_settings_are_read_from_a_preset() -> None:
    table = {"steps": 9, "own": [{"tasks": ["normals"], "steps": 3, "start": "first/networks"}]}
    config = settings_from(TaskNetworksConfig, table, "networks")
    own = config.of(find_task("normal"))
    assert (own.steps, own.start, own.own) == (3, Path("first/networks"), ())
    assert config.of(find_task("reshading")) == replace(config, own=())


def test_tasks_are_grouped_by_what_they_are_trained_with() -> None:
    tasks = [find_task(name) for name in ("reshading", "normal", "curvature")]
    groups = [(config.steps, [task.name for task in members]) for config, members in BRIEF.alike(tasks)]
    assert groups == [(6, ["reshading", "curvature"]), (2, ["normal"])]


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ([OwnSettings(tasks=("normal", "normals"))], "own names normal more than once"),
        ([OwnSettings(tasks=("normal",), steps=0)], "steps is 0, it must be positive, or 0 with a start"),
        ([OwnSettings(tasks=("normal",), steps=-1)], "steps is -1, it must be positive"),
    ],
)
def test_own_settings_that_make_no_sense_are_refused(own: list[OwnSettings], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(CONFIG, own=tuple(own))


def test_a_task_with_own_settings_is_trained_as_with_these_for_all(store: FrameStore, tmp_path: Path) -> None:
    found = train_task_networks(BRIEF, {"train": store}, tmp_path / "own", tasks=TWO)
    train_task_networks(CONFIG, {"train": store}, tmp_path / "long", tasks=TWO)
    train_task_networks(
        replace(CONFIG, steps=2, learning_rate=0.01), {"train": store}, tmp_path / "brief", tasks=TWO
    )
    assert (found.steps, found.finished) == (2, True)
    assert same_weights(tmp_path / "own", tmp_path / "long", ("depth_zbuffer",))
    assert same_weights(tmp_path / "own", tmp_path / "brief", ("normal",))
    about = json.loads((tmp_path / "own" / "normal.json").read_text())
    assert (about["steps"], about["config"]["learning_rate"]) == (2, 0.01)


def test_jobs_hold_tasks_that_learn_alike(store: FrameStore, tmp_path: Path) -> None:
    asked: list[tuple[str, ...]] = []

    class Recording:
        def run(self, jobs: Any) -> None:
            asked.extend(job.arguments["tasks"] for job in jobs)
            raise KeyboardInterrupt

    three = (*TWO, "reshading")
    with pytest.raises(KeyboardInterrupt):
        run_networks(BRIEF, store.root, tmp_path, tasks=three, engine=Recording())
    assert asked == [("depth_zbuffer", "reshading"), ("normal",)]  # the longest first


@pytest.fixture
def first(store: FrameStore, tmp_path: Path) -> Path:
    train_task_networks(CONFIG, {"train": store}, tmp_path / "first", tasks=TWO)
    return tmp_path / "first"


def test_networks_go_on_from_those_of_another_run(store: FrameStore, tmp_path: Path, first: Path) -> None:
    still = replace(CONFIG, start=first, learning_rate=1e-9, recalibration=0, steps=1)
    train_task_networks(still, {"train": store}, tmp_path / "second", tasks=TWO)
    for task in TWO:
        before, after = (load_file(folder / f"{task}.safetensors") for folder in (first, tmp_path / "second"))
        weights = [name for name in before if "running" not in name]
        assert all(torch.allclose(before[name], after[name], atol=1e-5) for name in weights)


def test_no_steps_take_networks_over_as_they_are(store: FrameStore, tmp_path: Path, first: Path) -> None:
    own = (OwnSettings(tasks=("normal",), steps=2),)
    config = replace(CONFIG, start=first, steps=0, own=own)
    train_task_networks(config, {"train": store}, tmp_path / "second", tasks=TWO)
    before, after = (
        load_file(folder / "depth_zbuffer.safetensors") for folder in (first, tmp_path / "second")
    )
    assert all(torch.allclose(before[name], after[name], rtol=1e-5, atol=1e-6) for name in before)
    assert not same_weights(first, tmp_path / "second", ("normal",))
    assert spent_on(tmp_path / "second", find_task("depth_zbuffer"))["steps"] == CONFIG.steps


def test_it_is_written_down_what_was_spent_before(store: FrameStore, tmp_path: Path, first: Path) -> None:
    again = replace(CONFIG, start=first, steps=2)
    train_task_networks(again, {"train": store}, tmp_path / "second", tasks=("normal",))
    third = replace(CONFIG, start=tmp_path / "second", steps=1)
    train_task_networks(third, {"train": store}, tmp_path / "third", tasks=("normal",))
    about = json.loads((tmp_path / "third" / "normal.json").read_text())
    assert about["before"] == spent_on(tmp_path / "second", find_task("normal"))
    assert (about["steps"], about["before"]["steps"]) == (1, 8)
    seconds = json.loads((first / "normal.json").read_text())["seconds"] / 2
    assert about["before"]["seconds"] > seconds - 0.1


def test_a_start_that_does_not_say_how_it_was_trained_is_refused(tmp_path: Path, first: Path) -> None:
    (first / "normal.json").unlink()
    with pytest.raises(DataError, match=r"normal\.json does not say how long 'normal' was trained"):
        spent_on(first, find_task("normal"))


def test_networks_that_began_elsewhere_do_not_count_as_finished(
    store: FrameStore, tmp_path: Path, first: Path
) -> None:
    again = replace(CONFIG, start=first, steps=1)
    train_task_networks(again, {"train": store}, tmp_path / "second", tasks=("normal",))
    assert train_task_networks(again, {"train": store}, tmp_path / "second", tasks=("normal",)).seconds == 0
    other = replace(CONFIG, steps=1, seed=1)
    train_task_networks(other, {"train": store}, tmp_path / "other", tasks=("normal",))
    shutil.copy(tmp_path / "other" / "normal.safetensors", first)
    with pytest.raises(ConfigError, match="another configuration"):
        train_task_networks(again, {"train": store}, tmp_path / "second", tasks=("normal",))


def test_a_course_continues_the_networks_of_the_course_before(store: FrameStore, tmp_path: Path) -> None:
    own = (OwnSettings(tasks=("normal",), steps=2),)
    second = replace(CONFIG, before=CONFIG, steps=0, seed=5, own=own)
    made = run_networks(second, store.root, tmp_path / "networks", tasks=TWO)
    earlier = tmp_path / "networks_before"
    train_task_networks(CONFIG, {"train": store}, tmp_path / "alone", tasks=TWO)
    assert same_weights(earlier, tmp_path / "alone", TWO)
    by_hand = replace(second, before=None, start=earlier)
    train_task_networks(by_hand, {"train": store}, tmp_path / "by_hand", tasks=TWO)
    assert same_weights(made, tmp_path / "by_hand", TWO)
    assert spent_on(made, find_task("normal"))["steps"] == CONFIG.steps + 2
    assert run_networks(second, store.root, tmp_path / "networks", tasks=TWO) == made  # finished, so skipped


def test_courses_are_read_from_a_preset() -> None:
    table = {"steps": 0, "before": {"steps": 9, "seed": 4, "real": 0.5}, "real": 0.25}
    config = settings_from(TaskNetworksConfig, table, "networks")
    assert config.before is not None
    assert (config.before.steps, config.before.seed, config.seed) == (9, 4, 0)
    without = config.without_real()
    assert without.before is not None
    assert (without.real, without.before.real) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start": Path("first")}, "to the first course only"),
        ({"architecture": Compact()}, "both must be the same"),
    ],
)
def test_courses_that_do_not_fit_together_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(CONFIG, before=CONFIG, **changes)


def test_several_courses_are_refused_where_one_is_trained(store: FrameStore, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="trains one course"):
        train_task_networks(replace(CONFIG, before=CONFIG), {"train": store}, tmp_path)


def test_it_is_written_down_what_the_networks_before_were_made_of(
    store: FrameStore, tmp_path: Path, first: Path
) -> None:
    about = json.loads((first / "normal.json").read_text())
    made_of = {"pretrained": {"model": "m"}, "real": {"share": 0.5}}
    (first / "normal.json").write_text(json.dumps(about | made_of))
    again = replace(CONFIG, start=first, steps=1)
    train_task_networks(again, {"train": store}, tmp_path / "second", tasks=("normal",))
    assert origins_of(tmp_path / "second", find_task("normal")) == made_of
    (first / "normal.json").write_text("{")
    with pytest.raises(DataError, match="does not say what 'normal' was made of"):
        origins_of(first, find_task("normal"))


def test_no_tasks_are_finished_at_once(store: FrameStore, tmp_path: Path) -> None:
    assert train_task_networks(CONFIG, {"train": store}, tmp_path, tasks=()).finished


def test_a_missing_start_is_told_of_before_any_job_begins(store: FrameStore, tmp_path: Path) -> None:
    config = replace(CONFIG, start=tmp_path / "start")
    with pytest.raises(DataError, match="start does not exist"):
        run_networks(config, store.root, tmp_path / "out", tasks=("normal",))
    (tmp_path / "start").mkdir()
    with pytest.raises(DataError, match="no network of 'normal' in .*start"):
        run_networks(config, store.root, tmp_path / "out", tasks=("normal",))


def test_a_start_of_another_architecture_is_refused(store: FrameStore, tmp_path: Path, first: Path) -> None:
    config = replace(CONFIG, start=first, architecture=Compact())
    with pytest.raises(DataError, match=r"normal\.safetensors"):
        run_networks(config, store.root, tmp_path / "out", tasks=("normal",))
