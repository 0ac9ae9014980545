"""The best single transfers, order by order."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import random_tensor
from taxsolver import AffinityTensor, InvalidInputError, UnknownTaskError, load_affinity, rank
from taxsolver.tensors.affinity_csv import tensor_from_csv
from toys import toy


def slow_rank(tensor: AffinityTensor, target: str, cap: int, sources: set[str]) -> float:
    """The largest affinity by a plain loop; -1 where there is none."""
    best = -1.0
    for row in range(len(tensor)):
        names = set(tensor.source_names(row))
        own = tensor.tasks[tensor.target[row]] == target
        if own and len(names) <= cap and target not in names and names <= sources:
            best = max(best, float(np.nan_to_num(tensor.affinity[row], nan=-1)))
    return best


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), drop=st.sets(st.integers(0, 5), max_size=4))
def test_rows_are_those_of_a_plain_loop(seed: int, drop: set[int]) -> None:
    tensor = random_tensor(seed, levels=None if seed % 2 else 4)
    sources = {task for number, task in enumerate(tensor.tasks) if number not in drop}
    for row in rank(tensor, max_order=3, sources=sorted(sources)):
        best = slow_rank(tensor, row.target, row.order, sources)
        assert (row.affinity if row.sources else -1.0) == best
        assert len(row.sources) <= row.order
        assert row.target not in row.sources


@pytest.mark.parametrize("name", ["taskonomy-16k", "taskonomy-1k", "taskonomy-main"])
def test_published_rows_are_those_of_a_plain_loop(name: str) -> None:
    tensor = load_affinity(name)
    trained = set(tensor.tasks) - {"random"}
    for row in rank(tensor, targets="normals,reshading,nonfixated_pose", max_order=4):
        assert row.affinity == slow_rank(tensor, row.target, row.order, trained)


def test_rows_come_by_target_then_by_cap() -> None:
    rows = rank(toy(), max_order=3)
    assert [(row.target, row.order) for row in rows] == [(t, k) for t in "abc" for k in (1, 2, 3)]


def test_the_cap_allows_fewer_sources() -> None:
    rows = rank(toy(), targets="c,b", max_order=2)
    assert [(row.target, row.order, row.sources) for row in rows] == [
        ("c", 1, ("s",)),
        ("c", 2, ("a", "s")),
        ("b", 1, ("s",)),
        ("b", 2, ("s",)),
    ]
    assert (rows[1].affinity, rows[1].gain, rows[1].quality) == (0.9, 0.6, 0.3)


def test_a_larger_cap_is_never_worse() -> None:
    rows = {(row.target, row.order): row.affinity for row in rank("taskonomy-16k", max_order=24)}
    assert len(rows) == 22 * 24
    assert all(rows[target, k + 1] >= rows[target, k] for target, k in rows if k < 24)


def test_equal_affinities_go_to_fewer_sources_then_to_the_first() -> None:
    text = "target,sources,affinity\na,b|c,.5\na,d,.5\na,b,.5\n"
    assert rank(tensor_from_csv(text, name="ties"), max_order=2)[1].sources == ("d",)


def test_random_projections_count_only_where_asked_for() -> None:
    def sources(**options: Any) -> set[str]:
        return {source for row in rank("taskonomy-16k", max_order=1, **options) for source in row.sources}

    assert "random" not in sources()
    assert sources(sources="random") == {"random"}
    tensor = tensor_from_csv("target,sources,affinity\na,random,.9\na,b,.1\n", name="noise")
    assert rank(tensor, max_order=1)[0].sources == ("b",)
    assert rank(tensor, max_order=1, allow_random=True)[0].sources == ("random",)


def test_a_few_published_rows() -> None:
    rows = {(row.target, row.order): row for row in rank("taskonomy-16k", allow_random=True)}
    tensor = load_affinity()
    assert len(rows) == 88
    for (target, cap), row in rows.items():
        own = (tensor.target == tensor.tasks.index(target)) & (tensor.order <= cap)
        own &= ~tensor.sources[:, tensor.tasks.index(target)]
        assert row.affinity == np.nanmax(tensor.affinity[own])
    normal = rows["normal", 1]
    assert normal.sources == ("reshading",)
    assert rows["depth_zbuffer", 1].sources == ("depth_euclidean",)
    assert rows["reshading", 1].sources == ("normal",)


def test_rows_have_exactly_the_keys_of_the_command() -> None:
    written = [row.to_dict() for row in rank(toy(), targets="c", max_order=1)]
    assert written == [
        {"target": "c", "order": 1, "sources": ["s"], "affinity": 0.4, "gain": 0.5, "quality": 0.2}
    ]
    assert json.dumps(written, allow_nan=False)


def test_a_target_without_a_transfer_under_the_cap_has_an_empty_row() -> None:
    tensor = tensor_from_csv("target,sources,affinity,gain\na,b|c,.5,.25\n", name="pair")
    rows = rank(tensor, max_order=2)
    assert rows[0].sources == ()
    assert math.isnan(rows[0].affinity)
    assert rows[0].to_dict() == {
        **{"target": "a", "order": 1, "sources": []},
        **dict.fromkeys(["affinity", "gain", "quality"]),
    }
    assert rows[1].sources == ("b", "c")
    assert (rows[1].affinity, rows[1].gain) == (0.5, 0.25)


def test_full_supervision_and_transfers_of_the_target_itself_do_not_count() -> None:
    assert [row.sources for row in rank(toy(), max_order=2)] == [
        ("s",),
        ("s",),
        ("s",),
        ("s",),
        ("s",),
        ("a", "s"),
    ]


def test_a_cap_far_above_the_number_of_tasks_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="max_order is 1000, but there are 4 tasks"):
        rank(toy(), max_order=1000)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_order": 0}, InvalidInputError, "max_order is 0, expected a whole number of at least 1"),
        ({"max_order": None}, InvalidInputError, "max_order is None, expected"),
        ({"sources": ""}, InvalidInputError, "sources is empty: name at least one task"),
        ({"sources": "e"}, UnknownTaskError, "unknown task 'e'"),
        ({"targets": "s"}, InvalidInputError, "'s' is a source only"),
    ],
)
def test_values_that_are_not_allowed_are_named(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        rank(toy(), **options)
