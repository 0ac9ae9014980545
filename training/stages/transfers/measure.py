"""Measurement of networks' losses on all samples of a part."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from training.errors import DivergedError
from training.stages.transfers.fit import Learner
from training.stages.transfers.loss_files import SampleLosses
from training.stages.transfers.parts import Batch, Part, Rows


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
