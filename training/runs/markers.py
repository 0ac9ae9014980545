"""Markers in a stage's folder, which state its plan, beginning and end; comparison of plans."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training.errors import ConfigError, DataError
from training.runs.provenance import (
    code_version,
    digest_file,
    digest_json,
    digest_listing,
    package_versions,
)
from training.runs.settings import flatten, settings_of

MARKER = "stage.json"
"""File that is written last: settings, inputs, code, packages, outputs."""
BEGUN = "stage.begun.json"
"""File that is written first, and deleted after `MARKER` is written: the same without outputs."""

_FORMAT = 1


def make_plan(name: str, config: object, inputs: Sequence[Path]) -> dict[str, Any]:
    """Describe a stage that is about to run, for both of its markers.

    Raises:
        ConfigError: the configuration cannot be converted to JSON.
        DataError: an input is missing or not finished.
    """
    settings = settings_of(config)
    compared = settings_of(config, only_compared=True)
    return {
        "format": _FORMAT,
        "stage": name,
        "settings": settings,
        "compared": compared,
        "settings_digest": digest_json(compared),
        "seed": settings.get("seed"),
        "inputs": [{"path": str(path), "digest": digest_of(path)} for path in inputs],
        "code": code_version(),
        "packages": package_versions(),
    }


def read_marker(folder: Path) -> dict[str, Any]:
    """Read the done-marker of a finished stage.

    Raises:
        DataError: the stage is not finished, or its marker is damaged.
    """
    try:
        return _read(folder / MARKER)
    except FileNotFoundError as error:
        raise DataError(f"{folder} is not finished: {MARKER} is missing, run its stage first") from error
    except ValueError as error:
        raise DataError(f"{folder / MARKER} is damaged: {error}; run its stage with --overwrite") from error


def read_matching(marker: Path, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Read a marker that must state a given plan.

    Raises:
        ConfigError: the marker states another plan (the message has the first difference), or is damaged.
    """
    try:
        written = _read(marker)
        difference = _difference(written, plan)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{marker} is damaged: {error}; choose another --out, or --overwrite to make the stage again"
        ) from error
    if difference is not None:
        raise ConfigError(
            f"{marker.parent} was made with {difference}: choose another --out, or --overwrite to delete it "
            "and begin again"
        )
    return written


def digest_of(path: Path) -> str:
    """Compute the fingerprint of an input.

    Returns:
        for a file, the sha256 of its content; for a stage's folder, or one directly in it, the digest of the
        stage's outputs as stated by its marker; for another folder, the digest of names and sizes of its
        files.

    Raises:
        DataError: the path does not exist, or an earlier stage is not finished.
    """
    if path.is_file():
        return digest_file(path)
    if not path.is_dir():
        raise DataError(f"{path} does not exist: run the stage that makes it, or correct the path")
    for folder in (path, path.parent):
        if (folder / MARKER).exists():
            return str(read_marker(folder)["outputs"]["digest"])
        if (folder / BEGUN).exists():
            raise DataError(f"{folder} is half done: finish its stage first")
    return digest_listing(path)


def _read(path: Path) -> dict[str, Any]:
    """Read a marker.

    Raises:
        FileNotFoundError: the marker does not exist.
        ValueError: it is not a JSON object of a known format.
    """
    written = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(written, dict) or written.get("format") != _FORMAT:
        raise ValueError(f"no JSON object of format {_FORMAT}")
    return written


def _difference(written: Mapping[str, Any], plan: Mapping[str, Any]) -> str | None:
    """Describe the first difference of two plans as text."""
    if written["stage"] != plan["stage"]:
        return f"stage {written['stage']!r}, not {plan['stage']!r}"
    old, new = flatten(written["compared"]), flatten(plan["compared"])
    for name in [*new, *(name for name in old if name not in new)]:
        # Values are written as in TOML.
        before, now = (json.dumps(one[name]) if name in one else "(not set)" for one in (old, new))
        if before != now:
            return f"{name} = {before}, and now {name} = {now}"
    # Inputs may have moved, so their paths are not compared.
    inputs, inputs_now = written["inputs"], plan["inputs"]
    for was, is_now in zip(inputs, inputs_now, strict=False):
        if was["digest"] != is_now["digest"]:
            digests = f"was {was['digest'][:12]}, now {is_now['digest'][:12]}"
            return f"other content of {is_now['path']}, which changed since ({digests})"
    if len(inputs) != len(inputs_now):
        return f"{len(inputs)} input(s), and now {len(inputs_now)}"
    return None
