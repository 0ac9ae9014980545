"""Agreement of two tensors: rank correlation over the transfers that were measured in both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from taxsolver.arguments import check_count
from taxsolver.errors import InvalidInputError, MissingExtraError
from taxsolver.planning.objective import normalised_affinity
from taxsolver.tensors.affinity import AffinityTensor
from taxsolver.tensors.names import normalise
from taxsolver.tensors.store import AffinityInput, load_affinity

_FEWEST = 3  # transfers of a target: two points always correlate by 1 or -1


@dataclass(frozen=True)
class Agreement:
    """Spearman's rank correlation of two tensors.

    Attributes:
        first: name of one tensor.
        second: name of the other.
        targets: target -> rho in [-1, 1] and number of shared transfers; rho is NaN where fewer than three
            are shared or where all are equal in one tensor.
        mean: mean rho over the targets whose rho is not NaN.
        overall: rho over all shared transfers together, after dividing affinities by the largest of their
            target.
        transfers: number of shared transfers.
    """

    first: str
    second: str
    targets: dict[str, tuple[float, int]]
    mean: float
    overall: float
    transfers: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with None in place of NaN."""
        return {
            "first": self.first,
            "second": self.second,
            "mean": _number(self.mean),
            "overall": _number(self.overall),
            "transfers": self.transfers,
            "targets": [
                {"target": target, "spearman": _number(rho), "transfers": shared}
                for target, (rho, shared) in self.targets.items()
            ],
        }


def compare(
    first: AffinityInput,
    second: AffinityInput,
    *,
    max_order: int | None = None,
) -> Agreement:
    """Compute Spearman's rank correlation of the affinities of two tensors, per target and overall.

    Tasks are matched by their names and by the aliases of both tensors, so swapping the two tensors changes
    nothing. Transfers of a target from its own representation are included; its fully supervised network is
    not, because it is not a transfer and its affinity is far from all others in both tensors.

    Args:
        first: a tensor, or what `load_affinity` takes.
        second: another one.
        max_order: largest number of sources of the compared transfers; None for no limit.

    Raises:
        InvalidInputError: the tensors share no transfer, a task of one may be several of the other, or
            `max_order` is not a whole number of at least 1.
        MissingExtraError: SciPy is not installed.

    Examples:
        >>> import taxsolver
        >>> agreement = taxsolver.compare("taskonomy-16k", "taskonomy-1k")
        >>> round(agreement.mean, 2), agreement.transfers
        (0.81, 1376)
    """
    if max_order is not None:
        check_count(max_order, "max_order")
    tensors = load_affinity(first), load_affinity(second)
    renamed = ({task: task for task in tensors[0].tasks}, _names_in_the_other(*tensors))
    values: list[dict[tuple[str, frozenset[str]], float]] = []
    for tensor, names in zip(tensors, renamed, strict=True):
        relative = normalised_affinity(tensor)
        kept = ~np.isnan(relative) & ~tensor.full_supervision
        if max_order is not None:
            kept &= tensor.order <= max_order
        values.append(
            {
                (
                    names[tensor.tasks[tensor.target[row]]],
                    frozenset(names[source] for source in tensor.source_names(row)),
                ): float(relative[row])
                for row in np.flatnonzero(kept).tolist()
            }
        )
    shared = [transfer for transfer in values[0] if transfer in values[1]]
    if not shared:
        raise InvalidInputError(
            f"{tensors[0].name!r} and {tensors[1].name!r} share no transfer with an affinity"
        )
    pairs = np.array([[table[transfer] for table in values] for transfer in shared])
    targets = {}
    for target in dict.fromkeys(target for target, _ in shared):
        own = np.array([transfer[0] == target for transfer in shared])
        targets[target] = (_spearman(pairs[own]), int(own.sum()))
    measured = [rho for rho, _ in targets.values() if not math.isnan(rho)]
    return Agreement(
        first=tensors[0].name,
        second=tensors[1].name,
        targets=targets,
        mean=sum(measured) / len(measured) if measured else math.nan,
        overall=_spearman(pairs),
        transfers=len(shared),
    )


def _names_in_the_other(first: AffinityTensor, second: AffinityTensor) -> dict[str, str]:
    """Map each task of the second tensor to its name in the first; tasks missing there keep their name.

    Raises:
        InvalidInputError: a task of one tensor matches several tasks of the other.
    """
    names: dict[str, str] = {}
    for level in range(3):  # exact names first, then looser matches
        left = [task for task in first.tasks if task not in names.values()]
        found: dict[str, str] = {}
        for task in (task for task in second.tasks if task not in names):
            wanted = _spellings(second, task, level)
            alike = [other for other in left if wanted & _spellings(first, other, level)]
            if len(alike) > 1 or set(alike) & set(found.values()):
                raise InvalidInputError(
                    f"{task!r} of {second.name!r} may be {' or '.join(map(repr, alike))} of {first.name!r}, "
                    "and not it alone: drop aliases that fit several tasks"
                )
            if alike:
                found[task] = alike[0]
        names |= found
    return {task: names.get(task, task) for task in second.tasks}


def _spellings(tensor: AffinityTensor, task: str, level: int) -> set[str]:
    """The name of a task (level 0), without regard to case and punctuation (1), with its aliases (2)."""
    if level == 0:
        return {task}
    aliases = [alias for alias, of in tensor.aliases.items() if of == task] if level == 2 else []
    return {normalise(task), *map(normalise, aliases)}


def _spearman(pairs: np.ndarray) -> float:
    """Spearman's rho of the two columns of `pairs`; NaN where it is not defined."""
    try:
        from scipy.stats import rankdata
    except ImportError:
        raise MissingExtraError("scipy", "comparing tensors") from None
    if len(pairs) < _FEWEST:
        return math.nan
    left, right = (rankdata(column) - (len(pairs) + 1) / 2 for column in pairs.T)
    size = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float(left @ right) / size if size > 0 else math.nan


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
