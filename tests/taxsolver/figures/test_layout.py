"""Positions: few crossings, distances kept, boxes apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxsolver.figures.layout import count_crossings, order_columns, push_apart, seriate, spread
from taxsolver.figures.text import fitting, readable, text_width


def test_links_that_need_not_cross_do_not() -> None:
    links = [(0, 3), (1, 2), (2, 1), (3, 0), (0, 2)]
    assert count_crossings(links, range(4), range(4)) > 0
    assert count_crossings(links, *order_columns(links, range(4), range(4))) == 0


def test_every_node_stays_and_those_without_links_come_last() -> None:
    left, right = order_columns([(2, 0)], range(4), range(2))
    assert left == [2, 0, 1, 3]
    assert right == [0, 1]
    assert order_columns([], range(2), range(0)) == ([0, 1], [])


def test_positions_move_as_little_as_they_must() -> None:
    assert spread([0, 0, 5], 1.0, -9, 9) == pytest.approx([-0.5, 0.5, 5])
    assert spread([0, 0, 5], 1.0, 0, 9) == pytest.approx([0, 1, 5])
    assert spread([], 1.0, 0, 9).shape == (0,)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-5, 15), max_size=10))
def test_positions_keep_their_distance_and_their_bounds(wanted: list[float]) -> None:
    found = spread(sorted(wanted), 1.0, 0.0, 10.0)
    assert (np.diff(found) > 1 - 1e-9).all()
    assert ((found > -1e-9) & (found < 10 + 1e-9)).all()


def test_boxes_are_pushed_apart() -> None:
    rng = np.random.default_rng(0)
    sizes = np.column_stack([rng.uniform(0.5, 2, 30), np.full(30, 0.3)])
    places = push_apart(rng.uniform(0, 3, (30, 2)), sizes)
    gaps = np.abs(places[:, None] - places[None]) - (sizes[:, None] + sizes[None]) / 2
    assert (gaps.max(axis=2)[np.triu_indices(30, 1)] > -1e-6).all()


def test_boxes_that_do_not_overlap_stay() -> None:
    centres = np.array([[0.0, 0], [3, 0]])
    assert (push_apart(centres, np.ones((2, 2))) == centres).all()


def test_like_rows_come_side_by_side() -> None:
    rows = np.array([[0, 0, 1, 1.0], [1, 1, 0, 0], [0, 0.1, 1, 1], [1, 0.9, 0, 0], [0, 0, 0.9, 1]])
    order = seriate(rows).tolist()
    assert {order.index(row) for row in (1, 3)} in ({0, 1}, {3, 4})
    assert seriate(rows[:2]).tolist() == [0, 1]
    assert sorted(seriate(np.ones((4, 3))).tolist()) == [0, 1, 2, 3]


def test_names_are_made_readable() -> None:
    assert readable("depth_zbuffer") == "depth zbuffer"
    assert readable("a\n b") == "a b"
    assert readable("cost_$x$") == r"cost \$x\$"
    assert readable("x" * 99) == "x" * 33 + "…"


def test_widths_are_in_inches() -> None:
    assert 0.2 < text_width("normal", 10) < 0.7
    assert text_width("normal", 20) == pytest.approx(2 * text_width("normal", 10), rel=0.01)
    assert text_width(" ", 10) == 0
    assert text_width("x" * 50, fitting("x" * 50, 20, 2.0)) == pytest.approx(2.0, rel=0.01)
    assert fitting("x", 20, 2.0) == 20
