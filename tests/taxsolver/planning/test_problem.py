"""Problems: the options of a plan."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from taxsolver import InvalidInputError, Objective, Problem, UnknownTaskError, load_affinity, solve
from taxsolver.arguments import LARGEST, check_count, check_number
from taxsolver.planning.objective import normalised_affinity
from taxsolver.tensors.affinity_csv import tensor_from_csv
from toys import toy


@pytest.mark.parametrize(
    ("name", "objective"),
    [
        ("affinity", Objective.AFFINITY),
        ("GAIN", Objective.GAIN),
        ("normalised_affinity", Objective.NORMALISED_AFFINITY),
        ("Normalized Affinity", Objective.NORMALISED_AFFINITY),
        (Objective.QUALITY, Objective.QUALITY),
    ],
)
def test_an_objective_may_be_spelt_in_other_ways(name: str, objective: Objective) -> None:
    assert Objective.named(name) is objective


def test_an_unknown_objective_lists_all() -> None:
    with pytest.raises(
        InvalidInputError,
        match="unknown objective 'speed': choose one of affinity, normalised-affinity, gain, quality",
    ):
        Objective.named("speed")


def test_names_become_canonical_and_defaults_come_from_the_tensor() -> None:
    problem = Problem.of(
        load_affinity("taskonomy-1k"),
        ["Surface Normals", "edges"],
        3,
        sources=("normals", "reshade", "depth", "random"),
        exclude={"reshade"},
        importance={"normals": 2},
        label_cost={"depth": 0.5, "colorization": 4},
    )
    assert problem.targets == ("normal", "edge_texture")
    assert problem.sources == ("normal", "depth_zbuffer", "random")
    assert dict(problem.importance) == {"normal": 2}
    assert dict(problem.label_cost) == {"depth_zbuffer": 0.5, "colorization": 4}
    assert (problem.images_full, problem.images_transfer) == (120_000, 1_000)


def test_transfers_are_those_that_may_be_part_of_a_plan() -> None:
    assert Problem.of(toy(), budget=1).transfers.tolist() == [0, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert Problem.of(toy(), budget=1, max_order=1).transfers.tolist() == [0, 2, 3, 4, 5, 6, 7, 8, 9]
    assert Problem.of(toy(), budget=1, sources="s").transfers.tolist() == [3, 6, 9]
    assert Problem.of(toy(), "c,b", 1, exclude="s").transfers.tolist() == [4, 5, 7, 8]


def test_the_numbers_are_in_the_order_of_the_targets_asked_for() -> None:
    instance = Problem.of(toy(), "c,a", 1, importance={"c": 10}).instance
    assert instance.num_targets == 2
    assert instance.heaviest().tolist() == [9, 0.5]
    assert instance.cost.tolist() == [1, 1, 1, 1]


def test_a_measure_that_is_missing_leaves_a_transfer_out() -> None:
    tensor = load_affinity()
    unmeasured = np.flatnonzero(np.isnan(tensor.affinity))
    assert len(unmeasured) == 4
    assert not np.isin(unmeasured, Problem.of(tensor, budget=1).transfers).any()
    with_gain = Problem.of(tensor, budget=1, objective="gain").transfers
    assert np.isin(unmeasured, with_gain).sum() == (~tensor.reads_itself[unmeasured]).sum()


def test_normalised_affinity_of_each_targets_best_is_one() -> None:
    tensor = toy()
    values = normalised_affinity(tensor)
    assert values[0] == values[4] == values[10] == 1
    assert values[9] == pytest.approx(0.4 / 0.9)
    plan = solve(load_affinity(), budget=26, max_order=4, objective="normalised-affinity")
    assert plan.objective <= 22 + 1e-9


def test_normalised_affinity_of_a_target_without_any_is_zero() -> None:
    tensor = tensor_from_csv("target,sources,affinity\na,b,0\na,a|b,.5\nc,b,.5\n", name="zero")
    assert normalised_affinity(tensor)[[0, 2]].tolist() == [0, 1]


NUMPY_KINDS = [np.int32, np.int64, np.uint8, np.float32, np.float64, float]


@pytest.mark.parametrize("kind", NUMPY_KINDS)
def test_numbers_of_numpy_do_as_well_as_pythons(kind: Any) -> None:
    plan = solve(toy(), "all", kind(2), importance={"a": kind(2)}, label_cost={"a": kind(1)})
    assert plan.objective == pytest.approx(2.2)
    assert json.loads(plan.to_json())["budget"] == 2


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint8])
def test_counts_of_numpy_do_as_well_as_pythons(kind: Any) -> None:
    plan = solve(toy(), "all", 2, max_order=kind(2), images_full=kind(100), images_transfer=kind(10))
    written = json.loads(plan.to_json())
    assert (written["max_order"], written["labels"]) == (2, 220)


def test_a_fraction_is_a_number_too() -> None:
    plan = solve(toy(), "all", Fraction(3, 2))  # type: ignore[arg-type]
    assert plan.objective == pytest.approx(0.9)
    assert json.loads(plan.to_json())["budget"] == 1.5


def test_whole_budgets_stay_whole_in_json() -> None:
    assert '"budget": 2,' in solve(toy(), "all", 2).to_json()


@pytest.mark.parametrize("zero", [True, False])
@pytest.mark.parametrize(
    "value",
    [-1, -1e-300, float("nan"), float("inf"), -float("inf"), LARGEST * 1.01, 10**400, -(10**400), "1", None, True, 1j],
)  # fmt: skip
def test_what_is_no_number_in_range_is_refused(value: object, zero: bool) -> None:
    bracket = r"\[0" if zero else r"\(0"
    with pytest.raises(
        InvalidInputError, match=rf"the size is .*, expected a number in {bracket}, 1,000,000\]"
    ):
        check_number(value, "the size", zero=zero)


def test_the_ends_of_the_range() -> None:
    check_number(LARGEST, "the size", zero=False)
    check_number(5e-324, "the size", zero=False)
    check_number(0, "the size", zero=True)
    with pytest.raises(InvalidInputError):
        check_number(0.0, "the size", zero=False)


@pytest.mark.parametrize("value", [0, -1, 1.0, 1.5, "1", None, True, float("nan"), np.float64(2)])
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidInputError, match="the count is .*, expected a whole number of at least 1"):
        check_count(value, "the count")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images_full": 0}, "images_full is 0, expected a whole number of at least 1"),
        ({"images_transfer": 0}, "images_transfer is 0, expected a whole number of at least 1"),
        ({"images_transfer": 2.5}, "images_transfer is 2.5, expected a whole number"),
        ({"budget": 10**400}, "budget is 1000.*, expected a number"),
        ({"importance": {"a": 10**400}}, "the importance of a is 1000.*, expected a number"),
        ({"importance": {" ": 1}}, "importance"),
        ({"label_cost": {"": 1}}, "label_cost"),
        ({"importance": {"a": 1, "A": 2}}, "importance names the task 'a' twice .as 'a' and 'A'."),
        ({"label_cost": {"a": 2e6}}, "the label cost of a is 2000000.0, expected a number"),
        ({"label_cost": {"a": float("nan")}}, "the label cost of a is nan, expected"),
        (
            {"sources": "s", "exclude": "s"},
            "target 'a' cannot be served: no transfer of order at most 4 from",
        ),
        ({"sources": "s", "max_order": None, "exclude": "s"}, "no transfer of any order from the allowed"),
        ({"sources": ""}, "sources"),
        (
            {"exclude": "a,b,c,s"},
            "target 'a' cannot be served: .* has a measured affinity; allow more sources",
        ),
        (
            {"require": "c", "supervise_targets": "a,b"},
            "'c' is required but may not be supervised: it is not",
        ),
    ],
)
def test_values_that_are_not_allowed_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Problem.of(toy(), **{"budget": 2, **options})


@pytest.mark.parametrize("option", ["sources", "exclude", "require", "supervise_targets"])
def test_unknown_tasks_are_named_wherever_they_stand(option: str) -> None:
    with pytest.raises(UnknownTaskError, match="unknown task 'zebra' in the affinity tensor 'toy'"):
        Problem.of(toy(), budget=2, **{option: "zebra"})  # type: ignore[arg-type]


@pytest.mark.parametrize("option", ["importance", "label_cost"])
def test_unknown_tasks_are_named_in_tables_too(option: str) -> None:
    with pytest.raises(UnknownTaskError, match="unknown task 'zebra'"):
        Problem.of(toy(), budget=2, **{option: {"zebra": 1}})  # type: ignore[arg-type]


def test_a_budget_far_above_all_costs_and_tiny_costs_change_nothing() -> None:
    best = solve(toy(), budget=4)
    assert solve(toy(), budget=1e6).objective == best.objective
    tiny = dict.fromkeys("abcs", 1e-6)
    assert solve(toy(), budget=1e-6, label_cost=tiny).sources == solve(toy(), budget=1).sources
    assert solve(toy(), budget=2e-6, label_cost=tiny).sources == solve(toy(), budget=2).sources


def test_a_changed_copy_is_checked_and_computed_anew() -> None:
    problem = Problem.of(toy(), budget=1)
    assert len(problem.transfers) == 10
    assert len(replace(problem, max_order=1).transfers) == 9
    with pytest.raises(InvalidInputError, match="budget is 0"):
        replace(problem, budget=0)


def test_the_least_budget_that_is_named_suffices() -> None:
    costs = dict.fromkeys("abcs", 1234.56123)
    with pytest.raises(Exception, match=r"the least that serves every target is 1234\.56123;"):
        solve(toy(), budget=1, label_cost=costs)


def test_a_budget_just_below_the_least_is_told_apart_from_it() -> None:
    with pytest.raises(Exception, match=r"no plan fits a budget of 0\.9999999: the least .* is 1;"):
        solve(toy(), budget=0.9999999)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"targets": "all,a"}, "targets holds 'all' and names of tasks: 'all' stands alone"),
        (
            {"targets": "a", "supervise_targets": "none,a"},
            "supervise_targets holds 'none' and names of tasks",
        ),
        ({"targets": "a", "supervise_targets": ["a", "All"]}, "supervise_targets holds 'all' and names"),
    ],
)
def test_all_and_none_stand_alone(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Problem.of(toy(), **options)


def test_all_and_none_may_be_said_twice() -> None:
    assert Problem.of(toy(), "all,ALL").targets == toy().targets
    assert Problem.of(toy(), "b,c", 2, supervise_targets=["none", "none"]).supervised_targets == ()
