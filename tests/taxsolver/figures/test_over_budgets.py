"""The pictures of the front, of chains over years, and of draws."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from pictures import cut_off, overlapping, said
from taxsolver import Chain, chain, front, stability
from taxsolver.errors import InvalidInputError
from taxsolver.figures.chain import draw_chain
from taxsolver.figures.front import draw_front
from taxsolver.figures.stability import draw_stability

TARGETS = ("normal", "depth_zbuffer", "reshading", "room_layout")


def numbers(drawn: Any) -> list[float]:
    """The coordinates of a line."""
    found: list[float] = np.asarray(drawn, dtype=np.float64).tolist()
    return found


def years(**options: Any) -> Chain:
    return chain("taskonomy-16k", [1, 2, 3], targets=list(TARGETS), max_order=2, **options)


def test_a_front_is_a_staircase_through_its_plans() -> None:
    plans = front("taskonomy-16k", targets=list(TARGETS), max_order=1, unit="images")
    figure = draw_front(plans)
    assert (cut_off(figure), overlapping(figure)) == ([], [])
    gain, quality = figure.axes
    stairs, points = gain.lines
    costs = [plan.cost for plan in plans]
    assert numbers(points.get_xdata()) == costs
    assert numbers(points.get_ydata()) == [plan.gain for plan in plans]
    assert stairs.get_drawstyle() == "steps-post"
    assert numbers(stairs.get_xdata())[:-1] == costs
    assert len(quality.lines) == 1  # quality is not maximised: no staircase
    assert numbers(quality.lines[0].get_ydata()) == [plan.quality for plan in plans]
    text = said(figure)
    assert f"{len(plans)} plans, {len(plans)} proven" in text
    assert "cost (images)" in text


def test_a_front_without_plans_cannot_be_drawn() -> None:
    with pytest.raises(InvalidInputError, match="there is no plan to draw"):
        draw_front([])


def test_a_chain_shows_three_ways_and_what_is_bought_when() -> None:
    found = years()
    figure = draw_chain(found)
    assert (cut_off(figure), overlapping(figure)) == ([], [])
    left, right = figure.axes
    drawn = {line.get_label(): numbers(line.get_ydata()) for line in left.lines}
    assert drawn == {
        "each budget by itself": [plan.objective for plan in found.free],
        "best chain": [plan.objective for plan in found.best],
        "year by year": [plan.objective for plan in found.greedy],
    }
    assert len(right.patches) == sum(len(plan.sources) for plan in found.best)
    shades: dict[Any, int] = {}
    for bar in right.patches:
        shades[bar.get_facecolor()] = shades.get(bar.get_facecolor(), 0) + 1
    bought = {task for plan in found.best for task in plan.sources}  # each is bought once, then kept
    assert sorted(shades.values()) == sorted([len(bought), len(right.patches) - len(bought)])
    assert "proven the best chain" in said(figure)


def test_a_chain_that_is_not_proven_says_so_and_money_is_named() -> None:
    costs = {"*": {"price": 0.05, "images_full": 120_000, "images_transfer": 1000}}
    found = chain("taskonomy-16k", [8000, 16_000], targets=list(TARGETS), costs=costs, unit="EUR")
    text = said(draw_chain(replace(found, status="time_limit")))
    assert "not proven the best chain" in text
    assert "budget (EUR)" in text
    assert "8,000" in text


def test_only_a_chain_is_drawn_as_one() -> None:
    nothing: Any = None
    with pytest.raises(InvalidInputError, match=r"found is None, expected a Chain: taxsolver\.chain returns"):
        draw_chain(nothing)


def test_draws_show_how_often_each_task_is_labelled() -> None:
    found = stability("taskonomy-16k", list(TARGETS), 2, noise=0.3, draws=6)
    figure = draw_stability(found)
    assert (cut_off(figure), overlapping(figure)) == ([], [])
    bars = [bar for axes in figure.axes for bar in axes.patches if isinstance(bar, Rectangle)]
    widths = [bar.get_width() for bar in bars]
    for share in found.frequency.values():
        assert any(width == pytest.approx(share) for width in widths)
