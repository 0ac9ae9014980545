"""Win rates and affinities against plain loops, by hand, and by their properties."""

from __future__ import annotations

import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxsolver import InvalidInputError, ahp, win_rates
from taxsolver.tensors.ahp import preference_ratios, principal_eigenvector


def plain_win_rates(losses: np.ndarray) -> np.ndarray:
    """The definition, one comparison after another."""
    images, transfers = losses.shape
    wins = np.zeros((transfers, transfers))
    for image in losses:
        for left in range(transfers):
            for right in range(transfers):
                wins[left, right] += (image[left] < image[right]) + (image[left] == image[right]) / 2
    return np.asarray(wins / images)


def plain_ahp(losses: np.ndarray) -> np.ndarray:
    """The definition, with the power method."""
    wins = np.clip(plain_win_rates(losses), 0.001, 0.999)
    vector = np.ones(len(wins))
    for _ in range(2000):
        vector = (wins / wins.T) @ vector
        vector /= vector.sum()
    return vector


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    images=st.integers(1, 30),
    transfers=st.integers(2, 9),
    levels=st.sampled_from([2, 5, 1_000_000]),
)
def test_win_rates_and_affinities_are_those_of_a_plain_loop(
    seed: int, images: int, transfers: int, levels: int
) -> None:
    losses = np.random.default_rng(seed).integers(-levels, levels, (images, transfers)) / 7
    np.testing.assert_allclose(win_rates(losses), plain_win_rates(losses), rtol=0, atol=1e-15)
    np.testing.assert_allclose(ahp(losses), plain_ahp(losses), rtol=1e-9)


@pytest.mark.parametrize("transfers", [255, 256, 257, 300])
def test_many_transfers_are_counted_right(transfers: int) -> None:
    losses = np.random.default_rng(transfers).random((3, transfers))
    expected = (losses[:, :, None] < losses[:, None, :]).mean(axis=0) + np.eye(transfers) / 2
    np.testing.assert_allclose(win_rates(losses), expected, atol=1e-15)


@pytest.mark.parametrize("beyond", [-1, 0, 1, 7])
def test_every_image_counts_however_many_blocks_they_are_compared_in(
    monkeypatch: pytest.MonkeyPatch, beyond: int
) -> None:
    """The last block may be full, or hold a single image."""
    monkeypatch.setattr(sys.modules["taxsolver.tensors.ahp"], "_CHUNK", 10 * 3 * 3)  # blocks of ten images
    losses = np.random.default_rng(beyond + 1).random((30 + beyond, 3)).round(1)
    lower = (losses[:, :, None] < losses[:, None, :]).mean(axis=0)
    equal = (losses[:, :, None] == losses[:, None, :]).mean(axis=0)
    np.testing.assert_allclose(win_rates(losses), lower + equal / 2, rtol=0, atol=1e-12)


def test_opposite_win_rates_sum_to_one_and_the_diagonal_is_half() -> None:
    wins = win_rates(np.random.default_rng(0).integers(0, 4, (101, 12)))
    np.testing.assert_allclose(wins + wins.T, 1, atol=1e-15)
    assert wins.diagonal().tolist() == [0.5] * 12


def test_a_tie_counts_half() -> None:
    wins = win_rates(np.array([[1, 1], [1, 2], [3, 3], [0.0, -0.0]]))
    assert wins.tolist() == [[0.5, 0.625], [0.375, 0.5]]


def test_equal_losses_give_equal_affinities() -> None:
    np.testing.assert_allclose(ahp(np.ones((10, 8))), 1 / 8, rtol=1e-12)


def test_two_transfers_share_by_the_odds_of_winning() -> None:
    losses = [[0, 1]] * 3 + [[1, 0]]
    np.testing.assert_allclose(ahp(losses), [0.75, 0.25], rtol=1e-12)


def test_the_ratio_of_two_transfers_is_at_most_999() -> None:
    affinity = ahp(np.tile([0.0, 1.0], (5000, 1)))
    assert affinity[0] / affinity[1] == pytest.approx(999)
    ratios = preference_ratios(win_rates(np.tile([0.0, 1.0, 2.0], (5000, 1))))
    assert ratios.max() == pytest.approx(999)
    assert ratios.min() == pytest.approx(1 / 999)
    np.testing.assert_allclose(ratios * ratios.T, 1)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0.05, 1), min_size=2, max_size=30))
