"""Networks that stage 1 left: `FOLDER/TASK.safetensors`."""

from __future__ import annotations

from pathlib import Path

from taskbank.errors import BankFormatError
from taskbank.nets.architecture import Architecture
from taskbank.nets.build import TaskNetwork, build_decoder, build_encoder
from taskbank.tasks import Task
from taskbank.weights import fill, weights_from_bytes
from training.errors import DataError


def load_network(folder: Path, task: Task, architecture: Architecture) -> TaskNetwork:
    """A task's network on the CPU, in evaluation mode.

    Raises:
        DataError: it is missing, damaged, or of another architecture.
    """
    path = folder / f"{task.name}.safetensors"
    if not path.is_file():
        raise DataError(f"no network of {task.name!r} in {folder}: run stage 1, or leave the task out")
    network = TaskNetwork(build_encoder(architecture), build_decoder(task, architecture))
    try:
        fill(network, weights_from_bytes(path.read_bytes(), str(path)), str(path))
    except BankFormatError as error:
        raise DataError(f"{error}; run stage 1 again, with the architecture of this stage") from error
    return network.eval()
