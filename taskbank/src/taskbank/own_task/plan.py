"""Settings of learning a user's own task."""

from __future__ import annotations

from dataclasses import dataclass, field

from taskbank.bank.entries import check_image_size
from taskbank.errors import InvalidInputError
from taskbank.nets.architecture import Architecture, Compact
from taskbank.options import Precision
from taskbank.tasks.own_targets import own_name

FEWEST, FEWEST_GROUPS = 20, 6
"""Least numbers of images with labels, and of their groups: two for each part."""

_POSITIVE = ("best", "steps", "batch", "learning_rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnPlan:
    """Settings of learning a user's own task, of which training is as for transfers between tasks.

    Attributes:
        name: of the task; none of the 26 tasks.
        unit: of maps and numbers; "1" for none.
        best: number of the best probed sources whose transfers are trained.
        orders: numbers of sources of a transfer, including 1; all sets of the best sources are trained.
        choose: share of the images, by whole groups, on which sources and transfers are chosen.
        test: share of the images, by whole groups, on which the result is measured.
        size: side in px of the squares that networks see; None for that of the bank, or of the encoders.
        places: rows and columns of the grid of the probe.
        scratch: whether a whole network is trained on the same images too, to compare with.
        steps: number of steps of every transfer.
        batch: images per step.
        learning_rate: initial learning rate of Adam.
        drop_at: share of the steps after which the learning rate is a tenth.
        weight_decay: of transfers of one source.
        weight_decay_higher: of transfers of several sources.
        average_samples: number of images for the best constant.
        precision: of activations in training.
        at_once: number of transfers in one pass; None for a default of the device.
        architecture: of the decoders.
        resamples: bootstrap draws of groups.
        level: share of the draws in an interval.
        seed: of the division, weights, batches and draws.
    """

    name: str = "mytask"
    unit: str = "1"
    best: int = 3
    orders: tuple[int, ...] = (1,)
    choose: float = 0.15
    test: float = 0.25
    size: int | None = None
    places: int = 8
    scratch: bool = False
    steps: int = 600
    batch: int = 16
    learning_rate: float = 1e-3
    drop_at: float = 2 / 3
    weight_decay: float = 1e-5
    weight_decay_higher: float = 1e-6
    average_samples: int = 1024
    precision: Precision = Precision.FP32
    at_once: int | None = None
    architecture: Architecture = field(default_factory=Compact)
    resamples: int = 500
    level: float = 0.9
    seed: int = 0

    def __post_init__(self) -> None:
        """Write the name as banks do, and check the values.

        Raises:
            InvalidInputError: a value is not allowed; the message states its name, the value and what is
                allowed.
        """
        object.__setattr__(self, "name", own_name(self.name))
        object.__setattr__(self, "orders", tuple(sorted(set(self.orders))))
        if self.orders[:1] != (1,) or self.orders[-1] > 4:
            raise InvalidInputError(f"orders {self.orders}: choose 1, and any of 2, 3 and 4")
        if self.orders[-1] > self.best:
            raise InvalidInputError(
                f"orders {self.orders} read up to {self.orders[-1]} sources, but best is {self.best}: train "
                "more of the best sources, or leave the order out"
            )
        for name in _POSITIVE:
            if getattr(self, name) <= 0:
                raise InvalidInputError(f"{name} {getattr(self, name)} must be positive")
        if min(self.choose, self.test) <= 0 or self.choose + self.test >= 1:
            raise InvalidInputError(
                f"shares {self.choose:g} (choose) and {self.test:g} (test) must be positive and leave images "
                "to learn from"
            )
        if self.resamples < 10 or not 0 < self.level < 1:
            raise InvalidInputError(
                f"resamples {self.resamples} must be at least 10, level {self.level} between 0 and 1"
            )
        if self.size is not None:
            check_image_size(self.size)
        if self.precision is Precision.FP16:
            raise InvalidInputError("precision fp16 needs scaled losses in training: choose fp32 or bf16")
