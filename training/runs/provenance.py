"""Provenance of a stage's outputs: code, packages, and fingerprints of files and folders."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import taskbank
import taxsolver

_CHECKOUT = Path(__file__).parents[2]
_PACKAGES = ("torch", "numpy", "safetensors", "scikit-image", "scipy", "ray")
_GIT_SECONDS = 20
_VOLATILE_NAMES = ("stage.json", "stage.begun.json")
_VOLATILE_ENDINGS = (".metrics.csv",)


def digest_json(content: object) -> str:
    """Compute the sha256 of a JSON value, independent of the order of keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def digest_file(path: Path) -> str:
    """Compute the sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_outputs(folder: Path) -> tuple[str, dict[str, int]]:
    """Compute the fingerprint of a stage's outputs in its folder.

    Files that differ between equivalent runs are left out: hidden files, markers, and `*.metrics.csv`, which
    may hold times.

    Returns:
        sha256 over names and contents, and size in bytes by name.
    """
    digest = hashlib.sha256()
    sizes: dict[str, int] = {}
    for name, path in _outputs(folder):
        sizes[name] = path.stat().st_size
        digest.update(f"{name}\0{digest_file(path)}\0".encode())
    return digest.hexdigest(), sizes


def digest_listing(folder: Path) -> str:
    """Compute the fingerprint of a user's folder from names and sizes, as datasets may hold terabytes."""
    digest = hashlib.sha256()
    for name, path in _outputs(folder):
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
    return digest.hexdigest()


@cache
def code_version() -> dict[str, Any]:
    """Return the checkout's commit, and whether files were changed since; None without a checkout."""
    commit = _git("rev-parse", "HEAD")
    changed = None if commit is None else _git("--no-optional-locks", "status", "--porcelain")
    return {"commit": commit, "dirty": None if changed is None else bool(changed)}


@cache
def package_versions() -> dict[str, str]:
    """Return the versions of Python and of installed packages that affect results."""
    versions = {
        "python": platform.python_version(),
        "taskbank": taskbank.__version__,
        "taxsolver": taxsolver.__version__,
    }
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _outputs(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files below a folder, sorted by name, without folders of other stages in it."""
    others = {path.parent for name in _VOLATILE_NAMES for path in folder.rglob(name)} - {folder}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if any(part.startswith(".") for part in inside.parts) or not path.is_file():
            continue
        if not others.isdisjoint(path.parents):
            continue
        if path.name in _VOLATILE_NAMES or path.name.endswith(_VOLATILE_ENDINGS):
            continue
        yield inside.as_posix(), path


def _git(*arguments: str) -> str | None:
    """Run git on the checkout that this file is in and return its output; None if it fails."""
    if not (_CHECKOUT / ".git").exists():
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", *arguments],  # noqa: S607 - whichever git the user has
            cwd=_CHECKOUT,
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
