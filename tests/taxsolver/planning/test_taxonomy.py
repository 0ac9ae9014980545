"""The facts that a plan states about itself."""

from __future__ import annotations

import json
import math
from dataclasses import FrozenInstanceError, replace

import pytest

from taxsolver import load_affinity, solve
from taxsolver.planning.taxonomy import mean_measured
from taxsolver.tensors.affinity_csv import tensor_from_csv
from toys import toy


def test_json_has_exactly_the_keys_of_the_command() -> None:
    plan = solve(toy(), budget=2)
    written = json.loads(plan.to_json())
    assert written == {**plan.to_dict(), "cost": written["cost"], "problem": written["problem"]}
    assert list(plan.to_dict()) == [
        "affinity", "targets", "budget", "max_order", "status", "objective", "bound", "gap", "seconds",
        "labels", "labels_saved", "sources", "transfers",
    ]  # fmt: skip
    assert [list(transfer) for transfer in written["transfers"]] == [
        ["target", "sources", "order", "affinity", "gain", "quality", "full_supervision"]
    ] * 3
    assert written["transfers"][2] == {
        "target": "c",
        "sources": ["a", "s"],
        "order": 2,
        "affinity": 0.9,
        "gain": 0.6,
        "quality": 0.3,
        "full_supervision": False,
    }
    assert plan.to_json().endswith("}\n")


def test_json_holds_no_nan() -> None:
    tensor = tensor_from_csv("target,sources,gain\na,b,.5\nc,b,.25\n", name="gains")
    written = solve(tensor, objective="gain").to_json()
    assert "NaN" not in written
    assert json.loads(written)["transfers"][0]["affinity"] is None


def test_gain_and_quality_are_means_over_the_targets_where_they_were_measured() -> None:
    plan = solve(toy(), budget=2)
    assert plan.gain == pytest.approx((0.9 + 0.8 + 0.6) / 3)
    assert plan.quality == pytest.approx((0.5 + 0.4 + 0.3) / 3)
    tensor = tensor_from_csv("target,sources,affinity,gain\na,b,.5,\nc,b,.25,.5\n", name="gains")
    assert solve(tensor).gain == 0.5
    assert math.isnan(solve(tensor).quality)
    assert math.isnan(mean_measured([]))
    assert math.isnan(mean_measured([math.nan]))


def test_the_objective_is_the_sum_of_importance_times_measure() -> None:
    importance = {"normal": 3.0, "denoising": 0.5}
    plan = solve("taskonomy-16k", "all", 6, importance=importance)
    assert plan.objective == pytest.approx(
        sum(importance.get(transfer.target, 1.0) * transfer.affinity for transfer in plan.transfers)
    )


def test_labels_are_counted_for_supervised_tasks_and_transferred_targets() -> None:
    plan = solve(toy(), budget=2, images_full=100, images_transfer=7)
    assert plan.sources == ("a", "s")
    assert plan.labels == 2 * 100 + 2 * 7  # a is served by its own network, b and c by transfers
    assert plan.labels_in_full == 300
    assert plan.labels_saved == pytest.approx(1 - 214 / 300)
    assert plan.extra_sources == ("s",)


def test_a_plan_may_label_more_than_all_targets_in_full() -> None:
    plan = solve(toy(), "b", budget=4, require="a,s,c", images_full=100, images_transfer=7)
    assert plan.labels_saved == pytest.approx(1 - 4)
    assert plan.sources == ("a", "b", "c", "s")


def test_untrained_sources_need_no_labels() -> None:
    plan = solve(toy(untrained=("s",)), budget=1, require="s", images_full=100, images_transfer=7)
    assert plan.sources == ("s",)
    assert plan.labels == 3 * 7


def test_the_cost_is_that_of_the_supervised_tasks() -> None:
    plan = solve(toy(), budget=3, label_cost={"a": 0.25, "s": 1.5})
    assert plan.cost == pytest.approx(0.25 + 1.5 + 1.0)
    assert plan.cost <= 3


def test_every_target_has_one_transfer_from_supervised_sources() -> None:
    plan = solve(load_affinity(), budget=8)
    assert [transfer.target for transfer in plan.transfers] == list(plan.problem.targets)
    for transfer in plan.transfers:
        assert set(transfer.sources) <= set(plan.sources)
        assert transfer.order == len(transfer.sources) <= 4
        assert transfer.full_supervision == (transfer.target in transfer.sources)


def test_targets_keep_the_order_in_which_they_were_asked_for() -> None:
    assert [transfer.target for transfer in solve(toy(), "c,a,b", 2).transfers] == ["c", "a", "b"]


def test_a_plan_cannot_be_changed() -> None:
    plan = solve(toy())
    with pytest.raises(FrozenInstanceError):
        plan.objective = 1.0  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        plan.transfers[0].order = 3  # type: ignore[misc]


def test_a_gap_that_is_not_finite_is_null_in_json() -> None:
    plan = replace(solve(toy()), bound=math.inf, gap=math.inf)
    assert (plan.to_dict()["bound"], plan.to_dict()["gap"]) == (None, None)
