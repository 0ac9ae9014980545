"""Odd arguments of every public function: a clear error or a result, never an exception from inside."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import taxsolver
from taxsolver import InvalidInputError, TaxSolverError, grouping
from taxsolver.grouping import load_setting
from toys import toy

pandas = pytest.importorskip("pandas", reason="pandas comes with gradio, in the extra [dev]")

TENSOR, TABLE = toy(), load_setting(1)
PLAN = taxsolver.solve(TENSOR, budget=2)
PROBLEM = PLAN.problem

ODD: list[Any] = [
    *[None, True, 0, -1, 2, 10**30, 1.5, float("nan"), float("inf"), 1j, Fraction(3, 2), Decimal("1.5")],
    *["", " ", "x", "all", "none", "1-5", "a=2", "a\0b", b"a", Path("absent")],
    *[[], (), {}, set(), [1], [None], ["a"], [["a"]], {"a": 1}, {1: 2}, {"a": None}, {"a": "2"}, {None: 1}],
    *[[("a", 2)], [("a",)], [("a", 2), ("a", 3)], range(3), object(), int, len],
    *[
        np.float32(1.5),
        np.int64(2),
        np.bool_(True),
        np.array(2),
        np.array([1, 2]),
        np.array(["a"]),
        np.eye(3),
    ],
    *[pandas.Series([1, 2]), pandas.Series({"a": 2.0}), pandas.Series(["a"]), pandas.Series(dtype=float)],
    *[pandas.DataFrame({"a": [1, 2]}), pandas.DataFrame(), TENSOR, PLAN, TABLE],
]

# One call of each function that works; every argument is then replaced by every odd one.
_ASKED = {"targets": "all", "budget": 2, "max_order": 4, "objective": "affinity", "supervise_targets": True}
_ASKED |= {"exclude": (), "require": (), "sources": None, "importance": None, "label_cost": None}
_ASKED |= {
    "images_full": None,
    "images_transfer": None,
    "costs": None,
    "larger": None,
    "owned": None,
    "unit": None,
}
_ASKED |= {"together": (), "apart": (), "at_most": (), "min_gain": None, "min_quality": None}
_SWEPT = {"affinity": TENSOR, "budgets": [2], "orders": [1], "targets": "all"}
_LOSSES = {"losses": [[1, 2], [2, 1]], "names": ["a", "b"]}
PREDICTED = grouping.predict_groups(TABLE)
CALLS: dict[Callable[..., Any], dict[str, Any]] = {
    taxsolver.solve: {"affinity": TENSOR, **_ASKED, "k_best": 1, "time_limit": None},
    taxsolver.Problem.of: {"affinity": TENSOR, **_ASKED},
    taxsolver.sweep: {**_SWEPT, "time_limit": None, "label_cost": None, "exclude": (), "objective": "gain"},
    taxsolver.chain: {
        "affinity": TENSOR,
        "budgets": [1, 2],
        "targets": "all",
        "max_order": 2,
        "time_limit": None,
    },
    taxsolver.stability: {
        **{"affinity": TENSOR, "targets": "all", "budget": 2, "max_order": 2, "draws": 2, "noise": 0.1},
        **{"worst": 0.5, "seed": 0, "time_limit": None},
    },
    taxsolver.front: {
        "affinity": TENSOR,
        "targets": "all",
        "max_order": 2,
        "time_limit": None,
        "objective": "gain",
    },
    taxsolver.significance: {**_SWEPT, "samples": 2, "seed": 0},
    taxsolver.rank: {
        "affinity": TENSOR,
        "targets": "all",
        "max_order": 2,
        "sources": None,
        "allow_random": False,
    },
    taxsolver.compare: {"first": TENSOR, "second": TENSOR, "max_order": None},
    taxsolver.similarity: {"affinity": TENSOR},
    taxsolver.ahp: _LOSSES,
    taxsolver.win_rates: _LOSSES,
    taxsolver.load_affinity: {"affinity": TENSOR},
    taxsolver.join_affinities: {"tensors": [TENSOR], "name": None},
    taxsolver.save_affinity: {"tensor": TENSOR, "path": "x.csv"},
    taxsolver.save_taxonomy: {"taxonomy": PLAN, "path": "x.json"},
    taxsolver.to_dot: {"taxonomy": PLAN},
    taxsolver.to_graphml: {"taxonomy": PLAN},
    taxsolver.to_networkx: {"taxonomy": PLAN},
    taxsolver.to_node_link: {"taxonomy": PLAN},
    taxsolver.solve_problem: {"problem": PROBLEM, "k_best": 1, "time_limit": None},
    taxsolver.one_more_unit: {"taxonomy": PLAN, "unit": 1.0, "time_limit": None},
    taxsolver.load_problem: {"path": "x.json", "affinity": TENSOR},
    taxsolver.Problem: {
        name: getattr(PROBLEM, name) for name in inspect.signature(taxsolver.Problem).parameters
    },
    taxsolver.AffinityTensor: {
        name: getattr(TENSOR, name) for name in inspect.signature(taxsolver.AffinityTensor).parameters
    },
    TENSOR.select: {"max_order": None, "targets": None, "sources": None},
    TENSOR.find_targets: {"names": "all"},
    PROBLEM.with_budget: {"budget": 2},
    taxsolver.Objective.named: {"name": "gain"},
    grouping.group: {
        "table": TABLE,
        "method": "optimal",
        "budget": 2,
        "seed": 0,
        "draws": 5,
        "weights": None,
    },
    grouping.budget_curves: {"table": TABLE, "budgets": [2], "methods": ["optimal"], "seed": 0, "draws": 5},
    grouping.as_table: {"table": TABLE},
    grouping.load_setting: {"setting": 1},
    grouping.load_table: {"path": "absent.csv"},
    grouping.table_from_csv: {"content": "split", "name": "x"},
    grouping.pair_matrix: {"table": TABLE, "split": None},
    grouping.relative_change: {"table": TABLE, "split": None},
    grouping.task_count_rows: {"table": TABLE, "split": None},
    grouping.Method.named: {"name": "hoa"},
    grouping.read_pairwise: {"path": "absent.csv", "tasks": ("a", "b")},
    grouping.predict_groups: {"measured": TABLE, "pairwise": None, "weights": None, "largest": None},
    grouping.next_group: {"predicted": PREDICTED, "budget": 2, "time_limit": None},
    grouping.LossTable: {
        name: getattr(TABLE, name) for name in inspect.signature(grouping.LossTable).parameters
    },
}


@pytest.mark.parametrize("function", CALLS, ids=lambda function: function.__qualname__)
def test_odd_arguments_give_a_clear_error_or_a_result(
    function: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in CALLS[function]:
        for odd in ODD:
            try:
                with suppress(TaxSolverError):
                    function(**{**CALLS[function], name: odd})
            except Exception as error:
                raise AssertionError(f"{name}={odd!r}: {type(error).__name__}: {error}") from error


def test_every_public_function_is_walked() -> None:
    walked = {function.__qualname__ for function in CALLS}
    public = [getattr(module, name) for module in (taxsolver, grouping) for name in module.__all__]
    functions = {thing.__qualname__ for thing in public if inspect.isfunction(thing)}
    assert functions - walked == {"available_affinities"}


@pytest.mark.parametrize(
    "cost",
    [{"a": 2}, [("a", 2)], (("a", 2.0),), pandas.Series({"a": 2}), {"a": np.int64(2)}, {"a": Decimal(2)}],
    ids=["dictionary", "pairs", "tuple", "series", "numpy", "decimal"],
)
def test_label_costs_may_be_a_dictionary_a_series_or_pairs(cost: Any) -> None:
    plan = taxsolver.solve(TENSOR, budget=3, label_cost=cost)
    assert plan.problem.label_cost == {"a": 2}
    assert plan.objective == taxsolver.solve(TENSOR, budget=3, label_cost={"a": 2}).objective


@pytest.mark.parametrize(
    ("cost", "message"),
    [
        ({"zzz": 2}, "unknown task 'zzz'"),
        ({"a": None}, "the label cost of a is None, expected a number"),
        ({3: 2}, "label_cost: expected names and numbers, .*: 3 is not the name of a task"),
        ([1, 2], "label_cost: expected names and numbers, as in .*, not 1"),
        ("a=2", "label_cost: expected names and numbers, as in .*, not 'a=2'"),
        (pandas.Series([1.0, 2.0]), "0 is not the name of a task"),
        ([("a", 2), ("a", 3)], "label_cost names the task 'a' twice"),
    ],
)
def test_other_label_costs_are_refused_in_words(cost: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        taxsolver.solve(TENSOR, budget=3, label_cost=cost)


def test_a_number_is_a_list_of_one_where_budgets_or_orders_are_asked_for() -> None:
    expected = taxsolver.sweep(TENSOR, [2], [1])[0].to_dict()
    ways: list[tuple[Any, Any]] = [
        (2, [1]),
        ([2], 1),
        (np.int64(2), np.array(1)),
        (np.array([2]), range(1, 2)),
    ]
    for budgets, orders in ways:
        (row,) = taxsolver.sweep(TENSOR, budgets, orders)
        assert row.to_dict() == expected
    with pytest.raises(
        InvalidInputError, match=r"budgets is '1-5', expected a list of numbers, as in \[1, 2"
    ):
        taxsolver.sweep(TENSOR, "1-5")  # type: ignore[arg-type] # the command line's way to write it
