"""Files of trained transfers and networks from scratch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from taskbank.bank.quantise import Storage
from taskbank.bank.weights import fill, weights_from_bytes, weights_to_bytes
from taskbank.errors import BankFormatError
from taskbank.learning.stack import ReadoutStack
from taskbank.nets.architecture import Architecture
from taskbank.nets.build import ScratchNetwork, TransferReadout, build_readout, build_scratch
from taskbank.nets.encoder import CODE_CHANNELS
from taskbank.tasks.registry import SCRATCH, Task, find_task
from training.atomic_files import write_whole
from training.errors import DataError
from training.stages.transfers.loss_files import sources_of, transfer_name


def save_readouts(folder: Path, target: str, order: int, stacks: Iterable[ReadoutStack]) -> Path:
    """Write the weights of all transfers of one target and one order into one file.

    Raises:
        StorageError: it cannot be written.
    """
    tensors = {
        f"{transfer_name(sources)}/{name}": value
        for stack in stacks
        for member, sources in enumerate(stack.sets)
        for name, value in stack.state(member).items()
    }
    path = _path(folder, target, order)
    write_whole(path, lambda file: file.write(save(tensors)))
    return path


def save_scratch(folder: Path, network: ScratchNetwork) -> Path:
    """Write the weights of a target's network from scratch.

    Raises:
        StorageError: it cannot be written.
    """
    path = _scratch_path(folder, network.target)
    content = weights_to_bytes(network.state_dict(), Storage.FP32)
    write_whole(path, lambda file: file.write(content))
    return path


def load_scratch(folder: Path, target: str | Task, architecture: Architecture) -> ScratchNetwork:
    """Load a target's network from scratch on the CPU, in evaluation mode.

    Args:
        folder: folder of stage 2.
        target: canonical name, or the task itself.
        architecture: architecture of the run.

    Raises:
        DataError: the network was not trained, or its file is damaged or of another architecture.
    """
    task = find_task(target) if isinstance(target, str) else target
    path = _scratch_path(folder, task.name)
    network = build_scratch(task, architecture)
    try:
        fill(network, weights_from_bytes(path.read_bytes(), str(path)), str(path))
    except FileNotFoundError as error:
        raise DataError(
            f"no network from scratch at {path}: delete {SCRATCH}.losses.safetensors beside it, and run "
            "stage 2 again"
        ) from error
    except BankFormatError as error:
        raise DataError(f"{error}; delete it and run stage 2 again, or name that architecture") from error
    return network.eval()


def load_readout(
    folder: Path, target: str | Task, sources: Sequence[str], architecture: Architecture
) -> TransferReadout:
    """Load one trained transfer on the CPU, in evaluation mode.

    Args:
        folder: folder of stage 2.
        target: canonical name, or the task itself.
        sources: names in any order.
        architecture: architecture of the run.

    Raises:
        DataError: the transfer was not trained, or its file is damaged or of another architecture.
    """
    task = find_task(target) if isinstance(target, str) else target
    path = _path(folder, task.name, len(sources))
    try:
        with safe_open(path, framework="pt") as file:
            keys = list(file.keys())
            name = _find({key.rpartition("/")[0] for key in keys}, sources, path)
            prefix = f"{name}/"
            state = {key.removeprefix(prefix): file.get_tensor(key) for key in keys if key.startswith(prefix)}
    except FileNotFoundError as error:
        raise DataError(f"no transfers at {path}: run stage 2 first") from error
    except SafetensorError as error:
        raise DataError(f"{path} is damaged: {error}; delete it and run stage 2 again") from error
    # A source has the channels that its projection takes, or eight without one.
    projections = [state.get(f"projections.layers.{place}.1.weight") for place in range(len(sources))]
    channels = [CODE_CHANNELS if weight is None else weight.shape[1] for weight in projections]
    readout = build_readout(task, architecture, sources_of(name), channels)
    try:
        fill(readout, state, str(path))
    except BankFormatError as error:
        raise DataError(f"{error}; name the architecture of that run") from error
    return readout.eval()


def _find(names: Collection[str], sources: Sequence[str], path: Path) -> str:
    """Find the transfer of a set of sources in any order.

    Raises:
        DataError: there is no such transfer.
    """
    for name in names:
        if set(sources_of(name)) == set(sources):
            return name
    wanted, held = transfer_name(tuple(sources)), ", ".join(sorted(names))
    raise DataError(f"{path} has no transfer from {wanted}; it has {held}")


def _scratch_path(folder: Path, target: str) -> Path:
    return folder / target / f"{SCRATCH}.weights.safetensors"


def _path(folder: Path, target: str, order: int) -> Path:
    return folder / target / f"order_{order}.weights.safetensors"
