"""Random and worst fillings of a budget."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.taxsolver.grouping.tables import TOY, random_table, tied

from taxsolver.grouping import Grouping, LossTable, group, load_setting, table_from_csv


def random_mean(table: LossTable, **options: Any) -> Grouping:
    """Two hundred fillings of a budget of 2."""
    return group(table, "random", 2, draws=200, **options)


def test_the_same_seed_gives_the_same_mean() -> None:
    """And another seed another one."""
    table = load_setting(2)
    first, again, other = random_mean(table), random_mean(table), random_mean(table, seed=1)
    assert first.to_json() == again.to_json()
    assert first.test_loss != other.test_loss
    assert (first.status, first.networks, first.draws) == ("sampled", (), 200)


def test_random_fillings_of_a_table_with_one_filling_are_that_one() -> None:
    """Everything fits, so every draw is everything."""
    found = group(table_from_csv(TOY, name="toy"), "random", 4, draws=3)
    assert (found.validation_loss, found.test_loss, found.assigned_test_loss) == pytest.approx((6, 6.5, 7))


def test_random_lies_between_optimal_and_worst() -> None:
    """On the split that chooses, for every seed."""
    table = random_table(3)
    best, worst = (group(table, method, 1.2).validation_loss for method in ("optimal", "worst"))
    for seed in range(5):
        drawn = group(table, "random", 1.2, seed=seed, draws=50).validation_loss
        assert best - 1e-9 <= drawn <= worst + 1e-9


def test_random_gives_up_where_hardly_any_filling_serves() -> None:
    """Of the choices of 14 out of 56 networks, one in 20,000 has a network for each of 14 tasks."""
    rows = np.where(np.eye(14) > 0, 1.0, -1.0).tolist()
    table = tied(*[(1, rows[number % 14]) for number in range(56)])
    found = group(table, "random", 14, draws=500)
    assert (found.status, found.draws) == ("unsampled", 0)
    assert group(table, "optimal", 14).status == "optimal"
    assert found.to_dict()["test_loss"] is None
