"""Trained networks to choose from: the cost of each, and the loss of every task that it predicts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from taxsolver.arguments import LARGEST, check_number, name_tuple, shown
from taxsolver.errors import InvalidInputError
from taxsolver.planning.amounts import amount
from taxsolver.planning.options import Weights, weight_pairs
from taxsolver.programs.costs import Costs, exact_products
from taxsolver.tensors.names import TaskNames

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

SPLITS = ("validation", "test", "validation_early")
WIDEST = 1e4  # largest ratio of two costs; beyond it, rows of the integer program are badly scaled


@dataclass(frozen=True, eq=False, kw_only=True)
class LossTable:
    """Networks with their costs and losses, as in Standley et al., ICML 2020 (https://arxiv.org/abs/1905.07553).

    Attributes:
        name: name of the table in results.
        setting: number of the published setting, 1 to 4; None for a user's table.
        tasks: names of the tasks.
        networks: names of the networks.
        cost: float64 (networks,) in (0, 1e6]; time of one prediction, in units of one standard network.
        validation: float64 (networks, tasks) in [-1e6, 1e6]; losses on the split used for choosing, lower is
            better; NaN where a network does not predict a task.
        test: the same on the split used for scoring, NaN in the same places; None if not measured.
        validation_early: the same on the validation split early in the training; rows of NaN for networks
            without early losses; None if no network has any.
        untrained: names of networks that are not trained yet, whose losses are predicted.

    Raises:
        InvalidInputError: on construction; the message names the fault.
    """

    name: str
    tasks: tuple[str, ...]
    networks: tuple[str, ...]
    cost: FloatArray
    validation: FloatArray
    test: FloatArray | None = None
    validation_early: FloatArray | None = None
    untrained: tuple[str, ...] = ()
    setting: int | None = None

    def __post_init__(self) -> None:
        for field in ("cost", *SPLITS):
            given = getattr(self, field)
            if given is not None or field in {"cost", "validation"}:
                try:
                    values = np.array(given, dtype=np.float64)
                except (TypeError, ValueError):
                    raise InvalidInputError(
                        f"{field} of the loss table is {shown(given)}, expected an array of numbers"
                    ) from None
                values.setflags(write=False)
                object.__setattr__(self, field, values)
        for what in ("tasks", "networks", "untrained"):
            object.__setattr__(self, what, name_tuple(getattr(self, what), what))
        for what, names in (("task", self.tasks), ("network", self.networks)):
            if not names:
                raise InvalidInputError(f"loss table {self.name!r} has no {what}")
            if not all(names):
                raise InvalidInputError(f"loss table {self.name!r} has a {what} without a name")
            twice = (
                sorted({name for name in names if names.count(name) > 1})
                if len(set(names)) < len(names)
                else []
            )
            if twice:
                raise InvalidInputError(f"loss table {self.name!r} has the {what} {twice[0]!r} twice")
        for name in self.untrained:
            if name not in self.networks:
                raise InvalidInputError(f"untrained names {name!r}, which is not in loss table {self.name!r}")
        _check_costs(self)
        for split in SPLITS:
            if self.losses(split) is not None:
                _check_losses(self, split)

    def losses(self, split: str) -> FloatArray | None:
        """Return the losses of a split, float64 (networks, tasks); None if not measured."""
        if split not in SPLITS:
            raise InvalidInputError(f"unknown split {split!r}: choose one of {', '.join(SPLITS)}")
        found: FloatArray | None = getattr(self, split)
        return found

    @cached_property
    def costs(self) -> Costs:
        """The costs as whole numbers, for exact sums and comparisons with a budget."""
        return Costs.of(self.cost)

    @cached_property
    def predicts(self) -> BoolArray:
        """bool (networks, tasks): true where a network predicts a task."""
        return ~np.isnan(self.validation)

    @cached_property
    def num_predicted(self) -> IntArray:
        """int (networks,): number of tasks that each network predicts."""
        return np.asarray(self.predicts.sum(axis=1), dtype=np.intp)

    @cached_property
    def scored(self) -> FloatArray:
        """float64 (networks, tasks): the test losses; all NaN if not measured."""
        return np.full_like(self.validation, np.nan) if self.test is None else self.test

    def weighted(self, weights: Weights | None) -> LossTable:
        """Multiply the losses of some tasks by a weight.

        Args:
            weights: task -> number in (0, 1e6]; 1 by default. A dictionary, a Series of pandas, or pairs.

        Raises:
            UnknownTaskError: a name is not known.
            InvalidInputError: a weight is not allowed, or a weighted loss is beyond 1e6.
        """
        pairs = weight_pairs(weights, "weights")
        if not pairs:
            return self
        names = TaskNames(self.tasks, where=f"the loss table {self.name!r}")
        factors = np.ones(len(self.tasks))
        tasks = names.find_all([name for name, _ in pairs], "weights")
        for task, (_, factor) in zip(tasks, pairs, strict=True):
            check_number(factor, f"the weight of {task}", zero=False)
            factors[self.tasks.index(task)] = factor
        changed: dict[str, FloatArray] = {}
        for split in SPLITS:
            losses = self.losses(split)
            if losses is not None:
                known = ~np.isnan(losses)
                changed[split] = losses.copy()
                for column, factor in enumerate(factors.tolist()):
                    rows = known[:, column]
                    changed[split][rows, column] = exact_products(losses[rows, column], factor)
        return replace(self, **changed)  # type: ignore[arg-type] # the names are those of arrays

    def task_names(self, network: int) -> tuple[str, ...]:
        """List the names of the tasks that a network predicts.

        Args:
            network: index into `networks`.
        """
        return tuple(self.tasks[column] for column in np.flatnonzero(self.predicts[network]))


def _check_costs(table: LossTable) -> None:
    _check_shape(table, "cost", table.cost, (len(table.networks),))
    for network, cost in zip(table.networks, table.cost, strict=True):
        check_number(float(cost), f"the cost of network {network!r}", zero=False)
    least, most = int(table.cost.argmin()), int(table.cost.argmax())
    if table.cost[most] > WIDEST * table.cost[least]:
        raise InvalidInputError(
            f"the costs of {table.networks[least]!r} ({amount(table.cost[least])}) and "
            f"{table.networks[most]!r} ({amount(table.cost[most])}) differ by more than a factor of "
            f"{WIDEST:,.0f}: drop one of them"
        )


def _check_losses(table: LossTable, split: str) -> None:
    losses = np.asarray(table.losses(split))
    _check_shape(table, split, losses, (len(table.networks), len(table.tasks)))
    outside = ~np.isnan(losses) & ~(np.abs(losses) <= LARGEST)
    if outside.any():
        network, task = np.argwhere(outside)[0]
        raise InvalidInputError(
            f"the {split} loss of {table.tasks[task]} in network {table.networks[network]!r} is "
            f"{losses[network, task]:g}, expected a number in [-{LARGEST:,.0f}, {LARGEST:,.0f}]"
        )
    measured = ~np.isnan(losses)
    absent = ~measured.any(axis=1) if split == "validation_early" else np.zeros(len(losses), dtype=bool)
    differs = (measured != table.predicts) & ~absent[:, None]
    if differs.any():
        network, task = np.argwhere(differs)[0]
        raise InvalidInputError(
            f"network {table.networks[network]!r} has a loss of {table.tasks[task]} in one of validation and "
            f"{split}, but not in the other"
        )
    idle = ~measured.any(axis=1)
    if idle.any() and split != "validation_early":
        name = table.networks[int(idle.argmax())]
        raise InvalidInputError(f"network {name!r} predicts no task in {split}: drop it")
    unserved = ~measured.any(axis=0)
    if unserved.any():
        task = table.tasks[int(unserved.argmax())]
        raise InvalidInputError(
            f"no network has a {split} loss of {task}: drop the task, or add a network that predicts it"
        )


def _check_shape(table: LossTable, field: str, values: FloatArray, expected: tuple[int, ...]) -> None:
    if values.shape != expected:
        raise InvalidInputError(
            f"{field} of loss table {table.name!r} has shape {values.shape}, expected {expected}"
        )
