"""Parsing of plan options into canonical names, costs and groups."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypedDict, TypeVar, cast

import numpy as np

from taxsolver.arguments import check_number, shown
from taxsolver.errors import InvalidInputError
from taxsolver.planning.task_costs import EVERY_OTHER, CostsInput, TaskCost, read_costs
from taxsolver.tensors.affinity import AffinityTensor, Names
from taxsolver.tensors.names import check_stands_alone, split_names
from taxsolver.tensors.store import AffinityInput

T = TypeVar("T")
Weights = Mapping[str, float] | Iterable[tuple[str, float]]
Groups = Iterable[Names]
AtMost = Iterable[tuple[int, Names]]

BY_THE_GOAL = "default"  # the objective if none is given


class PlanOptions(TypedDict, total=False):
    """Parameters of `Problem.of` that all budgets and orders share, for functions that pass them on."""

    sources: Names | None
    exclude: Names
    require: Names
    importance: Weights | None
    label_cost: Weights | None
    objective: str
    supervise_targets: bool | Names
    images_full: int | None
    images_transfer: int | None
    larger: AffinityInput | None
    costs: CostsInput | None
    owned: Weights | None
    unit: str | None
    together: Groups
    apart: Groups
    at_most: AtMost
    min_gain: float | None
    min_quality: float | None


def weight_pairs(values: Weights | None, what: str) -> list[tuple[str, float]]:
    """List the names and numbers in a dictionary, a Series of pandas or a list of pairs.

    Raises:
        InvalidInputError: the argument is none of these, or a name is not text.
    """
    expected = f"{what}: expected names and numbers, as in {{'normal': 2}}"
    if values is None:
        return []
    items = getattr(values, "items", None)
    listed: Any = items() if callable(items) else values
    if isinstance(listed, str) or not isinstance(listed, Iterable) or getattr(listed, "ndim", 1) == 0:
        raise InvalidInputError(f"{expected}, not {shown(values)}")
    pairs: list[tuple[str, float]] = []
    for pair in listed:
        if isinstance(pair, str) or not isinstance(pair, Collection) or len(pair) != 2:
            raise InvalidInputError(f"{expected}, not {shown(pair)}")
        name, value = pair
        if not isinstance(name, str):
            raise InvalidInputError(f"{expected}: {name!r} is not the name of a task")
        pairs.append((name, value))
    return pairs


def values_by_task(
    tensor: AffinityTensor, values: Weights | None, what: str, allowed: Iterable[str]
) -> dict[str, float]:
    """Return values by canonical name; `what` is the option that gave them."""
    pairs = weight_pairs(values, what)
    blank = [name for name, _ in pairs if not name.strip()]
    if blank:
        raise InvalidInputError(f"{what} names {blank[0]!r}, which is not a task")
    tasks = tensor.names.find_all([name for name, _ in pairs], what)
    for task in tasks:
        if task not in allowed:
            raise InvalidInputError(f"{what} names {task!r}, which is not among the targets")
    return {task: plain(value) for task, (_, value) in zip(tasks, pairs, strict=True)}


def costs_by_task(
    tensor: AffinityTensor, costs: CostsInput | None, owned: Weights | None
) -> dict[str, TaskCost]:
    """Return costs by canonical name; the row `*` stands for every task without one."""
    given = [] if costs is None else read_costs(costs)
    named = [(name, cost) for name, cost in given if name.strip() != EVERY_OTHER]
    others = [cost for name, cost in given if name.strip() == EVERY_OTHER]
    if len(others) > 1:
        raise InvalidInputError("costs names * twice: name it once")
    found = dict.fromkeys(tensor.tasks, others[0]) if others else {}
    tasks = tensor.names.find_all([name for name, _ in named], "costs")
    found |= {task: cost for task, (_, cost) in zip(tasks, named, strict=True)}
    for task, share in values_by_task(tensor, owned, "owned", tensor.tasks).items():
        check_number(share, f"owned of {task}", zero=True, largest=1)
        found[task] = replace(found.get(task, TaskCost()), owned=share)
    return {task: found[task] for task in tensor.tasks if task in found}


def allowed_sources(
    tensor: AffinityTensor, sources: Names | None, required: Collection[str]
) -> tuple[str, ...]:
    """Return the named sources, or by default all but untrained ones."""
    if sources is not None:
        named = tensor.names.find_all(sources, "sources")
        if not named:
            raise InvalidInputError("sources is empty: name at least one task")
        return named
    return tuple(task for task in tensor.tasks if task not in tensor.untrained or task in required)


def novel_targets(
    tensor: AffinityTensor, targets: tuple[str, ...], supervise_targets: bool | Names
) -> frozenset[str]:
    """Return the targets that may not be supervised."""
    if isinstance(supervise_targets, str):
        supervise_targets = {"all": True, "none": False}.get(supervise_targets.casefold(), supervise_targets)
    if isinstance(supervise_targets, bool | np.bool_):
        return frozenset() if supervise_targets else frozenset(targets)
    listed = split_names(supervise_targets)
    if {name.casefold() for name in listed} in ({"all"}, {"none"}):
        return novel_targets(tensor, targets, listed[0])
    check_stands_alone(listed, "supervise_targets", ("all", "none"))
    supervised = tensor.names.find_all(listed, "supervise_targets")
    foreign = [task for task in supervised if task not in targets]
    if foreign:
        raise InvalidInputError(f"supervise_targets names {foreign[0]!r}, which is not among the targets")
    return frozenset(targets) - frozenset(supervised)


def group_list(groups: object, what: str, example: str) -> list[Any]:
    """Return groups of names as a list; names alone are one group."""
    if isinstance(groups, str):
        return [groups] if groups.strip() else []
    if (
        not isinstance(groups, Iterable)
        or getattr(groups, "ndim", 1) != 1
        or isinstance(groups, bytes | Mapping)
    ):
        raise InvalidInputError(f"{what} is {shown(groups)}, expected a list of groups, as in ['{example}']")
    return list(groups)


def numbered_groups(at_most: object) -> list[tuple[int, Any]]:
    """Parse a list of pairs of a number and a group of names."""
    pairs = group_list(at_most, "at_most", "a,b")
    for pair in pairs:
        if isinstance(pair, str | Mapping) or not isinstance(pair, Collection) or len(pair) != 2:
            raise InvalidInputError(f"at_most holds {shown(pair)}, expected pairs, as in [(2, 'a,b,c')]")
    return [(plain(most), group) for most, group in pairs]


def plain(value: T) -> T:
    """Convert a number of NumPy or a fraction to one that JSON can hold; return anything else unchanged."""
    number: Any = value
    if isinstance(value, np.generic):
        number = value.item()
    elif isinstance(value, Fraction | Decimal):
        number = float(value)
    return cast(T, number)
