"""The board of the web demo: what is ticked becomes a question."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from taskbank_demo.planning.answer import answer_plan
from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.planning.board import MAY, MUST, NEVER, ask_of_board, default_rows, read_rows
from taskbank_demo.planning.drawing.cards import label_of, task_cards
from taskbank_demo.planning.presets import presets
from taxsolver import (
    InvalidInputError,
    available_affinities,
    load_affinity,
)
from toys import toy

TENSOR = load_affinity("taskonomy-16k")


def board_ask(changes: dict[str, dict[str, Any]], **asked: Any) -> PlanAsk:
    rows = [replace(row, **changes.get(row.task, {})) for row in default_rows(TENSOR)]
    return ask_of_board(rows, TENSOR, **asked)


def test_a_board_that_nobody_touched_asks_for_the_defaults() -> None:
    assert board_ask({}) == PlanAsk()


def test_a_board_becomes_the_shortest_question() -> None:
    ask = board_ask(
        {
            "normal": {"use": MUST, "cost": 2.5},
            "reshading": {"use": NEVER},
            "room_layout": {"importance": 3},
            "egomotion": {"solve": False, "importance": 9},
        },
        budget=3,
    )
    assert ask.targets == tuple(
        row.task for row in default_rows(TENSOR) if row.solve and row.task != "egomotion"
    )
    assert (ask.require, ask.exclude, ask.sources) == (("normal",), ("reshading",), None)
    assert ask.importance == {"room_layout": 3}
    assert ask.label_cost == {"normal": 2.5}


def test_an_untrained_source_that_may_be_used_names_all_sources() -> None:
    ask = board_ask({"random": {"use": MAY}, "normal": {"use": NEVER}})
    assert ask.sources == tuple(task for task in TENSOR.tasks if task != "normal")
    assert ask.exclude == ()
    assert answer_plan(ask, TENSOR, "taskonomy-16k").taxonomy.sources


def test_without_a_target_there_is_no_question() -> None:
    with pytest.raises(InvalidInputError, match="no target is ticked"):
        ask_of_board(default_rows(TENSOR, targets=()), TENSOR)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("rows", "the board of tasks was not understood"),
        ([1], "a row of the board was not understood"),
        ([{"task": "normal", "use": "perhaps"}], "a row of the board was not understood"),
        (
            [{"task": "normal", "use": "may", "cost": "dear"}],
            "the cost of normal is 'dear', expected a number",
        ),
        ([{}] * 501, "the board of tasks was not understood"),
    ],
)
def test_a_board_that_was_tampered_with_is_refused(rows: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        read_rows(rows)


def test_empty_fields_of_the_board_stand_for_one() -> None:
    [row] = read_rows([{"task": "normal", "solve": True, "use": "may", "importance": None, "cost": ""}])
    assert (row.importance, row.cost, row.solve) == (1, 1, True)


def test_every_task_has_a_card_in_its_group() -> None:
    cards = {card.task: card for card in task_cards(TENSOR)}
    assert set(cards) == set(TENSOR.tasks)
    assert (cards["normal"].label, cards["normal"].group) == ("Normals", "3D")
    assert cards["class_object_100"].group == "semantic"
    assert (cards["random"].untrained, cards["jigsaw"].target) == (True, False)
    assert {card.group for card in task_cards(toy())} == {"other tasks"}


def test_labels_hold_what_a_page_can_show() -> None:
    assert label_of("my_own  task") == "my own task"
    assert label_of("x" * 60) == "x" * 39 + "…"
    assert label_of("a\x00b") == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize("name", available_affinities())
def test_every_preset_has_a_plan(name: str) -> None:
    tensor = load_affinity(name)
    assert len(presets(tensor)) == 4
    for preset in presets(tensor).values():
        ask = ask_of_board(preset.rows, tensor, affinity=name, budget=preset.budget)
        assert answer_plan(ask, tensor, name, samples=1).taxonomy.status == "optimal"


def test_a_tensor_of_ones_own_has_at_least_one_preset() -> None:
    assert list(presets(toy())) == ["All 3 targets"]
