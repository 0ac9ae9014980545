"""A bank: task networks and transfer networks of one architecture, in one folder.

Only safetensors files are read, each after its sha256 was compared with the index; weights are never
unpickled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from taskbank.bank_index import (
    INDEX_NAME,
    BankIndex,
    FileEntry,
    TaskEntry,
    TransferEntry,
    decoder_path,
    encoder_path,
    index_from_json,
    index_to_json,
    transfer_path,
)
from taskbank.errors import BankFormatError, InvalidInputError, MissingTaskError, OutputError
from taskbank.nets.architecture import Architecture, architecture_from_json, architecture_to_json
from taskbank.nets.build import TaskNetwork, TransferReadout, build_decoder, build_encoder, build_readout
from taskbank.nets.encoder import CODE_CHANNELS, CODE_SIZE
from taskbank.quantise import Storage
from taskbank.tasks import Task, find_task
from taskbank.weights import fill, on_meta, read_checked, weights_from_bytes, weights_to_bytes, write_bytes

IMAGE_SIZE = 256
"""Side in px of the images that networks are trained on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known about one network besides its weights.

    Attributes:
        classes: names of the output channels, or None.
        licence: of these weights.
        metrics: name -> value on held-out images.
        training: what the run was, JSON-ready.
    """

    classes: tuple[str, ...] | None = None
    licence: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bank:
    """Networks that can be loaded by task. Made by `Bank.open` or `Bank.save`.

    Attributes:
        index: all that `bank.json` says.
        architecture: shape of every network.
        where: of what folder or repository, for messages and provenance.
        digest: sha256 of `bank.json`, which names every byte of the bank.
        fetch: place in the bank -> file on this machine.
    """

    index: BankIndex
    architecture: Architecture
    where: str
    digest: str
    fetch: Callable[[str], Path]

    @classmethod
    def open(cls, folder: str | Path) -> Bank:
        """The bank in a folder. Weights are read when networks are loaded, not before.

        Raises:
            BankFormatError: the folder or its `bank.json` is missing, damaged or of a later version.
        """
        root = Path(folder)
        try:
            content = (root / INDEX_NAME).read_bytes()
        except OSError as error:
            raise BankFormatError(f"no bank at {root}: cannot read its {INDEX_NAME} ({error})") from error
        return cls._from_index(content, str(root), lambda path: root / path)

    @classmethod
    def _from_index(cls, content: bytes, where: str, fetch: Callable[[str], Path]) -> Bank:
        """A bank from the content of its `bank.json` and a way to its files."""
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise BankFormatError(f"{where}: {INDEX_NAME} is no UTF-8 text: {error}") from error
        index = index_from_json(text, where)
        architecture = architecture_from_json(index.architecture)
        return cls(index, architecture, where, hashlib.sha256(content).hexdigest(), fetch)

    @property
    def name(self) -> str:
        """The bank's own name."""
        return self.index.name

    @property
    def tasks(self) -> tuple[str, ...]:
        """Canonical names of the tasks it holds."""
        return tuple(self.index.tasks)

    @property
    def transfers(self) -> tuple[tuple[tuple[str, ...], str], ...]:
        """Sources and target of the transfers it holds."""
        return tuple((entry.sources, entry.target) for entry in self.index.transfers)

    @property
    def size(self) -> int:
        """Bytes of all weight files."""
        files = [entry.encoder for entry in self.index.tasks.values()]
        files += [entry.decoder for entry in self.index.tasks.values() if entry.decoder]
        files += [entry.file for entry in self.index.transfers]
        return sum(file.size for file in files)

    def entry(self, task: str) -> TaskEntry:
        """What the index says about a task, by any of its names.

        Raises:
            UnknownTaskError: the name is none of the 26 tasks.
            MissingTaskError: the bank does not hold it.
        """
        name = find_task(task).name
        if name not in self.index.tasks:
            raise MissingTaskError(name, self.tasks, f"the bank {self.where}")
        return self.index.tasks[name]

    def load(self, task: str) -> TaskNetwork:
        """Encoder and decoder of a task, float32 on the CPU, in evaluation mode.

        Raises:
            UnknownTaskError: the name is none of the 26 tasks.
            MissingTaskError: the bank does not hold it, or holds its encoder only.
            BankFormatError: a file is missing, or does not fit its network.
            ChecksumMismatchError: a file is damaged.
        """
        entry = self.entry(task)
        if entry.decoder is None:
            decoded = [name for name, other in self.index.tasks.items() if other.decoder]
            raise MissingTaskError(entry.task, decoded, f"the bank {self.where}", what="decoder for")
        encoder = self.load_encoder(task)
        with on_meta():
            decoder = build_decoder(find_task(entry.task), self.architecture)
        self._fill(decoder, entry.decoder)
        return TaskNetwork(encoder, decoder).eval()

    def load_encoder(self, task: str) -> nn.Module:
        """The encoder of a task alone, float32 on the CPU, in evaluation mode.

        Raises:
            TaskBankError: as `load`, but a missing decoder does not matter.
        """
        entry = self.entry(task)
        with on_meta():
            encoder = build_encoder(self.architecture)
        self._fill(encoder, entry.encoder)
        return encoder.eval()

    def load_transfer(self, sources: tuple[str, ...] | list[str], target: str) -> TransferReadout:
        """The transfer network of a set of sources and the decoder behind it, in evaluation mode.

        Args:
            sources: in any order; the index says in which order their channels go, see
                `TransferReadout.sources`.
            target: the task read out.

        Raises:
            UnknownTaskError: a name is none of the 26 tasks.
            MissingTaskError: the bank does not hold that transfer.
            BankFormatError: the file is missing, or does not fit its network.
            ChecksumMismatchError: the file is damaged.
        """
        wanted = {find_task(source).name for source in sources}
        task = find_task(target)
        for entry in self.index.transfers:
            if entry.target == task.name and set(entry.sources) == wanted:
                with on_meta():
                    readout = build_readout(task, self.architecture, entry.sources)
                self._fill(readout, entry.file)
                return readout.eval()
        held = [_shown(entry.sources, entry.target) for entry in self.index.transfers]
        name = _shown(tuple(sorted(wanted)), task.name)
        raise MissingTaskError(name, held, f"the bank {self.where}", what="transfer")

    def _fill(self, network: nn.Module, file: FileEntry) -> None:
        """Read, check and expand one file into a network."""
        path = self.fetch(file.path)
        weights = weights_from_bytes(read_checked(path, file.sha256), str(path))
        fill(network, weights, str(path))

    @classmethod
    def save(
        cls,
        folder: str | Path,
        *,
        name: str,
        architecture: Architecture,
        networks: Mapping[str, TaskNetwork | nn.Module],
        transfers: tuple[TransferReadout, ...] = (),
        storage: Storage = Storage.FP16,
        about: Mapping[str, About] | None = None,
        licence: str = "",
    ) -> Bank:
        """Write a bank and open it.

        Args:
            folder: is made; a bank that is already there is not touched.
            name: of the bank.
            architecture: of all networks.
            networks: by task name; an encoder alone (no `TaskNetwork`) is a task without decoder.
            transfers: transfer networks with their decoders.
            storage: form of the weights on disk.
            about: what is known about each task's network.
            licence: of the bank as a whole.

        Raises:
            UnknownTaskError: a name is none of the 26 tasks.
            InvalidInputError: weights that cannot be stored so, or two names of one task.
            OutputError: a bank is there already, or a file cannot be written.
        """
        root = Path(folder)
        if (root / INDEX_NAME).exists():
            raise OutputError(f"{root} holds a bank already: choose another folder or delete it first")
        tasks = {}
        for given, network in networks.items():
            task = find_task(given)
            if task.name in tasks:
                raise InvalidInputError(f"networks name the task {task.name!r} twice: name it once")
            known = (about or {}).get(given, About())
            tasks[task.name] = _write_task(root, task, network, storage, known)
        index = BankIndex(
            name=name,
            architecture=architecture_to_json(architecture),
            image_size=IMAGE_SIZE,
            representation=(CODE_CHANNELS, CODE_SIZE, CODE_SIZE),
            licence=licence,
            tasks=tasks,
            transfers=tuple(_write_transfer(root, readout, storage) for readout in transfers),
        )
        # Last, so that a folder with an index is whole.
        write_bytes(root / INDEX_NAME, index_to_json(index).encode())
        return cls.open(root)


def _write_task(root: Path, task: Task, network: nn.Module, storage: Storage, about: About) -> TaskEntry:
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


def _write_transfer(root: Path, readout: TransferReadout, storage: Storage) -> TransferEntry:
    """Write a transfer's file; its entry."""
    path = transfer_path(readout.sources, readout.target)
    file = _write(root, path, readout, storage)
    return TransferEntry(sources=readout.sources, target=readout.target, file=file)


def _write(root: Path, path: str, network: nn.Module, storage: Storage) -> FileEntry:
    """Write one network's weights; the file's entry."""
    content = weights_to_bytes(network.state_dict(), storage)
    write_bytes(root / path, content)
    digest = hashlib.sha256(content).hexdigest()
    return FileEntry(path=path, sha256=digest, size=len(content), storage=storage.value)


def _shown(sources: tuple[str, ...], target: str) -> str:
    """A transfer in words."""
    return f"{'+'.join(sources)} -> {target}"
