"""Weights of semantic classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.training.toy_store import toy_store
from training.data.frames import FrameStore
from training.learning.class_weights import class_weights, evenly, semantic_weights

from taskbank.constants import loss_weights
from taskbank.tasks.registry import find_task


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FrameStore:
    return toy_store(tmp_path_factory.mktemp("store"))


def test_the_formula_of_class_weights_gives_the_originals_table() -> None:
    table = torch.from_numpy(loss_weights("segment_semantic").copy()).double()
    # Undo w = c / (p / 2 + 1 / 34), where c makes the shares add up to 1.
    scale = (0.5 + 0.5) / (1 / table).sum()
    shares = 2 * (scale / table - 1 / 34)
    labels = torch.repeat_interleave(torch.arange(1, 18), (shares * 1e6).round().long().clamp(min=0))
    found = class_weights(torch.cat([labels, torch.zeros(1000, dtype=torch.long)]), 17)
    assert found.tolist() == pytest.approx(table.tolist(), rel=0.01)


def test_measured_weights_favour_rare_classes(store: FrameStore) -> None:
    weights = semantic_weights(find_task("segment_semantic"), store, evenly(len(store)))
    assert weights is not None
    codes = store.read("segment_semantic", np.arange(len(store)))
    counts = np.bincount(codes.reshape(-1), minlength=18)[1:]
    assert np.array_equal(np.argsort(-weights.numpy(), kind="stable"), np.argsort(counts, kind="stable"))


def test_only_maps_of_classes_have_weights(store: FrameStore) -> None:
    assert semantic_weights(find_task("normal"), store, evenly(len(store))) is None


def test_counted_frames_are_all_of_few_and_evenly_spread_of_many() -> None:
    assert evenly(5).tolist() == [0, 1, 2, 3, 4]
    assert evenly(1001, most=3).tolist() == [0, 500, 1000]
