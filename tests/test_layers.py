"""Imports between the folders of a package go one way."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Folders and modules of each package; one may import those before it.
LAYERS = {
    "taxsolver": (
        "errors",
        "plain_text",
        "arguments",
        "files",
        "tensors",
        "programs",
        "planning",
        "analysis",
        "grouping",
        "figures",
    ),
    "taskbank": (
        *(
            "errors",
            "options",
            "atomic_files",
            "paths",
            "csv_tables",
            "geometry",
            "constants",
            "tasks",
            "images",
            "labels",
            "nets",
            "bank",
            "foundation",
            "encoders",
            "original",
        ),
        *(
            "inference",
            "learning",
            "drawing",
            "saving",
            "sources",
            "probing",
            "own_task",
            "scoring",
            "exporting",
            "video",
            "file_features",
            "file_predictions",
        ),
    ),
    "training": (
        *("errors", "atomic_files", "arguments", "runs", "data", "rooms", "learning", "stages", "run"),
        *("pipeline", "published_affinities", "__main__"),
    ),
    "training.stages": (
        *("networks", "transfers", "affinity", "taxonomy", "grouping", "evaluation", "publishing"),
    ),
    "training.rooms": (
        *(
            "draw",
            "scene",
            "floor_plan",
            "noise",
            "smooth",
            "look",
            "tracing",
            "surfaces",
            "lights",
            "cameras",
        ),
        *("furniture", "furnishing", "frames"),
    ),
}
FOLDERS = {name: ROOT / name / "src" / name for name in ("taxsolver", "taskbank")}


def folder(package: str) -> Path:
    return FOLDERS.get(package, ROOT / package.replace(".", "/"))


def modules(package: str) -> list[Path]:
    found = sorted(folder(package).rglob("*.py"))
    assert len(found) > 40
    return found


def layer(path: Path, package: str) -> str:
    return path.relative_to(folder(package)).with_suffix("").parts[0]


def imported(path: Path) -> list[str]:
    """Names of the modules that a file imports, also inside of functions."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


@pytest.mark.parametrize("package", LAYERS)
def test_every_module_has_a_layer(package: str) -> None:
    assert {layer(path, package) for path in modules(package)} == {*LAYERS[package], "__init__"}


@pytest.mark.parametrize("package", LAYERS)
def test_no_module_imports_a_later_layer_or_the_whole_package(package: str) -> None:
    order = {name: place for place, name in enumerate(LAYERS[package])}
    upward = [
        (str(path.relative_to(ROOT)), name)
        for path in modules(package)
        if layer(path, package) != "__init__"
        for name in imported(path)
        if name.startswith(f"{package}.")
        and order.get(name[len(package) + 1 :].split(".")[0], len(order)) > order[layer(path, package)]
    ]
    assert upward == []


def test_neither_package_knows_the_other_or_a_command() -> None:
    for package in FOLDERS:
        others = {"taxsolver", "taskbank", "taxsolver_cli", "taskbank_cli", "taskbank_demo", "training"} - {
            package
        }
        known = {name.split(".")[0] for path in modules(package) for name in imported(path)}
        assert known & others == set()


def test_only_one_module_knows_highs() -> None:
    knowing = {path.name for path in modules("taxsolver") if "highspy" in imported(path)}
    assert knowing == {"highs.py"}