def test_consistent_preferences_give_back_their_weights(weights: list[float]) -> None:
    known = np.array(weights) / sum(weights)
    wins = known[:, None] / (known[:, None] + known[None, :])
    np.testing.assert_allclose(principal_eigenvector(preference_ratios(wins)), known, rtol=1e-9)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_only_the_order_of_the_losses_of_an_image_counts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    losses = rng.integers(0, 50, (40, 6)).astype(float)
    transformed = np.exp(losses / 10) * rng.random((40, 1)) + rng.normal(size=(40, 1))
    np.testing.assert_array_equal(ahp(losses), ahp(transformed))


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_renaming_transfers_permutes_affinities(seed: int) -> None:
    rng = np.random.default_rng(seed)
    losses, order = rng.random((30, 7)), rng.permutation(7)
    np.testing.assert_allclose(ahp(losses[:, order]), ahp(losses)[order], rtol=1e-9)


def test_a_transfer_that_is_better_everywhere_has_the_larger_affinity() -> None:
    losses = np.random.default_rng(3).random((200, 1)) + np.linspace(0, 2, 20)
    assert (np.diff(ahp(losses)) < 0).all()


def test_17000_images_of_100_transfers_fit_into_modest_memory() -> None:
    losses = np.random.default_rng(0).random((17_000, 100)) * np.linspace(1, 2, 100)
    tracemalloc.start()
    affinity = ahp(losses)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert affinity.shape == (100,)
    assert affinity.sum() == pytest.approx(1)
    assert (affinity > 0).all()
    assert peak < 8 * losses.nbytes


def test_losses_are_not_changed() -> None:
    losses = np.random.default_rng(1).random((20, 5))
    before = losses.copy()
    losses.setflags(write=False)
    ahp(losses)
    np.testing.assert_array_equal(losses, before)


@pytest.mark.parametrize(
    "losses",
    [
        np.arange(6).reshape(3, 2),
        np.arange(6, dtype=np.float32).reshape(3, 2),
        [[0, 1], [2, 3], [4, 5]],
        np.asfortranarray(np.arange(6.0).reshape(3, 2)),
    ],
    ids=["ints", "float32", "lists", "by column"],
)
def test_any_matrix_of_numbers_will_do(losses: Any) -> None:
    np.testing.assert_allclose(ahp(losses), [0.999, 0.001])


@pytest.mark.parametrize(
    ("losses", "names", "message"),
    [
        ([1.0, 2.0], None, r"losses have shape \(2,\), expected \(images, transfers\)"),
        (np.zeros((2, 2, 2)), None, r"losses have shape \(2, 2, 2\), expected"),
        (3.0, None, r"losses have shape \(\), expected"),
        ([[1.0], [2.0]], None, "losses hold 1 transfer: at least two are needed to compare"),
        (np.zeros((3, 0)), None, "losses hold 0 transfer"),
        (np.zeros((0, 3)), None, "losses hold no image: at least one is needed"),
        ([[1, 2], [3]], None, "losses are not a matrix of numbers: "),
        ([["a", "b"]], None, "losses are not a matrix of numbers: .*'a'"),
        ([[None, 1.0]], None, "losses"),
        ([[1, 2], [np.nan, 3]], None, "1 losses are not finite; the first is nan of transfer 0 on image 1: drop"),
        ([[1, np.inf], [-np.inf, 3]], ["x", "y"], "2 losses .* the first is inf of transfer 'y' on image 0: drop"),
        ([[1, 2]], ["x"], "1 names for 2 transfers: give one for each column"),
    ],
)  # fmt: skip
def test_losses_that_cannot_be_compared_are_refused(
    losses: Any, names: list[str] | None, message: str
) -> None:
    for function in (ahp, win_rates):
        with pytest.raises(InvalidInputError, match=message):
            function(losses, names)
