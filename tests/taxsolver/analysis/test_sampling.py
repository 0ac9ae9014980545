"""Source sets that use a whole budget, each as likely as any other."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from taxsolver import InvalidInputError
from taxsolver.analysis.sampling import BudgetSampler


def maximal_sets(cost: np.ndarray, budget: float) -> set[frozenset[int]]:
    """By definition: within the budget, and no further source fits; the decimals are summed as fractions."""
    exact, most = [Fraction(repr(float(one))) for one in cost], Fraction(repr(float(budget)))
    found = set()
    for size in range(len(cost) + 1):
        for chosen in combinations(range(len(cost)), size):
            left = most - sum((exact[one] for one in chosen), Fraction())
            if left >= 0 and all(exact[one] > left for one in range(len(cost)) if one not in chosen):
                found.add(frozenset(chosen))
    return found


def drawn_sets(cost: np.ndarray, budget: float, samples: int, seed: int = 0) -> Counter[frozenset[int]]:
    drawn = BudgetSampler(cost, budget).draw(samples, np.random.default_rng(seed))
    assert drawn.shape == (samples, len(cost))
    assert drawn.dtype == np.bool_
    return Counter(frozenset(np.flatnonzero(row).tolist()) for row in drawn)


@pytest.mark.parametrize(
    ("cost", "budget"),
    [
        ([1.0] * 6, 3),
        ([1.0] * 6, 3.7),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 9),
        ([0.5, 0.5, 1.0, 2.0, 2.0, 0.1], 2.5),
        ([0.0, 0.0, 1.0, 1.0, 2.0, 3.0], 3),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 0.6),
        ([3.0, 1.0, 2.0, 1.0, 5.0], 4),
        ([1e-6, 2e-6, 3e-6, 1e-6], 4e-6),
        ([1.0, 1.0, 1e6, 2.0], 3),
        ([2.0, 3.0], 1),
        ([1.0, 2.0], 10),
        ([12345.67, 12345.67, 0.01], 24691.34),
        ([12345.67, 12345.67, 0.01], 24691.33),
        ([0.1, 0.2, 0.3], 0.3),
        ([0.1, 0.2, 0.3], 0.29999999999999993),
        ([1e6, 1e6, 1e-15, 2e-15], 1000000.0),
        ([1e6, 1.0, 1e-300], 1e6),
    ],
)
def test_every_maximal_set_is_drawn_equally_often(cost: list[float], budget: float) -> None:
    expected = maximal_sets(np.array(cost), budget)
    counts = drawn_sets(np.array(cost), budget, 400 * len(expected))
    assert set(counts) == expected
    if len(expected) > 1:
        assert chisquare(list(counts.values())).pvalue > 1e-3


@settings(deadline=None, max_examples=60)
@given(
    cost=st.lists(st.sampled_from([0.0, 0.25, 0.3, 1.0, 1.1, 2.0, 7.5]), min_size=1, max_size=8),
    budget=st.floats(0, 12),
)
def test_only_maximal_sets_are_drawn(cost: list[float], budget: float) -> None:
    assert set(drawn_sets(np.array(cost), budget, 50)) <= maximal_sets(np.array(cost), budget)


def test_free_sources_are_always_drawn() -> None:
    drawn = BudgetSampler(np.array([0.0, 1.0, 0.0, 1.0]), 1).draw(100, np.random.default_rng(0))
    assert drawn[:, [0, 2]].all()
    assert (drawn.sum(axis=1) == 3).all()


def test_the_same_seed_gives_the_same_sets_and_another_one_others() -> None:
    sampler = BudgetSampler(np.ones(20), 10)
    one, same, other = (sampler.draw(50, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_a_hundred_sources_are_drawn_evenly() -> None:
    drawn = BudgetSampler(np.ones(100), 50).draw(4000, np.random.default_rng(0))
    assert (drawn.sum(axis=1) == 50).all()
    assert abs(drawn.mean(axis=0) - 0.5).max() < 0.05


def test_no_sources_make_one_empty_set() -> None:
    assert BudgetSampler(np.zeros(0), 3).draw(2, np.random.default_rng(0)).shape == (2, 0)


def test_costs_with_too_many_different_sums_are_refused() -> None:
    cost = np.random.default_rng(0).random(25)
    with pytest.raises(InvalidInputError, match="more than 200,000 different sums, .*: round the costs"):
        BudgetSampler(cost, 12)
    BudgetSampler(np.round(cost, 2), 12)
