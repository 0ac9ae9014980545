"""Weight files: safetensors only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from taskbank.atomic_files import write_whole
from taskbank.bank.quantise import COUNTER, Storage, pack, unpack
from taskbank.errors import BankFormatError

Network = TypeVar("Network", bound=nn.Module)

_NAMED = 3  # wrong tensors that an error names


def weights_to_bytes(weights: Mapping[str, Tensor], storage: Storage) -> bytes:
    """Write the content of a safetensors file: the packed weights, and their storage type in the header.

    The same weights give the same bytes.

    Raises:
        InvalidInputError: the weights cannot be stored in that form, see `taskbank.bank.quantise.pack`.
    """
    return save(pack(weights, storage), metadata={"storage": storage.value})


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically.

    Raises:
        OutputError: the file cannot be written.
    """
    write_whole(path, lambda file: file.write(content))


def weights_from_bytes(content: bytes, where: str) -> dict[str, Tensor]:
    """Read the state dict from a safetensors file's content, floating point as float32.

    Raises:
        BankFormatError: the content is not a safetensors file, or its integers lack their scales.
    """
    try:
        return unpack(load(content))
    except BankFormatError as error:
        raise BankFormatError(f"{where}: {error}") from error
    except (SafetensorError, ValueError, LookupError, TypeError, RuntimeError, OverflowError) as error:
        raise BankFormatError(f"{where} is not a readable safetensors file: {error}") from error


def fill(network: nn.Module, weights: Mapping[str, Tensor], where: str) -> None:
    """Put weights into a network, which may lie on the meta device.

    Raises:
        BankFormatError: weights are missing, unknown, of another shape or type, or not finite; the first few
            are named.
    """
    expected = {key: value for key, value in network.state_dict().items() if not key.endswith(COUNTER)}
    given = {key: value for key, value in weights.items() if not key.endswith(COUNTER)}
    wrong = {
        "missing": sorted(expected.keys() - given.keys()),
        "unknown": sorted(given.keys() - expected.keys()),
        "of another shape": sorted(
            f"{key} {tuple(given[key].shape)} for {tuple(expected[key].shape)}"
            for key in expected.keys() & given.keys()
            if given[key].shape != expected[key].shape
        ),
        "of another type": sorted(
            f"{key} {given[key].dtype} for {expected[key].dtype}"
            for key in expected.keys() & given.keys()
            if given[key].dtype != expected[key].dtype
        ),
    }
    if any(wrong.values()):
        raise BankFormatError(f"{where} does not fit its network: {_listed(wrong)}")
    # A single negative variance makes every output NaN.
    bad = [
        key
        for key, value in given.items()
        if value.is_floating_point()
        and not (
            bool(value.isfinite().all()) and (not key.endswith("running_var") or bool((value >= 0).all()))
        )
    ]
    if bad:
        raise BankFormatError(
            f"{where}: {_listed({'with values that are not finite or allowed': sorted(bad)})}"
        )
    network.load_state_dict(given, strict=True, assign=True)


def _listed(wrong: Mapping[str, list[str]]) -> str:
    """Describe each kind of wrong tensor: their number and the first few names."""
    parts = []
    for kind, names in wrong.items():
        if names:
            more = ", ..." if len(names) > _NAMED else ""
            parts.append(f"{len(names)} {kind} ({', '.join(names[:_NAMED])}{more})")
    return "; ".join(parts)


def empty(build: Callable[[], Network], at_most: int | None = None, where: str = "") -> Network:
    """Build a network whose weights will be read from a file.

    The network is on the meta device, without memory or random weights, unless its constructor computes
    buffers that no file holds, such as the position embeddings of some timm models.

    Args:
        build: makes the network.
        at_most: most weights that the network may have, which is the file's size in bytes.
        where: the file, for messages.

    Raises:
        BankFormatError: the network has more weights.
    """
    with torch.device("meta"):
        network = build()
    held = network.state_dict()
    numbers = sum(value.numel() for value in held.values())
    if at_most is not None and numbers > at_most:
        raise BankFormatError(
            f"{where} does not fit its network: {at_most} bytes for {numbers} weights. Get the bank again"
        )
    if all(name in held for name, _ in network.named_buffers()):
        return network
    with torch.random.fork_rng(devices=[]):
        return build()
