"""Plans over years, draws of the measurements, and money, as the page and the API answer them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest

from printed import printed_by
from taskbank_demo.planning.api import chain_json, stability_json
from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.planning.board import BoardRow, ask_of_board, default_rows, read_rows
from taskbank_demo.planning.chain import answer_chain, read_budgets, show_chain
from taskbank_demo.planning.drawing.cards import label_of
from taskbank_demo.planning.money import Counting
from taskbank_demo.planning.stability import answer_stability, show_stability
from taskbank_demo.planning.tensors import TensorShelf
from taxsolver import InvalidInputError, chain, load_affinity, solve, stability

TENSOR = load_affinity("taskonomy-16k")
TARGETS = ("normal", "depth_zbuffer", "reshading", "room_layout")
QUESTION: dict[str, Any] = {"targets": list(TARGETS), "max_order": 2}


def rows(**changes: dict[str, Any]) -> list[BoardRow]:
    """The board with four targets ticked, and changes by task."""
    return [replace(row, **changes.get(row.task, {})) for row in default_rows(TENSOR, TARGETS)]


def test_plans_over_years_are_the_librarys_and_the_commands() -> None:
    told = chain_json(TensorShelf(), {**QUESTION, "budgets": [1, 2, 3]})
    wanted = chain("taskonomy-16k", [1, 2, 3], targets=list(TARGETS), max_order=2).to_dict()
    assert {key: told[key] for key in wanted} == wanted
    assert told["command"] == (
        "taxsolver chain --targets normal,depth_zbuffer,reshading,room_layout --budgets 1,2,3 --max-order 2"
    )
    assert printed_by(told["command"]) == wanted


def test_draws_are_the_librarys_and_the_commands() -> None:
    told = stability_json(TensorShelf(), {**QUESTION, "budget": 2, "noise": 0.05, "draws": 5})
    wanted = stability("taskonomy-16k", list(TARGETS), 2, max_order=2, noise=0.05, draws=5).to_dict()
    assert {key: told[key] for key in wanted} == wanted
    assert "--budget 2 --draws 5 --noise 0.05 --max-order 2" in told["command"]
    assert printed_by(told["command"]) == wanted


def test_the_page_shows_what_is_bought_in_each_year() -> None:
    ask = PlanAsk(targets=TARGETS)
    answer = answer_chain(ask, TENSOR, "taskonomy-16k", [1, 2, 3])
    html = show_chain(answer)
    for plan in answer.found.best:
        assert f">{plan.cost:g}</td>" in html
    assert "1 kept, " in html
    assert "Keeping everything costs" in html
    assert html.count("<svg") == 2
    late = replace(answer, found=replace(answer.found, status="time_limit", bound=9.25))
    assert "not proven: at most 9.25" in show_chain(late)


def test_the_page_shows_how_often_tasks_are_labelled_and_three_plans() -> None:
    answer = answer_stability(PlanAsk(targets=TARGETS, budget=2), TENSOR, "taskonomy-16k", 0.3, draws=8)
    html = show_stability(answer)
    for share in answer.found.frequency.values():
        assert f"--share:{share:.3f}" in html
    for plan in answer.found.plans:
        assert f">{plan.worst:.4g}</td>" in html
    assert "noise of 0.3" in html
    bars, regret = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    for task, share in answer.found.frequency.items():
        assert f'aria-label="{label_of(task)} {share:.0%}"' in bars
    assert bars.count('class="bar"') == len(answer.found.plans[0].taxonomy.sources)
    assert [regret.count(f'class="line {colour}"') for colour in ("o1", "o2", "o3")] == [1, 1, 1]
    assert regret.count('class="column ') == answer.found.draws
    assert "draw 8; of the estimate" in regret
    for picture in (bars, regret):
        ET.fromstring(picture)


def test_draws_that_agree_have_a_chart_of_no_regret() -> None:
    answer = answer_stability(PlanAsk(targets=TARGETS, budget=2), TENSOR, "taskonomy-16k", 1e-9, draws=3)
    html = show_stability(answer)
    assert "2 of 2 labelled tasks stay in nearly every draw" in html
    assert "draw 3; of the estimate 0.00" in html


def test_plans_that_are_not_proven_are_marked() -> None:
    answer = answer_chain(PlanAsk(targets=TARGETS), TENSOR, "taskonomy-16k", [1, 2])
    free = tuple(replace(plan, status="time_limit") for plan in answer.found.free)
    html = show_chain(replace(answer, found=replace(answer.found, free=free)))
    assert html.count(", not proven") == 2  # in the title of a card, too
    assert ", not proven" not in show_chain(answer)


@pytest.mark.parametrize(
    ("given", "budgets"),
    [("2, 4;8", [2, 4, 8]), (" 0.5 1.5 ", [0.5, 1.5]), ("", [])],
)
def test_budgets_are_read_with_any_mark_between(given: str, budgets: list[float]) -> None:
    assert read_budgets(given) == budgets


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"budgets": [1]}, "budgets holds 1 numbers: give at least two"),
        ({"budgets": [2, 1]}, "let them rise"),
        ({"budgets": list(range(1, 10))}, "9 budgets are too many: at most 8"),
        ({}, "budgets is None, expected a list of numbers"),
    ],
)
def test_budgets_of_years_are_checked(question: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        chain_json(TensorShelf(), {**QUESTION, **question})


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({}, "has neither draws nor intervals of the affinity"),
        ({"noise": 0.1, "draws": 201}, "201 draws are too many: at most 200"),
        ({"noise": "much"}, "noise is 'much', expected a number"),
        ({"noise": 0.1, "draws": "many"}, "draws is 'many', expected a whole number"),
    ],
)
def test_draws_are_checked(question: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        stability_json(TensorShelf(), {**QUESTION, "budget": 2, **question})


def test_a_number_that_is_none_is_named() -> None:
    with pytest.raises(InvalidInputError, match="the budgets hold 'x', expected numbers as in 2, 4, 8"):
        read_budgets("2, x")


def test_a_board_in_money_asks_what_the_library_is_asked() -> None:
    """A cost of 16 is sixteen times the price; what is owned is used for nothing."""
    board = rows(room_layout={"cost": 16}, normal={"owned": 40})
    ask = ask_of_board(board, TENSOR, Counting(counts="money"), budget=9000)
    every = {"price": 0.05, "images_full": 120_000, "images_transfer": 1000}
    wanted = solve(
        "taskonomy-16k",
        TARGETS,
        9000,
        unit="EUR",
        costs={"*": every, "room_layout": {**every, "price": 0.8}},
        owned={"normal": 0.4},
    )
    plan = solve("taskonomy-16k", ask.solved, ask.budget, **ask.options())
    assert (plan.cost, plan.sources, plan.objective) == (wanted.cost, wanted.sources, wanted.objective)


def test_a_board_in_images_counts_images_and_no_price() -> None:
    ask = ask_of_board(rows(normal={"cost": 5}), TENSOR, Counting(counts="images"), budget=300_000)
    assert (ask.unit, ask.images_full, ask.images_transfer) == ("images", 120_000, 1000)
    assert (dict(ask.costs), dict(ask.label_cost)) == ({}, {})


def test_owned_labels_count_where_the_budget_counts_tasks() -> None:
    ask = ask_of_board(rows(normal={"owned": 12.5, "cost": 2}), TENSOR, budget=2)
    assert (dict(ask.owned), dict(ask.label_cost)) == ({"normal": 0.125}, {"normal": 2})


@pytest.mark.parametrize(
    ("counting", "message"),
    [
        ({"counts": "gold"}, "the budget counts 'gold', expected one of tasks, images, money"),
        ({"counts": "money", "price": None}, "price: give a number"),
        ({"counts": "images", "images_full": None}, "images full: give a number"),
        ({"counts": "money", "unit": " "}, "the unit is '', expected the name of a currency"),
        ({"counts": "money", "unit": "images"}, "the unit is 'images', expected the name of a currency"),
    ],
)
def test_what_is_counted_is_checked(counting: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Counting(**counting).asked(rows())


def test_more_than_everything_cannot_be_owned() -> None:
    row = {"task": "normal", "solve": True, "use": "may", "importance": 1, "cost": 1, "owned": 101}
    with pytest.raises(InvalidInputError, match="the owned percentage of normal is 101, expected 0 to 100"):
        read_rows([row])
