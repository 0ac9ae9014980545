"""Every public function has an example in its docstring, and the examples run."""

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

ROOT = Path(__file__).parents[1]
PHOTO = ROOT / "cli" / "taskbank_demo" / "examples" / "sitting_room.jpg"
FUNCTIONS = [
    (package, name)
    for package in (taxsolver, taskbank)
    for name in package.__all__
    if inspect.isfunction(getattr(package, name))
]


@pytest.mark.parametrize(("package", "name"), FUNCTIONS, ids=[name for _, name in FUNCTIONS])
def test_the_example_of_a_public_function_runs(
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
