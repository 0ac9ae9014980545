"""Affinity tensor: quality of the transfer from each measured set of sources to each target."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taxsolver.arguments import shown
from taxsolver.errors import InvalidInputError
from taxsolver.tensors.checks import check_tensor
from taxsolver.tensors.names import TaskNames, check_stands_alone, split_names

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]

Names = str | Iterable[str]


@dataclass(frozen=True)
class Transfer:
    """One target and the sources it is read out from.

    Attributes:
        target: the task that is predicted.
        sources: the tasks whose representations are read, in the tensor's order.
        order: number of sources.
        affinity: as in the tensor; NaN where not measured.
        gain: share of test images on which it beats training from scratch; NaN where not measured.
        quality: the same against full supervision; NaN where not measured.
        full_supervision: true if the target is labelled in full and served by its own network.

    Examples:
        >>> import taxsolver
        >>> plan = taxsolver.solve("taskonomy-16k", "normals,reshading", budget=1)
        >>> [(one.target, one.sources, one.full_supervision) for one in plan.transfers]
        [('normal', ('normal',), True), ('reshading', ('normal',), False)]
    """

    target: str
    sources: tuple[str, ...]
    order: int
    affinity: float
    gain: float
    quality: float
    full_supervision: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with None in place of NaN."""
        return {
            "target": self.target,
            "sources": list(self.sources),
            "order": self.order,
            "affinity": _measured(self.affinity),
            "gain": _measured(self.gain),
            "quality": _measured(self.quality),
            "full_supervision": self.full_supervision,
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class AffinityTensor:
    """Transfers between tasks and their measured affinity, gain and quality.

    Row i of every array is one transfer: a set of sources read out for one target. A row whose target is
    among its own sources is a measurement and never part of a plan, except a `full_supervision` row: that
    is the target's own network, trained on all its labels, and its only source is the target.

    Attributes:
        name: name of the tensor in results.
        tasks: task names; sources are columns and targets are indices of this tuple.
        targets: tasks that transfers were measured for, in the order of `tasks`.
        sources: bool (transfers, tasks); which tasks each transfer reads.
        target: int32 (transfers,); index into `tasks`.
        affinity: float64 (transfers,) in [0, 1]; component of the principal eigenvector of the target's
            pairwise wins, summing to 1 over all transfers that were compared (section 3.3 of Zamir et
            al., CVPR 2018, https://arxiv.org/abs/1804.08328). NaN where not measured.
        gain: float64 (transfers,) in [0, 1]; share of test images on which the transfer beats a network
            trained from scratch on the same data. NaN where not measured.
        quality: float64 (transfers,) in [0, 1]; the same against the fully supervised network. NaN where
            not measured.
        full_supervision: bool (transfers,).
        aliases: other spellings of task names.
        untrained: sources whose network was never trained (random projections); plans use them only on
            request, and they need no labels.
        images_full: labelled images that a task network is trained on, None where not stated.
        images_transfer: labelled images that a transfer is trained on, None where not stated.
        draws: measure ("affinity", "gain", "quality") -> float64 (draws, transfers) in [0, 1]: other possible
            values of the measure, such as bootstrap resamples; NaN where the measure is. Empty if unknown.
        intervals: measure -> float64 (transfers, 2): 5th and 95th percentile of such draws.
        about: dataset, made_by, licence, citation and other remarks, as text.
        origin: shipped names and paths of files that the whole tensor was read from; empty for others.

    Raises:
        InvalidInputError: on construction; the message lists every fault.

    Examples:
        >>> import taxsolver
        >>> tensor = taxsolver.load_affinity("taskonomy-16k")
        >>> len(tensor.targets), len(tensor), tensor.images_transfer
        (22, 1762, 16000)
    """

    name: str
    tasks: tuple[str, ...]
    targets: tuple[str, ...]
    sources: BoolArray
    target: IntArray
    affinity: FloatArray
    gain: FloatArray
    quality: FloatArray
    full_supervision: BoolArray
    aliases: Mapping[str, str] = field(default_factory=dict)
    untrained: tuple[str, ...] = ()
    images_full: int | None = None
    images_transfer: int | None = None
    draws: Mapping[str, FloatArray] = field(default_factory=dict)
    intervals: Mapping[str, FloatArray] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    origin: tuple[str, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        check_tensor(self)
        for name in ("sources", "target", "affinity", "gain", "quality", "full_supervision"):
            values = getattr(self, name)
            # Copies nobody else can write to; in C's order, as safetensors misorders other layouts.
            if values.flags.writeable or values.base is not None or not values.flags.c_contiguous:
                values = np.array(values, order="C")
                values.setflags(write=False)
            object.__setattr__(self, name, values)
        for name in ("draws", "intervals"):
            uncertain = {
                measure: np.array(values, order="C") for measure, values in getattr(self, name).items()
            }
            for values in uncertain.values():
                values.setflags(write=False)
            object.__setattr__(self, name, uncertain)
        object.__setattr__(self, "aliases", dict(self.aliases))
        object.__setattr__(self, "about", dict(self.about))

    @cached_property
    def names(self) -> TaskNames:
        """Lookup of tasks by name or alias."""
        return TaskNames(self.tasks, self.aliases, f"the affinity tensor {self.name!r}")

    def read_from(self, *origin: str) -> AffinityTensor:
        """Record the names and files that the whole tensor was read from, and return the tensor."""
        object.__setattr__(self, "origin", origin)
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the tasks and all transfers, without name and description."""
        lines = json.dumps([self.tasks, self.targets, self.untrained])
        arrays = [self.sources, self.target, self.affinity, self.gain, self.quality, self.full_supervision]
        for uncertain in (self.draws, self.intervals):
            arrays += [uncertain[measure] for measure in sorted(uncertain)]
        content = [np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes() for array in arrays]
        return hashlib.sha256(b"\0".join([lines.encode(), *content])).hexdigest()

    @cached_property
    def order(self) -> IntArray:
        """int32 (transfers,): number of sources of each transfer."""
        order: IntArray = self.sources.sum(axis=1, dtype=np.int32)
        order.setflags(write=False)
        return order

    @cached_property
    def reads_itself(self) -> BoolArray:
        """bool (transfers,): transfers whose sources include the target, except fully supervised networks."""
        own: BoolArray = self.sources[np.arange(len(self)), self.target]
        own &= ~self.full_supervision
        own.setflags(write=False)
        return own

    @cached_property
    def _transfers(self) -> dict[int, Transfer]:
        return {}

    def __len__(self) -> int:
        return len(self.target)

    def source_names(self, row: int) -> tuple[str, ...]:
        """List the names of the sources of one transfer, in the order of `tasks`."""
        return tuple(compress(self.tasks, self.sources[row].tolist()))

    def transfer(self, row: int) -> Transfer:
        """Return one row as a record; repeated calls return the same object."""
        if row not in self._transfers:
            self._transfers[row] = Transfer(
                target=self.tasks[self.target[row]],
                sources=self.source_names(row),
                order=int(self.order[row]),
                affinity=float(self.affinity[row]),
                gain=float(self.gain[row]),
                quality=float(self.quality[row]),
                full_supervision=bool(self.full_supervision[row]),
            )
        return self._transfers[row]

    def find_targets(self, names: Names) -> tuple[str, ...]:
        """Return canonical names of targets; `all` stands for every target of the tensor.

        Raises:
            UnknownTaskError: a name is not known.
            InvalidInputError: no name, a repeated name, or a task that was never measured as a target.
        """
        listed = split_names(names)
        if {name.casefold() for name in listed} == {"all"}:
            return self.targets
        check_stands_alone(listed, "targets", ("all",))
        found = self.names.find_all(listed, "targets")
        if not found:
            raise InvalidInputError("targets is empty: name at least one task, or all")
        for task in found:
            if task not in self.targets:
                raise InvalidInputError(
                    f"{task!r} is a source only in {self.name!r}, no transfer was measured for it; "
                    f"targets are {', '.join(self.targets)}"
                )
        return found

    def select(
        self,
        *,
        max_order: int | None = None,
        targets: Names | None = None,
        sources: Names | None = None,
    ) -> AffinityTensor:
        """Select transfers by order, targets and sources.

        Args:
            max_order: keep transfers of at most this many sources.
            targets: keep transfers of these targets.
            sources: keep transfers all of whose sources are among these.

        Raises:
            UnknownTaskError: a name is not known.
            InvalidInputError: nothing is left, or `max_order` is not a whole number.
        """
        keep = np.ones(len(self), dtype=bool)
        if max_order is not None:
            if not isinstance(max_order, int | np.integer) or isinstance(max_order, bool):
                raise InvalidInputError(f"max_order is {shown(max_order)}, expected a whole number")
            keep &= self.order <= max_order
        if targets is not None:
            keep &= self.mask(self.find_targets(targets))[self.target]
        if sources is not None:
            outside = ~self.mask(self.names.find_all(sources, "sources"))
            keep &= ~self.sources[:, outside].any(axis=1)
        served = np.zeros(len(self.tasks), dtype=bool)  # by other sources than their own representation
        served[self.target[keep & ~self.reads_itself]] = True
        keep &= served[self.target]
        if not keep.any():
            raise InvalidInputError(f"no transfer of {self.name!r} is left by this selection: widen it")
        return self._rows(keep)

    def columns(self, tasks: Iterable[str]) -> IntArray:
        """Return the indices of canonical task names, int32."""
        return np.array([self.tasks.index(task) for task in tasks], dtype=np.int32)

    def mask(self, tasks: Iterable[str]) -> BoolArray:
        """Mark the tasks that are among these canonical names: bool (tasks,)."""
        chosen = np.zeros(len(self.tasks), dtype=bool)
        chosen[self.columns(tasks)] = True
        return chosen

    def _rows(self, keep: BoolArray) -> AffinityTensor:
        left = set(self.target[keep].tolist())
        return replace(
            self,
            targets=tuple(task for column, task in enumerate(self.tasks) if column in left),
            sources=self.sources[keep],
            target=self.target[keep],
            affinity=self.affinity[keep],
            gain=self.gain[keep],
            quality=self.quality[keep],
            full_supervision=self.full_supervision[keep],
            draws={measure: values[:, keep] for measure, values in self.draws.items()},
            intervals={measure: values[keep] for measure, values in self.intervals.items()},
        )


def _measured(value: float) -> float | None:
    return None if math.isnan(value) else value
