"""Files of per-sample losses, from which affinities and their uncertainty can be computed again.

`TARGET/KIND.losses.safetensors` holds float32 (samples,) under `test/NAME` and, for order 1, `held_out/NAME`,
where NAME is a transfer's sources joined by `+`, or a control; and `rooms/SPLIT`, int32 (samples,).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from taskbank.learning.measure import LossArray, SampleLosses, sources_of, transfer_name
from training.atomic_files import write_whole
from training.errors import DataError

__all__ = [
    "HELD_OUT",
    "TEST",
    "LossArray",
    "SampleLosses",
    "load_losses",
    "load_target",
    "losses_path",
    "save_losses",
    "sources_of",
    "transfer_name",
]

TEST, HELD_OUT = "test", "held_out"
_ROOMS = "rooms"
_ENDING = ".losses.safetensors"


def losses_path(folder: Path, target: str, kind: str) -> Path:
    """Return the path of one kind of network, such as `order_1` or `scratch`."""
    return folder / target / f"{kind}{_ENDING}"


def save_losses(path: Path, splits: Mapping[str, SampleLosses]) -> None:
    """Write losses by split.

    Raises:
        StorageError: the file cannot be written.
    """
    arrays: dict[str, NDArray[np.generic]] = {}
    for split, losses in splits.items():
        arrays[f"{_ROOMS}/{split}"] = losses.rooms.astype(np.int32)
        for name, values in losses.by_name.items():
            arrays[f"{split}/{name}"] = np.ascontiguousarray(values, dtype=np.float32)
    write_whole(path, lambda file: file.write(save(arrays)))


def load_losses(path: Path, split: str) -> SampleLosses:
    """Load losses of one split; without networks if the file has none of that split.

    Raises:
        DataError: there is no such file, or it is damaged.
    """
    try:
        arrays = load_file(path)
    except FileNotFoundError as error:
        raise DataError(f"no losses at {path}: run stage 2 first") from error
    except SafetensorError as error:
        raise DataError(f"{path} is damaged: {error}; delete it and run stage 2 again") from error
    prefix = f"{split}/"
    by_name = {key.removeprefix(prefix): values for key, values in arrays.items() if key.startswith(prefix)}
    rooms = arrays.get(f"{_ROOMS}/{split}", np.empty(0, dtype=np.int32))
    return SampleLosses(rooms=rooms, by_name=by_name)


def load_target(folder: Path, target: str) -> SampleLosses:
    """Load test losses of all transfers and controls of a target.

    Raises:
        DataError: there are no losses, or files were made from different samples.
    """
    paths = sorted((folder / target).glob(f"*{_ENDING}"))
    if not paths:
        raise DataError(f"no losses of {target!r} in {folder}: run stage 2 first")
    parts = [load_losses(path, TEST) for path in paths]
    for path, part in zip(paths, parts, strict=True):
        if not np.array_equal(part.rooms, parts[0].rooms):
            raise DataError(f"{path} and {paths[0]} were made from different samples: run stage 2 again")
    by_name = {name: values for part in parts for name, values in part.by_name.items()}
    return SampleLosses(rooms=parts[0].rooms, by_name=by_name)
