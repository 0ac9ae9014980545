"""Checkpoints: tensors and facts in one file without pickles; the previous checkpoint is kept.

`PATH` is the newest, `PATH.previous` the one before. If the process is killed, at least one of them is
complete.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.optim import Optimizer

from training.atomic_files import sync_folder, write_whole
from training.errors import CheckpointError, StorageError

log = logging.getLogger(__name__)

Json = Any
"""Values that `json` can write: None, bool, int, float, str, and lists and objects of these."""

_FACTS = "facts"
_DIGEST = "sha256"


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Json]) -> None:
    """Write a checkpoint; an existing one becomes the previous one.

    Args:
        path: the file; its folder is created.
        tensors: of any shape, type and device; they may share memory.
        facts: JSON-ready, such as the step and the state of a NumPy generator.

    Raises:
        StorageError: the file cannot be written; earlier checkpoints are unchanged.
    """
    own = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()}
    text = json.dumps(facts)
    content = save(own, metadata={_FACTS: text, _DIGEST: _digest(own, text)})
    fresh = path.with_name(f"{path.name}.next")
    write_whole(fresh, lambda file: file.write(content))
    try:
        if path.exists():
            path.replace(_previous(path))
        fresh.replace(path)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error}") from error
    sync_folder(path.parent)


def has_checkpoint(path: Path) -> bool:
    """Return True if a checkpoint or its predecessor exists, damaged or not."""
    return any(file.exists() for file in (path, _previous(path)))


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Json]]:
    """Load the newest checkpoint that is complete.

    Returns:
        tensors on the CPU, and facts.

    Raises:
        CheckpointError: no checkpoint exists, or none is complete.
    """
    reasons = []
    for file in (path, _previous(path)):
        if not file.exists():
            continue
        try:
            return _read(file)
        except CheckpointError as error:
            log.warning("%s", error)
            reasons.append(str(error))
    why = "; ".join(reasons) or "there is no such file"
    raise CheckpointError(f"no checkpoint at {path}: {why}; delete it to begin again")


def discard_checkpoint(path: Path) -> None:
    """Delete a checkpoint and its predecessor."""
    for file in (path, _previous(path), path.with_name(f"{path.name}.next")):
        file.unlink(missing_ok=True)


def optimizer_tensors(optimizer: Optimizer, prefix: str = "optimizer.") -> dict[str, Tensor]:
    """Return the state of an optimiser that keeps tensors per parameter, such as Adam, AdamW and SGD.

    Returns:
        under `PREFIXstate.PARAMETER.NAME` each tensor of each parameter, parameters numbered as in the
        optimiser; under `PREFIXgroup.GROUP.NAME`, float64, each number that a schedule may change, such as
        `lr`.

    Raises:
        CheckpointError: the optimiser has state other than tensors.
    """
    written = optimizer.state_dict()
    flat: dict[str, Tensor] = {}
    for number, state in written["state"].items():
        for name, value in state.items():
            if value is None:  # SGD before its first step with momentum
                continue
            if not isinstance(value, Tensor):
                kept = f"{type(optimizer).__name__} keeps {name!r} as {type(value).__name__}"
                raise CheckpointError(f"{kept}, only tensors can be stored: take Adam, AdamW or SGD")
            flat[f"{prefix}state.{number}.{name}"] = value
    for number, group in enumerate(written["param_groups"]):
        for name, value in group.items():
            if name != "params" and _is_scheduled(value):
                flat[f"{prefix}group.{number}.{name}"] = torch.as_tensor(value, dtype=torch.float64)
    return flat


def restore_optimizer(
    optimizer: Optimizer, tensors: Mapping[str, Tensor], prefix: str = "optimizer."
) -> None:
    """Load the state from `optimizer_tensors` into an optimiser over the same parameters.

    Args:
        optimizer: constructed as the stored one; its state moves to the device of its parameters.
        tensors: tensors of a checkpoint; names without `prefix` are ignored.
        prefix: prefix of the stored names.

    Raises:
        CheckpointError: the state is of other parameters.
    """
    parameters = [value for group in optimizer.param_groups for value in group["params"]]
    groups = optimizer.state_dict()["param_groups"]
    state: dict[int, dict[str, Tensor]] = {}
    for full_name, value in tensors.items():
        if not full_name.startswith(prefix):
            continue
        kind, number, name = full_name.removeprefix(prefix).split(".", 2)
        if kind == "state":
            if int(number) >= len(parameters):
                raise CheckpointError(f"{full_name}: the optimiser has {len(parameters)} parameter(s)")
            shape = parameters[int(number)].shape
            if value.ndim > 0 and value.shape != shape:
                raise CheckpointError(f"{full_name} is {tuple(value.shape)}, its parameter is {tuple(shape)}")
            state.setdefault(int(number), {})[name] = value
        elif int(number) >= len(groups):
            raise CheckpointError(f"{full_name}: the optimiser has {len(groups)} group(s)")
        else:
            groups[int(number)][name] = value.item() if value.ndim == 0 else tuple(value.tolist())
    optimizer.load_state_dict({"state": state, "param_groups": groups})


class Every:
    """Timer for periodic actions.

    Args:
        seconds: interval, at least 0; with 0 an action is always due.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._last = time.monotonic()

    def due(self) -> bool:
        """Return True if the interval is over, and then start the next one."""
        now = time.monotonic()
        if now - self._last < self.seconds:
            return False
        self._last = now
        return True


def _previous(path: Path) -> Path:
    return path.with_name(f"{path.name}.previous")


def _read(file: Path) -> tuple[dict[str, Tensor], dict[str, Json]]:
    """Read one file.

    Raises:
        CheckpointError: the file is damaged, or no checkpoint.
    """
    try:
        with safe_open(file, framework="pt") as opened:
            header = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no mapping
        facts = json.loads(header[_FACTS])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CheckpointError(f"{file} is not a readable checkpoint: {error}") from error
    if header.get(_DIGEST) != _digest(tensors, header[_FACTS]):
        raise CheckpointError(f"{file} is damaged: its content is not what was written")
    return tensors, facts


def _digest(tensors: Mapping[str, Tensor], facts: str) -> str:
    """sha256 of the content, which detects bit errors of the disk."""
    digest = hashlib.sha256(facts.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _is_scheduled(value: object) -> bool:
    """Return True if a group's entry is a number, or numbers, that a schedule may change."""
    if isinstance(value, tuple | list):
        return bool(value) and all(map(_is_scheduled, value))
    return isinstance(value, float | Tensor) or (isinstance(value, int) and not isinstance(value, bool))
