"""The original networks' checkpoints: files of the `visualpriors` package, the only pickles that are read.

They are read once, by `taskbank convert`, with `weights_only=True`, after a check of their sha256 against the
digits in their name.
"""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import torch
from torch import Tensor

from taskbank.bank.index import LARGEST_FILE
from taskbank.errors import BankFormatError, ChecksumMismatchError, InvalidInputError, UnknownTaskError
from taskbank.paths import read_regular
from taskbank.tasks.registry import TASKS, find_task

_NAME = re.compile(r"(?P<task>\w+)_(?P<part>encoder|decoder)-(?P<digest>[0-9a-f]{8,64})\.pth")
_FORM = "TASK_encoder-SHA256.pth and TASK_decoder-SHA256.pth"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointName:
    """Parsed name of a checkpoint file.

    Attributes:
        task: canonical name.
        part: `encoder` or `decoder`.
        digest: the first 8 to 64 digits of the content's sha256.
        file: the name.
    """

    task: str
    part: str
    digest: str
    file: str


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints of a folder.

    Attributes:
        folder: of the files.
        encoders: by canonical name, in the order of the registry.
        decoders: by canonical name; fewer than encoders.
        ignored: names of files that are not checkpoints.
    """

    folder: Path
    encoders: dict[str, CheckpointName]
    decoders: dict[str, CheckpointName]
    ignored: tuple[str, ...] = ()


def parse_name(file: str) -> CheckpointName | None:
    """Parse the name of a checkpoint file; None for any other file.

    Raises:
        UnknownTaskError: the file is a checkpoint of a task that is none of the 26.
    """
    found = _NAME.fullmatch(file)
    if found is None:
        return None
    return CheckpointName(
        task=find_task(found["task"]).name, part=found["part"], digest=found["digest"], file=file
    )


def find_checkpoints(folder: Path) -> Checkpoints:
    """Find the checkpoints in a folder by their names.

    Raises:
        InvalidInputError: there is no such folder, no encoder in it, a decoder without its encoder, or two
            files for one network.
    """
    if not folder.is_dir():
        raise InvalidInputError(
            f"{folder} is not a folder: name one with files {_FORM}, or `visualpriors` for the published ones"
        )
    names, ignored = [], []
    for path in sorted(folder.iterdir()):
        try:
            name = parse_name(path.name)
        except UnknownTaskError:
            name = None
        if name is None:
            ignored.append(path.name)
        else:
            names.append(name)
    parts = {part: _by_task(part, names) for part in ("encoder", "decoder")}
    found = Checkpoints(folder, parts["encoder"], parts["decoder"], tuple(ignored))
    if not found.encoders:
        raise InvalidInputError(f"{found.folder} holds no encoder: its files must be called {_FORM}")
    alone = found.decoders.keys() - found.encoders.keys()
    if alone:
        raise InvalidInputError(
            f"{found.folder} holds decoders without their encoders: {', '.join(sorted(alone))}"
        )
    return found


def _by_task(part: str, names: Iterable[CheckpointName]) -> dict[str, CheckpointName]:
    """Return the files of one part, in the order of the registry."""
    found: dict[str, CheckpointName] = {}
    for name in names:
        if name.part == part and name.task in found:
            raise InvalidInputError(
                f"{found[name.task].file} and {name.file} are both the {part} of {name.task}: keep one"
            )
        if name.part == part:
            found[name.task] = name
    return {task: found[task] for task in TASKS if task in found}


def read_checkpoint(path: Path, digest: str) -> dict[str, Tensor]:
    """Read the state dict in a checkpoint.

    Args:
        path: the file.
        digest: first digits of its sha256.

    Raises:
        ChecksumMismatchError: the content is another, or damaged.
        BankFormatError: the file cannot be read, or holds anything but tensors.
    """
    try:
        content = read_regular(path, at_most=LARGEST_FILE)
    except OSError as error:
        raise BankFormatError(f"cannot read {path}: {error}") from error
    if content is None:
        raise BankFormatError(f"{path} is a pipe or a device: save it as a file")
    found = hashlib.sha256(content).hexdigest()
    if not found.startswith(digest):
        raise ChecksumMismatchError(
            f"{path} has sha256 {found}, not {digest} as its name says: the file is damaged or was changed. "
            "Delete it and get it again"
        )
    try:
        loaded = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BankFormatError(
            f"{path} holds more than tensors and is not loaded, since a pickle can run any program"
        ) from error
    except Exception as error:  # the exceptions of torch.load for invalid content are not documented
        raise BankFormatError(f"{path} is not a PyTorch checkpoint: {error}") from error
    state = loaded.get("state_dict") if isinstance(loaded, dict) else None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise BankFormatError(
            f"{path} is not a checkpoint of visualpriors: it has no `state_dict` of tensors"
        )
    return state
