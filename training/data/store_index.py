"""Index of a store of frames: a small JSON file that prevents mixing frames of different settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.errors import ConfigError, DataError


def read_json(path: Path) -> dict[str, Any]:
    """Read an index.

    Raises:
        FileNotFoundError: the file does not exist.
        DataError: the file cannot be read.
    """
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} is damaged ({error}): remove it and make the frames again") from error
    return found


def refuse_other(path: Path, wanted: Mapping[str, Any]) -> None:
    """Raise if a partly written store has other settings than those wanted.

    Raises:
        ConfigError: the settings differ; the message names the difference.
    """
    there = read_json(path)
    same = json.loads(json.dumps(wanted))
    for name in ("format", "size"):
        if there.get(name) != same[name]:
            raise ConfigError(
                f"{path.parent} holds frames of {name} {there.get(name)}, not {same[name]}: "
                "write to another folder"
            )
    keys = sorted({*there["about"], *same["about"]})
    differing = [key for key in keys if there["about"].get(key) != same["about"].get(key)]
    if differing:
        key = differing[0]
        old, new = there["about"].get(key), same["about"].get(key)
        raise ConfigError(
            f"{path.parent} holds frames with {key} {old!r}, not {new!r}: write to another folder"
        )
