"""Order of the test files: the longest ones first, so that no worker is left alone with one at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

LONGEST = (
    "documents/test_training_commands.py",
    "training/stages/publishing/test_check.py",
    "documents/test_commands.py",
    "training/stages/transfers/test_foreign.py",
    "cli/browser/test_hostile.py",
    "training/runs/test_kill.py",
    "test_notebooks.py",
    "training/stages/transfers/test_jobs.py",
    "cli/browser/test_looks.py",
    "taskbank/exporting/test_export.py",
)
"""Files of 40 seconds and more, relative to this folder, by `pytest --durations`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first; the order within a file stays."""
    place = {Path(__file__).parent / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))
