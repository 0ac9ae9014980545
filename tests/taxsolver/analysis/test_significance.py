"""Plans beside random ones."""

from __future__ import annotations

import json
import math
import sys
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from oracle import random_tensor
from taxsolver import InfeasibleBudgetError, InvalidInputError, Problem, SignificanceRow, significance, sweep
from taxsolver.analysis.significance import compare_with_random, random_taxonomies
from taxsolver.tensors.affinity_csv import tensor_from_csv
from toys import toy


def slow_draws(problem: Problem, samples: int, seed: int) -> np.ndarray:
    """Rows of random taxonomies by the definition: sets listed and tried, transfers picked one by one."""
    rng = np.random.default_rng(seed)
    instance, tasks = problem.instance, problem.affinity.tasks
    allowed = [task for task in problem.sources if task not in problem.require]
    costs = {task: problem.label_cost.get(task, 1.0) for task in tasks}
    left = (problem.budget or 0) - sum(costs[task] for task in problem.require)
    maximal = []
    for size in range(len(allowed) + 1):
        for chosen in combinations(allowed, size):
            spent = sum(costs[task] for task in chosen)
            others = [task for task in allowed if task not in chosen]
            if spent <= left + 1e-9 and all(spent + costs[task] > left + 1e-9 for task in others):
                maximal.append({*chosen, *problem.require})
    drawn: list[list[int]] = []
    while len(drawn) < samples:
        chosen_set = maximal[rng.integers(len(maximal))]
        served = instance.served_by(np.isin(tasks, sorted(chosen_set)))
        choices = [np.flatnonzero(served & (instance.target == t)) for t in range(instance.num_targets)]
        if all(len(rows) for rows in choices):
            drawn.append([int(problem.transfers[rng.choice(rows)]) for rows in choices])
    return np.array(drawn)


@pytest.mark.parametrize(
    ("budget", "options"),
    [
        (2, {}),
        (3, {"max_order": 2, "require": "task1"}),
        (2.5, {"label_cost": {"task0": 0.5, "task3": 2.0, "task5": 0.0}, "exclude": "task2"}),
    ],
)
def test_percentiles_are_those_of_a_slow_simulation(budget: float, options: dict[str, Any]) -> None:
    tensor = random_tensor(5)
    problem = Problem.of(tensor, "all", budget, **options)
    slow = tensor.gain[slow_draws(problem, 4000, 1)].mean(axis=1)
    fast = tensor.gain[random_taxonomies(problem, 20_000, 1)].mean(axis=1)
    assert np.percentile(fast, (5, 50, 95)) == pytest.approx(np.percentile(slow, (5, 50, 95)), abs=0.02)
    assert fast.mean() == pytest.approx(slow.mean(), abs=0.01)


def test_a_band_is_the_5th_the_50th_and_the_95th_percentile() -> None:
    """One target with a transfer from each of 101 sources, of which every random plan reads one."""
    lines = "".join(f"t,s{number},{number / 100}\n" for number in range(101))
    tensor = tensor_from_csv("target,sources,gain\n" + lines, name="hundred")
    options: dict[str, Any] = {"objective": "gain", "supervise_targets": False}
    row = significance(tensor, [1], [1], samples=20_000, **options)[0]
    assert row.random_gain == pytest.approx((0.05, 0.5, 0.95), abs=0.012)
    drawn = random_taxonomies(Problem.of(tensor, "all", 1, max_order=1, **options), 500, 3)
    band = significance(tensor, [1], [1], samples=500, seed=3, **options)[0].random_gain
    assert band == pytest.approx(np.percentile(tensor.gain[drawn[:, 0]], (5, 50, 95)).tolist())


def test_random_taxonomies_are_feasible_and_use_the_whole_budget() -> None:
    problem = Problem.of(random_tensor(3), "all", 3, max_order=2, require="task2")
    drawn = random_taxonomies(problem, 500, 0)
    assert drawn.shape == (500, 4)
    assert np.isin(drawn, problem.transfers).all()
    np.testing.assert_array_equal(problem.affinity.target[drawn], np.tile(np.arange(4), (500, 1)))
    read = np.stack([problem.affinity.sources[rows].any(axis=0) for rows in drawn])
    others = np.arange(6) != 2
    assert (read[:, others].sum(axis=1) <= 2).all()


def test_a_target_picks_evenly_among_its_transfers() -> None:
    tensor = tensor_from_csv("target,sources,gain\na,b,0\na,c,.5\na,b|c,1\n", name="even")
    drawn = random_taxonomies(Problem.of(tensor, budget=2, objective="gain", exclude="a"), 3000, 0)
    assert np.bincount(drawn.ravel()) / 3000 == pytest.approx([1 / 3] * 3, abs=0.03)


