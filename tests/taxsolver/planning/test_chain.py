"""Plans over years, against every order in which tasks may be labelled, in fractions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text

from oracle import random_tensor
from taxsolver import InfeasibleBudgetError, InvalidInputError, Problem, chain, solve
from taxsolver.figures.chain import draw_chain
from taxsolver.programs import chain_program
from taxsolver.tensors.affinity_csv import tensor_from_csv
from toys import toy


def exact(value: float) -> Fraction:
    return Fraction(repr(float(value)))


def best_chain(problem: Problem, budgets: list[float]) -> Fraction | None:
    """The largest sum of objectives, over the period in which each task is first labelled, if ever."""
    instance, tasks = problem.instance, problem.affinity.tasks
    values: dict[frozenset[int], Fraction | None] = {}
    costs = [exact(problem.label_cost.get(task, 1.0)) for task in tasks]
    best = None
    for first in product(range(len(budgets) + 1), repeat=len(tasks)):
        sets = [
            frozenset(np.flatnonzero(np.array(first) <= period).tolist()) for period in range(len(budgets))
        ]
        if any(
            sum((costs[t] for t in one), Fraction()) > exact(b) for one, b in zip(sets, budgets, strict=True)
        ):
            continue
        total: Fraction | None = Fraction()
        for one in sets:
            if not instance.allows(np.isin(np.arange(len(tasks)), list(one))):
                total = None
                break
            if one not in values:
                rows = instance.best_transfers(np.isin(np.arange(len(tasks)), list(one)))
                weights = None if rows is None else [exact(weight) for weight in instance.weight[rows]]
                values[one] = None if weights is None else sum(weights, Fraction())
            value = values[one]
            if value is None or total is None:
                total = None
                break
            total += value
        if total is not None and (best is None or total > best):
            best = total
    return best


@pytest.mark.parametrize("seed", range(10))
def test_the_best_chain_is_that_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng([seed, 29])
    tensor = random_tensor(seed, 5, 4, 2, levels=[None, 3][seed % 2])
    costs = {task: int(rng.integers(0 if seed % 3 == 0 else 50, 400)) / 100 for task in tensor.tasks}
    options: dict[str, Any] = {"label_cost": costs, "objective": "gain"}
    if seed % 4 == 1:
        options["at_most"] = [(2, tensor.tasks[:4])]
    budgets = [round(float(sum(sorted(costs.values())[:size])) + 0.3, 2) for size in (2, 3, 4)]
    problem = Problem.of(tensor, "all", budgets[0], **options)
    expected = best_chain(problem, budgets)
    if expected is None:
        with pytest.raises(InfeasibleBudgetError):
            chain(tensor, budgets, **options)
        return
    found = chain(tensor, budgets, **options)
    assert found.status == "optimal"
    assert found.objective == pytest.approx(float(expected), abs=1e-7)
    for plans in (found.best, found.greedy):
        for earlier, later in pairwise(plans):
            assert set(earlier.sources) <= set(later.sources)
    for plan, budget in zip(found.best, budgets, strict=True):
        assert Fraction(plan.exact_cost) <= exact(budget)
        assert set().union(*(transfer.sources for transfer in plan.transfers)) <= set(plan.sources)
    for plan, budget in zip(found.free, budgets, strict=True):
        assert plan.objective == solve(tensor, "all", budget, **options).objective
    assert found.greedy_objective - 1e-9 <= found.objective <= found.free_objective + 1e-9
    assert found.nesting_costs == pytest.approx(found.free_objective - found.objective)


@pytest.mark.parametrize("seed", range(3))
def test_a_time_limit_holds_for_every_part_and_leaves_valid_bounds(seed: int) -> None:
    tensor = random_tensor(seed, 6, 5, 3)
    best = chain(tensor, [2, 3, 4])
    found = chain(tensor, [2, 3, 4], time_limit=1e-6)
    assert found.status in {"optimal", "time_limit"}
    assert found.objective <= best.objective + 1e-9 <= found.bound + 2e-9
    for free, proven in zip(found.free, best.free, strict=True):
        assert free.objective <= proven.objective + 1e-9 <= free.bound + 2e-9
    assert found.free_objective >= found.objective
    assert found.to_dict()["periods"][0]["free"]["status"] == found.free[0].status


def test_chains_too_large_for_one_program_are_bounded_by_their_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain_program, "_LARGEST", 0)
    # Beside the chain of the best plans in turn stands one that grows into the last plan: here the best.
    lines = [f"{t},p,.5\n{t},q,.45\n{t},r,.2\n{t},q|r,1" for t in "xy"]
    tensor = tensor_from_csv("\n".join(["target,sources,affinity", *lines]), name="ahead")
    found = chain(tensor, [1, 2])
    assert [plan.sources for plan in found.best] == [("q",), ("q", "r")]
    assert (found.objective, found.status, found.bound) == (2.9, "unproven", 3.0)


def test_the_toy_by_hand() -> None:
    # Budget 1 is best with s (.9), 2 with a and s (1.7), 3 with all (2.0): nesting costs nothing.
    found = chain(toy(), [1, 2, 3])
    assert [plan.sources for plan in found.best] == [("s",), ("a", "s"), ("a", "b", "s")]
    assert found.objective == pytest.approx(4.6)
    assert found.nesting_costs == 0
    assert found.to_dict()["periods"][1]["best"]["cost"] == 2


def test_looking_ahead_beats_buying_the_best_each_year() -> None:
    # p alone is worth 1.0, q .9; q and r together 2.0, and nothing adds to p.
    lines = [f"{t},p,.5\n{t},q,.45\n{t},r,.2\n{t},q|r,1" for t in "xy"]
    tensor = tensor_from_csv("\n".join(["target,sources,affinity", *lines]), name="ahead")
    found = chain(tensor, [1, 2])
    assert [plan.sources for plan in found.best] == [("q",), ("q", "r")]
    assert found.greedy[0].sources == ("p",)
    assert (found.objective, found.greedy_objective, found.free_objective) == (2.9, 2.0, 3.0)
    assert found.nesting_costs == pytest.approx(0.1)


def test_chains_in_money_count_labels_of_transfers() -> None:
    # 120 buy a or b in full and two transfers; a alone is worth less, but grows to a and s.
    costs = {"*": {"price": 1, "images_full": 100, "images_transfer": 10}}
    found = chain(toy(), [120, 240], costs=costs, unit="EUR")
    assert [(plan.sources, plan.cost) for plan in found.best] == [(("a",), 120), (("a", "s"), 220)]
    assert found.greedy[0].sources == ("b",)


@pytest.mark.parametrize(
    ("budgets", "options", "message"),
    [
        ([3], {}, "budgets holds 1 numbers: give at least two"),
        ([3, 2], {}, "budgets has 2 after 3: each is the total up to then"),
        ([3, 3], {}, "let them rise"),
        ([1, 2], {"time_limit": 0}, "time_limit is 0"),
        ([1, -2], {}, "budget is -2"),
    ],
)
def test_what_is_not_allowed_is_refused_in_words(budgets: list[float], options: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        chain(toy(), budgets, **options)


def test_a_first_budget_that_is_too_small_names_the_least() -> None:
    with pytest.raises(InfeasibleBudgetError, match="the least that serves every target is 1;"):
        chain(toy(), [0.5, 2])


def test_the_picture_says_what_is_not_proven() -> None:
    found = chain(toy(), [1, 2, 3])
    late = replace(found, free=tuple(replace(plan, status="time_limit") for plan in found.free))
    for one, said in ((found, False), (late, True)):
        words = " ".join(text.get_text() for text in draw_chain(one).findobj(Text))
        assert (", not proven" in words) == said


def test_the_picture_shows_three_lines_and_every_task() -> None:
    left, right = draw_chain(chain(toy(), [1, 2, 3])).axes[:2]
    assert len(left.lines) == 3
    assert {text.get_text() for text in right.get_yticklabels()} == {"a", "b", "s"}
