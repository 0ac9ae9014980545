"""What a plan is asked for: an immutable instance, checked when it is made."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from numbers import Real
from operator import index
from typing import Any, TypeVar, cast

import numpy as np

from taxsolver.arguments import check_type, name_tuple, shown
from taxsolver.errors import InvalidInputError
from taxsolver.planning.costs import exact_products
from taxsolver.planning.instance import Instance, IntArray
from taxsolver.tensors.affinity import AffinityTensor, BoolArray, FloatArray, Names
from taxsolver.tensors.names import check_stands_alone, normalise, split_names
from taxsolver.tensors.store import AffinityInput, load_affinity

T = TypeVar("T")
Weights = Mapping[str, float] | Iterable[tuple[str, float]]

LARGEST = 1e6  # budgets, costs and importances beyond drown the rest in rounding
LEAST_COST = (
    1e-100  # as costs are whole multiples of one unit, and HiGHS takes the budget as a float of units
)


class Objective(StrEnum):
    """What a plan maximises, summed over its targets and weighted by their importance."""

    AFFINITY = "affinity"
    NORMALISED_AFFINITY = "normalised-affinity"
    GAIN = "gain"
    QUALITY = "quality"

    @classmethod
    def named(cls, name: str) -> Objective:
        """The objective of that name.

        Raises:
            InvalidInputError: there is none.
        """
        wanted = normalise(str(name)).replace("_", "-").replace("normalized", "normalised")
        if wanted in tuple(cls):
            return cls(wanted)
        raise InvalidInputError(f"unknown objective {name!r}: choose one of {', '.join(cls)}")


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """Targets to solve, sources that may be labelled, and what that may cost.

    Attributes:
        affinity: the measured transfers.
        targets: canonical names of the tasks to solve.
        budget: largest total label cost of the supervised tasks, in (0, 1e6].
        max_order: largest number of sources of one transfer, at least 1; None for no limit.
        sources: tasks that may be supervised, without those excluded.
        require: tasks that are supervised in every plan.
        importance: weight of each target in the objective, in (0, 1e6]; 1 where not named.
        label_cost: what each task takes of the budget, 0 or in [1e-100, 1e6]; 1 where not named.
        objective: what is summed over the targets.
        images_full: labelled images of a supervised task; None where not known.
        images_transfer: labelled images of a target that is served by a transfer; None where not known.
        exclude: tasks that were ruled out; for the record, as `sources` has none of them.
        supervised_targets: targets that were allowed to be supervised; None for all; for the record likewise.

    Use `Problem.of` to make one from names as people type them.
    """

    affinity: AffinityTensor
    targets: tuple[str, ...]
    budget: float
    max_order: int | None
    sources: tuple[str, ...]
    require: tuple[str, ...] = ()
    importance: Mapping[str, float] = field(default_factory=dict)
    label_cost: Mapping[str, float] = field(default_factory=dict)
    objective: Objective = Objective.AFFINITY
    images_full: int | None = None
    images_transfer: int | None = None
    exclude: tuple[str, ...] = ()
    supervised_targets: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_type(self.affinity, AffinityTensor, "affinity", "Problem.of takes names and paths")
        for what in ("targets", "sources", "require", "exclude", "supervised_targets"):
            if what != "supervised_targets" or self.supervised_targets is not None:
                names = name_tuple(getattr(self, what), what)
                unknown = [name for name in names if name not in self.affinity.tasks]
                if unknown:
                    raise InvalidInputError(
                        f"{what} holds {unknown[0]!r}, which is no task: Problem.of takes other spellings"
                    )
                object.__setattr__(self, what, names)
        for what in ("importance", "label_cost"):
            object.__setattr__(self, what, dict(_pairs(getattr(self, what), what)))
        object.__setattr__(self, "objective", Objective.named(self.objective))
        check_number(self.budget, "budget", zero=False)
        for task, value in self.importance.items():
            check_number(value, f"the importance of {task}", zero=False)
        for task, value in self.label_cost.items():
            check_number(value, f"the label cost of {task}", zero=True)
            if 0 < value < LEAST_COST:
                raise InvalidInputError(
                    f"the label cost of {task} is {value!r}, expected 0 or a number from {LEAST_COST:g} on"
                )
        for what, number in (("images_full", self.images_full), ("images_transfer", self.images_transfer)):
            if number is not None:
                check_count(number, what)
        if self.max_order is not None:
            check_count(self.max_order, "max_order")
        self._check_require()
        self._check_served()

    @classmethod
    def of(
        cls,
        affinity: AffinityInput,
        targets: Names = "all",
        budget: float = 1.0,
        *,
        max_order: int | None = 4,
        sources: Names | None = None,
        exclude: Names = (),
        require: Names = (),
        importance: Weights | None = None,
        label_cost: Weights | None = None,
        objective: str = Objective.AFFINITY,
        supervise_targets: bool | Names = True,
        images_full: int | None = None,
        images_transfer: int | None = None,
    ) -> Problem:
        """A problem from names as people type them; the parameters are those of `taxsolver.solve`."""
        affinity = load_affinity(affinity)
        names = affinity.names
        chosen_targets = affinity.find_targets(targets)
        required, excluded = names.find_all(require, "require"), names.find_all(exclude, "exclude")
        both = [task for task in required if task in excluded]
        if both:
            raise InvalidInputError(f"{both[0]!r} is both required and excluded: drop it from one of them")
        novel = _novel_targets(affinity, chosen_targets, supervise_targets)
        allowed = _allowed_sources(affinity, sources, required)
        return cls(
            affinity=affinity,
            targets=chosen_targets,
            budget=_plain(budget),
            max_order=_plain(max_order),
            sources=tuple(task for task in allowed if task not in excluded and task not in novel),
            require=required,
            importance=_by_task(affinity, importance, "importance", chosen_targets),
            label_cost=_by_task(affinity, label_cost, "label_cost", affinity.tasks),
            objective=Objective.named(objective),
            images_full=_plain(affinity.images_full if images_full is None else images_full),
            images_transfer=_plain(affinity.images_transfer if images_transfer is None else images_transfer),
            exclude=excluded,
            supervised_targets=tuple(task for task in chosen_targets if task not in novel) if novel else None,
        )

    def with_budget(self, budget: float, *, largest: float = LARGEST) -> Problem:
        """The same problem with another budget; what was computed for this one is not computed again.

        Raises:
            InvalidInputError: the budget is not in (0, largest].
        """
        check_number(budget, "budget", zero=False, largest=largest)
        other = copy(self)  # every check but that of the budget has been passed
        object.__setattr__(other, "budget", _plain(budget))
        return other

    @cached_property
    def transfers(self) -> IntArray:
        """int (n,): rows of the tensor that may be part of a plan."""
        return np.flatnonzero(self._feasible())

    @cached_property
    def instance(self) -> Instance:
        """The bare numbers; its transfers are `transfers`, its targets are in the order of `targets`."""
        rows = self.transfers
        position = np.full(len(self.affinity.tasks), -1)
        position[self.affinity.columns(self.targets)] = np.arange(len(self.targets))
        target = position[self.affinity.target[rows]]
        importance = np.array([self.importance.get(task, 1.0) for task in self.targets], dtype=float)
        return Instance(
            sources=self.affinity.sources[rows],
            target=target,
            weight=_weighted(self._measure()[rows], importance[target]),
            cost=np.array([self.label_cost.get(task, 1.0) for task in self.affinity.tasks], dtype=float),
            required=self.affinity.mask(self.require),
            num_targets=len(self.targets),
        )

    def _feasible(self) -> BoolArray:
        """Measured, of small order, from allowed sources, and not from the target itself."""
        tensor = self.affinity
        outside = ~tensor.mask(self.sources)
        feasible = tensor.mask(self.targets)[tensor.target] & ~np.isnan(self._measure())
        feasible &= ~tensor.reads_itself & ~tensor.sources[:, outside].any(axis=1)
        return feasible if self.max_order is None else feasible & (tensor.order <= self.max_order)

    def _measure(self) -> FloatArray:
        """float64 (transfers of the tensor,): the objective of each; NaN where not measured."""
        if self.objective is Objective.NORMALISED_AFFINITY:
            return normalised_affinity(self.affinity)
        return np.asarray(getattr(self.affinity, self.objective.value), dtype=np.float64)

    def _check_require(self) -> None:
        for task in self.require:
            if task not in self.sources:
                raise InvalidInputError(
                    f"{task!r} is required but may not be supervised: it is not among sources, or "
                    "supervise_targets leaves it out"
                )

    def _check_served(self) -> None:
        served = set(self.affinity.target[self.transfers].tolist())
        for task in self.targets:
            if self.affinity.tasks.index(task) not in served:
                order = "any order" if self.max_order is None else f"order at most {self.max_order}"
                raise InvalidInputError(
                    f"target {task!r} cannot be served: no transfer of {order} from the allowed sources has "
                    f"a measured {self.objective}; allow more sources, a larger order or its supervision"
                )


def normalised_affinity(tensor: AffinityTensor) -> FloatArray:
    """float64 (transfers,), not negative: affinities divided by the largest of their target.

    Affinities of one target sum to one, so a target with one outstanding transfer outweighs one whose
    transfers are alike; divided like this, each target's best counts 1. Transfers that are never part of a
    plan, for they read the target itself, do not count for the largest, and may exceed 1. Where the largest
    is 0, nothing is divided.
    """
    counted = ~tensor.reads_itself & ~np.isnan(tensor.affinity)
    largest = np.zeros(len(tensor.tasks))
    np.maximum.at(largest, tensor.target[counted], tensor.affinity[counted])
    largest[largest == 0] = 1.0
    return np.asarray(tensor.affinity / largest[tensor.target], dtype=np.float64)


def _weighted(values: FloatArray, importance: FloatArray) -> FloatArray:
    """float64: values times importance as decimals, so that sums of them that are equal are found equal."""
    weights = values.copy()
    for factor in set(importance.tolist()) - {1.0}:
        of_it = importance == factor
        weights[of_it] = exact_products(values[of_it], factor)
    return weights


def check_number(value: object, what: str, *, zero: bool, largest: float = LARGEST) -> None:
    """Refuse what is no number in (0, largest], or in [0, largest] where `zero` is allowed.

    Raises:
        InvalidInputError: the message names the value and the range.
    """
    lower = "[0" if zero else "(0"
    number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if not number or not (0 <= value <= largest) or (value == 0 and not zero):  # type: ignore[operator]
        raise InvalidInputError(f"{what} is {value!r}, expected a number in {lower}, {largest:,.0f}]")


def check_count(value: object, what: str) -> None:
    """Refuse what is no whole number of at least 1.

    Raises:
        InvalidInputError: the message names the value.
    """
    try:
        whole = index(value)  # type: ignore[arg-type]
    except TypeError:
        whole = 0
    if whole < 1 or isinstance(value, bool | np.ndarray):
        raise InvalidInputError(f"{what} is {value!r}, expected a whole number of at least 1")


def check_seed(seed: object) -> None:
    """Refuse what is no whole number of at least 0.

    Raises:
        InvalidInputError: the message names the value.
    """
    try:
        whole = index(seed)  # type: ignore[arg-type]
    except TypeError:
        whole = -1
    if whole < 0 or isinstance(seed, bool | np.ndarray):
        raise InvalidInputError(f"seed is {seed!r}, expected a whole number of at least 0")


def _plain(value: T) -> T:
    """A number of NumPy or a fraction as the Python number that JSON can hold; anything else as it is."""
    plain: Any = value
    if isinstance(value, np.generic):
        plain = value.item()
    elif isinstance(value, Fraction | Decimal):
        plain = float(value)
    return cast(T, plain)


def _allowed_sources(
    tensor: AffinityTensor, sources: Names | None, required: Collection[str]
) -> tuple[str, ...]:
    """Named sources; or all but untrained ones, which are used only where asked for."""
    if sources is not None:
        named = tensor.names.find_all(sources, "sources")
        if not named:
            raise InvalidInputError("sources is empty: name at least one task")
        return named
    return tuple(task for task in tensor.tasks if task not in tensor.untrained or task in required)


def _novel_targets(
    tensor: AffinityTensor, targets: tuple[str, ...], supervise_targets: bool | Names
) -> frozenset[str]:
    """Targets that may not be supervised."""
    if isinstance(supervise_targets, str):
        supervise_targets = {"all": True, "none": False}.get(supervise_targets.casefold(), supervise_targets)
    if isinstance(supervise_targets, bool | np.bool_):
        return frozenset() if supervise_targets else frozenset(targets)
    listed = split_names(supervise_targets)
    if {name.casefold() for name in listed} in ({"all"}, {"none"}):
        return _novel_targets(tensor, targets, listed[0])
    check_stands_alone(listed, "supervise_targets", ("all", "none"))
    supervised = tensor.names.find_all(listed, "supervise_targets")
    foreign = [task for task in supervised if task not in targets]
    if foreign:
        raise InvalidInputError(f"supervise_targets names {foreign[0]!r}, which is not among the targets")
    return frozenset(targets) - frozenset(supervised)


def _by_task(
    tensor: AffinityTensor, values: Weights | None, what: str, allowed: Iterable[str]
) -> dict[str, float]:
    """Values by canonical name."""
    pairs = _pairs(values, what)
    blank = [name for name, _ in pairs if not name.strip()]
    if blank:
        raise InvalidInputError(f"{what} names {blank[0]!r}, which is no task")
    tasks = tensor.names.find_all([name for name, _ in pairs], what)
    for task in tasks:
        if task not in allowed:
            raise InvalidInputError(f"{what} names {task!r}, which is not among the targets")
    return {task: _plain(value) for task, (_, value) in zip(tasks, pairs, strict=True)}


def _pairs(values: Weights | None, what: str) -> list[tuple[str, float]]:
    """Names and numbers out of a dictionary, a Series of pandas or a list of pairs.

    Raises:
        InvalidInputError: it is none of these, or a name is no text.
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
            raise InvalidInputError(f"{expected}: {name!r} is no name of a task")
        pairs.append((name, value))
    return pairs
