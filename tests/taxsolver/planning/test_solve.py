"""The best taxonomy: by hand, by brute force, by its properties, and on the published figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import best_sets, every_plan, random_tensor
from taxsolver import (
    InfeasibleBudgetError,
    InvalidInputError,
    TimeLimitError,
    UnknownTaskError,
    load_affinity,
    one_more_unit,
    solve,
    solve_problem,
)
from taxsolver.planning.objective import Objective
from taxsolver.planning.problem import Problem
from taxsolver.tensors.affinity_csv import tensor_from_csv
from toys import toy


def test_one_source_serves_all_three_targets_of_the_toy() -> None:
    plan = solve(toy(), budget=1)
    assert plan.sources == ("s",)
    assert plan.objective == pytest.approx(0.9)
    assert plan.status == "optimal"
    assert plan.gap == 0
    assert plan.bound == plan.objective


def test_a_pair_of_sources_serves_one_target_when_the_order_allows_it() -> None:
    plan = solve(toy(), budget=2, max_order=2)
    assert plan.sources == ("a", "s")
    assert plan.objective == pytest.approx(1.7)
    assert plan.transfers[2].sources == ("a", "s")
    assert plan.transfers[2].order == 2
    assert plan.transfers[0].full_supervision


def test_the_order_caps_the_sources_of_one_transfer() -> None:
    plan = solve(toy(), budget=2, max_order=1)
    assert plan.objective == pytest.approx(0.5 + 0.3 + 0.4)
    assert {transfer.order for transfer in plan.transfers} == {1}


def test_a_transfer_that_reads_its_own_target_is_never_part_of_a_plan() -> None:
    plan = solve(toy(), "c", budget=4)
    assert plan.transfers[0].sources == ("a", "s")


def test_spare_budget_is_not_spent() -> None:
    assert solve(toy(), "b", budget=4).sources == ("b",)


def test_ties_go_to_the_cheaper_set() -> None:
    tensor = random_tensor(0, tasks=5, targets=3, levels=1)
    costs = {"task0": 1.0, "task1": 0.9, "task2": 1.1, "task3": 0.5, "task4": 0.7}
    problem = Problem.of(tensor, "all", 3, label_cost=costs)
    objective, cost = best_sets(problem, 1)[0]
    plan = solve_problem(problem)
    assert plan.objective == pytest.approx(objective)
    assert plan.cost == pytest.approx(cost)


def test_free_sources_that_serve_nothing_are_left_out() -> None:
    plan = solve(toy(), "b", budget=4, label_cost={"a": 0, "s": 0})
    assert plan.sources == ("b",)


def _random_problem(seed: int) -> Problem:
    rng = np.random.default_rng(seed)
    tensor = random_tensor(seed, tasks=6, targets=4, levels=None if seed % 2 else 5)
    options: dict[str, object] = {
        "max_order": int(rng.integers(1, 4)),
        "objective": list(Objective)[seed % len(Objective)],
    }
    if rng.random() < 0.5:
        options["label_cost"] = {task: float(np.round(rng.random() * 2, 1)) for task in tensor.tasks}
    if rng.random() < 0.5:
        options["importance"] = {task: float(rng.random() * 3 + 0.1) for task in tensor.targets}
    if rng.random() < 0.3:
        options["exclude"] = ["task5"]
    if rng.random() < 0.3:
        options["require"] = ["task4"]
    if rng.random() < 0.3:
        options["supervise_targets"] = ["task1", "task2"] if rng.random() < 0.5 else False
    budget = float(np.round(rng.random() * 4 + 0.5, 1))
    return Problem.of(tensor, "all", budget, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(120))
def test_the_best_four_plans_are_those_of_brute_force(seed: int) -> None:
    problem = _random_problem(seed)
    expected = best_sets(problem, 4)
    if not expected:
        with pytest.raises(InfeasibleBudgetError) as caught:
            solve_problem(problem)
        costs = [cost for _, cost, _ in every_plan(replace(problem, budget=1000))]
        assert caught.value.least == (pytest.approx(min(costs)) if costs else None)
        return
    best = solve_problem(problem, k_best=4)
    found = [best, *best.alternatives]
    assert [plan.status for plan in found] == ["optimal"] * len(expected)
    assert [plan.objective for plan in found] == pytest.approx([objective for objective, _ in expected])
    assert [plan.cost for plan in found] == pytest.approx([cost for _, cost in expected])
    assert len({plan.sources for plan in found}) == len(found)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), budget=st.integers(1, 5))
def test_more_budget_is_never_worse(seed: int, budget: int) -> None:
    tensor = random_tensor(seed)
    assert solve(tensor, budget=budget + 1).objective >= solve(tensor, budget=budget).objective - 1e-12


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), shift=st.integers(1, 5))
def test_renaming_tasks_permutes_the_answer(seed: int, shift: int) -> None:
    tensor = random_tensor(seed, targets=6)
    order = np.roll(np.arange(len(tensor.tasks)), shift)
    renamed = replace(
        tensor,
        tasks=tuple(tensor.tasks[old] for old in order),
        targets=tuple(tensor.tasks[old] for old in order),
        sources=tensor.sources[:, order],
        target=np.argsort(order)[tensor.target].astype(np.int32),
    )
    plan, other = solve(tensor, budget=2), solve(renamed, budget=2)
    assert other.objective == pytest.approx(plan.objective)
    assert set(other.sources) == set(plan.sources)
    assert {(t.target, frozenset(t.sources)) for t in other.transfers} == {
        (t.target, frozenset(t.sources)) for t in plan.transfers
    }


def test_novel_targets_are_neither_supervised_nor_sources() -> None:
    plan = solve("taskonomy-16k", "layout,matching", 4, supervise_targets=False)
    assert not {"room_layout", "point_matching"} & set(plan.sources)
    assert not any(transfer.full_supervision for transfer in plan.transfers)


def test_all_and_none_are_words_for_which_targets_may_be_supervised() -> None:
    tensor = load_affinity()
    for word, answer in (("all", True), ("NONE", False)):
        plans = [solve(tensor, "ALL", 3, supervise_targets=choice) for choice in (word, answer)]
        assert plans[0].sources == plans[1].sources


def test_only_named_targets_may_be_supervised() -> None:
    plan = solve("taskonomy-16k", "denoising,edge_texture", 4, supervise_targets="denoising")
    assert "edge_texture" not in plan.sources
    assert "denoising" in plan.sources


def test_random_projections_are_proposed_only_where_asked_for() -> None:
    tensor = load_affinity()
    assert all("random" not in solve(tensor, budget=budget, max_order=None).sources for budget in (1, 9, 26))
    assert "random" in solve(tensor, budget=3, require="random").sources
    only = solve(tensor, "normal", 1, sources="random")
    assert only.sources == ("random",)
    assert only.labels == 16_000  # an untrained encoder needs no labels


def test_importance_turns_the_plan_towards_a_target() -> None:
    plain = solve("taskonomy-16k", "denoising,normals", 1)
    weighted = solve("taskonomy-16k", "denoising,normals", 1, importance={"normals": 100})
    assert plain.sources == ("denoising",)
    assert weighted.sources == ("normal",)


def test_dear_labels_are_avoided() -> None:
    free = solve("taskonomy-16k", "normals,depth,reshading", 2)
    dear = solve("taskonomy-16k", "normals,depth,reshading", 2, label_cost={"depth": 2})
    assert "depth_zbuffer" in free.sources
    assert "depth_zbuffer" not in dear.sources


@pytest.mark.parametrize(
    ("targets", "budget", "objective", "sources"),
    [
        ("all", 1, 0.936660150672161, {"denoising"}),
        (
            "all",
            5,
            2.1033498558514223,
            {"autoencoding", "denoising", "edge_texture", "keypoints2d", "normal"},
        ),
        ("normals,depth,reshading", 2, 0.18984010326482945, {"depth_zbuffer", "normal"}),
        (
            "normals,depth,reshading",
            5,
            0.19370236634657192,
            {"depth_euclidean", "depth_zbuffer", "edge_occlusion", "normal"},
        ),
    ],
)
def test_plans_from_the_published_figures(
    targets: str, budget: int, objective: float, sources: set[str]
) -> None:
    plan = solve("taskonomy-16k", targets, budget)
    assert plan.status == "optimal"
    assert plan.gap == 0
    assert plan.objective == pytest.approx(objective, abs=1e-12)
    assert set(plan.sources) == sources


def test_five_labelled_tasks_save_two_thirds_of_the_labels_of_all_22() -> None:
    plan = solve("taskonomy-16k", "all", 5)
    assert plan.labels_saved is not None
    assert plan.labels == 5 * 120_000 + 17 * 16_000
    assert plan.labels_in_full == 22 * 120_000
    assert plan.labels_saved == pytest.approx(1 - plan.labels / plan.labels_in_full)
    assert plan.labels_saved == pytest.approx(0.67, abs=0.01)


def test_images_per_transfer_come_from_the_tensor_or_the_caller() -> None:
    assert solve("taskonomy-1k", "normals,depth", 1).labels == 120_000 + 1_000
    main = solve("taskonomy-main", "normals,depth", 1)  # says nothing about transfers
    assert (main.labels, main.labels_saved, main.labels_in_full) == (None, None, 240_000)
    assert solve("taskonomy-main", "normals", 1).labels == 120_000
    assert solve("taskonomy-main", "normals,depth", 1, images_transfer=9).labels == 120_009
    assert solve("taskonomy-16k", "normals,depth", 1, images_full=10, images_transfer=3).labels == 13


def test_a_target_that_is_labelled_in_full_and_read_out_from_others_counts_once() -> None:
    text = "target,sources,affinity\na,self,.1\na,b,.9\nb,self,.9\nc,a,.9\nc,b,.1\n"
    tensor = tensor_from_csv(text, name="both", images_full=100, images_transfer=10)
    plan = solve(tensor, budget=2)
    assert plan.sources == ("a", "b")
    assert [transfer.full_supervision for transfer in plan.transfers] == [False, True, False]
    assert plan.labels == 100 + 100 + 10


def test_one_more_unit_of_budget_is_the_difference_to_the_next_plan() -> None:
    plan = solve("taskonomy-16k", "all", 5)
    more = one_more_unit(plan)
    assert more.budget == 6
    assert more.increase == pytest.approx(solve("taskonomy-16k", "all", 6).objective - plan.objective)
    assert more.added == ("keypoints3d",)
    assert more.dropped == ()
    assert one_more_unit(solve(toy(), "b", 4)).increase == 0


def test_one_more_unit_is_added_as_a_decimal_so_that_a_plan_of_just_that_cost_is_found() -> None:
    assert 0.36 + 1 < 1.36
    costs = {"normal": 0.36, "depth_zbuffer": 1}
    plan = solve("taskonomy-16k", "normals,depth", 0.36, sources="normals,depth", label_cost=costs)
    more = one_more_unit(plan)
    assert (more.budget, more.added) == (1.36, ("depth_zbuffer",))


def test_alternatives_label_other_tasks_and_are_no_better() -> None:
    plan = solve("taskonomy-16k", "all", 5, k_best=5)
    plans = [plan, *plan.alternatives]
    assert len({other.sources for other in plans}) == 5
    objectives = [other.objective for other in plans]
    assert objectives == sorted(objectives, reverse=True)


def test_a_time_limit_holds_for_the_least_budget_too() -> None:
    with pytest.raises(TimeLimitError, match="before the least cost was proven"):
        solve(toy(), budget=1, require="a,b", time_limit=1e-9)
    with pytest.raises(InfeasibleBudgetError, match="the least that serves every target is 2;"):
        solve(toy(), budget=1, require="a,b", time_limit=60)


def test_a_time_limit_ends_with_a_plan_and_an_honest_bound() -> None:
    tensor = random_tensor(1, tasks=18, targets=18, largest_order=2)
    exact = solve(tensor, budget=4, max_order=2)
    hurried = solve(tensor, budget=4, max_order=2, time_limit=0.001)
    assert exact.status == "optimal"
    assert hurried.objective <= exact.objective + 1e-9 <= hurried.bound + 2e-9
    assert hurried.gap == pytest.approx((hurried.bound - hurried.objective) / hurried.objective)


def test_a_budget_below_the_cheapest_plan_says_what_is_the_least() -> None:
    with pytest.raises(
        InfeasibleBudgetError, match=r"budget of 0\.5: the least that serves every target is 1;"
    ):
        solve(toy(), budget=0.5)
    with pytest.raises(InfeasibleBudgetError, match="the least that serves every target is 2;") as caught:
        solve("taskonomy-16k", "normals,depth", 1, require="normals,depth")
    assert (caught.value.budget, caught.value.least) == (1, 2)


def test_required_and_excluded_sources_are_kept_to() -> None:
    plan = solve("taskonomy-16k", "all", 5, require="class_scene", exclude="denoising,normals")
    assert "class_scene" in plan.sources
    assert not {"denoising", "normal"} & set(plan.sources)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": 0}, r"budget is 0, expected a number in \(0, 1,000,000\]"),
        ({"budget": -2}, "budget is -2, expected"),
        ({"budget": float("nan")}, "budget is nan, expected"),
        ({"budget": float("inf")}, "budget is inf, expected"),
        ({"budget": 1e7}, "budget is 10000000.0, expected"),
        ({"budget": "five"}, "budget is 'five', expected"),
        ({"max_order": 0}, "max_order is 0, expected a whole number of at least 1"),
        ({"max_order": 1.5}, "max_order is 1.5, expected"),
        ({"k_best": 0}, "k_best is 0, expected"),
        ({"time_limit": 0}, "time_limit is 0, expected"),
        ({"images_full": -1}, "images_full is -1, expected"),
        ({"importance": {"a": -1}}, r"the importance of a is -1, expected a number in \[0"),
        ({"importance": {"s": 1}}, "importance names 's', which is not among the targets"),
        ({"label_cost": {"a": -1}}, r"the label cost of a is -1, expected a number in \[0"),
        ({"require": "a", "exclude": "a"}, "'a' is both required and excluded"),
        ({"require": "a", "sources": "b,s"}, "'a' is required but may not be supervised"),
        ({"require": "a", "supervise_targets": False}, "'a' is required but may not be supervised"),
        ({"supervise_targets": "s"}, "supervise_targets names 's', which is not among the targets"),
        ({"exclude": "s,a", "targets": "c", "max_order": 1, "sources": "c"}, "target 'c' cannot be served"),
        ({"targets": "s"}, "'s' is a source only in 'toy'"),
        ({"targets": ""}, "targets is empty"),
        ({"targets": None}, "None names no tasks: give a list of names"),
        ({"objective": None}, "unknown objective None"),
        ({"targets": "a,b,a"}, "targets names the task 'a' twice"),
        ({"objective": "loss"}, "unknown objective 'loss': choose one of affinity, normalised-affinity"),
    ],
)
def test_values_that_are_not_allowed_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        solve(toy(), **{"budget": 2, **options})  # type: ignore[arg-type]


def test_an_unknown_task_offers_the_nearest_names() -> None:
    with pytest.raises(
        UnknownTaskError, match="unknown task 'normls' in the affinity tensor 'taskonomy-16k'"
    ) as caught:
        solve("taskonomy-16k", "normls", 2)
    assert "normals" in caught.value.nearest
