"""Choosing networks: a toy by hand, every choice of small random tables, and what goes wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.taxsolver.grouping.tables import TOY, every_choice, preferred, random_table, tied, uses_budget

from taxsolver.errors import InvalidInputError, SolverError, TimeLimitError
from taxsolver.grouping import (
    Grouping,
    LossTable,
    Method,
    budget_curves,
    group,
    load_setting,
    table_from_csv,
)
from taxsolver.grouping.approximations import higher_order_losses
from taxsolver.grouping.exact import Pool
from taxsolver.programs.choice import Choice
from taxsolver.programs.plan_model import PlanModel


@pytest.mark.parametrize(
    ("budget", "networks", "validation", "test", "assigned"),
    [
        (1, ("all",), 10, 10.25, 10.25),
        (1.5, ("b", "small"), 7, 6.75, 6.75),
        (2, ("a", "b"), 6, 7, 7),
        (100, ("a", "b"), 6, 7, 7),
    ],
)
def test_optimal_choices_of_the_toy(
    budget: float, networks: tuple[str, ...], validation: float, test: float, assigned: float
) -> None:
    """More budget than is of use is left over."""
    found = group(table_from_csv(TOY, name="toy"), "optimal", budget)
    assert found.networks == networks
    losses = (found.validation_loss, found.test_loss, found.assigned_test_loss)
    assert losses == pytest.approx((validation, test, assigned), abs=1e-12)
    assert found.status == "optimal"


def test_assigned_test_loss_keeps_to_the_network_picked_on_validation() -> None:
    """On test b is better in `all` than in the network of its own, by 0.25, and a in `small`, by 0.25."""
    found = group(table_from_csv(TOY, name="toy"), "worst", 3.5)
    assert found.networks == ("a", "b", "small", "all")
    assert found.serves == {"a": ("a",), "b": ("b",), "small": (), "all": ()}
    assert found.test_loss == pytest.approx(2.25 + 4.25)
    assert found.assigned_test_loss == pytest.approx(2.5 + 4.5)
    assert found.cost == 3.5


def test_other_methods_on_the_toy() -> None:
    """Independent takes the small network where budget is short; the worst filling of 2 is `b` and `all`."""
    table = table_from_csv(TOY, name="toy")
    assert group(table, "independent", 1.5).networks == ("b", "small")
    assert group(table, "independent", 2).networks == ("a", "b")
    assert group(table, "all-in-one", 5).networks == ("all",)
    assert group(table, "worst", 1).networks == ("all",)
    assert group(table, "worst", 2).networks == ("b", "all")
    assert group(table, "hoa", 2).networks == ("a", "b")


@pytest.mark.parametrize("method", ["optimal", "hoa", "esa"])
@pytest.mark.parametrize("levels", [None, 2])
@pytest.mark.parametrize("seed", range(6))
def test_the_best_choice_is_that_of_trying_all(seed: int, levels: int | None, method: str) -> None:
    """With losses on three levels most choices tie, so every rule of preference counts."""
    table = random_table(seed, levels=levels)
    early = table.validation_early
    losses = {"optimal": table.validation, "hoa": higher_order_losses(table), "esa": early}[method]
    assert losses is not None
    for budget in (0.1, 0.6, 1.2, 2.0):
        wanted = preferred(list(every_choice(table, losses, budget)))
        found = group(table, method, budget)
        assert found.chosen == (wanted or ())
        assert found.status == ("optimal" if wanted else "infeasible")


@pytest.mark.parametrize("levels", [None, 2])
@pytest.mark.parametrize("seed", range(6))
def test_the_worst_filling_is_that_of_trying_all(seed: int, levels: int | None) -> None:
    """Fillings leave no room for another network."""
    table = random_table(seed, levels=levels)
    for budget in (0.6, 1.2, 2.0):
        choices = list(every_choice(table, table.validation, budget))
        fillings = [choice for choice in choices if uses_budget(table, choice[-1], budget)]
        assert group(table, "worst", budget).chosen == (preferred(fillings, -1.0) or ())


@pytest.mark.parametrize(
    ("seed", "levels", "networks", "tasks", "budget"),
    [(139, 1, 9, 3, 0.7), (154, 4, 9, 3, 0.3), (223, 1, 8, 3, 0.7)],
)
def test_tables_on_which_the_solver_alone_went_wrong(
    seed: int, levels: int, networks: int, tasks: int, budget: float
) -> None:
    """Losses of 0 and 1 make rows so tight that HiGHS's tolerance decided; now every proposal is checked."""
    table = random_table(seed, levels=levels, networks=networks, tasks=tasks)
    choices = list(every_choice(table, table.validation, budget))
    fillings = [choice for choice in choices if uses_budget(table, choice[-1], budget)]
    assert group(table, "optimal", budget).chosen == (preferred(choices) or ())
    assert group(table, "worst", budget).chosen == (preferred(fillings, -1.0) or ())


