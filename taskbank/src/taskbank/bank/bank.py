"""A bank: task networks and transfer networks of one architecture, in one folder.

Only safetensors files are read, each after its sha256 was compared with the index; weights are never
unpickled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from torch import nn

from taskbank.bank.catalogue import Model, names_models
from taskbank.bank.entries import ForeignEntry, check_classes
from taskbank.bank.files import BankFiles
from taskbank.bank.hub import Hub
from taskbank.bank.index import (
    INDEX_NAME,
    BankIndex,
    FileEntry,
    SeededEncoder,
    TaskEntry,
    TransferEntry,
    find_entry,
    index_to_json,
    transfer_name,
)
from taskbank.bank.quantise import Storage
from taskbank.bank.seeded import rebuild
from taskbank.bank.source import BankListing, default_source, open_listing
from taskbank.bank.weights import empty, fill, weights_from_bytes, write_bytes
from taskbank.bank.writing import (
    IMAGE_SIZE,
    About,
    NetworkFormat,
    TransferKey,
    Untrained,
    check_known,
    check_paths,
    representation_of,
    write_shared,
    write_tasks,
    write_transfer,
)
from taskbank.errors import BankFormatError, InvalidInputError, MissingTaskError, OutputError
from taskbank.nets.architecture import Architecture, architecture_from_json, architecture_to_json
from taskbank.nets.backbone import SHARED, BackboneEncoder
from taskbank.nets.build import (
    Readout,
    TaskNetwork,
    build_decoder,
    build_encoder,
    build_readout,
    build_scratch,
)
from taskbank.nets.encoder import CODE_CHANNELS
from taskbank.tasks.own_targets import find_target
from taskbank.tasks.registry import Task, find_source, find_task

Network = TypeVar("Network", bound=nn.Module)

__all__ = ["IMAGE_SIZE", "About", "Bank", "TransferKey", "Untrained"]


@dataclass(frozen=True, slots=True)
class Bank:
    """Networks that can be loaded by task. Made by `Bank.open` or `Bank.save`.

    Attributes:
        index: content of `bank.json`.
        architecture: shape of every network.
        digest: sha256 of `bank.json`, which states the sha256 of every other file.
        files: access to the weight files.

    Examples:
        >>> import taskbank
        >>> bank = taskbank.Bank.open("rooms")
        >>> len(bank.tasks), bank.index.licence
        (26, 'MIT')
    """

    index: BankIndex
    architecture: Architecture
    digest: str
    files: BankFiles

    @classmethod
    def open(cls, source: str | Path | None = None, *, hub: Hub | None = None) -> Bank:
        """Open a bank by name. Weights are read when networks are loaded, not before.

        Args:
            source: a folder; `rooms`, the bundled bank; `hf://owner/name` or `hf://owner/name@revision`;
                `foundation` or a TOML file, for third-party models, see `taskbank.bank.catalogue`; or several
                of these, separated by commas: each task is served by the first one that predicts it. None is
                the bank that the environment variable TASKBANK_BANK names, or the bundled one.
            hub: access to the Hub; by default, the environment variables of huggingface_hub decide.

        Raises:
            BankFormatError: the folder or its `bank.json` is missing, damaged or of a later version.
            InvalidInputError: `hf://` is not followed by an owner and a name.
            MissingBankError: this version does not come with the bundled bank.
            HubError: the repository cannot be used.
        """
        named = default_source() if source is None else source
        if names_models(named):
            from taskbank.bank.model_bank import open_models

            return open_models(named, hub)
        found = open_listing(source, hub)
        return cls(found.index, architecture_from_json(found.index.architecture), found.digest, found.files)

    @property
    def where(self) -> str:
        """Folder or repository, for messages and provenance."""
        return self.files.where

    @property
    def name(self) -> str:
        """The bank's own name."""
        return self.index.name

    def holder(self, task: str) -> tuple[str, str]:
        """Return name and sha256 of the bank that serves a task."""
        return self.name, self.digest

    @property
    def tasks(self) -> tuple[str, ...]:
        """Canonical names of the tasks of the bank."""
        return tuple(self.index.tasks)

    @property
    def transfers(self) -> tuple[TransferKey, ...]:
        """Sources and target of the transfers of the bank."""
        return tuple((entry.sources, entry.target) for entry in self.index.transfers)

    def transfer_entry(self, sources: Iterable[str], target: str) -> TransferEntry:
        """Return the index entry of a transfer.

        Args:
            sources: any names, in any order, or `scratch` alone.
            target: any name, or that of a user's own target in this bank.

        Raises:
            UnknownTaskError: a name is none of the 26 tasks and no target of this bank.
            MissingTaskError: the bank does not hold that transfer.
        """
        wanted = {self.find_source(source) for source in sources}
        task = self.find_target(target).name
        for entry in self.index.transfers:
            if entry.target == task and set(entry.sources) == wanted:
                return entry
        held = [entry.name for entry in self.index.transfers]
        name = transfer_name(sorted(wanted), task)
        # Names in the form of --sources, so that the user can copy one.
        sources = [",".join(entry.sources) for entry in self.index.transfers if entry.target == task]
        instead = f"{task} is read out from {' or '.join(sources)}" if sources else ""
        raise MissingTaskError(name, held, f"the bank {self.where}", what="transfer", instead=instead)

    def find_source(self, name: str) -> str:
        """Return the canonical name of a source of transfers: a task, `scratch`, or a third-party encoder.

        Raises:
            UnknownTaskError: nothing has that name.
        """
        return name if name in self.index.foreign else find_source(name)

    def find_target(self, name: str) -> Task:
        """Find a task by any of its names, or a user's own target that this bank describes.

        Raises:
            UnknownTaskError: nothing has that name.
        """
        return find_target(name, self.index.own_tasks)

    @property
    def size(self) -> int:
        """Bytes of all weight files."""
        return sum(file.size for file in self.index.files)

    def entry(self, task: str) -> TaskEntry:
        """Return the index entry of a task, by any of its names.

        Raises:
            UnknownTaskError: the name is none of the 26 tasks.
            MissingTaskError: the bank does not hold it.
        """
        return find_entry(self.index, task, self.where)

    def load(self, task: str, *, shared: bool = True) -> TaskNetwork:
        """Load encoder and decoder of a task, float32 on the CPU, in evaluation mode.

        Args:
            task: by any of its names.
            shared: whether the encoder includes the first levels, which all encoders of the bank share.
                Without them, its input is the output of `load_shared`, which several tasks can then share for
                each image.

        Raises:
            UnknownTaskError: the name is none of the 26 tasks.
            MissingTaskError: the bank does not hold it, or holds its encoder only.
            BankFormatError: a file is missing, or does not fit its network.
            ChecksumMismatchError: a file is damaged.
            HubError: a file cannot be downloaded.
        """
        entry = self.entry(task)
        if entry.decoder is None and entry.model is None:
            decoded = [name for name, other in self.index.tasks.items() if other.decoder]
            raise MissingTaskError(entry.task, decoded, f"the bank {self.where}", what="decoder for")
        check_classes(entry.classes, find_task(entry.task), self.where)
        encoder = self.load_encoder(task, shared=shared)
        assert entry.decoder is not None  # noqa: S101 - third-party models have no encoder of ours
        build = partial(build_decoder, find_task(entry.task), self.architecture)
        decoder = self._filled(build, entry.decoder)
        return TaskNetwork(encoder, decoder).eval()

    def load_encoder(self, task: str, *, shared: bool = True) -> nn.Module:
        """Load only the encoder of a task, float32 on the CPU, in evaluation mode.

        Args:
            task: by any of its names.
            shared: as in `load`.

        Raises:
            TaskBankError: as `load`, except that the decoder may be missing.
        """
        encoder = self.entry(task).encoder
        if isinstance(encoder, Model):
            raise InvalidInputError(
                f"{task} of {self.name} is {encoder.id}, a model of {encoder.loader}, not a network of this "
                f"package: its features are those of the source hf:{encoder.id}"
            )
        if isinstance(encoder, SeededEncoder):
            return rebuild(encoder, self.architecture, self.where)

        def build() -> nn.Module:
            network = build_encoder(self.architecture)
            if self.index.shared is not None and isinstance(network, BackboneEncoder):
                network.detach_shared()
            return network

        network = self._filled(build, encoder)
        if shared and self.index.shared is not None and isinstance(network, BackboneEncoder):
            network.shared = self.load_shared() or network.shared
        return network

    def load_shared(self) -> nn.Module | None:
        """Load the first levels, which trained encoders share, in evaluation mode; None if there are none.

        Raises:
            TaskBankError: as `load`.
        """
        file = self.index.shared
        if file is None:
            return None

        def build() -> nn.Module:
            encoder = build_encoder(self.architecture)
            if not isinstance(encoder, BackboneEncoder):
                raise BankFormatError(
                    f"{self.where}: {INDEX_NAME} names a file of shared levels, but encoders of "
                    f"{self.architecture.name} share none"
                )
            return encoder.detach_shared()

        return self._filled(build, file, prefix=SHARED)

    def load_transfer(self, sources: Iterable[str], target: str) -> Readout:
        """Load the transfer network of a set of sources and its decoder, in evaluation mode.

        Args:
            sources: in any order; the index states the order of their channels, see
                `TransferReadout.sources`. `scratch` alone: the target's whole network (`ScratchNetwork`),
                trained on the same samples as its transfers.
            target: the task that is read out.

        Raises:
            UnknownTaskError: a name is none of the 26 tasks.
            MissingTaskError: the bank does not hold that transfer.
            BankFormatError: the file is missing, or does not fit its network.
            ChecksumMismatchError: the file is damaged.
        """
        entry = self.transfer_entry(sources, target)
        if entry.from_scratch:
            return self._filled(partial(build_scratch, entry.task, self.architecture), entry.file)
        foreign = self.index.foreign
        channels = [foreign[name].channels if name in foreign else CODE_CHANNELS for name in entry.sources]
        build = partial(build_readout, entry.task, self.architecture, entry.sources, channels)
        return self._filled(build, entry.file)

    def _filled(self, build: Callable[[], Network], file: FileEntry, prefix: str = "") -> Network:
        """Build a network and fill it with the weights of one file, whose names begin with a prefix."""
        where = f"{self.where}/{file.path}"
        weights = weights_from_bytes(self.files.read(file), where)
        try:
            network = empty(build, file.size, where)
        except InvalidInputError as error:
            raise BankFormatError(f"{self.where}: {error}") from error
        fill(network, {name.removeprefix(prefix): value for name, value in weights.items()}, where)
        return network.eval()

    def push_to_hub(
        self,
        repo: str,
        *,
        private: bool = False,
        revision: str | None = None,
        card: str | None = None,
        hub: Hub | None = None,
    ) -> str:
        """Upload the bank to a Hub repository; return `hf://owner/name@commit`. See `bank.push.push_bank`.

        Raises:
            TaskBankError: as `push_bank`.
        """
        from taskbank.bank.push import push_bank

        listing = BankListing(self.index, self.digest, self.files)
        return push_bank(listing, repo, private=private, revision=revision, card=card, hub=hub)

    @classmethod
    def save(
        cls,
        folder: str | Path,
        *,
        name: str,
        architecture: Architecture,
        networks: Mapping[str, TaskNetwork | nn.Module | Untrained],
        transfers: tuple[Readout, ...] = (),
        storage: Storage = Storage.FP16,
        about: Mapping[str, About] | None = None,
        about_transfers: Mapping[TransferKey, About] | None = None,
        licence: str = "",
        image_size: int = IMAGE_SIZE,
        foreign: Iterable[ForeignEntry] = (),
    ) -> Bank:
        """Write a bank and open it.

        Args:
            folder: is created; a bank that is already there is not touched.
            name: of the bank.
            architecture: of all networks.
            networks: by task name; an encoder alone (no `TaskNetwork`) is a task without decoder; `Untrained`
                is an encoder that is rebuilt from its seed and not stored.
            transfers: transfer networks with their decoders, and networks from scratch.
            storage: form of the weights on disk.
            about: facts about each task's network, under its name in `networks`.
            about_transfers: facts about each transfer, under its sources and target as
                `Bank.transfers` gives them.
            licence: of the bank as a whole.
            image_size: side in px of the images that the networks were trained on, a multiple of 16.
            foreign: third-party encoders that transfers read; they are named, not stored.

        Raises:
            UnknownTaskError: a name is none of the 26 tasks.
            InvalidInputError: weights cannot be stored in that form; two names mean one task; `about` names a
                network that is not given; a transfer's target is none of the 26 tasks and has no description;
                two transfers would be written to one file.
            OutputError: the folder holds a bank already, or a file cannot be written.
        """
        root = Path(folder)
        if (root / INDEX_NAME).exists():
            raise OutputError(f"{root} holds a bank already: choose another folder or delete it first")
        known, known_transfers = about or {}, about_transfers or {}
        check_known(known, networks)
        check_known(known_transfers, [(readout.sources, readout.target) for readout in transfers])
        form = NetworkFormat(architecture=architecture, storage=storage)
        index = BankIndex(
            name=name,
            architecture=architecture_to_json(architecture),
            image_size=image_size,
            representation=representation_of(image_size),
            licence=licence,
            tasks=write_tasks(root, networks, form, known),
            shared=write_shared(root, networks, form),
            transfers=check_paths(
                write_transfer(
                    root, readout, storage, known_transfers.get((readout.sources, readout.target), About())
                )
                for readout in transfers
            ),
            foreign={one.name: one for one in foreign},
        )
        # The index is written last, so that a folder with an index is complete.
        write_bytes(root / INDEX_NAME, index_to_json(index).encode())
        return cls.open(root)
