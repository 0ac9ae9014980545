"""Every budget and order at once."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import random_tensor
from taxsolver import (
    InfeasibleBudgetError,
    InvalidInputError,
    SweepRow,
    UnknownTaskError,
    load_affinity,
    solve,
    sweep,
)
from toys import toy


@pytest.fixture(scope="module")
def published() -> dict[tuple[float, int], SweepRow]:
    """The 104 instances of the issue."""
    return {(row.budget, row.max_order): row for row in sweep("taskonomy-16k")}


def test_all_104_published_instances_are_proven_optimal(
    published: dict[tuple[float, int], SweepRow],
) -> None:
    assert len(published) == 104
    for row in published.values():
        assert row.taxonomy is not None
        assert (row.taxonomy.status, row.taxonomy.gap) == ("optimal", 0)
        assert row.taxonomy.bound == row.taxonomy.objective
        assert row.taxonomy.cost <= row.budget
        assert all(transfer.order <= row.max_order for transfer in row.taxonomy.transfers)
        assert row.taxonomy.problem.budget == row.budget
        assert row.taxonomy.problem.max_order == row.max_order


def test_more_budget_or_order_is_never_worse_on_the_published_tensor(
    published: dict[tuple[float, int], SweepRow],
) -> None:
    for (budget, order), row in published.items():
        for larger in ((budget + 1, order), (budget, order + 1)):
            if larger in published:
                assert published[larger].objective >= row.objective - 1e-12


@pytest.mark.parametrize(
    ("budget", "order"), [(1, 1), (2, 4), (3, 1), (7, 3), (13, 2), (20, 4), (22, 1), (26, 4)]
)
def test_a_row_is_what_solve_finds(
    published: dict[tuple[float, int], SweepRow], budget: int, order: int
) -> None:
    row, plan = published[budget, order], solve("taskonomy-16k", "all", budget, max_order=order)
    assert row.objective == pytest.approx(plan.objective, abs=1e-12)
    assert row.sources == plan.sources
    assert (row.gain, row.quality) == (plan.gain, plan.quality)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_rows_of_random_sweeps_are_what_solve_finds(seed: int, data: st.DataObject) -> None:
    tensor = random_tensor(seed, levels=None if seed % 2 else 3)
    rng = np.random.default_rng(seed)
    options: dict[str, Any] = {}
    if seed % 3 == 0:
        options["label_cost"] = {task: float(np.round(rng.uniform(0, 2), 2)) for task in tensor.tasks}
    if seed % 5 == 0:
        options["objective"] = "gain"
    budgets = data.draw(st.lists(st.sampled_from([0.5, 1, 1.5, 2, 3, 9]), min_size=1, max_size=4))
    orders = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    rows = sweep(tensor, budgets, orders, **options)
    assert [(row.budget, row.max_order) for row in rows] == [(b, o) for o in orders for b in budgets]
    for row in rows:
        try:
            plan = solve(tensor, "all", row.budget, max_order=row.max_order, **options)
        except InfeasibleBudgetError:
            assert row.taxonomy is None
            continue
        assert row.objective == pytest.approx(plan.objective, abs=1e-9)
        assert row.taxonomy is not None
        assert row.taxonomy.cost == pytest.approx(plan.cost, abs=1e-9)
        assert row.taxonomy.status == "optimal"


def test_rows_have_exactly_the_keys_of_the_command() -> None:
    row = sweep(toy(), [2], [2])[0].to_dict()
    assert list(row) == ["budget", "max_order", "objective", "gain", "quality", "sources", "status"]
    assert row["sources"] == ["a", "s"]
    assert row["objective"] == pytest.approx(1.7)


def test_a_budget_that_no_plan_fits_has_a_row_without_one() -> None:
    row = sweep(toy(), [0.5, 1], [1])[0]
    assert row.taxonomy is None
    assert math.isnan(row.objective)
    assert math.isnan(row.gain)
    assert math.isnan(row.quality)
    assert row.sources == ()
    assert row.to_dict() == {
        "budget": 0.5,
        "max_order": 1,
        "objective": None,
        "gain": None,
        "quality": None,
        "sources": [],
        "status": "infeasible",
    }


def test_rows_come_in_the_order_asked_for_and_as_often() -> None:
    rows = sweep(toy(), [2, 1, 2], [2, 1])
    assert [(row.budget, row.max_order) for row in rows] == [(2, 2), (1, 2), (2, 2), (2, 1), (1, 1), (2, 1)]
    assert rows[0].objective == rows[2].objective


def test_budgets_and_orders_may_be_numpy_ranges_or_generators() -> None:
    rows = sweep(toy(), np.arange(1, 3), np.arange(1, 3))
    assert json.loads(json.dumps([row.to_dict() for row in rows]))[3]["max_order"] == 2
    assert len(sweep(toy(), np.linspace(0.5, 2, 4), (order for order in (1, 2)))) == 8
    assert json.dumps(sweep(toy(), np.array([1, 2], dtype=np.float32), [1])[1].to_dict())


def test_options_of_solve_are_handed_on() -> None:
    rows = sweep(
        toy(),
        [2],
        [2],
        targets="c,a",
        exclude="s",
        importance={"a": 2},
        label_cost={"a": 0.5},
        objective="gain",
    )
    plan = solve(
        toy(),
        "c,a",
        2,
        max_order=2,
        exclude="s",
        importance={"a": 2},
        label_cost={"a": 0.5},
        objective="gain",
    )
    assert rows[0].objective == plan.objective
    assert rows[0].taxonomy is not None
    assert rows[0].taxonomy.problem.targets == ("c", "a")


def test_a_time_limit_leaves_rows_without_proof_or_plan() -> None:
    tensor = random_tensor(1, tasks=12, targets=12, largest_order=2)
    for row in sweep(tensor, [3, 4], [2], time_limit=1e-9):
        if row.taxonomy is not None:
            assert row.taxonomy.bound >= row.taxonomy.objective


@pytest.mark.parametrize(
    ("budgets", "orders", "message"),
    [
        ([], [1], "a sweep needs at least one budget and one order"),
        ([1], [], "a sweep needs at least one budget and one order"),
        ([1, 0], [1], r"budget is 0, expected a number in \(0, 1,000,000\]"),
        ([1, float("nan")], [1], "budget is nan, expected"),
        ([1, "2"], [1], "budget is '2', expected"),
        ([1, None], [1], "budget is None, expected"),
        ([1], [1, 0], "max_order is 0, expected a whole number of at least 1"),
        ([1], [1, 1.5], "max_order is 1.5, expected"),
        ([1], [2, "1"], "max_order is '1', expected"),
    ],
)
def test_values_that_are_not_allowed_are_named(budgets: list[Any], orders: list[Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        sweep(toy(), budgets, orders)


def test_unknown_names_and_targets_that_cannot_be_served_are_named() -> None:
    with pytest.raises(UnknownTaskError, match="unknown task 'd'"):
        sweep(toy(), targets="d")
    with pytest.raises(InvalidInputError, match="no affinity tensor 'nowhere'"):
        sweep("nowhere")
    with pytest.raises(InvalidInputError, match="target 'a' cannot be served"):
        sweep(toy(), exclude="a,b,s")


def test_targets_given_as_a_generator_serve_every_order() -> None:
    rows = sweep(load_affinity(), [2], [1, 2, 3], targets=(name for name in ("normals", "depth")))
    assert [row.taxonomy.problem.targets for row in rows if row.taxonomy] == [("normal", "depth_zbuffer")] * 3


def test_options_given_as_generators_count_for_every_order() -> None:
    rows = sweep(toy(), [3], [1, 2], exclude=(name for name in ("b",)))
    assert [row.sources for row in rows] == [("a", "s"), ("a", "s")]
