"""Entries of `bank.json`: weight files, task networks, transfer networks. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from taskbank.bank.catalogue import Model
from taskbank.errors import BankFormatError, InvalidInputError
from taskbank.options import LARGEST_SIZE
from taskbank.tasks.own_targets import OwnTarget
from taskbank.tasks.registry import SCRATCH, TASKS, Task

PX_A_PLACE = 16
"""Pixels of the image, along rows and along columns, per cell of its representation."""


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
        seed: of the random weights.
        total: sum of its weights, which shows if a random number generator draws other weights.
        size: sum of the absolute values of its weights, for the same check.
    """

    seed: int
    total: float
    size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEntry:
    """One task network.

    Attributes:
        task: canonical name.
        encoder: file of the encoder, or the seed of an untrained one, or a third-party model, which predicts
            without a decoder.
        decoder: file of the decoder; None for `random`, or where only the encoder was published.
        output: kind of output, as in the registry of the version that wrote the bank.
        channels: numbers that the network outputs per pixel, or in total for outputs that are not maps.
        unit: of a decoded prediction.
        value_range: least and greatest decoded value, or None.
        classes: names of the channels, or None.
        licence: of these weights.
        metrics: name -> value on held-out images.
        training: what the run was: dataset, images, seed, commit and the like.
        image_size: side in px of the images that this network was trained on, if it is not the bank's; for
            tasks of several images only, as tasks of one image are predicted together.
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
    image_size: int | None = None

    @property
    def predicts(self) -> bool:
        """True if the task has a decoder or a third-party model."""
        return self.decoder is not None or isinstance(self.encoder, Model)

    @property
    def model(self) -> Model | None:
        """The third-party model that serves the task; None for networks of a bank."""
        return self.encoder if isinstance(self.encoder, Model) else None

    @property
    def files(self) -> tuple[FileEntry, ...]:
        """Files of the encoder and the decoder, if they have files."""
        return tuple(part for part in (self.encoder, self.decoder) if isinstance(part, FileEntry))


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignEntry:
    """One third-party encoder that transfers of the bank read, and that is not stored in the bank.

    Attributes:
        name: as sources of transfers name it, such as `timm:vit_small_patch14_dinov2@11`.
        opens: name that opens it, with revision, size and file of weights where there is one.
        seed: of random weights.
        size: side in px of its pictures.
        channels: of its features.
        parameters: number of its weights.
        sha256: of its weights when the bank was made.
        weights: origin of its weights, as text.
        licence: of its weights; empty if their owner states none.
    """

    name: str
    opens: str
    seed: int
    size: int
    channels: int
    parameters: int
    sha256: str
    weights: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferEntry:
    """One transfer network and its decoder, or a network from scratch to compare it with.

    Attributes:
        sources: canonical names, or names of the index's third-party encoders, in the order of their
            channels; `scratch` alone for a network from scratch.
        target: canonical name, or the name of a user's own target.
        own_target: description of a user's own target; None for the 26 tasks.
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
        """Tasks whose encoders the transfer needs besides its own file."""
        return () if self.from_scratch else self.sources

    @property
    def name(self) -> str:
        """The transfer as text: `normal+reshading -> depth_zbuffer`."""
        return transfer_name(self.sources, self.target)

    @property
    def task(self) -> Task:
        """The target."""
        return TASKS[self.target] if self.own_target is None else self.own_target.as_task(self.target)


def check_image_size(size: int) -> int:
    """Check the side in px of the images that networks are trained on, and return it.

    Raises:
        InvalidInputError: it is not a multiple of 16, or larger than 4096.
    """
    if size % PX_A_PLACE or not 0 < size <= LARGEST_SIZE:
        raise InvalidInputError(
            f"image size {size} must be a multiple of {PX_A_PLACE}, {LARGEST_SIZE} at most"
        )
    return size


def check_classes(classes: tuple[str, ...] | None, task: Task, where: str) -> None:
    """Reject class names whose number is not the task's number of channels.

    Raises:
        BankFormatError: the numbers differ; the message states both.
    """
    if classes is not None and len(classes) != task.channels:
        raise BankFormatError(
            f"{where}: {task.name} has {task.channels} classes, but {len(classes)} names: the index is "
            "damaged. Get the bank again"
        )


def transfer_name(sources: Iterable[str], target: str) -> str:
    """Write a transfer as text: `normal+reshading -> depth_zbuffer`."""
    return f"{'+'.join(sources)} -> {target}"
