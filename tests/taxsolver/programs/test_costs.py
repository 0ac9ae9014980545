"""Sums without rounding: costs as whole numbers, figures as the decimals that people write."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxsolver.programs.costs import Costs, decimal, exact_products, exact_sum, written

cents = st.integers(0, 5_000_000).map(lambda number: number / 100)
any_cost = st.one_of(cents, st.floats(0, 1e6), st.sampled_from([1e-6, 1e6, 0.1, 0.0, 5e-324]))


def test_sums_are_those_of_the_decimals() -> None:
    assert float(exact_sum([0.1, 0.2])) == 0.3 != 0.1 + 0.2
    assert exact_sum([1e6, 1e-300, -1e6]) == decimal(1e-300)
    assert exact_sum([]) == 0


def test_products_are_those_of_the_decimals() -> None:
    assert exact_products(np.array([0.1, 0.2]), 3.0).tolist() == [0.3, 0.6]
    assert 0.1 * 3.0 != 0.3


def test_numbers_are_written_in_full() -> None:
    assert [written(value) for value in (24691.33, 2, 1e6, 0.1, 123456789.25)] == [
        "24691.33", "2", "1000000", "0.1", "123456789.25",
    ]  # fmt: skip


def test_the_unit_is_the_largest_that_all_costs_share() -> None:
    costs = Costs.of(np.array([12345.5, 0.0, 1.25]))
    assert costs.unit == Fraction(1, 4)
    assert costs.amounts.tolist() == [49382, 0, 5]
    assert (costs.largest, costs.total(np.array([True, False, True]))) == (49382, 49387)
    assert Costs.of(np.array([0.0, 0.0])).amounts.tolist() == [0, 0]
    assert (Costs.of(np.array([])).largest, Costs.of(np.array([])).limit(3.0)) == (0, 0)


def test_a_limit_is_the_last_whole_unit_within_a_budget() -> None:
    costs = Costs.of(np.array([12345.67, 12345.67]))
    assert [costs.limit(budget) for budget in (24691.34, 24691.33, 12345.67, 12345.66, 1e9)] == [
        2,
        1,
        1,
        0,
        2,
    ]


def test_amounts_beyond_64_bits_stay_exact() -> None:
    costs = Costs.of(np.array([1e6, 1e-300, 0.1]))
    assert costs.amounts.dtype == object
    both = np.array([True, True, False])
    assert costs.limit(1e6) < costs.total(both)
    assert costs.number(costs.total(both)) > 1e6


@given(st.lists(any_cost, min_size=1, max_size=6), st.data())
def test_every_subset_is_compared_with_a_budget_as_fractions_are(
    cost: list[float], data: st.DataObject
) -> None:
    costs = Costs.of(np.array(cost))
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(cost), max_size=len(cost))))
    budget = data.draw(st.one_of(any_cost, st.just(float(np.array(cost)[chosen].sum()))))
    exact = sum((Fraction(repr(one)) for one, taken in zip(cost, chosen, strict=True) if taken), Fraction())
    total = costs.total(chosen)
    assert total * costs.unit == exact
    assert (total <= costs.limit(budget)) == (exact <= Fraction(repr(budget)))
    assert Fraction(repr(costs.number(total))) >= exact
    assert total <= costs.limit(costs.number(total))
    assert costs.number(total) == pytest.approx(float(exact), rel=1e-15)
