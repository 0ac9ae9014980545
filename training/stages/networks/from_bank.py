"""Networks of a published bank, in the form of a folder of stage 1, to continue them."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import BinaryIO

from taskbank.bank.bank import Bank
from taskbank.bank.index import INDEX_NAME
from taskbank.bank.quantise import Storage
from taskbank.bank.weights import weights_to_bytes
from taskbank.errors import TaskBankError
from taskbank.nets.architecture import architecture_to_json
from taskbank.tasks.registry import find_task
from training.atomic_files import write_json, write_whole
from training.errors import DataError
from training.stages.networks.finished import weights_path

BUNDLED = "rooms"
_MADE_FROM = "bank.json"  # digest of the bank that a folder was written from


def is_bank(start: Path) -> bool:
    """True if networks to start from are a bank: its folder, or the name of the bundled one."""
    return (start / INDEX_NAME).is_file() or (str(start) == BUNDLED and not start.exists())


def write_networks_of_bank(start: Path, out: Path) -> Path:
    """Write all task networks of a bank into a folder, unless they are there already.

    Weights are float32, as rounded in the bank. The facts of each network are those of its training that the
    index states: steps, seconds, pretrained weights and real frames.

    Args:
        start: folder of the bank, or `rooms` for the bundled one.
        out: folder to write.

    Returns:
        the folder.

    Raises:
        DataError: the bank is missing or damaged, or does not say how its networks were trained.
        StorageError: a file cannot be written.
    """
    marker = out / _MADE_FROM
    try:
        bank = Bank.open(start.resolve() if start.exists() else str(start))
        if marker.is_file() and json.loads(marker.read_text(encoding="utf-8")) == {"digest": bank.digest}:
            return out
        out.mkdir(parents=True, exist_ok=True)
        for name in bank.tasks:
            entry = bank.entry(name)
            if entry.decoder is None:
                continue
            content = weights_to_bytes(bank.load(name).state_dict(), Storage.FP32)
            write_whole(weights_path(out, find_task(name)), partial(_put, content))
            training = entry.training
            try:
                about = {
                    "task": name,
                    "bank": bank.digest,
                    "architecture": architecture_to_json(bank.architecture),
                    "image_size": training["image_size"],
                    "before": {key: training.get(f"{key}_before", 0) for key in ("steps", "seconds")},
                    **{key: training[key] for key in ("steps", "seconds", "trained_beside")},
                    **{key: training[key] for key in ("pretrained", "real") if key in training},
                }
            except KeyError as error:
                raise DataError(
                    f"the bank {bank.where} does not say how {name!r} was trained ({error} is missing): "
                    "start from a bank that `training` published"
                ) from error
            write_json(out / f"{name}.json", about)
    except TaskBankError as error:
        raise DataError(f"cannot start from the bank {start}: {error}") from error
    write_json(marker, {"digest": bank.digest})
    return out


def _put(content: bytes, file: BinaryIO) -> None:
    """Write bytes to an open file."""
    file.write(content)