def test_the_same_seed_gives_the_same_rows_and_another_one_others() -> None:
    one, same = (significance(toy(), [1, 2], [1, 2], samples=50, seed=4) for _ in range(2))
    other = significance(toy(), [1, 2], [1, 2], samples=50, seed=5)
    assert one == same
    assert [row.random_gain for row in one] != [row.random_gain for row in other]


def test_a_row_does_not_depend_on_which_other_rows_are_asked_for() -> None:
    many = significance("taskonomy-16k", [2, 3, 5], [1, 2], samples=40, seed=1)
    alone = significance("taskonomy-16k", [3], [2], samples=40, seed=1)
    assert many[4] == alone[0]
    assert (many[4].budget, many[4].max_order) == (3, 2)


def test_rows_have_exactly_these_keys_and_rising_percentiles() -> None:
    rows = significance(toy(), [0.5, 2], [2], samples=100)
    written = [row.to_dict() for row in rows]
    keys = ["budget", "max_order", "gain", "quality", "random_gain", "random_quality", "status"]
    assert [list(row) for row in written] == [keys] * 2
    assert written[0] == {
        "budget": 0.5,
        "max_order": 2,
        "gain": None,
        "quality": None,
        "random_gain": [None] * 3,
        "random_quality": [None] * 3,
        "status": "infeasible",
    }
    low, middle, high = rows[1].random_gain
    assert low <= middle <= high
    assert rows[1].gain == sweep(toy(), [2], [2])[0].gain
    assert json.dumps(written, allow_nan=False)


def test_published_plans_are_better_than_chance() -> None:
    for row in significance("taskonomy-16k", [2, 5, 10], [4], samples=200, objective="gain"):
        assert row.gain > row.random_gain[2]


def test_measures_that_are_missing_do_not_count() -> None:
    tensor = tensor_from_csv("target,sources,affinity,gain\na,b,.5,.25\nc,b,.5,\n", name="few")
    row = significance(tensor, [1], [1], samples=10)[0]
    assert row.random_gain == (0.25, 0.25, 0.25)
    assert all(math.isnan(value) for value in row.random_quality)


def test_where_only_one_taxonomy_is_feasible_the_band_has_no_width() -> None:
    row = significance(toy(), [1], [1], samples=20, sources="s")[0]
    assert row.random_gain == (row.gain,) * 3


def test_costs_that_fill_the_budget_up_to_rounding_are_feasible() -> None:
    options: dict[str, Any] = {"label_cost": {"a": 0.1, "s": 0.2}, "require": "a,s"}
    row = significance(toy(), [0.3], [2], samples=10, **options)[0]
    assert row.random_gain[0] <= row.gain


def test_required_sources_beyond_the_budget_are_infeasible() -> None:
    problem = Problem.of(toy(), budget=1, require="a,s")
    with pytest.raises(
        InfeasibleBudgetError, match="the required sources cost 2, more than the budget of 1"
    ) as caught:
        random_taxonomies(problem, 5, 0)
    assert caught.value.least == 2


def test_feasible_sets_that_are_too_rare_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["taxsolver.analysis.significance"], "_DRAWS_PER_SAMPLE", 2)
    names = [f"s{number}" for number in range(18)]
    lines = "".join(f"t{number},{name},.5\n" for number, name in enumerate(names[:6]))
    spare = "".join(f"x,{name},.5\n" for name in names)
    tensor = tensor_from_csv("target,sources,affinity\n" + lines + spare, name="rare")
    with pytest.raises(
        InvalidInputError,
        match=r"of 10 source sets that use a budget of 6 only \d serve all targets: raise the budget or ask for fewer",
    ):
        significance(tensor, [6], [1], samples=5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 0}, "samples is 0, expected a whole number of at least 1"),
        ({"samples": 2.5}, "samples is 2.5, expected"),
        ({"seed": -1}, "seed is -1, expected a whole number of at least 0"),
        ({"seed": 1.5}, "seed is 1.5, expected a whole number of at least 0"),
        ({"seed": None}, "seed is None, expected a whole number of at least 0"),
    ],
)
def test_values_that_are_not_allowed_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        significance(toy(), [1], [1], **options)
    with pytest.raises(InvalidInputError, match=message):
        list(compare_with_random(sweep(toy(), [1], [1]), **options))


def test_rows_come_one_after_another() -> None:
    rows = compare_with_random(sweep(toy(), [1, 2], [1]), samples=5)
    assert isinstance(next(iter(rows)), SignificanceRow)


def test_without_a_cap_on_the_order_a_band_is_drawn_too() -> None:
    problem = Problem.of(toy(), budget=2, max_order=None)
    assert random_taxonomies(problem, 5, 0).shape == (5, 3)
