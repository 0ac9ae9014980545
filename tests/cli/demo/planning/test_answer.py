"""Questions to the planner of the web demo, and its answers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from taskbank_demo.planning.answer import PlanAnswer, answer_plan, answer_sweep
from taskbank_demo.planning.ask import PlanAsk
from taxsolver import (
    InfeasibleBudgetError,
    InvalidInputError,
    UnknownTaskError,
    load_affinity,
    one_more_unit,
    significance,
    solve,
    sweep,
)
from taxsolver.planning.options import PlanOptions

TENSOR = load_affinity("taskonomy-16k")


def answer(**question: Any) -> PlanAnswer:
    ask = PlanAsk.from_json(question)
    return answer_plan(ask, load_affinity(ask.affinity), ask.affinity)


def test_an_answer_is_the_librarys_plan_with_what_one_more_unit_buys_and_the_random_band() -> None:
    told = answer(targets=["normals", "depth", "layout"], budget=2, objective="quality").to_dict()
    plan = solve("taskonomy-16k", "normals,depth,layout", 2, objective="quality")
    more = one_more_unit(plan)
    band = significance(
        "taskonomy-16k", [2], [4], targets="normals,depth,layout", samples=200, objective="quality"
    )[0]
    assert told["sources"] == list(plan.sources)
    assert told["transfers"] == [transfer.to_dict() for transfer in plan.transfers]
    assert told["objective"] == plan.objective
    assert told["status"] == "optimal"
    assert (told["gain"], told["quality"], told["cost"]) == (plan.gain, plan.quality, plan.cost)
    assert told["one_more"] == {
        "budget": 3,
        "objective": more.objective,
        "increase": more.increase,
        "added": list(more.added),
        "dropped": list(more.dropped),
    }
    assert told["random"] == band.to_dict()
    assert json.loads(json.dumps(told)) == told


def test_an_answer_says_why_there_is_no_random_band() -> None:
    costs = {task: 1 + (number / 29) ** 0.5 / 9 for number, task in enumerate(TENSOR.tasks)}
    found = answer(budget=8, label_cost=costs)
    assert found.taxonomy.status == "optimal"
    assert found.band is None
    assert "too many to draw random taxonomies evenly" in found.no_band
    assert found.to_dict()["random"] is None


def test_a_plan_that_ran_out_of_time_says_nothing_about_one_more_unit() -> None:
    plan = answer(budget=3)
    late = replace(plan.taxonomy, status="time_limit", bound=9.0, gap=0.5)
    assert replace(plan, taxonomy=late, more=None).to_dict()["one_more"] is None


def test_a_sweep_is_the_librarys() -> None:
    found = answer_sweep(PlanAsk(targets=("normal", "reshading")), TENSOR, "taskonomy-16k", [1, 2, 3], [1, 2])
    rows = sweep("taskonomy-16k", [1, 2, 3], [1, 2], targets="normal,reshading")
    assert [row.to_dict() for row in found.rows] == [row.to_dict() for row in rows]
    assert found.to_dict()["milliseconds"] > 0


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ([], r"the question is \[\], expected a JSON object"),
        ({"budgett": 3}, "unknown parameter 'budgett': known are affinity, targets, budget"),
        ({"targets": 7}, "targets is 7, expected a list of task names"),
        ({"importance": [1]}, r"importance is \[1\], expected a JSON object"),
        ({"objective": 3}, "objective is 3, expected text"),
        ({"targets": ["a"] * 501}, "targets has 501 names, at most 500 are taken"),
        ({"label_cost": {f"t{n}": 1 for n in range(501)}}, "label_cost has 501 names"),
    ],
)
def test_a_question_that_cannot_be_read_is_refused(question: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        PlanAsk.from_json(question)


@pytest.mark.parametrize(
    ("question", "error", "message"),
    [
        ({"budget": "5"}, InvalidInputError, "budget is '5', expected a number"),
        ({"budget": float("nan")}, InvalidInputError, "budget is nan"),
        ({"max_order": 0}, InvalidInputError, "max_order is 0"),
        ({"targets": ["normalz"]}, UnknownTaskError, "did you mean normal"),
        ({"targets": []}, InvalidInputError, "targets is empty"),
        ({"objective": "luck"}, InvalidInputError, "unknown objective 'luck'"),
        (
            {"budget": 1, "require": ["normal", "reshading"]},
            InfeasibleBudgetError,
            "the least that serves every target is 2",
        ),
    ],
)
def test_a_question_without_an_answer_gets_the_librarys_message(
    question: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        answer(**question)


@pytest.mark.parametrize(("budgets", "orders"), [(65, 1), (1, 9), (52, 5)])
def test_a_sweep_has_limits(budgets: int, orders: int) -> None:
    message = f"a sweep of {budgets} budgets and {orders} orders is too large: at most 64 and 8, together 256"
    with pytest.raises(InvalidInputError, match=message):
        answer_sweep(PlanAsk(), TENSOR, "taskonomy-16k", list(range(1, budgets + 1)), list(range(orders)))


def test_a_question_in_money_is_answered_with_what_to_buy_and_a_file_of_costs() -> None:
    costs = {"*": {"price": 0.05, "images_full": 120_000, "images_transfer": 1000}, "normal": {"price": 0.04}}
    costs["normal"] |= {"images_full": 120_000, "images_transfer": 1000, "owned": 0.4}
    told = answer(targets=["normals", "depth", "layout"], budget=9000, unit="EUR", costs=costs).to_dict()
    plan = solve("taskonomy-16k", "normals,depth,layout", 9000, unit="EUR", costs=costs)
    assert (told["cost"], told["unit"]) == (plan.cost, "EUR")
    assert (
        told["command"]
        == "taxsolver --targets normals,depth,layout --budget 9000 --costs costs.csv --unit EUR"
    )
    assert told["costs_csv"].splitlines() == [
        "task,price,images_full,images_transfer,owned",
        "*,0.05,120000,1000,",
        "normal,0.04,120000,1000,0.4",
    ]
    assert told["purchases"] == [bought.to_dict() for bought in plan.purchases]


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"costs": "/etc/passwd"}, "costs is '/etc/passwd', expected a JSON object"),
        ({"costs": {"normal": 3}}, "the costs of normal is 3, expected a JSON object"),
        ({"together": "a,b"}, "together is 'a,b', expected a list of at most 500 groups"),
        ({"at_most": [2]}, "at_most is .*, expected pairs"),
        ({"unit": 3}, "unit is 3, expected text"),
        ({"larger": "/etc/passwd"}, "larger is '/etc/passwd', expected one of"),
    ],
)
def test_costs_and_groups_of_another_kind_are_refused(question: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        answer(**question)


def test_the_cheapest_plan_of_a_mean_gain_has_no_budget() -> None:
    told = answer(targets=["normals", "depth", "layout"], min_gain=0.8, unit="images").to_dict()
    plan = solve("taskonomy-16k", "normals,depth,layout", min_gain=0.8, unit="images")
    assert (told["budget"], told["cost"], told["sources"]) == (None, plan.cost, list(plan.sources))
    assert told["one_more"] is None
    assert told["command"] == "taxsolver --targets normals,depth,layout --unit images --min-gain 0.8"


def test_transfers_of_two_sizes_are_asked_for_by_the_name_of_a_shipped_tensor() -> None:
    question = {"affinity": "taskonomy-1k", "larger": "taskonomy-16k", "targets": ["normals", "depth"]}
    told = answer(**question, budget=200_000, unit="images", objective="quality").to_dict()
    plan = solve(
        "taskonomy-1k",
        "normals,depth",
        200_000,
        larger="taskonomy-16k",
        unit="images",
        objective="quality",
    )
    assert (told["large"], told["objective"]) == (list(plan.large), plan.objective)


def test_the_page_and_the_api_offer_every_option_of_a_problem() -> None:
    """An option that is added to the planner is added to the page too."""
    assert PlanAsk().options().keys() == PlanOptions.__annotations__.keys()
