"""Commands that compute the same results in a terminal."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from taskbank_demo.planning.ask import PlanAsk
from taxsolver.errors import InvalidInputError
from taxsolver.plain_text import to_cell
from taxsolver.planning.objective import Objective
from taxsolver.planning.options import BY_THE_GOAL
from taxsolver.planning.task_costs import COLUMNS
from taxsolver.tensors.affinity import AffinityTensor
from taxsolver.tensors.store import DEFAULT_AFFINITY

COSTS_FILE, PAIRWISE_FILE = "costs.csv", "affinity.csv"
_DEFAULT_ORDER, _ANY_ORDER = 4, 1000
_WITHOUT_OPTION = {"objective": Objective.AFFINITY, "supervise_targets": ("all",)}


def plan_command(ask: PlanAsk, tensor: AffinityTensor, called: str) -> str:
    """Write the command `taxsolver --targets ... --budget ...`, without default values.

    Args:
        ask: the request.
        tensor: of the plan.
        called: its name or file for `--affinity`.

    Raises:
        InvalidInputError: a task has a name that no command line can hold.
    """
    order = ask.max_order if ask.max_order is not None else max(1, int(tensor.order.max()))
    words = ["taxsolver", "--targets", _names(ask.targets)]
    if ask.budget is not None:
        words += ["--budget", number(ask.budget)]
    if order != _DEFAULT_ORDER:
        words += ["--max-order", str(order)]
    return shlex.join(words + _described(ask, called))


def sweep_command(ask: PlanAsk, called: str, budgets: Sequence[float], orders: Sequence[int]) -> str:
    """Write the command `taxsolver sweep ...`.

    Raises:
        InvalidInputError: a task has a name that no command line can hold.
    """
    words = ["taxsolver", "sweep", "--targets", _names(ask.targets)]
    words += ["--budgets", _ranges(budgets), "--orders", _ranges(orders)]
    return shlex.join(words + _described(ask, called))


def chain_command(ask: PlanAsk, called: str, budgets: Sequence[float]) -> str:
    """Write the command `taxsolver chain ...`.

    Raises:
        InvalidInputError: a task has a name that no command line can hold.
    """
    words = ["taxsolver", "chain", "--targets", _names(ask.targets)]
    words += ["--budgets", ",".join(number(budget) for budget in budgets)]
    return shlex.join(words + _ordered(ask) + _described(ask, called))


def front_command(ask: PlanAsk, called: str) -> str:
    """Write the command `taxsolver front ...`.

    Raises:
        InvalidInputError: a task has a name that no command line can hold.
    """
    words = ["taxsolver", "front", "--targets", _names(ask.targets)]
    return shlex.join(words + _ordered(ask) + _described(ask, called))


def stability_command(ask: PlanAsk, called: str, draws: int, noise: float | None) -> str:
    """Write the command `taxsolver stability ...`.

    Raises:
        InvalidInputError: a task has a name that no command line can hold.
    """
    words = ["taxsolver", "stability", "--targets", _names(ask.targets), "--budget", number(ask.budget or 0)]
    words += ["--draws", str(draws)] + ([] if noise is None else ["--noise", number(noise)])
    return shlex.join(words + _ordered(ask) + _described(ask, called))


def group_command(setting: int | None, file: str, method: str, budget: float) -> str:
    """Write the command `taxsolver group ...`."""
    table = ["--setting", str(setting)] if setting is not None else ["--table", file]
    return shlex.join(["taxsolver", "group", *table, "--method", method, "--budget", number(budget)])


def untrained_command(file: str, pairwise: bool, budget: float) -> str:
    """Write the command `taxsolver group --measured ...`."""
    words = ["taxsolver", "group", *(["--pairwise", PAIRWISE_FILE] if pairwise else [])]
    return shlex.join([*words, "--measured", file, "--budget", number(budget)])


def number(value: float) -> str:
    """Write a number so that parsing returns the same number."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def costs_csv(ask: PlanAsk) -> str:
    """Write the costs of a request as a CSV for `--costs`; empty without costs."""
    if not ask.costs:
        return ""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for task, cost in ask.costs.items():
        writer.writerow([to_cell(task), *(cost.get(column, "") for column in COLUMNS[1:])])
    return stream.getvalue()


def _ordered(ask: PlanAsk) -> list[str]:
    if ask.max_order == _DEFAULT_ORDER:
        return []
    return ["--max-order", str(ask.max_order if ask.max_order is not None else _ANY_ORDER)]


def _described(ask: PlanAsk, called: str) -> list[str]:
    words = [] if called == DEFAULT_AFFINITY else ["--affinity", called]
    for name, value in ask.options().items():
        if value is not None and value != _WITHOUT_OPTION.get(name):
            words += [
                word for one in _values(name, value) if one for word in (f"--{name.replace('_', '-')}", one)
            ]
    return words


def _values(name: str, value: Any) -> list[str]:
    """Write the value of an option, one text for each time that the option is given."""
    if name == "costs":
        return [COSTS_FILE if value else ""]
    if name == "at_most":
        return [f"{most}:{_names(group)}" for most, group in value]
    if name in {"together", "apart"}:
        return [_names(group) for group in value]
    if isinstance(value, Mapping):
        return [",".join(f"{_writable(task)}={number(weight)}" for task, weight in value.items())]
    if isinstance(value, str):
        return ["" if value == BY_THE_GOAL else value]
    return [_names(value) if isinstance(value, tuple) else number(value)]


def _names(tasks: Iterable[str]) -> str:
    return ",".join(_writable(task) for task in tasks)


def _writable(task: str) -> str:
    if "," in task or "=" in task:
        raise InvalidInputError(f"the task {task!r} has a comma or an equals sign, which no command can hold")
    return task


def _ranges(values: Sequence[float]) -> str:
    """Write numbers as a range such as `1-26` if they are consecutive, else as a list."""
    first, last = values[0], values[-1]
    if len(values) > 1 and list(values) == list(range(int(first), int(last) + 1)):
        return f"{int(first)}-{int(last)}"
    return ",".join(number(value) for value in values)
