"""The commands that give the same as the page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printed import printed_by
from taskbank_demo.planning.answer import PlanAnswer, answer_plan, answer_sweep
from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.planning.tensors import tensor_from_text
from taxsolver import (
    InfeasibleBudgetError,
    load_affinity,
)
from toys import toy

TENSOR = load_affinity("taskonomy-16k")


QUESTIONS: list[dict[str, Any]] = [
    {},
    {"targets": ["normals", "depth"], "budget": 2, "max_order": 1},
    {"budget": 6, "max_order": None, "objective": "gain"},
    {"affinity": "taskonomy-main", "targets": ["room_layout", "curvature"], "supervise_targets": False},
    {"budget": 7.5, "label_cost": {"segment_semantic": 4, "normal": 0.5}, "importance": {"room_layout": 3}},
    {
        "sources": ["normal", "random", "edge_texture", "denoising"],
        "exclude": ["denoising"],
        "require": ["random"],
    },
    {"budget": 700_000, "unit": "images", "owned": {"normal": 0.5}, "min_quality": 0.01},
    {
        "budget": 4,
        "together": [["normal", "edge_texture"]],
        "apart": [["denoising", "autoencoding"]],
        "at_most": [[2, ["keypoints2d", "keypoints3d", "reshading"]]],
    },
]


def answer(**question: Any) -> PlanAnswer:
    ask = PlanAsk.from_json(question)
    return answer_plan(ask, load_affinity(ask.affinity), ask.affinity)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: " ".join(question) or "nothing")
def test_the_command_gives_the_same_plan(question: dict[str, Any]) -> None:
    told = answer(**question).to_dict()
    printed = printed_by(told["command"])
    if question.get("max_order", 4) is None:
        printed["max_order"] = None  # the command names the largest order there is
    assert printed == {key: told[key] for key in printed}


@settings(max_examples=15, deadline=None)
@given(
    targets=st.sets(st.sampled_from(TENSOR.targets), min_size=1, max_size=6),
    budget=st.integers(1, 9),
    order=st.sampled_from([1, 2, 4]),
    cost=st.dictionaries(st.sampled_from(TENSOR.tasks), st.floats(0.25, 3), max_size=3),
)
def test_any_question_and_its_command_agree(
    targets: set[str], budget: int, order: int, cost: dict[str, float]
) -> None:
    ask = PlanAsk(targets=tuple(sorted(targets)), budget=budget, max_order=order, label_cost=cost)
    try:
        found = answer_plan(ask, TENSOR, "taskonomy-16k", samples=1)
    except InfeasibleBudgetError:
        return
    printed = printed_by(found.command)
    assert printed["sources"] == list(found.taxonomy.sources)
    assert printed["objective"] == found.taxonomy.objective


def test_the_command_of_a_sweep_gives_the_same_rows() -> None:
    ask = PlanAsk(targets=("normal", "room_layout"))
    found = answer_sweep(ask, TENSOR, "taskonomy-16k", [1, 2, 3], [1, 4])
    assert found.command == "taxsolver sweep --targets normal,room_layout --budgets 1-3 --orders 1,4"
    assert printed_by(found.command)["rows"] == found.to_dict()["rows"]


def test_nothing_that_is_a_default_stands_in_the_command() -> None:
    assert answer().command == "taxsolver --targets all --budget 5"


def test_an_uploaded_tensor_is_called_by_its_file_and_quoted() -> None:
    command = answer_plan(PlanAsk(budget=1), toy(), "my own.csv").command
    assert command == "taxsolver --targets all --budget 1 --affinity 'my own.csv'"


def test_names_that_no_command_can_hold_leave_it_empty() -> None:
    text = 'target,sources,affinity\n"a,b",self,1\n"a,b",c,0.5\n'
    tensor = tensor_from_text(text, name="odd")
    found = answer_plan(PlanAsk(targets=("all",), label_cost={}, exclude=()), tensor, "odd.csv")
    assert found.command.endswith("--affinity odd.csv")
    named = answer_plan(PlanAsk(budget=1, require=("a,b",)), tensor, "odd.csv")
    assert named.command == ""
