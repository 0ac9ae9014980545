"""Entries of `bank.json`: weight files, task networks, transfer networks. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from taskbank.bank.catalogue import Model
from taskbank.errors import BankFormatError, InvalidInputError
from taskbank.tasks.own_targets import OwnTarget
from taskbank.tasks.registry import SCRATCH, TASKS, Task

PX_A_PLACE = 16
"""Rows and columns of an image that one place of its representation stands for."""

_LARGEST = 4096  # px; a bank from elsewhere could name any


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One weight file.

    Attributes:
        path: place in the bank, with forward slashes.
        sha256: of its content, 64 hexadecimal digits.
        size: bytes.
        storage: `fp32`, `fp16` or `int8`, see `taskbank.bank.quantise`.
    """

    path: str
    sha256: str
    size: int
    storage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededEncoder:
    """An encoder that was never trained and is not stored, see `taskbank.bank.seeded`.

    Attributes:
        seed: that it is made from.
        total: sum of its weights; another generator of random numbers would give another.
        size: sum of their absolute values, likewise.
    """

    seed: int
    total: float
    size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEntry:
    """One task network.

    Attributes:
        task: canonical name.
        encoder: file of the encoder, or the seed of one that was never trained, or a model of somebody else,
            which predicts by itself.
        decoder: file of the decoder; None for `random`, or where only the encoder was published.
        output: kind of output, as in the registry of the version that wrote the bank.
        channels: numbers that the network gives per pixel or in all.
        unit: of a decoded prediction.
        value_range: least and greatest decoded value, or None.
        classes: names of the channels, or None.
        licence: of these weights.
        metrics: name -> value on held-out images.
        training: what the run was: dataset, images, seed, commit and the like.
    """

    task: str
    encoder: FileEntry | SeededEncoder | Model
    decoder: FileEntry | None
    output: str
    channels: int
    unit: str
    value_range: tuple[float, float] | None
    classes: tuple[str, ...] | None = None
    licence: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def predicts(self) -> bool:
        """True where there is more than an encoder."""
        return self.decoder is not None or isinstance(self.encoder, Model)

    @property
    def model(self) -> Model | None:
        """The model of somebody else that serves the task; None for networks of a bank."""
        return self.encoder if isinstance(self.encoder, Model) else None

    @property
    def files(self) -> tuple[FileEntry, ...]:
        """The encoder's file and the decoder's, as far as there are some."""
        return tuple(part for part in (self.encoder, self.decoder) if isinstance(part, FileEntry))


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferEntry:
    """One transfer network and its decoder, or a network from scratch to compare it with.

    Attributes:
        sources: canonical names in the order of their channels; `scratch` alone for a network from scratch.
        target: canonical name, or the name of a user's own target.
        own_target: what the target is, where it is a user's own; None for the 26 tasks.
        file: weights under `transfer.` and `decoder.`; from scratch under `encoder.` and `decoder.`.
        classes: names of the target's channels, or None.
        licence: of these weights.
        metrics: name -> value on held-out images.
        training: what the run was: dataset, images, seed, commit and the like.
    """

    sources: tuple[str, ...]
    target: str
    own_target: OwnTarget | None = None
    file: FileEntry
    classes: tuple[str, ...] | None = None
    licence: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def from_scratch(self) -> bool:
        """True for a whole network of the target, trained from scratch, which reads no representation."""
        return self.sources == (SCRATCH,)

    @property
    def encoders(self) -> tuple[str, ...]:
        """Tasks whose encoders it needs besides its own file."""
        return () if self.from_scratch else self.sources

    @property
    def name(self) -> str:
        """The transfer in words: `normal+reshading -> depth_zbuffer`."""
        return transfer_name(self.sources, self.target)

    @property
    def task(self) -> Task:
        """The target."""
        return TASKS[self.target] if self.own_target is None else self.own_target.as_task(self.target)


def check_image_size(size: int) -> int:
    """The side in px of the images that networks are trained on, if it can be one.

    Raises:
        InvalidInputError: it is no multiple of 16, or beyond what networks are trained on.
    """
    if size % PX_A_PLACE or not 0 < size <= _LARGEST:
        raise InvalidInputError(f"image size {size} must be a multiple of {PX_A_PLACE}, {_LARGEST} at most")
    return size


def check_classes(classes: tuple[str, ...] | None, task: Task, where: str) -> None:
    """Refuse names of classes that are not as many as the task has channels.

    Raises:
        BankFormatError: naming both numbers.
    """
    if classes is not None and len(classes) != task.channels:
        raise BankFormatError(
            f"{where}: {task.name} has {task.channels} classes, but {len(classes)} names: the index is "
            "damaged. Get the bank again"
        )


def transfer_name(sources: Iterable[str], target: str) -> str:
    """A transfer in words: `normal+reshading -> depth_zbuffer`."""
    return f"{'+'.join(sources)} -> {target}"
