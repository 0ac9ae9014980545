"""The Pareto front, rules and transfers of two sizes, as the page and the API answer them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from printed import printed_by
from taskbank_demo.planning.api import front_json
from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.planning.board import ask_of_board, default_rows
from taskbank_demo.planning.front import answer_front, show_front
from taskbank_demo.planning.rules import read_rules
from taskbank_demo.planning.tensors import TensorShelf
from taxsolver import InvalidInputError, front, load_affinity, solve

TENSOR = load_affinity("taskonomy-16k")
TARGETS = ("normal", "depth_zbuffer", "reshading", "room_layout")
QUESTION: dict[str, Any] = {"targets": list(TARGETS), "max_order": 2}


def test_the_front_is_the_librarys_and_the_commands() -> None:
    told = front_json(TensorShelf(), QUESTION)
    plans = front("taskonomy-16k", list(TARGETS), max_order=2)
    assert [(row["cost"], row["sources"]) for row in told["plans"]] == [
        (plan.cost, list(plan.sources)) for plan in plans
    ]
    printed = printed_by(told["command"])
    assert printed == {key: told[key] for key in ("unit", "plans")}
    assert (told["min_gain"], told["cheapest"]) == (None, None)


def test_the_cheapest_plan_of_a_gain_is_the_inverse_programs() -> None:
    """It is on the front, whose next cheaper plan has less."""
    told = front_json(TensorShelf(), {**QUESTION, "min_gain": 0.85})
    wanted = solve("taskonomy-16k", list(TARGETS), None, max_order=2, min_gain=0.85)
    assert told["cheapest"]["sources"] == list(wanted.sources)
    enough = [row for row in told["plans"] if row["gain"] >= 0.85]
    assert enough[0]["cost"] == wanted.cost
    assert "--min-gain" not in told["command"]


def test_the_page_shows_every_plan_and_the_wanted_one() -> None:
    answer = answer_front(PlanAsk(targets=TARGETS, min_gain=0.85), TENSOR, "taskonomy-16k")
    html = show_front(answer)
    for plan in answer.found.plans:
        assert f">{plan.gain:.4f}</td>" in html
    assert (html.count("<svg"), "Mean gain 0.85 from" in html) == (2, True)
    assert answer.found.cheapest is not None
    none = show_front(answer_front(PlanAsk(targets=TARGETS, min_gain=0.9999), TENSOR, "taskonomy-16k"))
    assert "no plan" in none
    late = tuple(replace(plan, status="time_limit") for plan in answer.found.plans)
    unproven = show_front(replace(answer, found=replace(answer.found, plans=late)))
    assert ("(not proven)" in unproven, "0 proven" in unproven) == (True, True)


def test_quality_has_a_front_of_its_own() -> None:
    told = front_json(TensorShelf(), {**QUESTION, "objective": "quality"})
    assert "--objective quality" in told["command"]
    values = [row["quality"] for row in told["plans"]]
    assert values == sorted(values)


def test_a_budget_has_no_meaning_in_a_front() -> None:
    with pytest.raises(InvalidInputError, match="budget has no meaning in a front"):
        front_json(TensorShelf(), {**QUESTION, "budget": 2})


def test_rules_are_read_from_lines() -> None:
    given = "together: normals, reshading\n\n APART: a,b \nat most 2: x, y ,z\n"
    assert read_rules(given) == {
        "together": (("normals", "reshading"),),
        "apart": (("a", "b"),),
        "at_most": ((2, ("x", "y", "z")),),
    }
    assert read_rules("") == {"together": (), "apart": (), "at_most": ()}


@pytest.mark.parametrize("line", ["normals, reshading", "together:", "at most: a, b", "at most two: a"])
def test_a_line_that_is_no_rule_is_shown(line: str) -> None:
    with pytest.raises(InvalidInputError, match="was not understood: write `together: a, b`"):
        read_rules(line)


def test_the_number_of_rules_is_limited() -> None:
    with pytest.raises(InvalidInputError, match="there are 51 rules, at most 50"):
        read_rules("apart: a, b\n" * 51)


def test_rules_reach_the_plan() -> None:
    """Two tasks that the free plan labels are not labelled both."""
    board = default_rows(TENSOR, TARGETS)
    free = ask_of_board(board, TENSOR, budget=2, max_order=2)
    best = solve("taskonomy-16k", free.solved, 2, max_order=2, **free.options())
    assert len(best.sources) == 2
    rule = f"apart: {', '.join(best.sources)}"
    ask = ask_of_board(board, TENSOR, budget=2, max_order=2, **read_rules(rule))
    plan = solve("taskonomy-16k", ask.solved, 2, max_order=2, **ask.options())
    assert len(set(plan.sources) & set(best.sources)) < 2
    assert plan.objective < best.objective
