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

    def images(task: str, needed: int) -> Fraction:
        return exact(costs[task]["price"]) * max(Fraction(), needed - exact(costs[task]["owned"]) * 100)

    plans = []
    for size in range(len(small.tasks) + 1):
        for names in combinations(small.tasks, size):
            options = []
            for target in small.targets:
                ways = []
                for tensor, needed in ((small, 10), (large, 40)):
                    gains = [
                        exact(tensor.gain[row])
                        for row in range(len(tensor))
                        if tensor.tasks[tensor.target[row]] == target
                        and not tensor.reads_itself[row]
                        and not (tensor is large and tensor.full_supervision[row])
                        and set(tensor.source_names(row)) <= set(names)
                    ]
                    if gains:
                        ways.append((Fraction() if target in names else images(target, needed), max(gains)))
                options.append(ways)
            full = sum((images(task, 100) for task in names), Fraction())
            for chosen in product(*options):
                cost = full + sum((one for one, _ in chosen), Fraction())
                plans.append((cost, sum((gain for _, gain in chosen), Fraction())))
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