@pytest.mark.parametrize("seed", range(6))
def test_independent_and_all_in_one_are_those_of_trying_all(seed: int) -> None:
    """One network of its own for every task, or one for all."""
    table = random_table(seed, levels=3, networks=9)
    alone, able = table.num_predicted == 1, table.num_predicted == len(table.tasks)
    for budget in (0.2, 1.0, 2.0):
        only = np.where(alone[:, None], table.validation, np.nan)
        wanted = preferred(list(every_choice(table, only, budget)))
        assert group(table, "independent", budget).chosen == (wanted or ())
        singles = [choice for choice in every_choice(table, table.validation, budget) if len(choice[-1]) == 1]
        wanted = preferred([choice for choice in singles if able[choice[-1][0]]])
        assert group(table, "all-in-one", budget).chosen == (wanted or ())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), budget=st.floats(0.1, 3), more=st.floats(0, 2))
def test_more_budget_is_never_worse(seed: int, budget: float, more: float) -> None:
    """Whatever fits a budget fits a larger one."""
    table = random_table(seed)
    small, large = group(table, "optimal", budget), group(table, "optimal", budget + more)
    if small.status == "optimal":
        assert large.validation_loss <= small.validation_loss + 1e-9
        assert small.cost <= budget + 1e-6


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), order=st.permutations(range(7)))
def test_the_order_of_networks_does_not_matter(seed: int, order: list[int]) -> None:
    """Without ties, another table order gives the same networks."""
    table = random_table(seed)
    other = LossTable(
        name="permuted",
        tasks=table.tasks,
        networks=tuple(table.networks[row] for row in order),
        cost=table.cost[order],
        validation=table.validation[order],
    )
    found, again = group(table, "optimal", 1.0), group(other, "optimal", 1.0)
    assert set(found.networks) == set(again.networks)


def test_negative_and_zero_losses_are_allowed() -> None:
    """Likelihoods of densities give such."""
    table = LossTable(
        name="signed",
        tasks=("a", "b"),
        networks=("x", "y"),
        cost=np.ones(2),
        validation=np.array([[-3.0, 0.0], [0.0, -5.0]]),
    )
    assert group(table, "optimal", 1).networks == ("y",)
    assert group(table, "optimal", 2).validation_loss == -8


def test_higher_orders_are_the_mean_over_pairs() -> None:
    """Task a is in two of the pairs, b and c in one each."""
    table = tied((1, [1, 2, -1]), (1, [3, -1, 4]), (1, [9, 9, 9]), (1, [-1, 8, -1]))
    found = higher_order_losses(table)
    np.testing.assert_array_equal(found[2], [2, 2, 4])
    np.testing.assert_array_equal(found[[0, 1, 3]], table.validation[[0, 1, 3]])


