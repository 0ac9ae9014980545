"""Losses of untrained groups: the ridge worked out once more, and every choice of a small table."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from tests.taxsolver.grouping.tables import every_choice

from taxsolver.errors import InvalidInputError
from taxsolver.grouping import LossTable, group, load_setting, next_group, pair_matrix, predict_groups
from taxsolver.grouping.approximations import higher_order_losses

Array = np.ndarray[Any, Any]


def part(table: LossTable, keep: Array) -> LossTable:
    """Some networks of a table, with their validation losses."""
    return LossTable(
        name=table.name,
        tasks=table.tasks,
        networks=tuple(name for name, kept in zip(table.networks, keep, strict=True) if kept),
        cost=table.cost[keep],
        validation=table.validation[keep],
    )


def few(seed: int, tasks: int = 4, groups: int = 6) -> tuple[LossTable, Array]:
    """Every task alone, some random groups, and random effects."""
    rng = np.random.default_rng(seed)
    sets = [set_ for size in range(2, tasks + 1) for set_ in combinations(range(tasks), size)]
    picked = [sets[place] for place in rng.permutation(len(sets))[:groups]]
    members = [(task,) for task in range(tasks)] + picked
    losses = np.full((len(members), tasks), np.nan)
    for row, one in enumerate(members):
        losses[row, list(one)] = rng.uniform(0.5, 1.5, len(one))
    names = "abcdefgh"[:tasks]
    table = LossTable(
        name="few",
        tasks=tuple(names),
        networks=tuple("".join(names[task] for task in one) for one in members),
        cost=np.array([1 + 0.1 * (len(one) - 1) for one in members]),
        validation=losses,
    )
    return table, rng.normal(size=(tasks, tasks))


def ridge(table: LossTable, effects: Array, penalty: float, without: int = -1) -> Any:
    """A function that predicts the relative change of a task in a group, fitted by augmented rows."""
    tasks = len(table.tasks)
    off = ~np.eye(tasks, dtype=bool)
    effects = effects / np.sqrt(np.mean(effects[off] ** 2))
    alone = table.validation[range(tasks), range(tasks)]

    def columns(members: tuple[int, ...], task: int) -> list[float]:
        others = [other for other in members if other != task]
        row = [3 * float(np.mean(effects[others, task])), 3.0, 3.0 * (len(others) - 1)]
        for each in range(tasks):
            row += [1.0, len(others) - 1.0] if each == task else [0.0, 0.0]
        return row

    rows, values = [], []
    for network in range(tasks, len(table.networks)):
        members = tuple(np.flatnonzero(table.predicts[network]).tolist())
        for task in members if network != without else ():
            rows.append(columns(members, task))
            values.append(table.validation[network, task] / alone[task] - 1)
    width = len(rows[0])
    whole = np.vstack([rows, math.sqrt(penalty) * np.eye(width)])
    fitted = np.linalg.lstsq(whole, np.concatenate([values, np.zeros(width)]), rcond=None)[0]
    return lambda members, task: float(np.dot(columns(members, task), fitted))


@pytest.mark.parametrize("seed", range(4))
def test_predictions_are_those_of_a_ridge(seed: int) -> None:
    table, effects = few(seed)
    found = predict_groups(table, effects)
    change = ridge(table, effects, found.penalty)
    trained = len(table.networks)
    assert len(found.table.networks) == 2**4 - 1  # every group of the four tasks
    assert found.table.untrained == found.table.networks[trained:]
    for network in range(trained, len(found.table.networks)):
        members = tuple(np.flatnonzero(found.table.predicts[network]).tolist())
        assert found.table.networks[network] == "+".join(table.tasks[task] for task in members)
        for task in members:
            wanted = found.alone[task] * (1 + change(members, task))
            assert found.table.validation[network, task] == pytest.approx(wanted, rel=1e-9)
    np.testing.assert_array_equal(found.table.validation[:trained], table.validation)


@pytest.mark.parametrize("seed", range(4))
def test_the_error_is_that_of_leaving_out_one_group_after_the_other(seed: int) -> None:
    """The penalty is the one with the least error."""
    table, effects = few(seed)
    found = predict_groups(table, effects)

    def error(penalty: float) -> float:
        squares = []
        for network in range(4, len(table.networks)):
            change = ridge(table, effects, penalty, without=network)
            members = tuple(np.flatnonzero(table.predicts[network]).tolist())
            for task in members:
                real = table.validation[network, task] / table.validation[task, task] - 1
                squares.append((change(members, task) - real) ** 2)
        return math.sqrt(np.mean(squares))

    errors = {penalty: error(penalty) for penalty in 10.0 ** np.arange(-1, 3.1, 0.5)}
    assert found.error == pytest.approx(min(errors.values()), rel=1e-9)
    assert errors[found.penalty] == pytest.approx(found.error, rel=1e-9)
    assert found.held_out == 6


def test_the_unit_and_the_sign_of_effects_do_not_matter() -> None:
    table, effects = few(1)
    one, other = predict_groups(table, effects), predict_groups(table, -1000 * effects)
    np.testing.assert_allclose(one.table.validation, other.table.validation, rtol=1e-9)
    assert one.error == pytest.approx(other.error)


@pytest.mark.parametrize("setting", [1, 2, 3, 4])
def test_with_pairs_alone_predictions_are_the_higher_order_approximation(setting: int) -> None:
    """The losses differ by what the ridge holds back, and the choices are the same at every budget."""
    whole = load_setting(setting)
    found = predict_groups(part(whole, whole.num_predicted <= 2))
    approximate = higher_order_losses(whole)
    for network, name in enumerate(whole.networks):
        if whole.num_predicted[network] > 2:
            row = found.table.validation[found.table.networks.index(name)]
            np.testing.assert_allclose(row, approximate[network], rtol=0.005)
    for budget in (1, 2, 3, 4):
        assert group(found.table, "optimal", budget).networks == group(whole, "hoa", budget).networks
    assert math.isnan(found.error)
    assert (found.held_out, found.to_dict()["leave_one_out_error"]) == (0, None)


def test_pairs_are_not_left_out_where_the_effects_were_measured_in_them() -> None:
    """Given as a matrix, in percent or of the other sign, they tell the loss of their own pair all the same."""
    whole = load_setting(1)
    table = part(whole, (whole.num_predicted <= 2) | (whole.num_predicted == 5))
    changes = pair_matrix(table, "validation").change
    for effects in (None, changes, -changes / 100):
        found = predict_groups(table, effects)
        assert found.held_out == 1
    noise = np.random.default_rng(0).normal(size=changes.shape)
    assert predict_groups(table, noise).held_out == 11


@pytest.mark.parametrize("budget", [1.0, 2.2, 3.5])
@pytest.mark.parametrize("seed", range(3))
def test_the_next_group_is_that_of_trying_all(seed: int, budget: float) -> None:
    """Of each untrained group, better and worse by one error, every choice is looked at."""
    table, effects = few(seed, tasks=3, groups=3)
    found = predict_groups(table, effects)
    if not found.table.untrained:
        pytest.fail("the table has no untrained group")

    def least(losses: Array) -> float:
        whole = replace(found.table, validation=losses)
        return min((total for total, *_ in every_choice(whole, losses, budget)), default=math.inf)

    now, worth = least(np.array(found.table.validation)), {}
    for name in found.table.untrained:
        row = found.table.networks.index(name)
        sides = []
        for sign in (-1, 1):
            losses = np.array(found.table.validation)
            losses[row] += sign * found.error * np.abs(found.alone)
            sides.append(least(losses))
        worth[name] = now - sum(sides) / 2
    best = next_group(found, budget)
    most = max(worth.values())
    if best is None:
        assert most <= 1e-12 or math.isinf(now)
    else:
        assert best.expected == pytest.approx(most, abs=1e-9)
        assert worth[best.network] == pytest.approx(most, abs=1e-9)
        assert best.chosen == (best.network in group(found.table, "optimal", budget).networks)
        assert best.looked_at == best.of == len(worth)


def test_training_the_next_group_makes_it_a_trained_one() -> None:
    """On a published setting the true losses are added, and another group comes next."""
    whole = load_setting(4)
    keep = whole.num_predicted <= 2
    first = next_group(predict_groups(part(whole, keep)), 2.5)
    assert first is not None
    keep = keep | (np.array(whole.networks) == first.network)
    found = predict_groups(part(whole, keep))
    assert first.network not in found.table.untrained
    second = next_group(found, 2.5)
    assert second is not None
    assert second.network != first.network
    assert second.expected < first.expected


def test_a_time_limit_ends_the_comparison_of_groups() -> None:
    whole = load_setting(4)
    assert next_group(predict_groups(part(whole, whole.num_predicted <= 2)), 2.5, time_limit=1e-9) is None


def test_costs_follow_a_straight_line_over_the_number_of_tasks() -> None:
    table, effects = few(2)
    found = predict_groups(table, effects)
    np.testing.assert_allclose(found.table.cost, 1 + 0.1 * (found.table.num_predicted - 1), atol=1e-6)


def test_weights_change_the_losses_and_not_the_error() -> None:
    table, effects = few(0)
    plain, weighed = predict_groups(table, effects), predict_groups(table, effects, weights={"b": 3})
    np.testing.assert_allclose(weighed.table.validation[:, 1], 3 * plain.table.validation[:, 1])
    assert weighed.error == pytest.approx(plain.error)


def test_the_size_of_untrained_groups_can_be_limited() -> None:
    table, effects = few(0)
    found = predict_groups(table, effects, largest=2)
    new = found.table.num_predicted[len(table.networks) :]
    assert set(new.tolist()) == {2}


def test_groups_with_a_task_of_unknown_effects_are_not_predicted() -> None:
    table, effects = few(3, groups=9)
    effects[:, 0] = np.nan
    found = predict_groups(table, effects)
    new = found.table.predicts[len(table.networks) :]
    assert len(new)
    assert not new[:, 0].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, e: (part(t, np.arange(10) != 0), e), "no trained network predicts a alone"),
        (lambda t, e: (part(t, np.arange(10) < 6), e), "2 trained groups .* expected at least 3"),
        (lambda t, e: (t, e[:3]), r"pairwise has shape \(3, 4\), expected a row and a column for each of 4"),
        (lambda t, e: (t, np.full((4, 4), np.nan)), "no effect of one task on another is known"),
        (lambda t, e: (part(t, t.num_predicted != 2), None), "no effect of one task on another is known"),
    ],
)
def test_too_little_is_refused(change: Any, message: str) -> None:
    table, effects = change(*few(0))
    with pytest.raises(InvalidInputError, match=message):
        predict_groups(table, effects)


def test_other_values_are_refused() -> None:
    table, effects = few(0)
    with pytest.raises(InvalidInputError, match="largest is 0, expected"):
        predict_groups(table, effects, largest=0)
    with pytest.raises(InvalidInputError, match="the network for a alone has a loss of 0"):
        predict_groups(replace(table, validation=np.where(np.eye(10, 4) > 0, 0, table.validation)), effects)
    found = predict_groups(table, effects)
    with pytest.raises(InvalidInputError, match=r"budget is 0, expected"):
        next_group(found, 0)
    with pytest.raises(InvalidInputError, match=r"time_limit is 0, expected"):
        next_group(found, 1, time_limit=0)


def test_too_many_groups_are_refused() -> None:
    """Thirteen tasks have 8,178 groups of two and more, but 286 + 78 of up to three."""
    wide = LossTable(
        name="wide",
        tasks=tuple(f"t{number}" for number in range(13)),
        networks=tuple(f"n{number}" for number in range(16)),
        cost=np.ones(16),
        validation=np.vstack(
            [
                np.where(np.eye(13) > 0, 1.0, np.nan),
                *(np.where(np.arange(13) >= left_out, 1.0 + left_out, np.nan)[None] for left_out in range(3)),
            ]
        ),
    )
    effects = np.random.default_rng(0).normal(size=(13, 13))
    with pytest.raises(InvalidInputError, match="13 tasks have more than 5,000 groups of up to 13"):
        predict_groups(wide, effects)
    assert len(predict_groups(wide, effects, largest=3).table.untrained) == 286 + 78
