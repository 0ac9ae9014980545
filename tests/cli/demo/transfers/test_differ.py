"""The difference of two predictions, in plain words."""

from __future__ import annotations

import numpy as np
import pytest

from taskbank.tasks.kinds import OutputKind
from taskbank_demo.transfers.differ import MEASURES, difference, difference_title, difference_words
from toy_transfers import said

UP, RIGHT = np.array([0, 0, 1.0]), np.array([1.0, 0, 0])


@pytest.mark.parametrize(
    ("kind", "one", "other", "amount", "words"),
    [
        (OutputKind.NORMALS, np.tile(UP, (2, 2, 1)), np.tile(RIGHT, (2, 2, 1)), 90, "90.0°"),
        (OutputKind.DEPTH, np.array([[1.0, np.nan]]), np.array([[3.5, 1.0]]), 2.5, "2.5 m"),
        (OutputKind.SEMANTIC_MAP, np.array([[1, 2]]), np.array([[1, 3]]), 0.5, "50%"),
        (OutputKind.CLASSES, np.array([1.0, 0]), np.array([0.25, 0.75]), 0.75, "75%"),
        (OutputKind.VANISHING_POINTS, np.eye(3), -np.eye(3), 0, "0.0°"),
        (OutputKind.NUMBERS, np.array([1.0, 2]), np.array([2.0, 4]), 1.5, "1.5 m"),
    ],
)
def test_differences_can_be_computed_by_hand(
    kind: OutputKind, one: np.ndarray, other: np.ndarray, amount: float, words: str
) -> None:
    """Each kind in a measure that means something for it; the same both ways."""
    found = difference(said(kind, one.copy()), said(kind, other.copy()))
    assert found == pytest.approx(amount)
    assert difference(said(kind, other.copy()), said(kind, one.copy())) == pytest.approx(amount)
    assert difference_words(kind, amount, "m") == words
    assert difference_title(kind)


def test_kinds_without_a_measure_have_no_difference() -> None:
    """The values of two embeddings have nothing to do with each other."""
    assert OutputKind.EMBEDDING not in MEASURES
    array = np.zeros((2, 2, 64))
    assert difference(said(OutputKind.EMBEDDING, array), said(OutputKind.EMBEDDING, array.copy())) is None
