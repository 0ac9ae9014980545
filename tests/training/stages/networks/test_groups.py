"""Groups of networks: who is with whom, and at what cost."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from tests.training.stages.networks.toy_networks import LEARNED
from training.stages.networks.config import TaskNetworksConfig
from training.stages.networks.groups import group_cost, task_groups, work_of

from taskbank.tasks.registry import Task, find_task


def tasks_of(*names: str) -> list[Task]:
    return [find_task(name) for name in names]


def names_of(groups: list[tuple[Task, ...]]) -> set[frozenset[str]]:
    return {frozenset(task.name for task in group) for group in groups}


@pytest.mark.parametrize("count", [1, 2, 3, 7, 24, 25, 40])
def test_every_task_is_in_one_group_and_no_group_is_empty(count: int) -> None:
    groups = task_groups(LEARNED, count)
    assert len(groups) == min(count, 25)
    assert all(groups)
    assert sorted(task.name for group in groups for task in group) == sorted(task.name for task in LEARNED)
    places = [[LEARNED.index(task) for task in group] for group in groups]
    assert all(place == sorted(place) for place in places)


def test_no_task_makes_no_group() -> None:
    assert task_groups([], 3) == []


def test_what_is_shared_is_paid_for_once() -> None:
    assert group_cost(tasks_of("normal")) == pytest.approx(1.25)
    assert group_cost(tasks_of("normal", "reshading")) == pytest.approx(2.25)
    assert group_cost(tasks_of("normal", "edge_occlusion")) == pytest.approx(2.5)  # whole frames, and zoomed
    assert group_cost(tasks_of("fixated_pose", "egomotion")) == pytest.approx(2 * 0.85)  # frames of their own


def test_dear_tasks_are_alone_and_those_that_share_are_together() -> None:
    dear = tasks_of("autoencoding", "segment_unsup2d", "edge_texture")
    assert names_of(task_groups(dear, 2)) == {
        frozenset({"segment_unsup2d"}),
        frozenset({"autoencoding", "edge_texture"}),
    }
    sharing = tasks_of("normal", "autoencoding", "reshading", "edge_texture")
    assert names_of(task_groups(sharing, 2)) == {
        frozenset({"normal", "reshading"}),
        frozenset({"autoencoding", "edge_texture"}),
    }


@pytest.mark.parametrize("count", [2, 3])
def test_the_dearest_group_is_near_the_least_that_it_can_be(count: int) -> None:
    tasks = tasks_of(
        "normal", "edge_occlusion", "segment_unsup25d", "jigsaw", "egomotion", "colorization", "class_scene"
    )
    splits = (
        [[task for task, at in zip(tasks, places, strict=True) if at == number] for number in range(count)]
        for places in product(range(count), repeat=len(tasks))
    )
    best = min(max(map(group_cost, split)) for split in splits)
    assert max(map(group_cost, task_groups(tasks, count))) <= 1.1 * best


@pytest.mark.parametrize("count", range(2, 9))
def test_groups_of_all_tasks_cost_about_the_same(count: int) -> None:
    costs = [group_cost(group) for group in task_groups(LEARNED, count)]
    assert max(costs) <= 1.15 * sum(costs) / count


def test_steps_at_half_the_size_are_a_quarter_of_the_work() -> None:
    whole = TaskNetworksConfig(steps=100, batch=16)
    assert work_of(whole) == 100
    assert work_of(replace(whole, batch=32)) == 200
    assert work_of(replace(whole, half_size=0.8)) == pytest.approx(20 + 80 / 4)
