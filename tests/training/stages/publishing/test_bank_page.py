"""The page's section on the bundled bank: from real scores, from a bank without real frames, from a living one."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from training.errors import DataError
from training.stages.publishing.bank_page import BEGIN, END, figures_section, with_section

from taskbank.bank.source import open_listing

LISTING = open_listing("rooms")


@pytest.fixture
def scores() -> dict[str, Any]:
    """Of the bundled bank."""
    found: dict[str, Any] = json.loads((Path(LISTING.files.where) / "scores.json").read_text())
    return found


@pytest.mark.parametrize(
    "place",
    [
        ("real", "depth_zbuffer", "delta"), ("real_constant", "normal", "mean"), ("test", "reshading", "l1"),
        ("agreement", "taskonomy-16k", "mean_alive"), ("carry_over", 0, "spearman_alive"),
        ("sanity", 0, "beats_average"), ("health", "jigsaw", "dead_channels"),
    ],
)  # fmt: skip
def test_another_number_makes_another_section(scores: dict[str, Any], place: tuple[Any, ...]) -> None:
    changed = deepcopy(scores)
    within = changed
    for key in place[:-1]:
        within = within[key]
    within[place[-1]] = {"sanity": -20.0, "health": 1.0}.get(place[0], within[place[-1]] - 0.5)
    assert figures_section(LISTING.index, changed) != figures_section(LISTING.index, scores)


def test_a_living_bank_without_real_frames_has_one_column(scores: dict[str, Any]) -> None:
    for name in ("real", "real_frames", "real_constant", "carry_over"):
        del scores[name]
    scores["health"] = {name: {"dead_channels": 0.0} for name in LISTING.index.tasks}
    scores["test"]["normal"]["mean"] = 21.94
    section = figures_section(LISTING.index, scores)
    assert (
        f"|  | rendered, held out ({scores['frames']} frames) |\n| --- | --- |\n| normals, mean error | 21.9° |"
        in section
    )
    for words in ("dead", "real frames the best", "better source"):
        assert words not in section


def test_the_section_takes_the_place_of_the_last_one() -> None:
    readme = f"# A\n\n{BEGIN}\n\nold\n\n{END}\n\n## B\n"
    assert with_section(readme, "new") == f"# A\n\n{BEGIN}\n\nnew\n\n{END}\n\n## B\n"
    for comment in (BEGIN, END):
        with pytest.raises(DataError, match="the page lacks"):
            with_section(readme.replace(comment, ""), "new")
