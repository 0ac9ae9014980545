"""What `bank.json` says about one file, one task network, one transfer network. Nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from taskbank.own_targets import OwnTarget
from taskbank.tasks import TASKS, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One weight file.

    Attributes:
        path: place in the bank, with forward slashes.
        sha256: of its content, 64 hexadecimal digits.
        size: bytes.
        storage: `fp32`, `fp16` or `int8`, see `taskbank.quantise`.
    """

    path: str
    sha256: str
    size: int
    storage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEntry:
    """One task network.

    Attributes:
        task: canonical name.
        encoder: file of the encoder.
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
    encoder: FileEntry
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
    def files(self) -> tuple[FileEntry, ...]:
        """The encoder's file and, where there is one, the decoder's."""
        return (self.encoder,) if self.decoder is None else (self.encoder, self.decoder)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferEntry:
    """One transfer network and its decoder.

    Attributes:
        sources: canonical names in the order of their channels.
        target: canonical name, or the name of a user's own target.
        own_target: what the target is, where it is a user's own; None for the 26 tasks.
        file: weights under `transfer.` and `decoder.`.
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
    def name(self) -> str:
        """The transfer in words: `normal+reshading -> depth_zbuffer`."""
        return transfer_name(self.sources, self.target)

    @property
    def task(self) -> Task:
        """The target."""
        return TASKS[self.target] if self.own_target is None else self.own_target.as_task(self.target)


def transfer_name(sources: Iterable[str], target: str) -> str:
    """A transfer in words: `normal+reshading -> depth_zbuffer`."""
    return f"{'+'.join(sources)} -> {target}"