def test_higher_orders_use_the_pair_of_the_nearest_cost() -> None:
    """Of pairs that cost 1 and 3, that of 3 stands for a network that costs 4."""
    pairs = [(1.0, [1.0, 1.0, -1.0]), (3.0, [5.0, 6.0, -1.0])]
    table = tied(*pairs, (4.0, [9.0, 9.0, 9.0]))
    found = higher_order_losses(table)
    np.testing.assert_array_equal(found[2], [5, 6, np.nan])
    assert group(table, "hoa", 10).least_budget is None  # task c has no pair at all


def test_esa_never_chooses_what_was_not_measured_early() -> None:
    """Setting 4 lacks one pair."""
    table = load_setting(4)
    for budget in range(1, 6):
        assert "normal+edge_occlusion" not in group(table, "esa", budget).networks


@pytest.mark.parametrize(
    ("method", "least"),
    [("optimal", 1.0), ("hoa", 1.0), ("esa", 1.0), ("random", 1.0), ("worst", 1.0), ("all-in-one", 1.0)],
)
def test_no_choice_within_the_budget_is_infeasible(method: str, least: float) -> None:
    """The object says so, with no networks and no losses, and holds the least budget."""
    found = group(load_setting(1), method, 0.5)
    assert (found.status, found.networks, found.least_budget) == ("infeasible", (), least)
    assert found.to_dict() == {
        "setting": 1,
        "method": method,
        "budget": 0.5,
        "networks": [],
        "untrained": [],
        "validation_loss": None,
        "test_loss": None,
        "assigned_test_loss": None,
        "status": "infeasible",
        "bound": None,
    }


def test_a_table_without_networks_for_a_method_has_no_least_budget() -> None:
    """No budget buys what was not trained."""
    table = tied((1, [1, -1]), (1, [-1, 1]))
    assert group(table, "all-in-one", 9).least_budget is None
    assert group(tied((1, [1, 1])), "independent", 9).least_budget is None
    assert group(table, "all-in-one", 9).status == "infeasible"


def test_json_has_exactly_the_keys_of_the_command() -> None:
    """NaN becomes null."""
    found = json.loads(group(tied((1, [1, 1])), "optimal", 1).to_json())
    assert found == {
        "setting": None,
        "method": "optimal",
        "budget": 1,
        "networks": ["n0"],
        "untrained": [],
        "validation_loss": 2.0,
        "test_loss": None,
        "assigned_test_loss": None,
        "status": "optimal",
        "bound": None,
    }


def untyped(value: Any) -> Any:
    """Return a value untyped, as a caller without type checks passes it."""
    return value


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda table: group(table, "best", 1), "unknown method 'best': choose one of optimal, hoa, esa"),
        (lambda table: group(table, "optimal", 0), r"budget is 0, expected a number in \(0, 1,000,000\]"),
        (lambda table: group(table, "optimal", -1), "budget is -1"),
        (lambda table: group(table, "optimal", float("nan")), "budget is nan"),
        (lambda table: group(table, "optimal", 1e9), "budget is 1000000000.0"),
        (lambda table: group(table, "optimal", untyped("2")), "budget is '2'"),
        (
            lambda table: group(table, "random", 2, seed=-1),
            "seed is -1, expected a whole number of at least 0",
        ),
        (lambda table: group(table, "random", 2, seed=untyped(1.5)), "seed is 1.5"),
        (lambda table: group(table, "random", 2, draws=0), "draws is 0, expected a whole number"),
        (lambda table: group(table, "esa", 2), "'toy' has none: add lines of the split validation_early"),
    ],
)
def test_what_is_not_allowed_is_named(call: Callable[[LossTable], Grouping], message: str) -> None:
    """With the value and what was allowed."""
    with pytest.raises(InvalidInputError, match=message):
        call(table_from_csv(TOY, name="toy"))


@pytest.mark.parametrize("name", ["all-in-one", "All in one", "all_in_one", Method.ALL_IN_ONE])
def test_methods_are_named_as_people_type_them(name: str) -> None:
    """Case, blanks and underscores do not matter."""
    assert group(load_setting(1), name, 1).method == "all-in-one"


