"""The command that gives the same answer in a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence

from taskbank_demo.planning.ask import PlanAsk
from taxsolver.errors import InvalidInputError
from taxsolver.planning.objective import Objective
from taxsolver.tensors.affinity import AffinityTensor
from taxsolver.tensors.store import DEFAULT_AFFINITY

_DEFAULT_ORDER = 4


def plan_command(ask: PlanAsk, tensor: AffinityTensor, called: str) -> str:
    """`taxsolver --targets ... --budget ...`, with nothing that is its default.

    Args:
        ask: what is asked for.
        tensor: that the plan is made with.
        called: its name or file for `--affinity`.

    Raises:
        InvalidInputError: a task has a name that no command line can hold.
    """
    order = ask.max_order if ask.max_order is not None else max(1, int(tensor.order.max()))
    words = ["taxsolver", "--targets", _names(ask.targets), "--budget", number(ask.budget)]
    if order != _DEFAULT_ORDER:
        words += ["--max-order", str(order)]
    return shlex.join(words + _described(ask, called))


def sweep_command(ask: PlanAsk, called: str, budgets: Sequence[float], orders: Sequence[int]) -> str:
    """`taxsolver sweep ...`.

    Raises:
        InvalidInputError: a task has a name that no command line can hold.
    """
    words = ["taxsolver", "sweep", "--targets", _names(ask.targets)]
    words += ["--budgets", _ranges(budgets), "--orders", _ranges(orders)]
    return shlex.join(words + _described(ask, called))


def group_command(setting: int | None, file: str, method: str, budget: float) -> str:
    """`taxsolver group ...`."""
    table = ["--setting", str(setting)] if setting is not None else ["--table", file]
    return shlex.join(["taxsolver", "group", *table, "--method", method, "--budget", number(budget)])


def number(value: float) -> str:
    """A number so that reading it gives the same one."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _described(ask: PlanAsk, called: str) -> list[str]:
    if ask.costs:
        raise InvalidInputError("costs stand in a file of their own, which no command can hold: use --costs")
    grouped = [
        *(("--together", _names(group)) for group in ask.together),
        *(("--apart", _names(group)) for group in ask.apart),
        *(("--at-most", f"{most}:{_names(group)}") for most, group in ask.at_most),
    ]
    chosen = {
        "--affinity": "" if called == DEFAULT_AFFINITY else called,
        "--sources": "" if ask.sources is None else _names(ask.sources),
        "--exclude": _names(ask.exclude),
        "--require": _names(ask.require),
        "--supervise-targets": "" if ask.supervise_targets == ("all",) else _names(ask.supervise_targets),
        "--objective": "" if ask.objective == Objective.AFFINITY else ask.objective,
        "--importance": _weights(ask.importance),
        "--label-cost": _weights(ask.label_cost),
        "--unit": ask.unit or "",
        "--owned": _weights(ask.owned),
        "--min-quality": "" if ask.min_quality is None else number(ask.min_quality),
    }
    return [word for option, value in [*chosen.items(), *grouped] if value for word in (option, value)]


def _names(tasks: Iterable[str]) -> str:
    return ",".join(_writable(task) for task in tasks)


def _weights(weights: Mapping[str, float]) -> str:
    return ",".join(f"{_writable(task)}={number(value)}" for task, value in weights.items())


def _writable(task: str) -> str:
    if "," in task or "=" in task:
        raise InvalidInputError(f"the task {task!r} has a comma or an equals sign, which no command can hold")
    return task


def _ranges(values: Sequence[float]) -> str:
    """`1-26` for whole numbers without a gap, else all of them."""
    first, last = values[0], values[-1]
    if len(values) > 1 and list(values) == list(range(int(first), int(last) + 1)):
        return f"{int(first)}-{int(last)}"
    return ",".join(number(value) for value in values)
