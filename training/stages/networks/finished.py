"""Finished networks of stage 1: `FOLDER/TASK.safetensors`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from taskbank.bank.weights import fill, weights_from_bytes
from taskbank.errors import BankFormatError
from taskbank.nets.architecture import Architecture
from taskbank.nets.build import TaskNetwork, build_network
from taskbank.tasks.registry import Task
from training.errors import DataError


def weights_path(folder: Path, task: Task) -> Path:
    """Return the path of a task's network."""
    return folder / f"{task.name}.safetensors"


def load_network(folder: Path, task: Task, architecture: Architecture) -> TaskNetwork:
    """Load a task's network on the CPU, in evaluation mode.

    Raises:
        DataError: the file is missing, damaged, or of another architecture.
    """
    path = weights_path(folder, task)
    if not path.is_file():
        raise DataError(f"no network of {task.name!r} in {folder}: run stage 1, or leave the task out")
    network = build_network(task, architecture)
    try:
        fill(network, weights_from_bytes(path.read_bytes(), str(path)), str(path))
    except BankFormatError as error:
        raise DataError(f"{error}; run stage 1 again, with the architecture of this stage") from error
    return network.eval()


def spent_on(folder: Path, task: Task) -> dict[str, float]:
    """Return the steps and seconds of training, including those of the networks it continued.

    Returns:
        `steps`, and `seconds`, which are its share of its process's time.

    Raises:
        DataError: the numbers are not known.
    """
    path = folder / f"{task.name}.json"
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        before = about.get("before", {"steps": 0, "seconds": 0.0})
        alone = about["seconds"] / (1 + about["trained_beside"])
        return {"steps": before["steps"] + about["steps"], "seconds": round(before["seconds"] + alone, 1)}
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{path} does not say how long {task.name!r} was trained: start from a folder of stage 1"
        ) from error


def origins_of(folder: Path, task: Task) -> dict[str, Any]:
    """Return the pretrained weights and real frames that a network used, for networks that continue it.

    Returns:
        `pretrained` and `real` of its record; only those that it has.

    Raises:
        DataError: the record is missing or damaged.
    """
    path = folder / f"{task.name}.json"
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        return {kind: about[kind] for kind in ("pretrained", "real") if kind in about}
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"{path} does not say what {task.name!r} was made of: start from a folder of stage 1"
        ) from error


def trained_size(folder: Path, tasks: Iterable[str]) -> int:
    """Read the side in px of the training inputs of networks from the records of stage 1.

    Args:
        folder: folder of stage 1.
        tasks: at least one canonical name.

    Raises:
        DataError: the side is not known for a network, or differs between networks.
    """
    sizes: dict[int, str] = {}
    for task in tasks:
        path = folder / f"{task}.json"
        try:
            sizes.setdefault(int(json.loads(path.read_text(encoding="utf-8"))["image_size"]), task)
        except (OSError, ValueError, KeyError) as error:
            raise DataError(
                f"{path} does not say at which size {task!r} was trained: delete it and run stage 1 again"
            ) from error
    if len(sizes) > 1:
        listed = ", ".join(f"{task} at {size} px" for size, task in sizes.items())
        raise DataError(f"networks of one bank learn from pictures of one size: {listed}")
    return next(iter(sizes))