def test_large_losses_are_resolved_to_a_share_of_the_largest() -> None:
    """Losses of thousands that differ in the sixth figure."""
    rng = np.random.default_rng(0)
    table = random_table(0)
    scaled = LossTable(
        name="large",
        tasks=table.tasks,
        networks=table.networks,
        cost=table.cost,
        validation=5000 + np.where(table.predicts, rng.random(table.validation.shape), np.nan) / 100,
    )
    wanted = preferred(list(every_choice(scaled, scaled.validation, 1.2)))
    assert Pool(scaled, scaled.validation).least(1.2) is not None
    assert group(scaled, "optimal", 1.2).chosen == wanted


def exact_choices(table: LossTable, budget: float) -> list[tuple[Any, ...]]:
    """As `every_choice`, with costs summed as fractions."""
    found = []
    for total, _, predictions, chosen in every_choice(table, table.validation, 1e6):
        cost = sum((Fraction(repr(float(table.cost[row]))) for row in chosen), Fraction())
        if cost <= Fraction(repr(float(budget))):
            found.append((total, cost, predictions, chosen))
    return found


def exact_fillings(table: LossTable, choices: list[tuple[Any, ...]], budget: float) -> list[tuple[Any, ...]]:
    """Those that leave no room for another network."""
    costs = [Fraction(repr(float(cost))) for cost in table.cost]
    left = [Fraction(repr(float(budget))) - choice[1] for choice in choices]
    return [
        choice
        for choice, room in zip(choices, left, strict=True)
        if all(cost > room for row, cost in enumerate(costs) if row not in choice[-1])
    ]


@pytest.mark.parametrize("kind", ["cents", "digits", "wide"])
@pytest.mark.parametrize("seed", range(6))
def test_no_choice_costs_a_cent_more_than_its_budget(seed: int, kind: str) -> None:
    """Budgets that choices meet, and miss by the least that there is."""
    rng = np.random.default_rng(seed)
    table = random_table(seed, levels=[None, 1, 3][seed % 3])
    costs = {
        "cents": rng.integers(100, 900_000, 7) / 100,
        "digits": rng.uniform(0.01, 9, 7),
        "wide": rng.choice([1e-3, 2e-3, 5.0, 10.0], 7),
    }[kind]
    table = replace(table, cost=costs)
    some = rng.choice(7, 3, replace=False)
    met = float(sum((Fraction(repr(float(costs[row]))) for row in some), Fraction()))
    for budget in (met, float(np.nextafter(met, 0)), max(met - 0.01, 0.001)):
        choices = exact_choices(table, budget)
        found = group(table, "optimal", budget)
        assert found.chosen == (preferred(choices) or ())
        worst = preferred(exact_fillings(table, choices, budget), -1.0)
        assert group(table, "worst", budget).chosen == (worst or ())
        if not found.chosen:
            assert found.least_budget is not None
            assert group(table, "optimal", found.least_budget).status == "optimal"
            assert not exact_choices(table, float(np.nextafter(found.least_budget, 0)))
        drawn = group(table, "random", budget, draws=20)
        assert (drawn.status == "infeasible") == (not choices)


def test_two_networks_that_cost_a_cent_more_than_the_budget_together_are_not_run() -> None:
    table = tied((12345.67, [1, -1]), (12345.67, [-1, 1]), (12345.67, [3, 3]))
    assert group(table, "optimal", 24691.33).chosen == (2,)
    assert group(table, "optimal", 24691.34).chosen == (0, 1)
    assert group(table, "independent", 24691.33).least_budget == 24691.34
    assert group(table, "all-in-one", 12345.66).status == "infeasible"
    assert group(table, "all-in-one", 12345.67).cost == 12345.67


