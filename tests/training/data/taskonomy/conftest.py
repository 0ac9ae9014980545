"""Toy frames as the dataset lies on disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.training.data.taskonomy.on_disk import BUILDINGS, SIZE
from tests.training.toy_store import toy_store
from training.data.frames import FrameStore
from training.data.taskonomy import (
    TaskonomyConfig,
    export_store,
    write_splits,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FrameStore:
    """Four rooms of two points with two views each."""
    return toy_store(tmp_path_factory.mktemp("toy"), points=2, views=2, size=SIZE)


@pytest.fixture(scope="module")
def exported(store: FrameStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same frames as the dataset lies on disk; never changed by tests."""
    root = tmp_path_factory.mktemp("original")
    assert export_store(store, root) == BUILDINGS
    return root


@pytest.fixture
def damaged(exported: Path, tmp_path: Path) -> Path:
    """A copy that may be broken."""
    return Path(shutil.copytree(exported, tmp_path / "data"))


@pytest.fixture
def config(tmp_path: Path) -> TaskonomyConfig:
    """Three buildings for training, one for validation."""
    write_splits(tmp_path / "splits.csv", {"train": BUILDINGS[:3], "val": BUILDINGS[3:]})
    return TaskonomyConfig(splits=tmp_path / "splits.csv", size=SIZE, frames_per_shard=5)
