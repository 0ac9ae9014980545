"""The picture of a taxonomy says what the plan is, and every word can be read."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from pictures import cut_off, overlapping, said, svg, words
from taxsolver.figures.headline import headline
from taxsolver.figures.taxonomy import draw_taxonomy
from taxsolver.planning.solve import solve
from taxsolver.tensors.affinity_csv import tensor_from_csv
from taxsolver.tensors.store import load_affinity
from toys import toy

THREE = "normals,depth,reshading"


@pytest.mark.parametrize(
    "options",
    [
        {"budget": 5},
        {"budget": 12, "objective": "quality"},
        {"budget": 26},
        {"budget": 5, "objective": "gain", "max_order": None},
        {"targets": THREE, "budget": 2},
        {"targets": THREE, "budget": 5},
        {"targets": THREE, "budget": 4, "supervise_targets": False},
        {"targets": "normal", "budget": 1},
        {"targets": "curvature,class_scene", "sources": "random", "supervise_targets": False},
    ],
)
def test_all_words_can_be_read(options: dict[str, Any]) -> None:
    plan = solve(load_affinity(), **options)
    figure = draw_taxonomy(plan)
    assert cut_off(figure) == []
    assert overlapping(figure) == []
    shown = words(figure)
    for transfer in plan.transfers:
        assert transfer.target.replace("_", " ") in shown
    for source in plan.sources:
        assert source.replace("_", " ") in shown


def test_it_says_what_the_plan_saves() -> None:
    text = said(draw_taxonomy(solve(load_affinity(), budget=5)))
    assert "5 of 22 tasks labelled serve all 22" in text
    assert "872,000 labelled images instead of 2,640,000 (67 % saved)" in text
    assert "taskonomy-16k  ·  budget 5  ·  orders up to 4  ·  affinity 2.103, proven optimal" in text
    assert "labelled, served by its own network" in text
    assert "transfer of order 1" in text
    assert "order 3" in text
    assert "not among" not in text


def test_it_says_so_where_the_plan_labels_more() -> None:
    text = said(draw_taxonomy(solve(load_affinity(), THREE, 5)))
    assert "4 tasks labelled, 2 of them not among the targets, serve 3 targets" in text
    assert "496,000 labelled images, 38 % more than the 360,000 of labelling every target in full" in text
    assert "labelled only for others to read" in text


@pytest.mark.parametrize(
    ("options", "first", "second"),
    [
        ({"targets": "a"}, "1 task labelled serves a", "120,000 labelled images, as many as"),
        (
            {"budget": 1},
            "1 task labelled, not among the targets, serves 3 targets",
            "168,000 labelled images instead",
        ),
        (
            {"targets": "b,c", "sources": "a,s", "budget": 2},
            "2 tasks labelled, none of them among",
            "more than the",
        ),
        ({"budget": 1, "images_transfer": 79_800}, "1 task", "instead of 360,000 (less than 1 % saved)"),
    ],
)
def test_headlines_fit_the_plan(options: dict[str, Any], first: str, second: str) -> None:
    who, labels = headline(solve(toy(), **{"images_full": 120_000, "images_transfer": 16_000} | options))
    assert first in who
    assert second in labels


def test_an_untrained_source_is_not_called_labelled() -> None:
    plan = solve(toy(untrained=("s",)), targets="b,c", sources="s")
    assert headline(plan)[0] == "no task labelled in full serves all 2"
    assert "untrained, needs no labels" in said(draw_taxonomy(plan))


def test_what_was_not_measured_is_not_drawn_as_zero() -> None:
    plan = solve(toy(), budget=1)
    blank = tuple(replace(transfer, gain=math.nan) for transfer in plan.transfers)
    assert words(draw_taxonomy(replace(plan, transfers=blank))).count("n/a") == 3


def test_a_plan_that_is_not_proven_says_so() -> None:
    plan = replace(solve(toy(), budget=1), status="time_limit", gap=0.034)
    assert "not proven, gap 3.4%" in said(draw_taxonomy(plan))


def test_odd_names_and_high_orders() -> None:
    names = [f"task $ {number} with a rather long name" for number in range(12)]
    sources = "|".join(names[1:])
    tensor = tensor_from_csv(f"target,sources,affinity\n{names[0]},{sources},1", name="odd_$")
    figure = draw_taxonomy(solve(tensor, budget=11, max_order=None))
    assert cut_off(figure) == []
    assert "11" in words(figure)
    assert any("$ 3 with a rather" in text for text in words(figure))


def test_the_same_plan_gives_the_same_bytes() -> None:
    plan = solve(toy(), budget=2)
    assert svg(draw_taxonomy(plan)) == svg(draw_taxonomy(plan))
