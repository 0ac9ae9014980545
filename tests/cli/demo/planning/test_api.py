"""The planner for programs: JSON in, JSON out."""

from __future__ import annotations

import pytest

from taskbank_demo.planning.api import affinities_json, plan_json, sweep_json
from taskbank_demo.planning.tensors import TensorShelf
from taxsolver import (
    InvalidInputError,
    available_affinities,
    load_affinity,
)
from toys import TOY

TENSOR = load_affinity("taskonomy-16k")


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
