"""Fixtures of stage 1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests.training.stages.networks.toy_networks import CONFIG, THREE
from tests.training.toy_store import toy_store
from training.data.frames import FrameStore
from training.stages.networks.train import train_task_networks


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Networks as small as these are slower on two."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FrameStore:
    return toy_store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def whole(store: FrameStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three networks, trained without a stop."""
    out = tmp_path_factory.mktemp("whole")
    done = train_task_networks(CONFIG, {"train": store}, out, tasks=THREE)
    assert done.finished
    assert done.steps == 6
    return out
