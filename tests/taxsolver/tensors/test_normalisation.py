"""Measures that are negative or have no bound: three named ways into [0, 1], by hand and by their definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taxsolver.errors import FileFormatError, InvalidInputError
from taxsolver.tensors.affinity_csv import tensor_from_csv
from taxsolver.tensors.normalisation import Normalisation, normalised

CSV = "target,sources,gain\na,b,-3\na,c,1\na,b|c,5\nb,a,400\nb,c,-400\n"


def gains(how: str) -> dict[tuple[str, ...], float]:
    """The gains of the CSV, by target and sources."""
    tensor = tensor_from_csv(CSV, name="x", normalise=how)
    return {
        (tensor.tasks[tensor.target[row]], *tensor.source_names(row)): float(tensor.gain[row])
        for row in range(len(tensor))
    }


def test_min_max_is_linear_for_each_target() -> None:
    assert gains("min-max") == {
        ("a", "b"): 0,
        ("a", "c"): 0.5,
        ("a", "b", "c"): 1,
        ("b", "a"): 1,
        ("b", "c"): 0,
    }


def test_rank_counts_the_transfers_that_one_is_better_than() -> None:
    assert gains("rank") == gains("min-max")  # the three of a are evenly spaced
    values = np.array([5.0, 5.0, -1.0, np.nan, 7.0])
    found = normalised(values, np.zeros(5, dtype=int), Normalisation.RANK)
    np.testing.assert_array_equal(found, [0.5, 0.5, 0, np.nan, 1])


def test_logistic_is_the_same_for_all_targets() -> None:
    found = gains("logistic")
    assert found["a", "c"] == pytest.approx(1 / (1 + math.exp(-1)))
    assert found["a", "b"] == pytest.approx(1 / (1 + math.exp(3)))
    assert (found["b", "a"], found["b", "c"]) == (1, 0)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.floats(-1e300, 1e300)), min_size=1, max_size=12),
    st.sampled_from(list(Normalisation)),
)
@example([(0, 0.0), (0, 5e-324)], Normalisation.MIN_MAX)  # half of the smallest float is 0
@example([(0, -1.7e308), (0, 1.7e308)], Normalisation.MIN_MAX)  # their difference is infinite
def test_results_lie_between_0_and_1_and_keep_the_order_within_a_target(
    pairs: list[tuple[int, float]], how: Normalisation
) -> None:
    target, values = np.array([one for one, _ in pairs]), np.array([value for _, value in pairs])
    found = normalised(values, target, how)
    assert ((found >= 0) & (found <= 1)).all()
    for one in range(len(pairs)):
        for other in range(len(pairs)):
            if target[one] == target[other] and values[one] < values[other]:
                assert found[one] <= found[other]


@pytest.mark.parametrize("how", ["min-max", "rank"])
def test_the_only_transfer_of_a_target_becomes_1(how: str) -> None:
    assert tensor_from_csv("target,sources,gain\na,b,-7\n", name="x", normalise=how).gain.tolist() == [1]


def test_a_matrix_is_normalised_too_and_empty_cells_stay_out() -> None:
    tensor = tensor_from_csv(",a,b\na,,-2\nb,30,8\n", name="x", normalise="min-max")
    assert sorted(tensor.affinity.tolist()) == [0, 1, 1]


def test_other_names_and_numbers_without_end_are_refused() -> None:
    with pytest.raises(
        InvalidInputError, match="unknown normalisation 'softmax': choose one of min-max, rank"
    ):
        tensor_from_csv(CSV, name="x", normalise="softmax")
    with pytest.raises(FileFormatError, match="line 2: gain is inf, expected a finite number"):
        tensor_from_csv("target,sources,gain\na,b,inf\n", name="x", normalise="rank")
    with pytest.raises(FileFormatError, match="outside .*or use  taxsolver affinity import --normalise"):
        tensor_from_csv(CSV, name="x")
