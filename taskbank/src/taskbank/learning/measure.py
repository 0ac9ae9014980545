"""Measurement of networks' losses on all samples of a part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from taskbank.errors import DivergedError
from taskbank.learning.fit import Learner
from taskbank.learning.parts import Batch, Part, Rows

LossArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SampleLosses:
    """Losses of several networks on the same samples.

    Attributes:
        rooms: int32 (samples,), the room of each sample.
        by_name: network -> float32 (samples,).
    """

    rooms: NDArray[np.int32]
    by_name: Mapping[str, LossArray]


def transfer_name(sources: tuple[str, ...]) -> str:
    """Return a transfer's name in files of its target."""
    return "+".join(sources)


def sources_of(name: str) -> tuple[str, ...]:
    """Return the sources in a transfer's name."""
    return tuple(name.split("+"))


def measure(
    learner: Learner, names: Sequence[str], reading: Part, batch: Callable[[Rows], Batch]
) -> SampleLosses:
    """Measure the loss of every network on every sample, in evaluation mode.

    Args:
        learner: the networks.
        names: names of the networks.
        reading: the samples.
        batch: function from numbers of samples to the learner's batch.

    Raises:
        DivergedError: a loss is not finite.
    """
    parts = [learner.losses(*batch(rows)).cpu() for rows in reading.in_turn()]
    table = torch.cat(parts, dim=1).float().numpy()
    return checked(SampleLosses(reading.rooms, dict(zip(names, table, strict=True))), reading.task.name)


def checked(found: SampleLosses, target: str) -> SampleLosses:
    """Return the losses if all of them are finite.

    Raises:
        DivergedError: a loss is not finite; the message names the network and the sample.
    """
    for name, values in found.by_name.items():
        if not np.isfinite(values).all():
            sample = int(np.flatnonzero(~np.isfinite(values))[0])
            raise DivergedError(f"{name} -> {target}: the loss of sample {sample} is {values[sample]}")
    return found