def test_a_choice_that_is_not_proven_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grouping is called optimal, so that it has to be."""
    solve = PlanModel.solve

    def without_proof(model: PlanModel, budget: float, time_limit: float | None = None) -> Choice | None:
        choice = solve(model, budget, time_limit)
        return choice and replace(choice, status="unproven", bound=-5.0)

    monkeypatch.setattr(PlanModel, "solve", without_proof)
    message = "without a proof: the best choice found has a total loss of 6, and 5 is not ruled out"
    with pytest.raises(SolverError, match=message):
        group(table_from_csv(TOY, name="toy"), "optimal", 2)


@pytest.mark.parametrize("seed", range(6))
def test_weights_count_the_losses_of_a_task_more_often(seed: int) -> None:
    table, weights = random_table(seed, levels=[None, 3][seed % 2]), {"task0": 2.5, "task2": 0.1}
    factors = [Fraction(repr(float(weights.get(task, 1.0)))) for task in table.tasks]
    cost = [Fraction(repr(float(value))) for value in table.cost]
    for budget in (1.0, 1.6, 2.2):
        totals = []
        for size in range(1, len(table.networks) + 1):
            for chosen in combinations(range(len(table.networks)), size):
                losses = table.validation[list(chosen)]
                if (
                    sum((cost[one] for one in chosen), Fraction()) <= Fraction(repr(budget))
                    and (~np.isnan(losses)).any(axis=0).all()
                ):
                    least = [Fraction(repr(float(value))) for value in np.nanmin(losses, axis=0)]
                    totals.append(
                        sum((f * value for f, value in zip(factors, least, strict=True)), Fraction())
                    )
        found = group(table, "optimal", budget, weights=weights)
        assert (found.status == "optimal") == bool(totals)
        if totals:
            assert found.validation_loss == pytest.approx(float(min(totals)), abs=1e-8)
    with pytest.raises(
        InvalidInputError, match=r"the weight of task0 is 0, expected a number in \(0, 1,000,000\]"
    ):
        group(table, "optimal", 2, weights={"task0": 0})
    with pytest.raises(InvalidInputError, match="unknown task 'zzz'"):
        group(table, "optimal", 2, weights={"zzz": 1})


@pytest.mark.parametrize("method", ["optimal", "hoa", "esa"])
def test_a_time_limit_leaves_a_choice_with_a_bound(method: str) -> None:
    """No time at all: the choice fits and serves every task, and the proven one lies between bound and loss."""
    table = load_setting(1)
    quick, best = group(table, method, 3, time_limit=1e-9), group(table, method, 3)
    assert quick.status == "time_limit"
    assert quick.cost <= 3
    assert {task for tasks in quick.serves.values() for task in tasks} == set(table.tasks)
    assert quick.to_dict()["bound"] == quick.bound
    assert math.isnan(best.bound)
    if method == "optimal":  # the others choose by losses that they do not report
        assert quick.bound - 1e-9 <= best.validation_loss <= quick.validation_loss + 1e-9
    assert group(table, method, 3, time_limit=60).chosen == best.chosen


def test_a_time_limit_ends_random_draws_and_the_search_for_the_worst() -> None:
    """The first block of random fillings counts; a worst choice that is not proven is none."""
    drawn = group(load_setting(1), "random", 3, draws=200_000, time_limit=1e-9)
    assert drawn.status == "sampled"
    assert 0 < drawn.draws < 200_000
    with pytest.raises(TimeLimitError, match="allow more time"):
        group(load_setting(1), "worst", 3, time_limit=1e-9)
    row = budget_curves(load_setting(1), 3, "worst", time_limit=1e-9)[0]
    assert (row.status, row.chosen, math.isnan(row.validation_loss)) == ("time_limit", (), True)


@pytest.mark.parametrize("time_limit", [0, -1, math.nan, "1"])
def test_other_time_limits_are_refused(time_limit: Any) -> None:
    with pytest.raises(InvalidInputError, match="time_limit is"):
        group(load_setting(1), "optimal", 3, time_limit=time_limit)
