"""Choices that are worth the same: which one is taken."""

from __future__ import annotations

import numpy as np
from tests.taxsolver.grouping.tables import tied

from taxsolver.grouping import group


def test_ties_go_to_the_cheapest_choice_first() -> None:
    """Two choices of loss 2, for 3 and for 2: the cheaper one comes later in the table."""
    table = tied((2, [1, -1]), (1, [-1, 1]), (2, [1, 1 + 5e-10]))
    assert group(table, "optimal", 3).chosen == (2,)


def test_ties_of_loss_and_cost_go_to_the_fewest_predictions() -> None:
    """Both cost 2; the first pair predicts three tasks, the second two."""
    table = tied((1, [1, 9]), (1, [-1, 1]), (1, [1, -1]))
    assert group(table, "optimal", 2).chosen == (1, 2)


def test_ties_of_everything_go_to_table_order() -> None:
    """Of 16 choices of two networks each that are all alike, the first."""
    table = tied(*[(1, [1, -1])] * 4, *[(1, [-1, 1])] * 4)
    assert group(table, "optimal", 5).chosen == (0, 4)


def test_table_order_is_settled_beyond_one_block() -> None:
    """Forty networks alike for each of three tasks."""
    unit: list[list[float]] = np.where(np.eye(3) > 0, 1.0, -1.0).tolist()
    table = tied(*[(1, unit[2 - number // 40]) for number in range(120)])
    assert group(table, "optimal", 3).chosen == (0, 40, 80)


def test_a_difference_beyond_a_tie_counts() -> None:
    """The dearer network is better by 1e-8."""
    table = tied((1, [1]), (2, [1 - 1e-8]))
    assert group(table, "optimal", 2).chosen == (1,)


def test_a_task_with_equal_losses_is_assigned_to_the_cheaper_network() -> None:
    """Assignments break ties as choices do."""
    table = tied((1, [1, 1, -1]), (0.5, [-1, 1, 1]))
    assert group(table, "optimal", 2).assigned == (0, 1, 1)
