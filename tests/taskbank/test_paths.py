"""Names of results: unique, inside the folder of the results, and found in linear time."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from taskbank.paths import allowed_name, result_names

NAMES = st.text(st.sampled_from("aA.+%\n \udcffä:-_1"), min_size=1, max_size=6).filter(
    lambda name: name not in (".", "..")
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@given(st.lists(PATHS, min_size=1, max_size=8, unique=True))
@example(["a.png", "a.jpg", "a.png.png"])
@example(["...png", "..png", "x/...png"])
@example(["a.png", "a/a.png/x.png", "A.jpg"])
@example(["a.png", "a-2.png", "A.png", "a.png-2.jpg"])
@settings(max_examples=300, deadline=None)
def test_names_are_unique_and_inside(inputs: list[str]) -> None:
    """Also where case is ignored; none lies in the folder of another, and UTF-8 can write all."""
    names = result_names([Path("/d", name) for name in inputs], taken=("building", "a.csv"))
    folded = [name.casefold() for name in names]
    assert len(set(folded)) == len(inputs)
    assert not {"building", "a.csv"} & set(folded)
    for name in folded:
        parts = PurePosixPath(name).parts
        assert parts
        assert not {"/", ".", ".."} & set(parts)
        assert not {str(parent) for parent in PurePosixPath(name).parents} & set(folded)
        name.encode()


def test_names_that_are_not_allowed_are_written_otherwise() -> None:
    """Cut at 200 bytes of whole characters, with what tells them apart."""
    assert allowed_name("a\x1b[2J\udcfe.png") == "a%1B[2J%FE.png"
    assert allowed_name("..") == "_"
    long = [allowed_name("ä" * 130 + end) for end in "xy"]
    assert long[0] != long[1]
    assert all(len(name.encode()) <= 200 and name.startswith("ä" * 90) for name in long)
    assert allowed_name("x" * 200) == "x" * 200


def test_paths_are_looked_at_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thousand names cost as much each as two do: nothing is done again for every other input."""
    calls = 0
    abspath = os.path.abspath

    def counted(path: str) -> str:
        nonlocal calls
        calls += 1
        return abspath(path)

    monkeypatch.setattr(os.path, "abspath", counted)
    names = result_names([Path(f"/d/{number % 7}/{number}.png") for number in range(2000)])
    assert names[8] == "1/8"
    assert calls <= 2000
