"""The pictures of the sweep and of its random band."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest

from pictures import cut_off, overlapping, panel, said, svg
from taxsolver.errors import InvalidInputError
from taxsolver.figures.sweep import draw_significance, draw_sweep
from taxsolver.planning.sweep import sweep
from toys import toy


@dataclass(frozen=True)
class Row:
    """A row of `significance`, as far as it is drawn."""

    budget: float
    max_order: int
    gain: float = 0.8
    quality: float = 0.4
    random_gain: tuple[float, float, float] = (0.3, 0.4, 0.5)
    random_quality: tuple[float, float, float] = (0.1, 0.2, 0.3)


BAND = [Row(budget, order) for order in (1, 4) for budget in (1, 2, 3)]


def test_a_line_for_every_order_in_both_panels() -> None:
    figure = draw_sweep(sweep("taskonomy-16k", range(1, 13), range(1, 5)))
    assert cut_off(figure) == []
    assert overlapping(figure) == []
    text = said(figure)
    for wanted in (
        "Gain",
        "Quality",
        "order 1",
        "orders up to 4",
        "mean over 22 targets",
        "supervision budget",
    ):
        assert wanted in text
    assert "random" not in text
    assert [len(axes.lines) for axes in figure.axes] == [5, 5]  # four orders and the line at 0.5


def test_lines_hold_the_numbers_of_the_rows() -> None:
    rows = sweep(toy(), [1, 2, 3], [1, 2])
    figure = draw_sweep(rows[::-1])
    drawn = {line.get_label(): line for line in panel(figure, 0).lines}
    assert list(drawn["orders up to 2"].get_ydata()) == [row.gain for row in rows if row.max_order == 2]
    assert list(drawn["orders up to 2"].get_xdata()) == [1, 2, 3]
    drawn = {line.get_label(): line for line in panel(figure, 1).lines}
    assert list(drawn["order 1"].get_ydata()) == [row.quality for row in rows if row.max_order == 1]


def test_the_band_of_the_largest_order_is_drawn() -> None:
    band = [replace(row, random_gain=(0.0, 0.1, 0.2)) if row.max_order == 1 else row for row in BAND]
    gains = panel(draw_sweep(sweep(toy(), [1, 2, 3], [1]), band))
    drawn = {line.get_label(): line for line in gains.lines}
    assert list(drawn["their median"].get_ydata()) == [0.4, 0.4, 0.4]
    assert gains.collections[0].get_label() == "random plans, 5th to 95th percentile"


def test_rows_without_a_plan_leave_a_gap() -> None:
    rows = [replace(row, taxonomy=None) if row.budget == 1 else row for row in sweep(toy(), [1, 2], [1])]
    line = panel(draw_sweep(rows), 0).lines[0]
    assert math.isnan(line.get_ydata()[0])
    with pytest.raises(InvalidInputError, match="no row of the sweep holds a plan: sweep larger budgets"):
        draw_sweep([replace(row, taxonomy=None) for row in rows])
    with pytest.raises(InvalidInputError, match="no row of the sweep"):
        draw_sweep([])


def test_one_target_is_no_mean() -> None:
    assert "of one target" in said(draw_sweep(sweep(toy(), [1, 2], [1], targets="b")))


def test_significance_has_a_pair_of_panels_for_every_order() -> None:
    figure = draw_significance(BAND)
    assert cut_off(figure) == []
    assert overlapping(figure) == []
    text = said(figure)
    for wanted in (
        "Gain, order 1",
        "Quality, orders up to 4",
        "best plan, order 1",
        "random plans, 5th to 95th",
    ):
        assert wanted in text
    assert len(figure.axes) == 4


def test_one_budget_is_drawn_as_an_interval() -> None:
    figure = draw_significance([Row(3, 2)])
    assert panel(figure, 0).collections[0].get_segments()[0][:, 1].tolist() == [0.3, 0.5]
    assert "Gain, " not in said(figure)


def test_no_row_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="there is no row to draw"):
        draw_significance([])


def test_the_same_rows_give_the_same_bytes() -> None:
    rows = sweep(toy(), [1, 2, 3], [1, 2])
    assert svg(draw_sweep(rows, BAND)) == svg(draw_sweep(rows, BAND))


def test_budgets_without_a_plan_leave_gaps_in_line_and_band() -> None:
    nothing = (math.nan, math.nan, math.nan)
    none = Row(0.5, 2, math.nan, math.nan, nothing, nothing)
    for rows in ([none], [none, Row(1, 2), Row(2, 2)]):
        figure = draw_significance(rows)
        assert cut_off(figure) == []
        assert math.isnan(panel(figure).lines[1].get_ydata()[0])
