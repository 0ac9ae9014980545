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
"""Photographs that a task needs at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NovelConfig:
    """A user's own task, and how transfers to it are trained.

    The recipe is that of stage 2 with fewer steps: hundreds of photographs are seen tens of times.

    Attributes:
        kind: what labels are.
        name: of the task; none of the 26 tasks is called so.
        unit: of maps and numbers; "1" for none.
        learned: share of the photographs (of whole groups) that transfers and `scratch` learn from.
        held_out: share that ranks the sources, so that sets are made of the best; the rest is the test.
        size: side in px that photographs are brought to.
        orders: numbers of sources.
        top: of orders 2, 3 and 4: all sets over so many of the best sources.
        steps: of every transfer, and of training from scratch.
        batch: photographs a step.
        learning_rate: of Adam at the start.
        resamples: draws of places that intervals are made of.
        level: share of the draws that an interval holds.
        seed: of the division, weights and batches.
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
        """Take the name as banks write it; check the settings.

        Raises:
            ConfigError: naming the field, what it is and what it may be.
            InvalidInputError: a name that cannot be.
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
        """The same for what trains transfers.

        Args:
            sources: canonical names of the tasks whose encoders are read.
            architecture: of the bank.

        Raises:
            ConfigError: naming the field.
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
