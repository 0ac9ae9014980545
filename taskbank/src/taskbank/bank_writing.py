"""Networks into the files of a bank."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from taskbank.bank_index import (
    FileEntry,
    TaskEntry,
    TransferEntry,
    decoder_path,
    encoder_path,
    transfer_path,
)
from taskbank.errors import InvalidInputError
from taskbank.nets.build import TaskNetwork, TransferReadout
from taskbank.own_targets import OwnTarget, own_name
from taskbank.quantise import Storage
from taskbank.tasks import TASKS, Task
from taskbank.weights import weights_to_bytes, write_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known about one network besides its weights.

    Attributes:
        classes: names of the output channels, or None.
        licence: of these weights.
        metrics: name -> value on held-out images.
        training: what the run was, JSON-ready.
        own_target: of a transfer whose target is a user's own: what that is.
    """

    classes: tuple[str, ...] | None = None
    licence: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    own_target: OwnTarget | None = None


def write_task(root: Path, task: Task, network: nn.Module, storage: Storage, about: About) -> TaskEntry:
    """Write a task's files; its entry."""
    encoder, decoder = network, None
    if isinstance(network, TaskNetwork):
        encoder, decoder = network.encoder, network.decoder
    return TaskEntry(
        task=task.name,
        encoder=_write(root, encoder_path(task.name), encoder, storage),
        decoder=None if decoder is None else _write(root, decoder_path(task.name), decoder, storage),
        output=task.output.value,
        channels=task.channels,
        unit=task.unit,
        value_range=task.value_range,
        classes=about.classes,
        licence=about.licence,
        metrics=about.metrics,
        training=about.training,
    )


def write_transfer(root: Path, readout: TransferReadout, storage: Storage, about: About) -> TransferEntry:
    """Write a transfer's file; its entry.

    Raises:
        InvalidInputError: the target is none of the 26 tasks and not described, or described and one of them.
    """
    _check_target(readout.target, about.own_target)
    path = transfer_path(readout.sources, readout.target)
    file = _write(root, path, readout, storage)
    return TransferEntry(
        sources=readout.sources,
        target=readout.target,
        own_target=about.own_target,
        file=file,
        classes=about.classes,
        licence=about.licence,
        metrics=about.metrics,
        training=about.training,
    )


def _check_target(target: str, own: OwnTarget | None) -> None:
    """A target is one of the registry, or a user's own and described."""
    if own is not None:
        if own_name(target) != target:
            raise InvalidInputError(f"target {target!r} must be written {own_name(target)!r}")
    elif target not in TASKS:
        raise InvalidInputError(
            f"{target!r} is none of the 26 tasks: say what it is, with About(own_target=...)"
        )


def _write(root: Path, path: str, network: nn.Module, storage: Storage) -> FileEntry:
    """Write one network's weights; the file's entry."""
    content = weights_to_bytes(network.state_dict(), storage)
    write_bytes(root / path, content)
    digest = hashlib.sha256(content).hexdigest()
    return FileEntry(path=path, sha256=digest, size=len(content), storage=storage.value)
