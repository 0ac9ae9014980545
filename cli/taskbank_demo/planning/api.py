"""The planner's API: JSON in, JSON out, with the same results as on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskbank_demo.planning.answer import MOST_BUDGETS, answer_plan, answer_sweep
from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.planning.chain import answer_chain
from taskbank_demo.planning.drawing.cards import task_cards
from taskbank_demo.planning.front import answer_front
from taskbank_demo.planning.grouping import (
    BUDGETS,
    answer_group,
    answer_untrained,
    curves,
    effects_from_text,
    published,
    table_from_text,
)
from taskbank_demo.planning.stability import DRAWS, answer_stability
from taskbank_demo.planning.tensors import TensorShelf, tensor_from_text
from taxsolver.errors import InvalidInputError
from taxsolver.tensors.affinity import AffinityTensor
from taxsolver.tensors.store import DEFAULT_AFFINITY, available_affinities

_INLINE = "affinity_csv"


def plan_json(shelf: TensorShelf, question: Any) -> dict[str, Any]:
    """Find the best plan.

    Args:
        shelf: tensors by name.
        question: the parameters of `PlanAsk`; `affinity_csv`, the text of a CSV, may replace `affinity`.

    Raises:
        TaxSolverError: there is no plan; the message states the reason.
        DemoError: the CSV is too large, or an uploaded tensor was deleted.
    """
    asked = _asked(question)
    tensor, called = _tensor(shelf, asked)
    return answer_plan(PlanAsk.from_json(asked), tensor, called).to_dict()


def sweep_json(shelf: TensorShelf, question: Any) -> dict[str, Any]:
    """Find the best plan of every budget and order.

    Args:
        shelf: tensors by name.
        question: as for `plan_json`, with lists `budgets` and `orders` instead of `budget` and `max_order`;
            by default, whole budgets up to the number of trained tasks, and orders 1 to 4.
    """
    asked = _asked(question)
    tensor, called = _tensor(shelf, asked)
    trained = len(tensor.tasks) - len(tensor.untrained)
    budgets = _numbers(asked.pop("budgets", list(range(1, min(trained, MOST_BUDGETS) + 1))), "budgets")
    orders = _numbers(asked.pop("orders", [1, 2, 3, 4]), "orders")
    return answer_sweep(PlanAsk.from_json(asked), tensor, called, budgets, orders).to_dict()


def chain_json(shelf: TensorShelf, question: Any) -> dict[str, Any]:
    """Find the best plans for rising budgets, each of which keeps the labels of the one before.

    Args:
        shelf: tensors by name.
        question: as for `plan_json`, with a list `budgets` instead of `budget`.
    """
    asked = _asked(question)
    tensor, called = _tensor(shelf, asked)
    budgets = _numbers(asked.pop("budgets", None), "budgets")
    return answer_chain(PlanAsk.from_json(asked), tensor, called, budgets).to_dict()


def stability_json(shelf: TensorShelf, question: Any) -> dict[str, Any]:
    """Evaluate plans in draws of the measurements.

    Args:
        shelf: tensors by name.
        question: as for `plan_json`, with `noise` and `draws` as in `taxsolver.stability`.
    """
    asked = _asked(question)
    tensor, called = _tensor(shelf, asked)
    noise, draws = asked.pop("noise", None), asked.pop("draws", DRAWS)
    return answer_stability(PlanAsk.from_json(asked), tensor, called, noise, draws=draws).to_dict()


def front_json(shelf: TensorShelf, question: Any) -> dict[str, Any]:
    """Compute the Pareto front of cost and gain, and the cheapest plan with a mean gain.

    Args:
        shelf: tensors by name.
        question: as for `plan_json`, without `budget`; `min_gain` asks for the cheapest plan.
    """
    asked = _asked(question)
    tensor, called = _tensor(shelf, asked)
    if "budget" in asked:
        raise InvalidInputError(
            "budget has no meaning in a front, which has a plan for every budget: leave it out"
        )
    return answer_front(PlanAsk.from_json({**asked, "budget": None}), tensor, called).to_dict()


def group_json(question: Any) -> dict[str, Any]:
    """Choose networks for an inference budget; with `budgets`, one row for each method and budget.

    Args:
        question: `setting` (1 to 4) or `table_csv` (the text of a CSV); `method` and `budget`, or lists
            `methods` and `budgets`. Or `measured_csv` of the few trained networks, optionally `pairwise_csv`,
            and `budget`: all other groups are predicted.
    """
    asked = _asked(question)
    known = ("setting", "table_csv", "method", "budget", "methods", "budgets", "measured_csv", "pairwise_csv")
    for name in asked:
        if name not in known:
            raise InvalidInputError(f"unknown parameter {name[:80]!r}: known are {', '.join(known)}")
    if "measured_csv" in asked or "pairwise_csv" in asked:
        for name in asked:
            if name not in {"measured_csv", "pairwise_csv", "budget"}:
                raise InvalidInputError(f"{name} has no meaning with measured_csv: leave it out")
        measured, pairwise = asked.get("measured_csv"), asked.get("pairwise_csv")
        if not isinstance(measured, str) or not isinstance(pairwise, str | None):
            raise InvalidInputError("measured_csv and pairwise_csv are texts of CSVs; the former is needed")
        table = table_from_text(measured, name="few", where="measured_csv")
        effects = None if pairwise is None else effects_from_text(pairwise, table, "pairwise_csv")
        return answer_untrained(table, effects, asked.get("budget", 2.5)).to_dict()
    if "table_csv" in asked:
        if not isinstance(asked["table_csv"], str) or "setting" in asked:
            raise InvalidInputError("table_csv is the text of a CSV, and takes the place of setting")
        table = table_from_text(asked["table_csv"], name="table", where="table_csv")
    else:
        setting = asked.get("setting", 1)
        if not isinstance(setting, int):
            raise InvalidInputError(f"setting is {repr(setting)[:40]}, expected one of 1, 2, 3 and 4")
        table = published(setting)
    if "budgets" not in asked and "methods" not in asked:
        return answer_group(table, str(asked.get("method", "optimal")), asked.get("budget", 2.5)).to_dict()
    methods = asked.get("methods")
    if methods is not None and not isinstance(methods, list):
        raise InvalidInputError("methods is not a list: give names as in ['optimal', 'random']")
    budgets = _numbers(asked.get("budgets", list(BUDGETS)), "budgets")
    rows = curves(table, budgets, None if methods is None else [str(method) for method in methods])
    return {"rows": [row.to_dict() for row in rows]}


def affinities_json() -> dict[str, Any]:
    """List the available tensors, with their tasks."""
    shelf = TensorShelf()
    tensors = [shelf.get(name) for name in available_affinities()]
    return {
        "affinities": [
            {
                "name": tensor.name,
                "transfers": len(tensor),
                "tasks": [
                    {"task": card.task, "label": card.label, "group": card.group, "target": card.target}
                    for card in task_cards(tensor)
                ],
            }
            for tensor in tensors
        ]
    }


def _asked(question: Any) -> dict[str, Any]:
    if not isinstance(question, Mapping) or not all(isinstance(name, str) for name in question):
        raise InvalidInputError(f"the question is {repr(question)[:80]}, expected a JSON object")
    return dict(question)


def _tensor(shelf: TensorShelf, asked: dict[str, Any]) -> tuple[AffinityTensor, str]:
    """Return the tensor of a request, and its name in a command."""
    if _INLINE in asked:
        text = asked.pop(_INLINE)
        if not isinstance(text, str) or "affinity" in asked:
            raise InvalidInputError(f"{_INLINE} is the text of a CSV, and takes the place of affinity")
        return tensor_from_text(text, name="affinity", where=_INLINE), "affinity.csv"
    name = str(asked.get("affinity", DEFAULT_AFFINITY))
    return shelf.get(name), shelf.called(name)


def _numbers(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise InvalidInputError(f"{what} is {repr(value)[:80]}, expected a list of numbers")
    return value
