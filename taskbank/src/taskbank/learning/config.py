"""Settings for training read-outs."""

from __future__ import annotations

import zlib
from typing import Protocol

from taskbank.nets.architecture import Architecture
from taskbank.options import Precision


class TrainingSettings(Protocol):
    """Settings of training networks that read a target out.

    Attributes:
        steps: number of steps.
        batch: samples per step.
        learning_rate: initial learning rate of Adam.
        drop_at: share of the steps after which the learning rate is a tenth.
        weight_decay: weight decay of read-outs of one source and of networks from scratch.
        weight_decay_higher: weight decay of read-outs of several sources.
        average_samples: number of samples for the best constant.
        precision: precision of activations, FP32 or BF16.
        at_once: number of read-outs in one pass; None for a default of the device.
        architecture: architecture of decoders and of networks from scratch.
        seed: seed of weights, batches and dropout.
    """

    @property
    def steps(self) -> int: ...  # noqa: D102 - described above, as are the others
    @property
    def batch(self) -> int: ...  # noqa: D102
    @property
    def learning_rate(self) -> float: ...  # noqa: D102
    @property
    def drop_at(self) -> float: ...  # noqa: D102
    @property
    def weight_decay(self) -> float: ...  # noqa: D102
    @property
    def weight_decay_higher(self) -> float: ...  # noqa: D102
    @property
    def average_samples(self) -> int: ...  # noqa: D102
    @property
    def precision(self) -> Precision: ...  # noqa: D102
    @property
    def at_once(self) -> int | None: ...  # noqa: D102
    @property
    def architecture(self) -> Architecture: ...  # noqa: D102
    @property
    def seed(self) -> int: ...  # noqa: D102


def seed_of(config: TrainingSettings, target: str, order: int) -> int:
    """Return the seed of the weights and dropout of a target's networks; order 0 is training from scratch."""
    return zlib.crc32(f"{config.seed} {target} {order}".encode())
