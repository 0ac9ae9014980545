"""Banks for users' own targets: encoders copied from another bank, and new transfers that read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from taskbank.bank.bank import About, Bank
from taskbank.bank.entries import ForeignEntry
from taskbank.bank.index import INDEX_NAME, BankIndex, index_to_json
from taskbank.bank.quantise import Storage
from taskbank.bank.weights import write_bytes
from taskbank.bank.writing import IMAGE_SIZE, check_paths, representation_of, write_transfer
from taskbank.errors import MissingTaskError, OutputError
from taskbank.nets.architecture import Architecture, Compact, architecture_to_json
from taskbank.nets.build import Readout
from taskbank.tasks.registry import TASKS


def bank_of_transfers(
    bank: Bank | None,
    folder: str | Path,
    *,
    name: str,
    transfers: Iterable[tuple[Readout, About]],
    storage: Storage = Storage.FP16,
    image_size: int | None = None,
    foreign: Iterable[ForeignEntry] = (),
    architecture: Architecture | None = None,
) -> Bank:
    """Write a bank of transfers, with the encoders of their sources.

    Args:
        bank: source of the encoders; their files are copied unchanged, without decoders. None if all sources
            are third-party encoders.
        folder: is created; a bank that is already there is not touched.
        name: of the new bank.
        transfers: transfers and networks from scratch, each with facts about it; for a user's own target, the
            facts include `own_target`.
        storage: form of the transfers' weights on disk.
        image_size: side in px of the images that the transfers were trained on, a multiple of 16; None for
            that of `bank`.
        foreign: third-party encoders that transfers read; they are named, not copied.
        architecture: of the decoders; None for that of `bank`.

    Raises:
        MissingTaskError: the bank lacks the encoder of a source.
        InvalidInputError: weights cannot be stored in that form; a target has no description.
        OutputError: the folder holds a bank already, or a file cannot be written.
        TaskBankError: a file of the bank cannot be read.
    """
    root = Path(folder)
    if (root / INDEX_NAME).exists():
        raise OutputError(f"{root} holds a bank already: choose another folder or delete it first")
    size = image_size or (IMAGE_SIZE if bank is None else bank.index.image_size)
    representation = representation_of(size)  # before anything is written
    shape = architecture or (Compact() if bank is None else bank.architecture)
    others = {one.name: one for one in foreign}
    entries = check_paths(write_transfer(root, readout, storage, about) for readout, about in transfers)
    read = {source for entry in entries for source in entry.encoders} - others.keys()
    tasks = {}
    if bank is not None:
        tasks = {task: replace(bank.entry(task), decoder=None, metrics={}) for task in TASKS if task in read}
        for file in bank.index.files_of(tasks.values()):
            write_bytes(root / file.path, bank.files.read(file))
    if lacking := sorted(read - tasks.keys()):
        raise MissingTaskError(lacking[0], tasks, "the banks of the sources", what="encoder")
    index = BankIndex(
        name=name,
        architecture=architecture_to_json(shape),
        image_size=size,
        representation=representation,
        licence="" if bank is None else bank.index.licence,
        tasks=tasks,
        transfers=entries,
        shared=None if bank is None or not tasks else bank.index.shared,
        foreign=others,
    )
    # The index is written last, so that a folder with an index is complete.
    write_bytes(root / INDEX_NAME, index_to_json(index).encode())
    return Bank.open(root)
