"""The dendrogram."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pictures import cut_off, overlapping, panel, said, svg, words
from taxsolver.errors import InvalidInputError
from taxsolver.figures.tree import draw_tree


@dataclass(frozen=True)
class Tree:
    """A result of `similarity`, as far as it is drawn."""

    leaves: tuple[str, ...]
    merges: tuple[tuple[int, int, float, int], ...]
    metric: str = "correlation"
    method: str = "average"


FIVE = Tree(
    ("far_away", "a_1", "b_1", "a_2", "b_2"),
    ((1, 3, 0.1, 2), (2, 4, 0.2, 2), (5, 6, 0.8, 4), (0, 7, 1.0, 5)),
)


def test_every_leaf_is_named_once_and_neighbours_are_joined() -> None:
    figure = draw_tree(FIVE)
    assert cut_off(figure) == []
    assert overlapping(figure) == []
    order = [label.get_text() for label in panel(figure, 0).get_yticklabels()]
    assert sorted(order) == ["a 1", "a 2", "b 1", "b 2", "far away"]
    heights = dict(zip(order, panel(figure, 0).get_yticks(), strict=True))
    assert abs(heights["a 1"] - heights["a 2"]) == 1
    assert abs(heights["b 1"] - heights["b 2"]) == 1
    assert heights["far away"] == 4


def test_brackets_end_where_groups_are_joined() -> None:
    lines = panel(draw_tree(FIVE), 0).lines
    assert [max(line.get_xdata()) for line in lines] == [0.1, 0.2, 0.8, 1.0]
    assert lines[2].get_xdata()[[0, -1]].tolist() == [0.1, 0.2]


def test_groups_are_coloured_apart() -> None:
    colours = [line.get_color() for line in panel(draw_tree(FIVE), 0).lines]
    assert len(set(colours[:2])) == 2
    assert colours[2] == colours[3]


def test_it_names_metric_and_linkage() -> None:
    assert "correlation distance of what tasks transfer to, average linkage" in said(draw_tree(FIVE))


def test_two_leaves_and_leaves_at_no_distance() -> None:
    assert {"x", "y"} <= set(words(draw_tree(Tree(("x", "y"), ((0, 1, 0.5, 2),)))))
    assert cut_off(draw_tree(Tree(("x", "y", "z"), ((0, 1, 0.0, 2), (2, 3, 0.0, 3))))) == []


def test_the_published_tree_can_be_read() -> None:
    similarity = pytest.importorskip("taxsolver.analysis.similarity")
    tree = similarity.similarity("taskonomy-16k")
    figure = draw_tree(tree)
    assert cut_off(figure) == []
    assert overlapping(figure) == []
    assert len(panel(figure, 0).get_yticklabels()) == len(tree.leaves)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (Tree(("x",), ()), "a tree of 1 leaves has nothing to join"),
        (Tree(("x", "y", "z"), ((0, 1, 1.0, 2),)), "1 merges make no tree of 3 leaves: expected 2"),
        (Tree(("x", "y", "z"), ((0, 4, 1.0, 2), (1, 2, 1.0, 2))), "2 merges make no tree"),
        (Tree(("x", "y", "z"), ((0, 1, 1.0, 2), (0, 2, 1.0, 2))), "2 merges make no tree"),
    ],
)
def test_what_is_no_tree_is_refused(tree: Tree, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        draw_tree(tree)


def test_the_same_tree_gives_the_same_bytes() -> None:
    assert svg(draw_tree(FIVE)) == svg(draw_tree(FIVE))
