"""The map of tasks."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib.patches import FancyArrowPatch

from oracle import random_tensor
from pictures import cut_off, overlapping, panel, said, svg, words
from taxsolver.errors import InvalidInputError
from taxsolver.figures.task_map import draw_task_map
from taxsolver.tensors.affinity_csv import tensor_from_csv
from taxsolver.tensors.store import available_affinities, load_affinity
from toys import toy


def arrows(figure: Any) -> int:
    """Count the arrows."""
    return len([patch for patch in panel(figure, 0).patches if isinstance(patch, FancyArrowPatch)])


@pytest.mark.parametrize("name", available_affinities())
def test_no_name_lies_on_another(name: str) -> None:
    tensor = load_affinity(name)
    figure = draw_task_map(tensor)
    assert cut_off(figure) == []
    assert overlapping(figure) == []
    assert all(task.replace("_", " ") in words(figure) for task in tensor.targets)
    assert arrows(figure) == 3 * len(tensor.targets)
    assert "measured as a source only" in said(figure)
    if name == "taskonomy-16k":
        assert "not shown, among the best sources of no target: jigsaw, random" in said(figure)


def test_tasks_without_arrows_are_left_out_and_named() -> None:
    few = draw_task_map(load_affinity().select(targets="normals,depth,reshading"))
    assert "no target: 21 tasks" in said(few)
    assert cut_off(few) == []
    assert overlapping(few) == []


def test_the_number_of_neighbours_can_be_chosen() -> None:
    figure = draw_task_map(toy(), neighbours=1)
    assert arrows(figure) == 3
    assert "from the best source of each target" in said(figure)
    assert (
        arrows(draw_task_map(toy(), neighbours=9)) == 7
    )  # a from b and s, b from a and s, c from a, b and s
    with pytest.raises(InvalidInputError, match="neighbours is 0, expected a whole number"):
        draw_task_map(toy(), neighbours=0)


def test_one_target_with_one_source() -> None:
    figure = draw_task_map(tensor_from_csv("target,sources,affinity\nonly $ target,its source,1", name="two"))
    assert {r"only \$ target", "its source"} <= set(words(figure))
    assert overlapping(figure) == []


def test_a_tensor_without_links_between_tasks_is_refused() -> None:
    tensor = tensor_from_csv("target,sources,affinity,full_supervision\nt,t,1,true", name="alone")
    with pytest.raises(InvalidInputError, match="'alone' has no order-1 affinity between two tasks"):
        draw_task_map(tensor)


def test_the_seed_decides_the_map() -> None:
    tensor = random_tensor(0, 8, 8, 1)
    first = svg(draw_task_map(tensor, seed=1))
    assert svg(draw_task_map(tensor, seed=1)) == first
    assert svg(draw_task_map(tensor, seed=2)) != first
