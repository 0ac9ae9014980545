"""The pictures of affinities."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from oracle import random_tensor
from pictures import cut_off, panel, said, svg, words
from taxsolver.errors import InvalidInputError
from taxsolver.figures.matrix import draw_affinity, draw_ahp
from taxsolver.tensors.affinity_csv import tensor_from_csv
from taxsolver.tensors.ahp import ahp, win_rates
from taxsolver.tensors.store import available_affinities, load_affinity
from toys import toy


def cells(figure: Any) -> np.ma.MaskedArray[Any, Any]:
    """The numbers behind the colours of the first axes."""
    return np.ma.asarray(panel(figure, 0).images[0].get_array())


@pytest.mark.parametrize("name", available_affinities())
@pytest.mark.parametrize("normalised", [True, False])
def test_every_task_is_named(name: str, normalised: bool) -> None:
    tensor = load_affinity(name)
    figure = draw_affinity(tensor, normalised)
    assert cut_off(figure) == []
    shown = words(figure)
    assert all(task.replace("_", " ") in shown for task in tensor.tasks)
    assert "full supervision" in shown
    unit = "share of the other order-1 transfers" if normalised else "affinity (logarithmic scale)"
    assert unit in said(figure)
    assert cells(figure).shape == (len(tensor.tasks) + 1, len(tensor.targets))


def test_cells_are_shares_beaten_or_affinities() -> None:
    tensor = toy()
    across = [label.get_text() for label in panel(draw_affinity(tensor), 0).get_xticklabels()]
    down = [label.get_text() for label in panel(draw_affinity(tensor), 0).get_yticklabels()]
    at = (down.index("s"), across.index("a"))
    assert cells(draw_affinity(tensor))[at] == pytest.approx(1 / 3)  # beats b, not a and full supervision
    assert cells(draw_affinity(tensor, normalised=False))[at] == pytest.approx(0.2)
    full = (down.index("full supervision"), across.index("a"))
    assert cells(draw_affinity(tensor))[full] == 1


def test_missing_cells_are_hatched() -> None:
    figure = draw_affinity(toy())
    hatched = [patch for patch in panel(figure, 0).patches if patch.get_hatch()]
    assert len(hatched) == cells(figure).mask.sum() == 2  # b from b, and c has no network of its own


def test_own_representations_have_a_ring() -> None:
    figure = draw_affinity(toy())
    assert len(panel(figure, 0).collections[0].get_offsets()) == 1  # a from a


def test_zero_and_equal_affinities_can_be_drawn() -> None:
    for values in ("0,0", "0,0.5", "0.5,0.5"):
        first, second = values.split(",")
        text = f"target,sources,affinity\nt,task one,{first}\nt,task $two,{second}"
        tensor = tensor_from_csv(text, name="odd")
        for normalised in (True, False):
            figure = draw_affinity(tensor, normalised)
            assert cut_off(figure) == []
        assert "full supervision" not in words(figure)


def test_names_are_thinned_where_there_are_too_many() -> None:
    figure = draw_affinity(random_tensor(0, 80, 80, 1))
    assert 20 <= len(panel(figure, 0).get_xticklabels()) <= 40


def test_a_tensor_without_order_one_is_refused() -> None:
    tensor = tensor_from_csv("target,sources,affinity\nt,a|b,1", name="pairs")
    with pytest.raises(InvalidInputError, match="'pairs' has no order-1 transfer with an affinity"):
        draw_affinity(tensor)


@pytest.mark.parametrize("count", [2, 27, 100])
def test_ahp_is_drawn_before_and_after(count: int) -> None:
    losses = np.random.default_rng(0).random((50, count)) + np.linspace(0, 0.3, count)
    names = [f"some_task_{number}" for number in range(count)]
    figure = draw_ahp(win_rates(losses), ahp(losses), names, "depth_zbuffer")
    assert cut_off(figure) == []
    assert "Transfers to depth zbuffer, before and after AHP" in said(figure)
    assert "win rate (0.5: even)" in said(figure)
    assert len(panel(figure, 0).get_xticklabels()) == min(count, 34)
    assert panel(figure, 1).lines[0].get_xdata().tolist() == sorted(ahp(losses), reverse=True)


def test_rows_of_wins_are_sorted_with_the_affinities() -> None:
    wins = np.array([[0.5, 0.2], [0.8, 0.5]])
    figure = draw_ahp(wins, [0.2, 0.8], ["worse", "better"], "t")
    assert cells(figure).tolist() == [[0.5, 0.8], [0.2, 0.5]]
    assert [label.get_text() for label in panel(figure, 0).get_yticklabels()] == ["better", "worse"]


@pytest.mark.parametrize(
    ("wins", "affinities", "message"),
    [
        (np.full((2, 3), 0.5), [0.5, 0.5], "wins have shape (2, 3), expected (2, 2) for 2 names"),
        (np.full((2, 2), 0.5), [1.0], "affinities have shape (1,), expected (2,) for 2 names"),
        (np.full((2, 2), 1.5), [0.5, 0.5], "wins hold a value outside [0, 1]"),
        (np.full((2, 2), np.nan), [0.5, 0.5], "wins hold a value outside [0, 1]"),
        (np.full((2, 2), 0.5), [0.0, 1.0], "affinities hold a value outside (0, 1]"),
    ],
)
def test_values_that_do_not_belong_together_are_refused(wins: Any, affinities: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(message)):
        draw_ahp(wins, affinities, ["a", "b"], "t")


def test_the_same_tensor_gives_the_same_bytes() -> None:
    assert svg(draw_affinity(toy())) == svg(draw_affinity(toy()))
