"""Pictures of task grouping: they can be saved, say what they show, and refuse what cannot be drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from taxsolver.errors import InvalidInputError
from taxsolver.figures.grouping import (
    draw_budget_curves,
    draw_grouping,
    draw_pair_matrix,
    draw_task_count,
)
from taxsolver.figures.style import save_figure
from taxsolver.grouping import (
    PairMatrix,
    budget_curves,
    group,
    load_setting,
    pair_matrix,
    table_from_csv,
    task_count_rows,
)

pytest.importorskip("matplotlib")


def texts(figure: object) -> list[str]:
    """All words in a picture."""
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    assert isinstance(figure, Figure)
    return [found.get_text() for found in figure.findobj(Text) if isinstance(found, Text)]


def test_budget_curves_have_a_line_for_each_method(tmp_path: Path) -> None:
    """Infeasible budgets leave a gap."""
    figure = draw_budget_curves(budget_curves(load_setting(1), (1, 2, 3), draws=20))
    lines = {line.get_label(): np.asarray(line.get_xdata()) for line in figure.axes[0].get_lines()}
    assert len(lines) == 7
    assert lines["optimal"].tolist() == [1, 2, 3]
    assert lines["independent networks"].tolist() == [3]
    assert save_figure(figure, tmp_path / "curves.png").stat().st_size > 10_000


def test_budget_curves_without_a_test_split_draw_validation_losses() -> None:
    """And say so."""
    table = table_from_csv("split,network,cost,a\nvalidation,n,1,2\n", name="own")
    figure = draw_budget_curves(budget_curves(table, [1, 2], ["optimal"]))
    assert np.asarray(figure.axes[0].get_lines()[0].get_ydata()).tolist() == [2, 2]
    assert any("scored on validation" in text for text in texts(figure))


def test_task_counts_say_how_many_networks_stand_behind_them(tmp_path: Path) -> None:
    """One tick for each number of tasks."""
    figure = draw_task_count(task_count_rows(load_setting(2)), "setting 2")
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()][-2:] == [
        "4\n5 networks",
        "5\n1 network",
    ]
    save_figure(figure, tmp_path / "count.svg")


def test_the_pair_matrix_writes_its_numbers(tmp_path: Path) -> None:
    """With a sign each; nothing on the diagonal."""
    figure = draw_pair_matrix(pair_matrix(load_setting(2)))
    assert {"+47.3", "\N{MINUS SIGN}12.6", "with normal"} <= set(texts(figure))
    save_figure(figure, tmp_path / "pairs.pdf")


def test_a_large_pair_matrix_is_drawn_without_numbers(tmp_path: Path) -> None:
    """Cells are too small for them."""
    change = np.random.default_rng(0).normal(size=(30, 30))
    tasks = tuple(f"task_{number}" for number in range(30))
    figure = draw_pair_matrix(PairMatrix("large", tasks, "test", change))
    assert len(figure.axes[0].texts) == 0
    save_figure(figure, tmp_path / "pairs.png")


@pytest.mark.parametrize(("method", "budget"), [("optimal", 3), ("worst", 3), ("esa", 5), ("all-in-one", 1)])
def test_a_grouping_is_drawn_with_its_losses(method: str, budget: float, tmp_path: Path) -> None:
    """Every task and the total of the assigned networks."""
    found = group(load_setting(3), method, budget)
    figure = draw_grouping(found)
    words = texts(figure)
    assert f"{found.assigned_test_loss:.5f}" in words
    assert f"total cost {found.cost:g}" in words
    assert {"depth zbuffer", "normal", "segment semantic"} <= set(words)
    save_figure(figure, tmp_path / "grouping.png")


def test_a_grouping_without_test_losses_is_drawn() -> None:
    """With `none` in their place; long names of networks are wrapped, formulas stay text."""
    name = "a very long name of a network that nobody would ever give it $x_1$ " * 3
    table = table_from_csv(f"split,network,cost,a\nvalidation,{name},1,0\n", name="own")
    assert texts(draw_grouping(group(table, "optimal", 1))).count("none") == 2


def test_what_cannot_be_drawn_is_refused() -> None:
    """The message says why."""
    table = load_setting(1)
    with pytest.raises(InvalidInputError, match="that is infeasible has no networks"):
        draw_grouping(group(table, "optimal", 0.5))
    with pytest.raises(InvalidInputError, match="that is sampled has no networks"):
        draw_grouping(group(table, "random", 3, draws=5))
    with pytest.raises(InvalidInputError, match="no row holds a choice"):
        draw_budget_curves(budget_curves(table, [0.5], ["optimal"]))
    with pytest.raises(InvalidInputError, match="there is no row"):
        draw_task_count([])
    with pytest.raises(InvalidInputError, match="no pair can be drawn"):
        draw_pair_matrix(PairMatrix("empty", ("a", "b"), "test", np.full((2, 2), np.nan)))
