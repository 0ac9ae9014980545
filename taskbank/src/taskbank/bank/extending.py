"""A bank for targets of one's own: encoders of another bank, byte for byte, and new transfers from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from taskbank.bank.bank import About, Bank
from taskbank.bank.index import INDEX_NAME, BankIndex, index_to_json
from taskbank.bank.quantise import Storage
from taskbank.bank.weights import write_bytes
from taskbank.bank.writing import representation_of, write_transfer
from taskbank.errors import OutputError
from taskbank.nets.build import Readout
from taskbank.tasks.registry import TASKS


def bank_of_transfers(
    bank: Bank,
    folder: str | Path,
    *,
    name: str,
    transfers: Iterable[tuple[Readout, About]],
    storage: Storage = Storage.FP16,
    image_size: int | None = None,
) -> Bank:
    """Write a bank of transfers, with the encoders of their sources.

    Args:
        bank: where the encoders are from; its files are copied as they are. Decoders are left out.
        folder: is made; a bank that is already there is not touched.
        name: of the new bank.
        transfers: transfers and networks from scratch, each with what is known about it; `own_target` where
            the target is a user's own.
        storage: form of the transfers' weights on disk.
        image_size: side in px of the images that the transfers were trained on, a multiple of 16; None for
            that of `bank`.

    Raises:
        MissingTaskError: the bank lacks the encoder of a source.
        InvalidInputError: weights that cannot be stored so; a target that nothing describes.
        OutputError: a bank is there already, or a file cannot be written.
        TaskBankError: a file of the bank cannot be read.
    """
    root = Path(folder)
    if (root / INDEX_NAME).exists():
        raise OutputError(f"{root} holds a bank already: choose another folder or delete it first")
    size = image_size or bank.index.image_size
    representation = representation_of(size)  # before anything is written
    entries = tuple(write_transfer(root, readout, storage, about) for readout, about in transfers)
    read = {source for entry in entries for source in entry.encoders}
    tasks = {task: replace(bank.entry(task), decoder=None, metrics={}) for task in TASKS if task in read}
    for file in bank.index.files_of(tasks.values()):
        write_bytes(root / file.path, bank.files.read(file))
    index = BankIndex(
        name=name,
        architecture=bank.index.architecture,
        image_size=size,
        representation=representation,
        licence=bank.index.licence,
        tasks=tasks,
        transfers=entries,
        shared=bank.index.shared,
    )
    # Last, so that a folder with an index is whole.
    write_bytes(root / INDEX_NAME, index_to_json(index).encode())
    return Bank.open(root)
