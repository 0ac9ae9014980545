"""Rows that cut off what is too dear."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from taxsolver.programs.rows import budget_rows


@settings(deadline=None, max_examples=200)
@given(
    amounts=st.lists(st.sampled_from([0, 1, 2, 3, 7, 100, 10**6, 10**12, 10**24]), min_size=1, max_size=8),
    data=st.data(),
)
def test_rows_of_the_budget_cut_off_what_is_too_dear_and_nothing_else(
    amounts: list[int], data: st.DataObject
) -> None:
    """Chosen sets break a row by far more than HiGHS's tolerance; all sets within the limit keep them all."""
    array = np.array(amounts, dtype=object if sum(amounts) > 10**18 else np.int64)
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(amounts), max_size=len(amounts))))
    total = int(array[chosen].sum())
    limit = data.draw(st.sampled_from([total - 1, total // 2, total - total // 10**9 - 1]))
    if not 0 <= limit < total:
        return
    rows = budget_rows(array, chosen, limit)

    def excess(taken: np.ndarray) -> float:
        return max(float((row.values * taken[row.columns]).sum() - row.upper) for row in rows)

    assert excess(chosen) > 1e-5
    for bits in product((False, True), repeat=len(amounts)):
        taken = np.array(bits)
        if int(array[taken].sum()) <= limit:
            assert excess(taken) <= 0
