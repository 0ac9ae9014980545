"""Plans over draws of the measurements, against every choice of sources and transfers in fractions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oracle import random_tensor
from taxsolver import (
    AffinityTensor,
    InfeasibleBudgetError,
    InvalidInputError,
    join_affinities,
    load_affinity,
    save_affinity,
    solve,
    stability,
)
from taxsolver.figures.stability import draw_stability
from toys import toy


def exact(value: float) -> Fraction:
    return Fraction(repr(float(value)))


def uncertain(seed: int, draws: int, levels: int | None = None) -> AffinityTensor:
    rng = np.random.default_rng([seed, 23])
    tensor = random_tensor(seed, 4, 3, 2, levels=levels)
    values = rng.random((draws, len(tensor)))
    if levels is not None:
        values = np.round(values * levels) / levels
    return replace(tensor, draws={"gain": values})


def every_choice(tensor: AffinityTensor, budget: int) -> list[tuple[Fraction, ...]]:
    """The values over the draws of every choice of transfers that reads at most so many sources."""
    rows = [
        [
            row
            for row in range(len(tensor))
            if tensor.tasks[tensor.target[row]] == target and not tensor.reads_itself[row]
        ]
        for target in tensor.targets
    ]
    draws = [[exact(value) for value in draw] for draw in tensor.draws["gain"]]
    return [
        tuple(sum((draw[row] for row in chosen), Fraction()) for draw in draws)
        for chosen in product(*rows)
        if tensor.sources[list(chosen)].any(axis=0).sum() <= budget
    ]


def worst_mean(values: tuple[Fraction, ...], count: int) -> Fraction:
    return sum(sorted(values)[:count], Fraction()) / count


@pytest.mark.parametrize("seed", range(8))
def test_the_plans_of_mean_and_worst_draws_are_those_of_the_definition(seed: int) -> None:
    draws, budget = 3 + seed, 1 + seed % 3
    tensor = uncertain(seed, draws, [None, 3][seed % 2])
    every = every_choice(tensor, budget)
    share = [0.1, 0.34, 0.5, 1.0][seed % 4]
    count = max(1, int(np.ceil(round(share * draws, 9))))
    found = stability(tensor, budget=budget, objective="gain", worst=share)
    estimate, mean, worst = found.plans
    assert (found.origin, found.draws, found.proven) == ("draws", draws, draws)
    assert estimate.taxonomy.sources == solve(tensor, budget=budget, objective="gain").sources
    best_mean = max(sum(values, Fraction()) / draws for values in every)
    best_worst = max(worst_mean(values, count) for values in every)
    assert mean.mean == pytest.approx(float(best_mean), abs=1e-8)
    assert worst.taxonomy.status == "optimal"
    assert worst.worst == pytest.approx(float(best_worst), abs=1e-8)
    best = [max(values[draw] for values in every) for draw in range(draws)]
    assert found.best == pytest.approx([float(value) for value in best], abs=1e-8)
    for plan in found.plans:
        names = [(one.target, one.sources, one.full_supervision) for one in plan.taxonomy.transfers]
        chosen = [
            row
            for row in range(len(tensor))
            if (tensor.transfer(row).target, tensor.source_names(row), bool(tensor.full_supervision[row]))
            in names
        ]
        values = tuple(
            sum((exact(value) for value in draw[chosen]), Fraction()) for draw in tensor.draws["gain"]
        )
        assert values in every
        assert plan.mean == pytest.approx(float(sum(values, Fraction()) / draws))
        assert plan.worst == pytest.approx(float(worst_mean(values, count)))
        assert plan.regret == pytest.approx(
            [float(b - v) for b, v in zip(best, values, strict=True)], abs=1e-8
        )
        assert len(plan.taxonomy.sources) <= budget


@pytest.mark.parametrize("seed", range(3))
def test_a_time_limit_holds_for_every_draw_and_leaves_valid_bounds(seed: int) -> None:
    tensor = uncertain(seed, 6)
    best = stability(tensor, budget=2, worst=0.3, objective="gain")
    found = stability(tensor, budget=2, worst=0.3, time_limit=1e-6, objective="gain")
    assert found.proven <= best.proven == 6
    assert (found.best <= best.best + 1e-9).all()
    worst, proven = found.plans[2], best.plans[2]
    assert worst.worst <= proven.worst + 1e-9 <= worst.taxonomy.bound + 2e-9
    assert all((plan.regret >= 0).all() for plan in found.plans)


def test_a_hedge_that_is_never_the_best_is_best_in_the_worst_draws() -> None:
    # s is worth .9 or .1, a .1 or .9, b always .4: the mean prefers s and a, the worst draw b.
    tensor = replace(
        toy().select(targets="c", sources="a,b,s", max_order=1),
        gain=np.array([0.5, 0.4, 0.5]),
        quality=np.full(3, 0.5),
    )
    tensor = replace(tensor, draws={"gain": np.array([[0.1, 0.4, 0.9], [0.9, 0.4, 0.1]])})
    found = stability(tensor, budget=1, objective="gain", worst=0.5)
    assert found.plans[2].taxonomy.sources == ("b",)
    assert (found.plans[2].worst, found.plans[1].mean) == (0.4, 0.5)
    assert found.frequency == {"a": 0.5, "s": 0.5}


def test_published_tensors_say_that_they_have_no_draws_and_take_noise() -> None:
    with pytest.raises(
        InvalidInputError,
        match="has neither draws nor intervals of the gain, .*`noise=0.05` or `--noise 0.05`",
    ):
        stability("taskonomy-16k", "normals", 1, objective="gain")
    first = stability(toy(), budget=2, noise=0.05, draws=9, seed=1)
    again = stability(toy(), budget=2, noise=0.05, draws=9, seed=1)
    other = stability(toy(), budget=2, noise=0.05, draws=9, seed=2)
    assert first.to_dict() == again.to_dict() | {
        "plans": first.to_dict()["plans"],
    }
    assert first.best.tolist() == again.best.tolist() != other.best.tolist()
    assert (first.origin, first.noise, first.draws) == ("noise", 0.05, 9)


def test_intervals_are_drawn_from_and_wide_ones_change_more_plans() -> None:
    tensor = toy()
    narrow, wide = (
        np.clip(np.stack([tensor.gain - width, tensor.gain + width], axis=1), 0, 1) for width in (1e-6, 0.3)
    )
    sure = stability(replace(tensor, intervals={"gain": narrow}), budget=1, objective="gain", draws=30)
    unsure = stability(replace(tensor, intervals={"gain": wide}), budget=1, objective="gain", draws=30)
    assert (sure.origin, set(sure.frequency.values())) == ("intervals", {1.0})
    assert len(unsure.frequency) > len(sure.frequency)
    assert unsure.plans[0].regret.mean() > sure.plans[0].regret.mean() >= 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 0}, "draws is 0, expected a whole number"),
        ({"draws": 10**5}, "draws is 100000, expected at most 10,000"),
        ({"worst": 0}, r"worst is 0, expected a number in \(0, 1\]"),
        ({"noise": 2}, r"noise is 2, expected a number in \(0, 1\]"),
        ({"seed": -1}, "seed is -1"),
        ({"budget": None, "min_quality": 0.01}, "stability compares plans of one budget: give a budget"),
    ],
)
def test_what_is_not_allowed_is_refused_in_words(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        stability(toy(), **{"budget": 2, "noise": 0.1, **options})


def test_no_plan_within_the_budget_is_an_error_of_its_own() -> None:
    with pytest.raises(InfeasibleBudgetError):
        stability(toy(), budget=0.5, noise=0.1)


def test_draws_and_intervals_are_kept_in_files_and_old_files_are_read(tmp_path: Path) -> None:
    tensor = uncertain(1, 3)
    tensor = replace(tensor, intervals={"quality": np.tile([0.1, 0.9], (len(tensor), 1))})
    path = save_affinity(tensor, tmp_path / "mine.safetensors")
    read = load_affinity(path)
    np.testing.assert_array_equal(read.draws["gain"], tensor.draws["gain"])
    np.testing.assert_array_equal(read.intervals["quality"], tensor.intervals["quality"])
    assert read.digest == tensor.digest != replace(tensor, draws={}).digest
    part = read.select(max_order=1)
    assert part.draws["gain"].shape == (3, len(part))
    plain = load_affinity(
        save_affinity(replace(tensor, draws={}, intervals={}), tmp_path / "old.safetensors")
    )
    assert (plain.draws, plain.intervals) == ({}, {})
    assert load_affinity(save_affinity(tensor, tmp_path / "mine.csv")).draws == {}
    turned = replace(
        tensor,
        sources=np.asfortranarray(tensor.sources),
        draws={"gain": np.asfortranarray(tensor.draws["gain"])},
    )
    assert load_affinity(save_affinity(turned, tmp_path / "turned.safetensors")).digest == tensor.digest
    assert join_affinities([read]).draws.keys() == {"gain"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"draws": {"loss": np.zeros((1, 12))}}, "draws holds 'loss', expected affinity, gain, quality"),
        (
            {"draws": {"gain": np.zeros((1, 11))}},
            r"draws of gain are float64 \(1, 11\), expected float64 \(draws, ",
        ),
        (
            {"draws": {"gain": np.full((2, 12), 1.5)}},
            r"draws of gain of rows 0, 1, 2 and 9 more are outside \[0, 1\]",
        ),
        ({"intervals": {"gain": np.zeros((12, 3))}}, r"expected float64 \(transfers, 2\)"),
        ({"intervals": {"gain": np.tile([0.9, 0.1], (12, 1))}}, "end before they begin"),
        ({"draws": [1]}, "draws is a list, expected a dictionary from measures to arrays"),
    ],
)
def test_draws_that_do_not_fit_the_tensor_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        replace(toy(), **fields)


def test_the_picture_shows_every_task_and_three_plans() -> None:
    figure = draw_stability(stability(toy(), budget=1, noise=0.3, draws=9))
    left, right = figure.axes[:2]
    assert {text.get_text() for text in left.get_yticklabels()} >= {"s"}
    assert len(right.lines) == 3
