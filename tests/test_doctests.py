"""Every public function and the main classes have an example in their docstrings, and the examples run."""

from __future__ import annotations

import doctest
import inspect
import shutil
from pathlib import Path
from types import ModuleType

import pytest
from tests.taskbank.clips import corner_frames, write_clip

import taskbank
import taxsolver
import taxsolver.figures

ROOT = Path(__file__).parents[1]
PHOTO = ROOT / "cli" / "taskbank_demo" / "examples" / "sitting_room.jpg"
FUNCTIONS = [
    (package, name)
    for package in (taxsolver, taskbank)
    for name in package.__all__
    if inspect.isfunction(getattr(package, name))
]
CLASSES = [
    (package, name)
    for package in (taxsolver, taskbank)
    for name in package.__all__
    if inspect.isclass(getattr(package, name)) and ">>>" in (getattr(package, name).__doc__ or "")
]
MADE = {"AffinityTensor", "Bank", "Engine", "Form", "Objective", "Prediction", "Problem", "Reading", "Saving"}
"""Some of the classes that users make or get: these have examples."""


def test_the_main_classes_have_examples() -> None:
    assert {name for _, name in CLASSES} >= MADE


@pytest.mark.parametrize(
    ("package", "name"), [*FUNCTIONS, *CLASSES], ids=[name for _, name in [*FUNCTIONS, *CLASSES]]
)
def test_the_example_of_a_public_function_or_class_runs(
    package: ModuleType, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TASKBANK_BANK", raising=False)
    shutil.copy(PHOTO, "photo.jpg")
    if name == "predict_video":
        write_clip(tmp_path / "clip.mp4", corner_frames(3))
    function = getattr(package, name)
    (test,) = doctest.DocTestFinder(recurse=False).find(function, name, globs={})
    assert test.examples, f"{name} has no example"
    results = doctest.DocTestRunner().run(test)
    assert results.failed == 0


def test_the_example_of_the_pictures_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(taxsolver.figures).attempted == 4
    assert doctest.testmod(taxsolver.figures).failed == 0
    assert (tmp_path / "plan.png").exists()


def test_every_name_of_the_pictures_is_there() -> None:
    assert all(callable(getattr(taxsolver.figures, name)) for name in taxsolver.figures.__all__)
    with pytest.raises(AttributeError, match="no attribute 'draw_nothing'"):
        taxsolver.figures.draw_nothing  # noqa: B018 - the access is the test
