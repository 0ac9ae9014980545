"""The planner of the web demo: questions, answers, commands, boards and uploads, without a page."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from taskbank_demo.errors import MissingError, UploadError
from taskbank_demo.planning import tensors
from taskbank_demo.planning.answer import PlanAnswer, answer_plan, answer_sweep
from taskbank_demo.planning.api import affinities_json, plan_json, sweep_json
from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.planning.board import MAY, MUST, NEVER, ask_of_board, default_rows, read_rows
from taskbank_demo.planning.cards import label_of, task_cards
from taskbank_demo.planning.presets import presets
from taskbank_demo.planning.tensors import TensorShelf, read_tensor, tensor_from_text
from taxsolver import (
    InfeasibleBudgetError,
    InvalidInputError,
    UnknownTaskError,
    available_affinities,
    load_affinity,
    one_more_unit,
    save_affinity,
    significance,
    solve,
    sweep,
)
from taxsolver_cli.app import app
from toys import TOY, toy

TENSOR = load_affinity("taskonomy-16k")


def answer(**question: Any) -> PlanAnswer:
    ask = PlanAsk.from_json(question)
    return answer_plan(ask, load_affinity(ask.affinity), ask.affinity)


def run_command(command: str) -> dict[str, Any]:
    """What the command prints as JSON, with the seconds left out."""
    program, *words = shlex.split(command)
    assert program == "taxsolver"
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    printed: dict[str, Any] = json.loads(done.stdout)
    printed.pop("seconds", None)
    return printed


# Questions and answers


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


# Commands


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
]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: " ".join(question) or "nothing")
def test_the_command_gives_the_same_plan(question: dict[str, Any]) -> None:
    told = answer(**question).to_dict()
    printed = run_command(told["command"])
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
    printed = run_command(found.command)
    assert printed["sources"] == list(found.taxonomy.sources)
    assert printed["objective"] == found.taxonomy.objective


def test_the_command_of_a_sweep_gives_the_same_rows() -> None:
    ask = PlanAsk(targets=("normal", "room_layout"))
    found = answer_sweep(ask, TENSOR, "taskonomy-16k", [1, 2, 3], [1, 4])
    assert found.command == "taxsolver sweep --targets normal,room_layout --budgets 1-3 --orders 1,4"
    assert run_command(found.command)["rows"] == found.to_dict()["rows"]


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


# The board


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


# Uploaded tensors


def test_a_csv_and_a_safetensors_file_are_read_as_taxsolver_reads_them(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(TOY)
    save_affinity(toy(), tmp_path / "mine.safetensors")
    for file in ("mine.csv", "mine.safetensors"):
        tensor = read_tensor(tmp_path / file)
        assert tensor.tasks == ("a", "b", "c", "s")
        np.testing.assert_array_equal(tensor.affinity, toy().affinity)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("mine.pkl", b"\x80\x04.", "mine.pkl is no affinity tensor: upload a .csv or a .safetensors file"),
        ("mine.csv", b"target,sources,affinity\na,b,7\n", "^mine.csv, line 2: affinity is 7"),
        ("mine.csv", b"\xff\xfe\x00", "mine.csv is no CSV text in UTF-8"),
        ("mine.csv", b"hello\n", "^mine.csv has the columns hello"),
        ("mine.safetensors", b"\x80\x04\x95", "^mine.safetensors is damaged or no safetensors file"),
        ("mine.safetensors", (2**40).to_bytes(8, "little") + b"{}", "^mine.safetensors is damaged"),
    ],
)
def test_what_is_no_tensor_is_refused_by_its_name_and_without_its_path(
    tmp_path: Path, file: str, content: bytes, message: str
) -> None:
    (tmp_path / file).write_bytes(content)
    with pytest.raises(UploadError, match=message) as caught:
        read_tensor(tmp_path / file)
    assert str(tmp_path) not in str(caught.value)


def test_a_file_is_refused_by_its_size_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensors, "MOST_BYTES", 2**20)
    (tmp_path / "huge.csv").write_bytes(b"a" * (2**20 + 1))
    with pytest.raises(UploadError, match="huge.csv is larger than 1 MiB"):
        read_tensor(tmp_path / "huge.csv")
    with pytest.raises(UploadError, match="the CSV is longer than 1 MiB"):
        tensor_from_text("a" * (2**20 + 1), name="huge")


def test_many_names_or_lines_are_refused_before_a_matrix_is_made_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tensors, "tensor_from_csv", lambda *_, **__: pytest.fail("was read"))
    many = "|".join(f"t{number}" for number in range(15_000))
    with pytest.raises(UploadError, match="more than 120 tasks or 20,000 transfers"):
        tensor_from_text(f"target,sources,affinity\na,{many},1\n", name="wide")
    with pytest.raises(UploadError, match="more than 120 tasks or 20,000 transfers"):
        tensor_from_text("target,sources,affinity\n" + "a,b,1\n" * 20_001, name="long")


def test_a_task_name_may_not_be_endless() -> None:
    with pytest.raises(UploadError, match="a task of 121 characters; 120 are allowed"):
        tensor_from_text(f"target,sources,affinity\n{'a' * 121},self,1\n", name="endless")


def test_uploaded_tensors_are_found_by_a_name_that_cannot_be_guessed_until_they_are_given_up() -> None:
    shelf = TensorShelf()
    tensor = toy()
    first = shelf.put(tensor, "mine.csv")
    assert shelf.get(first) is tensor
    assert shelf.called(first) == "mine.csv"
    assert len({shelf.put(tensor, "mine.csv") for _ in range(32)}) == 32
    with pytest.raises(MissingError, match="not kept any more: upload it again"):
        shelf.get(first)
    with pytest.raises(
        InvalidInputError, match="unknown affinity tensor '/etc/passwd': shipped are taskonomy-16k"
    ):
        shelf.get("/etc/passwd")


# JSON in, JSON out


def test_a_csv_in_the_question_takes_the_place_of_a_shipped_tensor() -> None:
    told = plan_json(TensorShelf(), {"affinity_csv": TOY, "budget": 2})
    assert (told["sources"], told["objective"]) == (["a", "s"], pytest.approx(1.7))
    assert told["command"] == "taxsolver --targets all --budget 2 --affinity affinity.csv"
    with pytest.raises(InvalidInputError, match="affinity_csv is the text of a CSV"):
        plan_json(TensorShelf(), {"affinity_csv": TOY, "affinity": "taskonomy-1k"})


def test_a_sweep_without_budgets_goes_through_all_of_them() -> None:
    told = sweep_json(TensorShelf(), {"affinity_csv": TOY, "orders": [1]})
    assert [row["budget"] for row in told["rows"]] == [1, 2, 3, 4]
    assert [row["objective"] for row in told["rows"]] == pytest.approx([0.9, 1.2, 1.5, 1.5])
    with pytest.raises(InvalidInputError, match="budgets is 3, expected a list of numbers"):
        sweep_json(TensorShelf(), {"budgets": 3})


def test_the_list_of_tensors_names_their_tasks() -> None:
    listed = affinities_json()["affinities"]
    assert [one["name"] for one in listed] == list(available_affinities())
    assert {task["task"] for task in listed[0]["tasks"]} == set(TENSOR.tasks)
