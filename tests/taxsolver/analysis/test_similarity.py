"""The task tree."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from scipy.cluster.hierarchy import is_monotonic, is_valid_linkage, linkage
from scipy.spatial.distance import pdist

from oracle import random_tensor
from taxsolver import (
    InvalidInputError,
    MissingExtraError,
    TaskTree,
    load_affinity,
    similarity,
)
from taxsolver.analysis.similarity import first_order_matrix
from taxsolver.tensors.affinity_csv import tensor_from_csv
from toys import toy

THREE_D = frozenset(
    {
        "curvature",
        "depth_euclidean",
        "depth_zbuffer",
        "edge_occlusion",
        "keypoints3d",
        "normal",
        "reshading",
        "segment_unsup25d",
    }
)
SHIPPED = ["taskonomy-16k", "taskonomy-1k", "taskonomy-main"]


def table(rows: dict[str, list[float | None]]) -> str:
    """CSV of order-1 affinities: a line of cells for each source, targets t0, t1, ..."""
    lines = [
        f"t{number},{source},{value}"
        for source, values in rows.items()
        for number, value in enumerate(values)
        if value is not None
    ]
    return "target,sources,affinity\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", SHIPPED)
def test_the_papers_eight_3_d_tasks_form_one_subtree(name: str) -> None:
    assert THREE_D in similarity(name).subtrees()


@pytest.mark.parametrize("name", SHIPPED)
def test_merges_are_a_valid_monotonic_linkage_in_scipys_numbering(name: str) -> None:
    tree = similarity(name)
    merges = np.array(tree.merges)
    assert merges.shape == (len(tree.leaves) - 1, 4)
    assert is_valid_linkage(merges)
    assert is_monotonic(merges)
    assert merges[:, 2].min() >= 0
    assert merges[:, 2].max() <= 2
    assert tree.subtrees()[-1] == frozenset(tree.leaves)
    assert [len(below) for below in tree.subtrees()] == [size for *_, size in tree.merges]


def test_distances_and_merges_are_scipys_where_every_cell_is_measured() -> None:
    tensor = random_tensor(2, tasks=8, targets=6, largest_order=1)
    logarithms = np.log(first_order_matrix(tensor))
    expected = linkage(pdist(logarithms - logarithms.mean(axis=0), "correlation"), "average")
    np.testing.assert_allclose(np.array(similarity(tensor).merges), expected, rtol=1e-9)


def test_the_matrix_holds_order_1_affinities_without_full_supervision() -> None:
    matrix = first_order_matrix(toy())
    np.testing.assert_array_equal(
        matrix,
        [[0.3, 0.1, 0.1], [0.1, np.nan, 0.1], [np.nan] * 3, [0.2, 0.3, 0.4]],
    )


def test_a_tree_grows_over_missing_cells() -> None:
    text = table(
        {
            "p": [0.1, 0.2, 0.4, 0.3, None],
            "q": [0.1, 0.21, 0.39, 0.31, 0.2],
            "r": [None, 0.4, 0.1, 0.2, 0.3],
            "u": [0.4, 0.3, 0.2, 0.2, 0.1],
        }
    )
    tree = similarity(tensor_from_csv(text, name="holes"))
    assert tree.leaves == ("p", "q", "r", "u")
    assert tree.subtrees()[0] == {"p", "q"}


def test_scaling_a_source_or_a_target_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(0.2, 1, (5, 4))
    scaled = values * rng.uniform(0.1, 1, (5, 1)) * rng.uniform(0.1, 1, 4)
    trees = [
        similarity(
            tensor_from_csv(table({f"s{n}": list(row) for n, row in enumerate(matrix)}), name="scaled")
        )
        for matrix in (values, scaled)
    ]
    np.testing.assert_allclose(np.array(trees[0].merges), np.array(trees[1].merges), atol=1e-9)


def test_patterns_that_are_alike_are_at_distance_zero_and_opposite_ones_at_two() -> None:
    rows: dict[str, list[float | None]] = {
        "p": [0.1, 0.2, 0.4],
        "q": [0.05, 0.1, 0.2],
        "r": [0.4, 0.2, 0.1],
        "u": [0.8, 0.4, 0.2],
    }
    tree = similarity(tensor_from_csv(table(rows), name="alike"))
    assert [round(distance, 9) for _, _, distance, _ in tree.merges] == [0, 0, 2]


def test_affinities_of_zero_count_as_the_smallest_measured() -> None:
    text = table({"p": [0, 0.2, 0.4], "q": [0.1, 0.2, 0.4], "r": [0.4, 0.2, 0.1]})
    assert similarity(tensor_from_csv(text, name="zero")).subtrees()[0] == {"p", "q"}


def test_affinities_of_nothing_but_zero_make_a_flat_tree() -> None:
    tensor = tensor_from_csv(table({"p": [0, 0, 0], "q": [0, 0, 0]}), name="zeros")
    assert similarity(tensor).merges == ((0, 1, 1.0, 2),)


def test_json_holds_leaves_and_merges() -> None:
    tree = TaskTree(("a", "b", "c"), ((0, 2, 0.25, 2), (1, 3, 1.5, 3)))
    assert json.loads(json.dumps(tree.to_dict())) == {
        "leaves": ["a", "b", "c"],
        "merges": [[0, 2, 0.25, 2], [1, 3, 1.5, 3]],
    }
    assert tree.subtrees() == [{"a", "c"}, {"a", "b", "c"}]


def test_one_source_makes_no_tree() -> None:
    tensor = tensor_from_csv("target,sources,affinity\na,b,.5\n", name="one")
    with pytest.raises(InvalidInputError, match="'one' has order-1 transfers of 1 source: two are needed"):
        similarity(tensor)
    pairs = tensor_from_csv("target,sources,affinity\na,b|c,.5\n", name="pairs")
    with pytest.raises(InvalidInputError, match="'pairs' has order-1 transfers of 0 source"):
        similarity(pairs)
    gains = tensor_from_csv("target,sources,gain\na,b,.5\na,c,.5\n", name="gains")
    with pytest.raises(InvalidInputError, match="'gains' has order-1 transfers of 0 source"):
        similarity(gains)


def test_sources_with_too_few_shared_targets_are_named() -> None:
    text = table({"p": [0.1, 0.2, 0.4, None], "q": [0.1, 0.2, None, 0.1]})
    with pytest.raises(
        InvalidInputError,
        match=r"'p' and 'q' share 2 measured targets: 3 are needed to compare them; leave one out with select",
    ):
        similarity(tensor_from_csv(text, name="few"))


def test_the_way_out_of_too_few_shared_targets_works() -> None:
    text = table({"p": [0.1, 0.2, 0.4, None], "q": [0.1, 0.2, None, 0.1], "r": [0.3, 0.2, 0.1, 0.1]})
    tensor = tensor_from_csv(text, name="few")
    with pytest.raises(InvalidInputError, match="share"):
        similarity(tensor)
    assert similarity(tensor.select(sources="p,r")).leaves == ("p", "r")


def test_without_scipy_the_error_names_the_pip_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == "scipy"] + ["scipy"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        MissingExtraError,
        match=r"the task tree needs scipy, which is not installed: run  pip install '\./taxsolver\[plot\]'",
    ) as caught:
        similarity(load_affinity())
    assert caught.value.name == "scipy"
    assert isinstance(caught.value, ImportError)
