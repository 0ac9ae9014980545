"""Settings of stage 6."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import combinations

from taskbank.nets.architecture import Architecture, Compact
from taskbank.nets.compact import CompactWidths
from taskbank.tasks.registry import Loss, find_task
from training.errors import ConfigError
from training.stages.networks.config import TaskNetworksConfig

_HALF = 0.5**0.5  # factor of the widths, for half of the multiplications


_OTHER_PICTURES = ("colorization", "denoising", "inpainting")


class Sets(StrEnum):
    """Sets of tasks that share a network."""

    ALL = "all"  # all non-empty sets
    PAIRS = "pairs"  # single tasks, pairs and all together, for the higher-order approximation


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupingConfig:
    """Settings for choosing and training networks that tasks share.

    The optimiser is that of stage 1 (AdamW, cosine), not the original's SGD with a rate of 0.1, whose
    schedule follows a test on millions of images. Losses are summed without weights, as in the original.

    Attributes:
        tasks: at least two tasks of one image and with a decoder.
        sets: sets of them that share a network.
        half: True to also train a network of half the cost for each single task.
        early: share of the steps after which losses are kept for the early-stopping approximation.
        tag_every: steps between measurements of inter-task affinity, on the network of all tasks.
        samples: largest number of samples per split for measuring losses.
        learning: steps, batch, learning rate and augmentation of every network.
    """

    tasks: tuple[str, ...] = ("segment_semantic", "depth_zbuffer", "normal", "keypoints2d", "edge_texture")
    sets: Sets = Sets.ALL
    half: bool = True
    early: float = 0.2
    tag_every: int = 10
    samples: int = 2000
    # Without augmentation that is valid for some tasks only.
    learning: TaskNetworksConfig = field(
        default_factory=lambda: TaskNetworksConfig(steps=20_000, photometric=False)
    )

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ConfigError: a value is not allowed; the message names the field.
        """
        tasks = [find_task(name) for name in self.tasks]
        if len({task.name for task in tasks}) != len(self.tasks) or len(tasks) < 2:
            raise ConfigError(f"grouping.tasks {', '.join(self.tasks)} must be two different tasks or more")
        odd = [
            task.name
            for task in tasks
            if task.num_encodings != 1 or task.name in _OTHER_PICTURES or task.loss is Loss.NONE
        ]
        if odd:
            raise ConfigError(
                f"{odd[0]!r} cannot share a network: choose tasks that see one whole, unchanged picture"
            )
        if self.learning.photometric or self.learning.zoom < 1:
            raise ConfigError(
                "grouping.learning must have photometric = false and zoom = 1: all tasks of a network see "
                "one picture, and labels from pixels do not survive these variations"
            )
        if self.learning.start is not None or self.learning.before is not None or self.learning.own:
            raise ConfigError(
                "grouping.learning takes no start, no before and no own: every network begins at random and "
                "learns alike"
            )
        if not 0 < self.early < 1:
            raise ConfigError(f"grouping.early {self.early} must lie between 0 and 1")
        for name in ("tag_every", "samples"):
            if getattr(self, name) < 1:
                raise ConfigError(f"grouping.{name} {getattr(self, name)} must be at least 1")

    @property
    def early_step(self) -> int:
        """Step after which losses are saved for the early-stopping approximation."""
        return max(1, round(self.early * self.learning.steps))

    def networks(self) -> Iterator[NetworkPlan]:
        """Yield all networks: half-size ones, then sets of tasks by their size."""
        if self.half:
            for name in self.tasks:
                yield NetworkPlan(tasks=(name,), cost=0.5)
        every = range(1, len(self.tasks) + 1)
        for size in sorted({1, 2, len(self.tasks)}) if self.sets is Sets.PAIRS else every:
            for tasks in combinations(self.tasks, size):
                yield NetworkPlan(tasks=tasks, cost=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPlan:
    """One network to train.

    Attributes:
        tasks: canonical names of the tasks that share its encoder.
        cost: in units of a network of full size.
    """

    tasks: tuple[str, ...]
    cost: float

    @property
    def name(self) -> str:
        """The network's name in tables."""
        joined = "+".join(self.tasks)
        return joined if self.cost == 1 else f"half:{joined}"

    def architecture(self, full: Architecture) -> Architecture:
        """Return the network's architecture.

        Raises:
            ConfigError: only `compact` networks can be halved.
        """
        if self.cost == 1:
            return full
        if not isinstance(full, Compact):
            raise ConfigError(f"no half-size network of {full.name!r}: set grouping.half = false")
        return replace(full, widths=halved(full.widths))


def halved(widths: CompactWidths) -> CompactWidths:
    """Return widths for about half the multiplications; depth and representation are unchanged."""

    def narrower(numbers: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(max(1, round(number * _HALF)) for number in numbers)

    return replace(
        widths,
        stem=max(1, round(widths.stem * _HALF)),
        stages=narrower(widths.stages),
        decoder=narrower(widths.decoder),
        head=narrower(widths.head),
    )
