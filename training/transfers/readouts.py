"""Trained transfers as files, and the best of them for a bank."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from taskbank.errors import BankFormatError
from taskbank.nets.architecture import Architecture
from taskbank.nets.build import TransferReadout, build_readout
from taskbank.tasks import Task, find_task
from taskbank.weights import fill
from taxsolver import AffinityTensor
from training.errors import DataError
from training.transfers.loss_files import sources_of, transfer_name
from training.transfers.stack import ReadoutStack
from training.whole_files import write_whole


def save_readouts(folder: Path, target: str, order: int, stack: ReadoutStack) -> Path:
    """Write the weights of all transfers of one target and one order into one file.

    Raises:
        StorageError: it cannot be written.
    """
    tensors = {
        f"{transfer_name(sources)}/{name}": value
        for member, sources in enumerate(stack.sets)
        for name, value in stack.state(member).items()
    }
    path = _path(folder, target, order)
    write_whole(path, lambda file: file.write(save(tensors)))
    return path


def load_readout(
    folder: Path, target: str | Task, sources: Sequence[str], architecture: Architecture
) -> TransferReadout:
    """One trained transfer on the CPU, in evaluation mode.

    Args:
        folder: of stage 2.
        target: canonical name, or the task itself.
        sources: canonical names in any order.
        architecture: of the run.

    Raises:
        DataError: it was not trained, its file is damaged, or of another architecture.
    """
    task = find_task(target) if isinstance(target, str) else target
    path = _path(folder, task.name, len(sources))
    try:
        with safe_open(path, framework="pt") as file:
            keys = list(file.keys())
            name = _find({key.split("/")[0] for key in keys}, sources, path)
            prefix = f"{name}/"
            state = {key.removeprefix(prefix): file.get_tensor(key) for key in keys if key.startswith(prefix)}
    except FileNotFoundError as error:
        raise DataError(f"no transfers at {path}: run stage 2 first") from error
    except SafetensorError as error:
        raise DataError(f"{path} is damaged: {error}; delete it and run stage 2 again") from error
    readout = build_readout(task, architecture, sources_of(name))
    try:
        fill(readout, state, str(path))
    except BankFormatError as error:
        raise DataError(f"{error}; name the architecture of that run") from error
    return readout.eval()


def _find(names: Collection[str], sources: Sequence[str], path: Path) -> str:
    """The transfer of a set of sources, whatever their order.

    Raises:
        DataError: there is none.
    """
    for name in names:
        if set(sources_of(name)) == set(sources):
            return name
    wanted, held = transfer_name(tuple(sources)), ", ".join(sorted(names))
    raise DataError(f"{path} has no transfer from {wanted}; it has {held}")


def best_readouts(
    folder: Path, affinity: AffinityTensor, architecture: Architecture, *, max_order: int = 4
) -> tuple[TransferReadout, ...]:
    """For each target and each order up to one, the transfer of largest affinity: ready for `Bank.save`.

    Transfers of a target from its own representation, and from random ones, are left out: nobody uses them.

    Args:
        folder: of stage 2.
        affinity: of stage 3.
        architecture: of the run.
        max_order: largest number of sources.

    Raises:
        DataError: one was not trained, or its file is damaged.
    """
    rows = list(_best_rows(affinity, max_order))
    return tuple(
        load_readout(folder, transfer.target, transfer.sources, architecture)
        for transfer in (affinity.transfer(row) for row in rows)
    )


def _best_rows(affinity: AffinityTensor, max_order: int) -> Iterable[int]:
    """Rows of the tensor."""
    untrained = affinity.sources[:, affinity.columns(affinity.untrained)].any(axis=1)
    useful = ~(affinity.reads_itself | affinity.full_supervision | untrained)
    for target in affinity.columns(affinity.targets):
        for order in range(1, max_order + 1):
            rows = np.flatnonzero(useful & (affinity.target == target) & (affinity.order == order))
            rows = rows[~np.isnan(affinity.affinity[rows])]
            if len(rows):
                yield int(rows[affinity.affinity[rows].argmax()])


def _path(folder: Path, target: str, order: int) -> Path:
    return folder / target / f"order_{order}.weights.safetensors"
