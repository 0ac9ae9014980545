"""Ridge, k-NN, LogME and rank correlation against slow oracles; divisions by whole groups."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import multivariate_normal, spearmanr

from taskbank.errors import InvalidInputError
from taskbank.probing.division import draws, held_out
from taskbank.probing.readouts import (
    log_evidence,
    nearest_neighbours,
    rank_correlation,
    ridge,
    standardised,
)


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("columns", [3, 40])
def test_ridge_solves_its_normal_equations(columns: int) -> None:
    """Also where there are fewer rows than features."""
    features, targets, others = numbers(20, columns), numbers(20, 2, seed=1), numbers(5, columns, seed=2)
    centred = targets - targets.mean(0)
    for penalty, predicted in zip((0.1, 2.0), ridge(features, targets, others, (0.1, 2.0)), strict=True):
        gram = features.T @ features + 20 * penalty * np.eye(columns)
        weights = np.linalg.solve(gram, features.T @ centred)
        np.testing.assert_allclose(predicted, targets.mean(0) + others @ weights, atol=1e-8)


def test_neighbours_are_those_of_the_smallest_angle() -> None:
    """As found by comparing with every row."""
    features, targets, others = numbers(30, 4), numbers(30, 2, seed=1), numbers(600, 4, seed=2)
    found = nearest_neighbours(features, targets, others, 3)
    for asked, predicted in zip(others, found, strict=True):
        cosines = features @ asked / np.linalg.norm(features, axis=1) / np.linalg.norm(asked)
        np.testing.assert_allclose(predicted, targets[np.argsort(-cosines)[:3]].mean(0))
    np.testing.assert_allclose(
        nearest_neighbours(features[:2], targets[:2], others), np.tile(targets[:2].mean(0), (600, 1))
    )


@pytest.mark.parametrize("columns", [2, 30])
def test_logme_is_the_largest_evidence_of_a_linear_model(columns: int) -> None:
    """As found by maximising the density of the target over both precisions, its mean aside."""
    (features,) = standardised(numbers(20, columns, seed=3))
    target = features[:, 0] + 3 * numbers(20, seed=4)
    basis = np.linalg.svd(np.eye(20) - 1 / 20)[0][:, :19]
    inner, seen = basis.T @ features, basis.T @ target

    def loss(logarithms: np.ndarray) -> float:
        weights, noise = np.exp(logarithms)
        covariance = inner @ inner.T * weights + np.eye(19) * noise
        return -float(multivariate_normal(np.zeros(19), covariance, allow_singular=True).logpdf(seen))

    best = min(minimize(loss, start, method="Nelder-Mead").fun for start in ([0, 0], [-2, -2], [-9, 2]))
    assert log_evidence(features, target[:, None]) == pytest.approx(-best / 19, abs=2e-3)


def test_logme_of_features_that_never_vary_is_that_of_noise_alone() -> None:
    """No number is missing there, and any that help are better."""
    target = numbers(30, 1)
    dead = log_evidence(np.zeros((30, 3)), target)
    density = multivariate_normal(0, target.var(ddof=1)).logpdf(target - target.mean()).sum() / 29
    density += math.log(2 * math.pi * target.var(ddof=1)) / 58  # the mean takes one row
    assert dead == pytest.approx(density)
    (itself,) = standardised(target)
    assert log_evidence(itself, target) > dead


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=12).filter(
        lambda pairs: all(len({pair[side] for pair in pairs}) > 1 for side in (0, 1))
    )
)
def test_rank_correlation_is_spearmans(pairs: list[tuple[int, int]]) -> None:
    """With ties."""
    first, second = np.array(pairs, dtype=float).T
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)


def test_rank_correlation_of_too_little_is_no_number() -> None:
    """Two values, or one side all alike."""
    assert math.isnan(rank_correlation(np.array([1.0, 2.0]), np.array([1.0, 2.0])))
    assert math.isnan(rank_correlation(np.ones(4), np.arange(4.0)))


def test_constant_features_become_zero() -> None:
    """The others get mean 0 and variance 1, by the rows that are learned from."""
    learned = np.stack([np.full(6, 1e6), np.arange(6.0)], axis=1)
    own, other = standardised(learned, learned + 1)
    assert (own[:, 0] == 0).all()
    np.testing.assert_allclose([own[:, 1].mean(), own[:, 1].std()], [0, 1], atol=1e-12)
    np.testing.assert_allclose(other[:, 1] - own[:, 1], 1 / learned[:, 1].std())


@given(st.lists(st.integers(0, 8), min_size=8, max_size=60), st.integers(0, 5))
def test_no_group_is_on_both_sides(numbers_of_groups: list[int], seed: int) -> None:
    """And each side has two groups at least."""
    groups = [f"g{number}" for number in numbers_of_groups]
    if len(set(groups)) < 4:
        with pytest.raises(InvalidInputError, match="4 at least are needed"):
            held_out(groups, 0.4, seed)
        return
    out = held_out(groups, 0.4, seed)
    sides = [{groups[row] for row in np.flatnonzero(out == side)} for side in (True, False)]
    assert not sides[0] & sides[1]
    assert min(map(len, sides)) >= 2
    assert (out == held_out(groups, 0.4, seed)).all()


def test_the_share_that_is_held_out_is_met_as_groups_allow() -> None:
    """Exactly, where each image is its own group."""
    assert held_out([str(number) for number in range(50)], 0.4, 0).sum() == 20
    with pytest.raises(InvalidInputError, match="held out 1 is not a share"):
        held_out(list("abcd"), 1, 0)


def test_draws_take_whole_groups() -> None:
    """As many groups each time as there are."""
    groups = list("aabbbc")
    drawn = draws(groups, 50, seed=3)
    assert drawn.shape == (50, 6)
    assert (drawn[:, 0] == drawn[:, 1]).all()
    assert (drawn[:, 2] == drawn[:, 4]).all()
    assert (drawn[:, [0, 2, 5]].sum(1) == 3).all()
    assert len(np.unique(drawn, axis=0)) > 5
