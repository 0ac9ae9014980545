"""Writing of networks to the files of a bank, and of facts about them to its index."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from taskbank.bank.entries import PX_A_PLACE, check_image_size
from taskbank.bank.index import (
    SHARED_PATH,
    FileEntry,
    SeededEncoder,
    TaskEntry,
    TransferEntry,
    decoder_path,
    encoder_path,
    transfer_path,
)
from taskbank.bank.quantise import Storage
from taskbank.bank.seeded import describe_untrained
from taskbank.bank.weights import weights_to_bytes, write_bytes
from taskbank.errors import InvalidInputError
from taskbank.nets.architecture import Architecture, Backbone
from taskbank.nets.backbone import SHARED, BackboneEncoder
from taskbank.nets.build import Readout, TaskNetwork
from taskbank.nets.encoder import CODE_CHANNELS
from taskbank.tasks.own_targets import OwnTarget, own_name
from taskbank.tasks.registry import TASKS, find_task

IMAGE_SIZE = 256
"""Default side in px of the images that networks are trained on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Facts about one network besides its weights.

    Attributes:
        classes: names of the output channels, or None.
        licence: of these weights.
        metrics: name -> value on held-out images.
        training: facts about the training run, JSON-ready.
        own_target: the user's own target of a transfer; None for other networks.
        image_size: side in px of the images that the network was trained on, if it is not the bank's; for
            task networks of several images only.
    """

    classes: tuple[str, ...] | None = None
    licence: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    own_target: OwnTarget | None = None
    image_size: int | None = None


@dataclass(frozen=True, slots=True)
class Untrained:
    """Placeholder of an encoder that is not stored but rebuilt from its seed, see `taskbank.bank.seeded`.

    Attributes:
        seed: of its weights.
    """

    seed: int


TransferKey: TypeAlias = tuple[tuple[str, ...], str]
"""Sources in the order of their channels, or `scratch` alone; and target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFormat:
    """Architecture and storage of a bank's networks.

    Attributes:
        architecture: of all of them.
        storage: form of the weights on disk.
    """

    architecture: Architecture
    storage: Storage


def write_tasks(
    root: Path,
    networks: Mapping[str, TaskNetwork | nn.Module | Untrained],
    form: NetworkFormat,
    about: Mapping[str, About],
) -> dict[str, TaskEntry]:
    """Write the files of task networks; return their entries by canonical name.

    Args:
        root: folder of the bank.
        networks: by any names.
        form: of all of them.
        about: facts about each network, under its name in `networks`.

    Raises:
        UnknownTaskError: a name is none of the 26 tasks.
        InvalidInputError: two names mean one task; weights cannot be stored in that form; a size is not
            allowed.
    """
    entries: dict[str, TaskEntry] = {}
    for given, network in networks.items():
        task = find_task(given)
        if task.name in entries:
            raise InvalidInputError(f"networks name the task {task.name!r} twice: name it once")
        encoder, decoder = network, None
        if isinstance(network, TaskNetwork):
            encoder, decoder = network.encoder, network.decoder
        described: FileEntry | SeededEncoder
        if isinstance(encoder, Untrained):
            described = describe_untrained(form.architecture, encoder.seed)
        else:
            state = encoder.state_dict().items()
            own = {key: value for key, value in state if not key.startswith(SHARED)}
            described = _write(root, encoder_path(task.name), own, form.storage)
        facts = about.get(given, About())
        if facts.image_size is not None and task.num_images == 1:
            raise InvalidInputError(
                f"{task.name} has images of {facts.image_size} px of its own: a task of one image is "
                "predicted with others, at the bank's size"
            )
        entries[task.name] = TaskEntry(
            task=task.name,
            encoder=described,
            decoder=None
            if decoder is None
            else _write(root, decoder_path(task.name), decoder.state_dict(), form.storage),
            output=task.output.value,
            channels=task.channels,
            unit=task.unit,
            value_range=task.value_range,
            classes=facts.classes,
            licence=facts.licence,
            metrics=facts.metrics,
            training=facts.training,
            image_size=None if facts.image_size is None else check_image_size(facts.image_size),
        )
    return entries


