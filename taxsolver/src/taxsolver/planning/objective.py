"""Measures that a plan maximises."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from taxsolver.errors import InvalidInputError
from taxsolver.tensors.affinity import AffinityTensor, FloatArray
from taxsolver.tensors.names import normalise


class Objective(StrEnum):
    """Measure that a plan maximises, summed over its targets and weighted by their importance.

    Examples:
        >>> import taxsolver
        >>> taxsolver.solve("taskonomy-16k", "normals,depth", 1, objective=taxsolver.Objective.GAIN).sources
        ('reshading',)
    """

    AFFINITY = "affinity"
    NORMALISED_AFFINITY = "normalised-affinity"
    GAIN = "gain"
    QUALITY = "quality"

    @classmethod
    def named(cls, name: str) -> Objective:
        """Return the objective of that name.

        Raises:
            InvalidInputError: no objective has that name.
        """
        wanted = normalise(str(name)).replace("_", "-").replace("normalized", "normalised")
        if wanted in tuple(cls):
            return cls(wanted)
        raise InvalidInputError(f"unknown objective {name!r}: choose one of {', '.join(cls)}")


def normalised_affinity(tensor: AffinityTensor) -> FloatArray:
    """Divide affinities by the largest of their target: float64 (transfers,), not negative.

    Affinities of one target sum to one, so a target with one outstanding transfer outweighs one whose
    transfers are similar; after the division, each target's best transfer has 1. Transfers that read the
    target itself are never part of a plan: they are ignored for the maximum, and may exceed 1. If the maximum
    is 0, nothing is divided.
    """
    return normalised_by_target(tensor, tensor.affinity)


def normalised_by_target(tensor: AffinityTensor, affinity: FloatArray) -> FloatArray:
    """Normalise other affinities of a tensor's transfers like its own: float64 (transfers,).

    Args:
        tensor: the transfers.
        affinity: float64 (transfers,); NaN where not measured.
    """
    counted = ~tensor.reads_itself & ~np.isnan(affinity)
    largest = np.zeros(len(tensor.tasks))
    np.maximum.at(largest, tensor.target[counted], affinity[counted])
    largest[largest == 0] = 1.0
    return np.asarray(affinity / largest[tensor.target], dtype=np.float64)
