"""The division of photographs: learned from, held out and tested on."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training.errors import DataError
from training.stages.novel.division import Part, divide

SHARES = (0.6, 0.15)


def test_shares_are_kept_to_the_photograph() -> None:
    counts = Counter(divide(range(300), SHARES, seed=0))
    assert counts == {Part.LEARNED: 180, Part.HELD_OUT: 45, Part.TEST: 75}


def test_another_seed_divides_otherwise_and_the_same_one_alike() -> None:
    assert divide(range(40), SHARES, seed=1) == divide(range(40), SHARES, seed=1)
    assert divide(range(40), SHARES, seed=1) != divide(range(40), SHARES, seed=2)


@given(
    st.lists(st.integers(0, 12), min_size=20, max_size=60).filter(lambda groups: len(set(groups)) >= 3),
    st.integers(0, 9),
)
def test_a_group_is_in_one_part_and_no_part_is_empty(groups: list[int], seed: int) -> None:
    parts = divide(groups, SHARES, seed)
    assert len(set(zip(groups, parts, strict=True))) == len(set(groups))
    assert set(parts) == set(Part)


def test_every_part_has_its_share_of_each_class() -> None:
    classes = [0] * 100 + [1] * 40
    parts = divide(range(140), SHARES, 3, classes)
    for label, size in ((0, 100), (1, 40)):
        counts = Counter(part for part, one in zip(parts, classes, strict=True) if one == label)
        wanted = {Part.LEARNED: 0.6, Part.HELD_OUT: 0.15, Part.TEST: 0.25}
        assert all(abs(counts[part] - share * size) <= 1.5 for part, share in wanted.items())


@given(st.lists(st.integers(0, 5), min_size=20, max_size=40), st.integers(0, 9))
def test_every_class_is_learned_from(classes: list[int], seed: int) -> None:
    parts = divide(range(len(classes)), SHARES, seed, classes)
    learned = {label for part, label in zip(parts, classes, strict=True) if part is Part.LEARNED}
    assert learned == set(classes)


def test_two_places_are_too_few() -> None:
    with pytest.raises(DataError, match=r"are of 2 group\(s\): three at least"):
        divide([0] * 10 + [1] * 10, SHARES, 0)


def test_classes_that_leave_nothing_to_test_on_are_refused() -> None:
    with pytest.raises(DataError, match="nothing is left for"):
        divide([0, 0, 1, 1, 2, 2], SHARES, 0, [0, 0, 1, 1, 2, 2])