def write_shared(
    root: Path, networks: Mapping[str, TaskNetwork | nn.Module | Untrained], form: NetworkFormat
) -> FileEntry | None:
    """Write the levels that all encoders share; return their entry, or None if they share none.

    Args:
        root: folder of the bank.
        networks: by any names; untrained encoders share nothing.
        form: of all of them.

    Raises:
        InvalidInputError: two encoders differ in the weights of these levels.
    """
    if not isinstance(form.architecture, Backbone):
        return None  # `networks` may convert on access, so it is not read here
    first: tuple[str, dict[str, Tensor]] | None = None
    for name, network in networks.items():
        encoder = network.encoder if isinstance(network, TaskNetwork) else network
        if not isinstance(encoder, BackboneEncoder):
            continue
        weights = {key: value for key, value in encoder.state_dict().items() if key.startswith(SHARED)}
        if first is None:
            first = name, weights
        elif any(not torch.equal(value, weights[key]) for key, value in first[1].items()):
            raise InvalidInputError(
                f"the shared levels of {name!r} are not those of {first[0]!r}: start both from the same "
                "weights, or share no levels"
            )
    if first is None or not first[1]:
        return None
    return _write(root, SHARED_PATH, first[1], form.storage)


def representation_of(image_size: int) -> tuple[int, int, int]:
    """Return channels, rows and columns of the representation of a square image.

    Raises:
        InvalidInputError: networks are not trained at that size.
    """
    side = check_image_size(image_size) // PX_A_PLACE
    return CODE_CHANNELS, side, side


def check_known(about: Iterable[object], given: Iterable[object]) -> None:
    """Reject facts about networks that are not given.

    Raises:
        InvalidInputError: a network is not given; the message names the first.
    """
    held = set(given)
    if strange := [name for name in about if name not in held]:
        raise InvalidInputError(
            f"about names {strange[0]!r}, but no such network is given: {sorted(map(str, held))}"
        )


def write_transfer(root: Path, readout: Readout, storage: Storage, about: About) -> TransferEntry:
    """Write a transfer's file; return its entry.

    Raises:
        InvalidInputError: the target is none of the 26 tasks and has no description, or is one of them and
            has one.
    """
    target = readout.target
    if about.own_target is not None:
        if own_name(target) != target:
            raise InvalidInputError(f"target {target!r} must be written {own_name(target)!r}")
    elif target not in TASKS:
        raise InvalidInputError(
            f"{target!r} is none of the 26 tasks: say what it is, with About(own_target=...)"
        )
    path = transfer_path(readout.sources, target)
    file = _write(root, path, readout.state_dict(), storage)
    return TransferEntry(
        sources=readout.sources,
        target=target,
        own_target=about.own_target,
        file=file,
        classes=about.classes,
        licence=about.licence,
        metrics=about.metrics,
        training=about.training,
    )


def check_paths(entries: Iterable[TransferEntry]) -> tuple[TransferEntry, ...]:
    """Return the entries of a bank's transfers if each has a file of its own.

    Raises:
        InvalidInputError: two transfers have one file, as names of third-party encoders may differ only in
            characters that paths do not keep.
    """
    listed = tuple(entries)
    if len({entry.file.path for entry in listed}) < len(listed):
        raise InvalidInputError("two transfers would be written to one file: rename one of their sources")
    return listed


def _write(root: Path, path: str, weights: Mapping[str, Tensor], storage: Storage) -> FileEntry:
    """Write weights; return the file's entry."""
    content = weights_to_bytes(weights, storage)
    write_bytes(root / path, content)
    digest = hashlib.sha256(content).hexdigest()
    return FileEntry(path=path, sha256=digest, size=len(content), storage=storage.value)
