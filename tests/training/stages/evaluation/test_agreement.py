"""Agreement of rankings, with dead encoders and without."""

from __future__ import annotations

import pytest
from training.stages.evaluation.agreement import carried_over_alive, dead_tasks, published_agreement

from taxsolver import compare, load_affinity


def test_tasks_are_dead_by_their_representation_and_not_by_a_constant_output() -> None:
    health = {
        "normal": {"dead_channels": 0.0, "output_variation": 0.0},
        "jigsaw": {"dead_channels": 0.75, "output_variation": 0.5},
        "jigsaw -> normal": {"output_variation": 0.0},
    }
    assert dead_tasks(health) == ["jigsaw"]


def test_a_tensor_agrees_with_itself_whatever_is_dead() -> None:
    found = published_agreement(load_affinity("taskonomy-16k"), ["egomotion"])
    assert found["taskonomy-16k"]["mean"] == pytest.approx(1)
    assert found["taskonomy-16k"]["mean_alive"] == pytest.approx(1)


def test_transfers_that_read_a_dead_task_and_its_own_target_are_left_out() -> None:
    tensor = load_affinity("taskonomy-16k")
    found = published_agreement(tensor, ["egomotion", "jigsaw"])["taskonomy-1k"]
    whole = compare(tensor, "taskonomy-1k")
    assert found["mean"] == pytest.approx(whole.mean)
    sources = [task for task in tensor.tasks if task not in {"egomotion", "jigsaw"}]
    targets = [task for task in tensor.targets if task != "egomotion"]
    by_hand = compare(tensor.select(targets=targets, sources=sources), "taskonomy-1k")
    assert found["mean_alive"] == pytest.approx(by_hand.mean)
    assert found["mean_alive"] > found["mean"]  # that target alone agrees not at all


def test_dead_sources_make_rankings_of_errors_agree() -> None:
    """The worst source in both rankings, and noise among all others."""
    tensor = load_affinity("taskonomy-16k")
    errors = {"normal": 1.3, "reshading": 1.1, "curvature": 1.2, "nonfixated_pose": 9.0}
    (row,) = carried_over_alive(
        [{"target": "depth_zbuffer", "errors": errors, "spearman": 0.4}], tensor, ["nonfixated_pose"]
    )
    assert row["spearman"] == 0.4
    alive = {task: error for task, error in errors.items() if task != "nonfixated_pose"}
    (again,) = carried_over_alive([{"target": "depth_zbuffer", "errors": alive}], tensor, [])
    assert row["spearman_alive"] == again["spearman_alive"]
    (all_of_them,) = carried_over_alive([{"target": "depth_zbuffer", "errors": errors}], tensor, [])
    assert all_of_them["spearman_alive"] > row["spearman_alive"]
