"""Curves, performance against the number of tasks, and the pair matrix."""

from __future__ import annotations

import math

import numpy as np
import pytest

from taxsolver.errors import InvalidInputError
from taxsolver.grouping import (
    budget_curves,
    load_setting,
    pair_matrix,
    relative_change,
    table_from_csv,
    task_count_rows,
)

# Alone a and b lose 2 and 4 at cost 1. Together at cost 1, 1 and 5: half of a is won, a quarter of b is lost.
TOY = """\
split,network,cost,a,b,c
validation,a,1,2,,
validation,b,1,,4,
validation,worse-b,1,,9,
validation,c,3,,,1
validation,ab,1,1,5,
validation,bc,1,,2,1
validation,abc,1,3,4,1
test,a,1,10,,
test,b,1,,10,
test,worse-b,1,,10,
test,c,3,,,10
test,ab,1,10,10,
test,bc,1,,10,10
test,abc,1,10,10,10
"""


def test_rows_stand_by_method_and_budget() -> None:
    """Infeasible ones are included."""
    rows = budget_curves(table_from_csv(TOY, name="toy"), (0.5, 4), ("optimal", "all-in-one"))
    assert [(row.method, row.budget, row.status) for row in rows] == [
        ("optimal", 0.5, "infeasible"),
        ("optimal", 4, "optimal"),
        ("all-in-one", 0.5, "infeasible"),
        ("all-in-one", 4, "optimal"),
    ]


def test_all_methods_are_drawn_that_the_table_has_losses_for() -> None:
    """No esa without early losses."""
    rows = budget_curves(table_from_csv(TOY, name="toy"), [4], draws=5)
    assert [row.method for row in rows] == ["optimal", "hoa", "all-in-one", "independent", "random", "worst"]
    assert len(budget_curves(load_setting(1), [1], draws=5)) == 7


@pytest.mark.parametrize(("budgets", "methods"), [([], None), ([1], [])])
def test_curves_of_nothing_are_refused(budgets: list[float], methods: list[str] | None) -> None:
    """There would be nothing to draw."""
    with pytest.raises(InvalidInputError, match="at least one budget and one method"):
        budget_curves(load_setting(1), budgets, methods)


def test_changes_are_against_the_best_single_network_of_the_same_cost() -> None:
    """Task c has no single network of cost 1, so nothing to compare with there."""
    change = relative_change(table_from_csv(TOY, name="toy"), "validation")
    nan = math.nan
    wanted = [
        [0, nan, nan],
        [nan, 0, nan],
        [nan, -125, nan],
        [nan, nan, 0],
        [50, -25, nan],
        [nan, 50, nan],
        [-50, 0, nan],
    ]
    np.testing.assert_allclose(change, wanted)


def test_pairs_help_where_the_loss_falls() -> None:
    """Row b helps a by 50 %, row a harms b by 25 %, row c helps b by 50 %."""
    matrix = pair_matrix(table_from_csv(TOY, name="toy"), "validation")
    nan = math.nan
    np.testing.assert_allclose(matrix.change, [[nan, -25, nan], [50, nan, nan], [nan, 50, nan]])
    assert (matrix.tasks, matrix.split, matrix.name) == (("a", "b", "c"), "validation", "toy")


def test_rows_by_number_of_tasks_average_over_tasks_and_then_networks() -> None:
    """Two tasks: (50 - 25) / 2 and 50; three tasks: (-50 + 0) / 2."""
    rows = task_count_rows(table_from_csv(TOY, name="toy"), "validation")
    assert [(row.num_tasks, row.num_networks, row.change, row.least, row.most) for row in rows] == [
        (1, 4, -31.25, -125, 0),
        (2, 2, 31.25, 12.5, 50),
        (3, 1, -25, -25, -25),
    ]


def test_the_test_split_is_compared_where_there_is_one() -> None:
    """All its losses are 10 here; without it the validation losses are compared."""
    table = table_from_csv(TOY, name="toy")
    assert np.nanmax(np.abs(pair_matrix(table).change)) == 0
    alone = table_from_csv("".join(line for line in TOY.splitlines(True) if "test" not in line), name="toy")
    assert pair_matrix(alone).split == "validation"
    with pytest.raises(InvalidInputError, match="has no split test: use validation"):
        pair_matrix(alone, "test")
    with pytest.raises(InvalidInputError, match="unknown split 'tset'"):
        pair_matrix(alone, "tset")


def test_published_pairs_of_setting_2() -> None:
    """Normals nearly halve the loss of 2D keypoints (0.08012 alone, 0.04209 with normals)."""
    table = load_setting(2)
    matrix = pair_matrix(table)
    normal, keypoints = matrix.tasks.index("normal"), matrix.tasks.index("keypoints2d")
    losses = dict(zip(table.networks, table.scored[:, keypoints], strict=True))
    wanted = 100 * (1 - losses["normal+keypoints2d"] / losses["keypoints2d"])
    assert matrix.change[normal, keypoints] == pytest.approx(wanted)
    assert matrix.change[normal, keypoints] == np.nanmax(matrix.change) > 45
    assert [row.num_networks for row in task_count_rows(table)] == [10, 10, 10, 5, 1]


def test_a_single_loss_of_zero_gives_no_percentage() -> None:
    """Nothing is divided by zero."""
    lines = "split,network,cost,a,b\nvalidation,a,1,0,\nvalidation,b,1,,2\nvalidation,ab,1,1,1\n"
    np.testing.assert_array_equal(
        relative_change(table_from_csv(lines, name="zero")), [[np.nan] * 2, [np.nan, 0], [np.nan, 50]]
    )
