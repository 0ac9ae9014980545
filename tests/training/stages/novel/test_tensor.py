"""The affinity tensor of a novel task, alone and as one more target of another."""

from __future__ import annotations

import numpy as np
import pytest
from training.errors import ConfigError
from training.stages.affinity.target import TargetAffinity
from training.stages.novel.tensor import extended, new_tensor

from taxsolver import load_affinity, solve

NAMES = ("normal", "reshading", "random", "normal+reshading")
AFFINITY = np.array([0.2, 0.1, 0.05, 0.65])
FOUND = TargetAffinity(
    target="daylight",
    names=NAMES,
    values={"affinity": AFFINITY, "gain": np.array([0.5, 0.4, 0.1, 0.9])},
    intervals={},
)


def test_a_new_tensor_has_one_target_and_is_solved() -> None:
    tensor = new_tensor("mine", FOUND, 18, {"licence": "MIT"})
    assert tensor.tasks == ("normal", "random", "reshading", "daylight")
    assert (tensor.targets, tensor.untrained, tensor.images_transfer) == (("daylight",), ("random",), 18)
    assert "18 photographs" in tensor.about["novel_daylight"]
    for budget, sources in ((1, ("normal",)), (2, ("normal", "reshading"))):
        (transfer,) = solve(tensor, "all", budget).transfers
        assert transfer.sources == sources
    assert np.isnan(transfer.quality)
    assert transfer.gain == 0.9


def test_an_extended_tensor_keeps_its_rows_and_gains_a_target() -> None:
    base = load_affinity("taskonomy-main").select(max_order=2)
    found = TargetAffinity(
        target="daylight",
        names=("normal", "class_scene"),  # the second is no task of this tensor
        values={"affinity": np.array([0.7, 0.3]), "gain": np.array([0.5, 0.4])},
        intervals={},
    )
    tensor = extended(base, found, 18)
    assert tensor.tasks == (*base.tasks, "class_scene", "daylight")
    assert tensor.targets == (*base.targets, "daylight")
    assert tensor.images_transfer == base.images_transfer
    rows = len(base)
    np.testing.assert_array_equal(tensor.sources[:rows, : len(base.tasks)], base.sources)
    assert not tensor.sources[:rows, len(base.tasks) :].any()
    for field in ("target", "affinity", "gain", "quality", "full_supervision"):
        np.testing.assert_array_equal(getattr(tensor, field)[:rows], getattr(base, field))
    assert [tensor.source_names(row) for row in range(rows, len(tensor))] == [("normal",), ("class_scene",)]
    others = solve(base, "all", 4)
    both = solve(tensor, [*base.targets, "daylight"], 4)
    own = [one for one in both.transfers if one.target == "daylight"]
    assert len(both.transfers) == len(others.transfers) + len(own) == len(base.targets) + 1


@pytest.mark.parametrize("name", ["normal", "layout", "class_object_100"])
def test_a_name_that_the_tensor_knows_is_refused(name: str) -> None:
    found = TargetAffinity(target=name, names=NAMES, values=FOUND.values, intervals={})
    with pytest.raises(ConfigError, match=f"has a task '{name}': choose another --name"):
        extended(load_affinity("taskonomy-16k"), found, 18)
