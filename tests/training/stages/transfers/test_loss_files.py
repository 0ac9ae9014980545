"""Losses on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from training.errors import DataError, DivergedError
from training.stages.transfers.loss_files import (
    HELD_OUT,
    TEST,
    SampleLosses,
    load_losses,
    load_target,
    losses_path,
    save_losses,
    sources_of,
    transfer_name,
)

from taskbank.learning.measure import checked

ROOMS = np.array([4, 4, 7], dtype=np.int32)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = losses_path(tmp_path, "normal", "order_2")
    values = np.array([1.0, 2.0, 3.5], dtype=np.float32)
    save_losses(path, {TEST: SampleLosses(ROOMS, {"jigsaw+random": values})})
    found = load_losses(path, TEST)
    assert found.rooms.tolist() == [4, 4, 7]
    np.testing.assert_array_equal(found.by_name["jigsaw+random"], values)
    assert load_losses(path, HELD_OUT).by_name == {}


def test_names_tell_the_sources_in_their_order() -> None:
    assert sources_of(transfer_name(("normal", "edge_texture"))) == ("normal", "edge_texture")


def test_all_kinds_of_a_target_are_joined(tmp_path: Path) -> None:
    for kind, name in (("order_1", "jigsaw"), ("scratch", "scratch")):
        save_losses(
            losses_path(tmp_path, "normal", kind), {TEST: SampleLosses(ROOMS, {name: np.ones(3, np.float32)})}
        )
    assert set(load_target(tmp_path, "normal").by_name) == {"jigsaw", "scratch"}


def test_losses_of_other_samples_are_refused(tmp_path: Path) -> None:
    for kind, rooms in (("order_1", ROOMS), ("scratch", ROOMS[:2])):
        losses = SampleLosses(rooms, {kind: np.ones(len(rooms), np.float32)})
        save_losses(losses_path(tmp_path, "normal", kind), {TEST: losses})
    with pytest.raises(DataError, match="were made from different samples: run stage 2 again"):
        load_target(tmp_path, "normal")


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no losses of 'normal' in .*: run stage 2 first"):
        load_target(tmp_path, "normal")
    path = losses_path(tmp_path, "normal", "order_1")
    with pytest.raises(DataError, match="no losses at .*: run stage 2 first"):
        load_losses(path, TEST)
    path.parent.mkdir()
    path.write_bytes(b"no losses")
    with pytest.raises(DataError, match="is damaged: .*; delete it and run stage 2 again"):
        load_losses(path, TEST)


def test_a_loss_that_is_no_number_is_named() -> None:
    losses = SampleLosses(ROOMS, {"jigsaw": np.array([1, np.nan, 2], np.float32)})
    with pytest.raises(DivergedError, match="jigsaw -> normal: the loss of sample 1 is nan"):
        checked(losses, "normal")
