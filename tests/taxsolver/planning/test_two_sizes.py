"""Transfers of two sizes, against every choice of sources and sizes in fractions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oracle import random_tensor
from taxsolver import (
    AffinityTensor,
    InfeasibleBudgetError,
    InvalidInputError,
    chain,
    front,
    load_problem,
    save_affinity,
    save_taxonomy,
    significance,
    solve,
    solve_problem,
    stability,
)
from toys import toy


def exact(value: float) -> Fraction:
    return Fraction(repr(float(value)))


def two_sizes(seed: int) -> tuple[AffinityTensor, AffinityTensor, dict[str, dict[str, Any]]]:
    """Two tensors of the same transfers, and prices with images in full and of small transfers."""
    rng = np.random.default_rng([seed, 31])
    small = replace(random_tensor(seed, 5, 3, 2), images_full=100, images_transfer=10)
    large = replace(
        small, gain=np.clip(small.gain + rng.random(len(small)) * 0.5 - 0.1, 0, 1), images_transfer=40
    )
    costs = {
        task: {
            "price": int(rng.integers(1, 50)) / 10,
            "images_full": 100,
            "images_transfer": 10,
            "owned": float(rng.choice([0, 0.05, 0.2, 0.5])),
        }
        for task in small.tasks
    }
    return small, large, costs


def every_plan(
    small: AffinityTensor, large: AffinityTensor, costs: dict[str, dict[str, Any]]
) -> list[tuple[Fraction, Fraction]]:
    """Cost and gain of every set of sources, with every choice of sizes for the targets outside it."""
    return list(every_holding(small, large, costs).values())


def every_holding(
    small: AffinityTensor, large: AffinityTensor, costs: dict[str, dict[str, Any]]
) -> dict[tuple[frozenset[str], frozenset[str]], tuple[Fraction, Fraction]]:
    """Cost and gain by the tasks labelled in full and the targets outside them with labels for a large one."""

    def images(task: str, needed: int) -> Fraction:
        return exact(costs[task]["price"]) * max(Fraction(), needed - exact(costs[task]["owned"]) * 100)

    plans = {}
    for size in range(len(small.tasks) + 1):
        for names in combinations(small.tasks, size):
            options = []
            for target in small.targets:
                ways: list[tuple[Fraction, Fraction, frozenset[str]]] = []
                for tensor, needed in ((small, 10), (large, 40)):
                    gains = [
                        exact(tensor.gain[row])
                        for row in range(len(tensor))
                        if tensor.tasks[tensor.target[row]] == target
                        and not tensor.reads_itself[row]
                        and not (tensor is large and tensor.full_supervision[row])
                        and set(tensor.source_names(row)) <= set(names)
                    ]
                    gains += [way[1] for way in ways]  # labels for a large one serve a small one, too
                    if gains and target in names:
                        ways = [(Fraction(), max(gains), frozenset())]
                    elif gains:
                        bought = frozenset([target] if tensor is large else [])
                        ways.append((images(target, needed), max(gains), bought))
                options.append(ways)
            full = sum((images(task, 100) for task in names), Fraction())
            for chosen in product(*options):
                cost = full + sum((one for one, _, _ in chosen), Fraction())
                sizes = frozenset().union(*(bought for _, _, bought in chosen))
                plans[frozenset(names), sizes] = cost, sum((gain for _, gain, _ in chosen), Fraction())
    return plans


@pytest.mark.parametrize("seed", range(10))
def test_plans_of_two_sizes_are_those_of_the_definition(seed: int) -> None:
    small, large, costs = two_sizes(seed)
    every = every_plan(small, large, costs)
    spent = sorted({cost for cost, _ in every if cost})
    for place in range(0, len(spent), max(1, len(spent) // 5)):
        for budget in (float(spent[place]), float(np.nextafter(float(spent[place]), 0))):
            fits = [plan for plan in every if plan[0] <= exact(budget)]
            if not fits:
                with pytest.raises(InfeasibleBudgetError):
                    solve(small, budget=budget, larger=large, costs=costs, objective="gain")
                continue
            plan = solve(small, budget=budget, larger=large, costs=costs, objective="gain")
            best = max(gain for _, gain in fits)
            assert plan.status == "optimal"
            assert best - exact(plan.objective) <= exact(1e-8)
            assert Fraction(plan.exact_cost) <= min(cost for cost, gain in fits if gain == best)
            assert sum(bought.cost for bought in plan.purchases) == pytest.approx(plan.cost)
            for transfer in plan.transfers:
                tensor = large if transfer.target in plan.large else small
                assert transfer in [tensor.transfer(row) for row in range(len(tensor))]


@pytest.mark.parametrize("seed", range(4))
def test_a_front_of_two_sizes_is_that_of_the_definition(seed: int) -> None:
    small, large, costs = two_sizes(seed)
    best: list[tuple[Fraction, Fraction]] = []
    for cost, gain in sorted((cost, -gain) for cost, gain in every_plan(small, large, costs)):
        if not best or -gain > best[-1][1]:
            best.append((cost, -gain))
    plans = front(small, larger=large, costs=costs)
    assert [Fraction(plan.exact_cost) for plan in plans] == [cost for cost, _ in best]
    assert [plan.objective for plan in plans] == pytest.approx([float(gain) for _, gain in best], abs=1e-8)


def test_the_larger_size_is_bought_where_it_is_worth_its_labels(tmp_path: Path) -> None:
    small = replace(toy(), images_full=100, images_transfer=10)
    large = replace(small, gain=np.minimum(small.gain + 0.2, 1), images_transfer=30)
    paths = [
        save_affinity(small, tmp_path / "small.safetensors"),
        save_affinity(large, tmp_path / "large.safetensors"),
    ]
    options: dict[str, Any] = {"targets": "a,b", "larger": paths[1], "unit": "images", "objective": "gain"}
    # s serves a .4 and b .8, each .2 more for 20 images.
    found = [solve(paths[0], budget=budget, sources="s", **options) for budget in (120, 140, 160)]
    assert [plan.cost for plan in found] == [120, 140, 160]
    assert [len(plan.large) for plan in found] == [0, 1, 2]
    assert [round(plan.objective, 9) for plan in found] == [1.2, 1.4, 1.6]
    assert found[2].labels == 160
    assert found[2].to_dict()["large"] == ["a", "b"]
    again = solve_problem(load_problem(save_taxonomy(found[1], tmp_path / "plan.json")))
    assert again.to_dict() | {"seconds": 0} == found[1].to_dict() | {"seconds": 0}
    years = chain(paths[0], [120, 160], sources="s", **options)
    assert [plan.cost for plan in years.best] == [120, 160]


def test_a_task_labelled_in_full_after_a_large_transfer_pays_only_the_rest() -> None:
    small = replace(toy(), images_full=100, images_transfer=10)
    large = replace(small, gain=np.minimum(small.gain + 0.2, 1), images_transfer=30)
    # b in full and a large transfer to a cost 130; 70 more label a in full, which has 30 already.
    years = chain(small, [140, 210], targets="a,b", larger=large, unit="images", objective="gain")
    for plans in (years.best, years.greedy):
        assert [(plan.sources, plan.large, plan.cost) for plan in plans] == [
            (("b",), ("a",), 130),
            (("a", "b"), (), 200),
        ]
    assert years.status == "optimal"


@pytest.mark.parametrize("seed", range(4))
def test_a_chain_of_two_sizes_is_that_of_the_definition(seed: int) -> None:
    small, large, costs = two_sizes(seed)
    options: dict[str, Any] = {"larger": large, "costs": costs, "objective": "gain"}
    every = every_holding(small, large, costs)
    spent = sorted({cost for cost, _ in every.values()})
    budgets = [float(spent[len(spent) // 5]), float(spent[len(spent) // 3])]
    best = max(
        one + other
        for (names, sizes), (cost, one) in every.items()
        if cost <= exact(budgets[0])
        for (later, larger), (paid, other) in every.items()
        if paid <= exact(budgets[1]) and names <= later and sizes <= larger | later
    )
    years = chain(small, budgets, **options)
    assert years.status == "optimal"
    assert years.objective == pytest.approx(float(best), abs=1e-8)
    for plan, budget in zip(years.best, budgets, strict=True):
        assert Fraction(plan.exact_cost) <= exact(budget)
        labelled = frozenset(plan.sources)
        assert Fraction(plan.exact_cost) == every[labelled, frozenset(plan.large) - labelled][0]


@pytest.mark.parametrize("seed", range(4))
def test_the_next_best_plans_label_other_tasks(seed: int) -> None:
    small, large, costs = two_sizes(seed)
    every = every_holding(small, large, costs)
    budget = float(sorted({cost for cost, _ in every.values()})[len(every) // 3])
    best = {
        names: max(gain for (of, _), (cost, gain) in every.items() if of == names and cost <= exact(budget))
        for names in {names for (names, _), (cost, _) in every.items() if cost <= exact(budget)}
    }
    plan = solve(small, budget=budget, larger=large, costs=costs, objective="gain", k_best=4)
    for one in (plan, *plan.alternatives):
        assert one.objective == pytest.approx(float(max(best.values())), abs=1e-8)
        best = {names: gain for names, gain in best.items() if not names >= frozenset(one.sources)}
    assert len(plan.alternatives) == 3 or not best
    goal = solve(small, larger=large, costs=costs, min_gain=0.5, k_best=3)
    sets = [frozenset(one.sources) for one in (goal, *goal.alternatives)]
    assert not any(later >= one for place, one in enumerate(sets) for later in sets[place + 1 :])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": None}, "the budget counts tasks: give a unit, as in unit='images'"),
        ({"objective": "affinity"}, "is not comparable between tensors: choose gain or quality"),
        ({"larger": "taskonomy-1k"}, "has other tasks than 'toy'"),
        (
            {"images_full": 20},
            "larger transfers take 30 images, and 'a' takes 10 for a small one and 20 in full",
        ),
    ],
)
def test_sizes_that_cannot_be_compared_are_refused(options: dict[str, Any], message: str) -> None:
    small = replace(toy(), images_full=100, images_transfer=10)
    asked = {
        "larger": replace(small, images_transfer=30),
        "unit": "images",
        "objective": "gain",
        "budget": 200,
    }
    with pytest.raises(InvalidInputError, match=message):
        solve(small, **{**asked, **options})


def test_what_takes_one_size_only_says_so() -> None:
    small = replace(toy(), images_full=100, images_transfer=10)
    options: dict[str, Any] = {
        "larger": replace(small, images_transfer=30),
        "unit": "images",
        "objective": "gain",
    }
    with pytest.raises(InvalidInputError, match="leave out larger"):
        stability(small, budget=200, noise=0.1, **options)
    with pytest.raises(InvalidInputError, match="leave out larger"):
        significance(small, [200], [2], samples=2, **options)
