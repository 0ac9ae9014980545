"""Request to the planner, as one checked object: the same from the page and from the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, cast

from taxsolver.errors import InvalidInputError
from taxsolver.planning.objective import Objective
from taxsolver.planning.options import BY_THE_GOAL, PlanOptions
from taxsolver.planning.problem import Problem
from taxsolver.tensors.affinity import AffinityTensor
from taxsolver.tensors.names import split_names
from taxsolver.tensors.store import DEFAULT_AFFINITY, available_affinities

Names = tuple[str, ...]

_MOST_NAMES = 500
_LONGEST = 200  # characters of a name in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAsk:
    """The parameters of `taxsolver.solve` in the forms that the page and the API give them.

    `taxsolver.Problem.of` describes them; differences are listed here.

    Attributes:
        affinity: name of the tensor.
        targets: as there, but ("all",) stands for all.
        budget: as there, but 5 by default.
        supervise_targets: ("all",), ("none",) or names.
        costs: dictionaries only, as requests over the network may not name files of this machine.
        larger: name of a shipped tensor, likewise.
    """

    affinity: str = DEFAULT_AFFINITY
    targets: Names = ("all",)
    budget: float | None = 5
    max_order: int | None = 4
    sources: Names | None = None
    exclude: Names = ()
    require: Names = ()
    supervise_targets: Names = ("all",)
    objective: str = Objective.AFFINITY.value
    importance: Mapping[str, float] = field(default_factory=dict)
    label_cost: Mapping[str, float] = field(default_factory=dict)
    unit: str | None = None
    costs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    owned: Mapping[str, float] = field(default_factory=dict)
    together: tuple[Names, ...] = ()
    apart: tuple[Names, ...] = ()
    at_most: tuple[tuple[int, Names], ...] = ()
    images_full: int | None = None
    images_transfer: int | None = None
    larger: str | None = None
    min_gain: float | None = None
    min_quality: float | None = None

    @classmethod
    def from_json(cls, given: Any) -> PlanAsk:
        """Read a request from untrusted JSON.

        Raises:
            InvalidInputError: it is not an object, has an unknown key, or a value of the wrong kind.
        """
        read = _object(given, "the question")
        known = [one.name for one in fields(cls)]
        unknown = [name for name in read if name not in known]
        if unknown:
            raise InvalidInputError(
                f"unknown parameter {unknown[0][:_LONGEST]!r}: known are {', '.join(known)}"
            )
        fields_read: dict[str, Any] = {
            name: _READERS[name](value, name) if name in _READERS else value  # `Problem` checks it
            for name, value in read.items()
        }
        if fields_read.get("min_gain") is not None:
            fields_read = {"budget": None, "objective": BY_THE_GOAL, **fields_read}
        return cls(**fields_read)

    def problem(self, tensor: AffinityTensor) -> Problem:
        """Return the problem, whose constructor checks the remaining values.

        Raises:
            UnknownTaskError: a name is not known.
            InvalidInputError: a value is not allowed, or a target cannot be served.
        """
        return Problem.of(tensor, self.solved, self.budget, max_order=self.max_order, **self.options())

    def options(self) -> PlanOptions:
        """Return the arguments of `Problem.of` except targets, budget and order."""
        return cast(PlanOptions, {name: getattr(self, name) for name in PlanOptions.__annotations__})

    @property
    def solved(self) -> str | Names:
        """Return the targets in the form of `Problem.of`."""
        return "all" if self.targets == ("all",) else self.targets


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise InvalidInputError(f"{what} is {_short(value)}, expected a JSON object")
    return value


def _names(value: Any, what: str) -> Names:
    if isinstance(value, bool):
        value = "all" if value else "none"
    if not isinstance(value, str | list | tuple):
        raise InvalidInputError(f"{what} is {_short(value)}, expected a list of task names")
    names = tuple(split_names(value))
    if len(names) > _MOST_NAMES:
        raise InvalidInputError(f"{what} has {len(names)} names, at most {_MOST_NAMES} are taken")
    return names


def _names_or_all(value: Any, what: str) -> Names | None:
    return None if value is None else _names(value, what)


def _weights(value: Any, what: str) -> Mapping[str, float]:
    weights = _object(value, what)
    if len(weights) > _MOST_NAMES:
        raise InvalidInputError(f"{what} has {len(weights)} names, at most {_MOST_NAMES} are taken")
    return dict(weights)


def _costs(value: Any, what: str) -> Mapping[str, Mapping[str, Any]]:
    """Read costs, from an object only: requests over the network may not name files of this machine."""
    return {
        task: dict(_object(cost, f"the costs of {task[:_LONGEST]}"))
        for task, cost in _weights(value, what).items()
    }


def _groups(value: Any, what: str) -> tuple[Names, ...]:
    if not isinstance(value, list | tuple) or len(value) > _MOST_NAMES:
        raise InvalidInputError(f"{what} is {_short(value)}, expected a list of at most {_MOST_NAMES} groups")
    return tuple(_names(group, what) for group in value)


def _numbered(value: Any, what: str) -> tuple[tuple[int, Names], ...]:
    pairs: list[Any] | tuple[Any, ...] = (
        value if isinstance(value, list | tuple) and len(value) <= _MOST_NAMES else [None]
    )
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        raise InvalidInputError(f"{what} is {_short(value)}, expected pairs, as in [[2, ['a', 'b', 'c']]]")
    return tuple((most, _names(group, what)) for most, group in pairs)


def _shipped_or_none(value: Any, what: str) -> str | None:
    """Read the name of a shipped tensor: requests over the network may not name files of this machine."""
    if value is not None and value not in available_affinities():
        raise InvalidInputError(
            f"{what} is {_short(value)}, expected one of {', '.join(available_affinities())}"
        )
    return None if value is None else str(value)


def _text_or_none(value: Any, what: str) -> str | None:
    return None if value is None else _text(value, what)


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise InvalidInputError(f"{what} is {_short(value)}, expected text")
    return value[:_LONGEST]


def _short(value: Any) -> str:
    return repr(value)[:_LONGEST]


_READERS = {
    "affinity": _text,
    "objective": _text,
    "targets": _names,
    "sources": _names_or_all,
    "exclude": _names,
    "require": _names,
    "supervise_targets": _names,
    "importance": _weights,
    "label_cost": _weights,
    "unit": _text_or_none,
    "larger": _shipped_or_none,
    "costs": _costs,
    "owned": _weights,
    "together": _groups,
    "apart": _groups,
    "at_most": _numbered,
}
