"""Settings of stage 5."""

from __future__ import annotations

from dataclasses import dataclass

from taskbank.bank.bank import IMAGE_SIZE
from taskbank.nets.architecture import Architecture, ResNet50
from taskbank.tasks.own_targets import own_name
from training.errors import ConfigError
from training.stages.novel.kinds import LabelKind
from training.stages.transfers.config import TransfersConfig

FEWEST = 20
"""Least number of photographs of a task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NovelConfig:
    """Settings of a user's own task and of training its transfers.

    Training is that of stage 2 with fewer steps: hundreds of photographs are used tens of times.

    Attributes:
        kind: kind of the labels.
        name: name of the task, not one of the 26 tasks.
        unit: unit of maps and numbers; "1" for none.
        learned: share of the photographs (in whole groups) for training transfers and `scratch`.
        held_out: share for ranking the sources, of which the best form sets; the rest is the test part.
        size: side in px of the resized photographs.
        orders: numbers of sources.
        top: for orders 2, 3 and 4: number of best sources over which all sets are trained.
        steps: number of steps of every transfer, and of training from scratch.
        batch: photographs per step.
        learning_rate: initial learning rate of Adam.
        resamples: number of bootstrap draws of groups.
        level: share of the draws in an interval.
        seed: seed of the division, weights and batches.
    """

    kind: LabelKind
    name: str = "mytask"
    unit: str = "1"
    learned: float = 0.6
    held_out: float = 0.15
    size: int = 256
    orders: tuple[int, ...] = (1, 2, 3, 4)
    top: tuple[int, int, int] = (5, 5, 6)
    steps: int = 600
    batch: int = 16
    learning_rate: float = 1e-3
    resamples: int = 200
    level: float = 0.9
    seed: int = 0

    def __post_init__(self) -> None:
        """Normalise the name as in banks, and check the settings.

        Raises:
            ConfigError: a value is not allowed; the message names the field, its value and the allowed range.
            InvalidInputError: the name is not valid.
        """
        object.__setattr__(self, "kind", LabelKind(self.kind))
        object.__setattr__(self, "name", own_name(self.name))
        if min(self.learned, self.held_out) <= 0 or self.learned + self.held_out >= 1:
            raise ConfigError(
                f"learned {self.learned} and held_out {self.held_out} must be positive shares that leave "
                "some photographs for the test"
            )
        if self.kind is LabelKind.CLASSES and self.unit != "1":
            raise ConfigError(f"unit {self.unit!r}: classes have none, leave it out")
        if self.resamples < 1 or not 0 < self.level < 1:
            raise ConfigError(
                f"resamples {self.resamples} must be at least 1, level {self.level} between 0 and 1"
            )

    def transfers(self, sources: tuple[str, ...], architecture: Architecture) -> TransfersConfig:
        """Convert to settings of transfers.

        Args:
            sources: canonical names of the source tasks.
            architecture: architecture of the bank.

        Raises:
            ConfigError: a value is not allowed; the message names the field.
        """
        fixed = isinstance(architecture, ResNet50) and self.kind is not LabelKind.IMAGE
        if fixed and self.size != IMAGE_SIZE:
            raise ConfigError(
                f"size {self.size}: heads of a {architecture.name} bank take {IMAGE_SIZE} px only"
            )
        return TransfersConfig(
            sources=sources,
            orders=self.orders,
            top=self.top,
            architecture=architecture,
            size=self.size,
            steps=self.steps,
            batch=self.batch,
            learning_rate=self.learning_rate,
            seed=self.seed,
        )
