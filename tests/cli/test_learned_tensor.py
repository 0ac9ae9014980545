"""The affinity tensor of a learned task, alone and as one more target of another."""

from __future__ import annotations

import numpy as np
import pytest

from taskbank.errors import InvalidInputError
from taskbank_cli.learned_tensor import Affinities, extended, new_tensor
from taxsolver import load_affinity, solve

SETS = (("normal",), ("reshading",), ("timm:vit@3",), ("normal", "reshading"))
AFFINITY = np.array([0.2, 0.1, 0.05, 0.65])


def found(target: str = "daylight", sets: tuple[tuple[str, ...], ...] = SETS) -> Affinities:
    """Affinities of a few transfers."""
    count = len(sets)
    return Affinities(
        target=target,
        sets=sets,
        affinity=AFFINITY[-count:],
        gain=np.array([0.5, 0.4, 0.1, 0.9])[-count:],
        draws={"affinity": np.tile(AFFINITY[-count:], (3, 1))},
        images=18,
    )


def test_a_new_tensor_has_one_target_and_is_solved() -> None:
    tensor = new_tensor(found())
    assert tensor.tasks == ("normal", "reshading", "timm:vit@3", "daylight")
    assert (tensor.targets, tensor.images_transfer) == (("daylight",), 18)
    assert "18 images" in tensor.about["learned_daylight"]
    for budget, sources in ((1, ("normal",)), (2, ("normal", "reshading"))):
        (transfer,) = solve(tensor, "all", budget).transfers
        assert transfer.sources == sources
    assert np.isnan(transfer.quality)
    assert transfer.gain == 0.9


def test_an_extended_tensor_keeps_its_rows_and_gains_a_target() -> None:
    base = load_affinity("taskonomy-main").select(max_order=2)
    own = found(sets=(("normal",), ("class_scene",)))  # the second is not a task of this tensor
    tensor = extended(base, own)
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
    mine = [one for one in both.transfers if one.target == "daylight"]
    assert len(both.transfers) == len(others.transfers) + len(mine) == len(base.targets) + 1


@pytest.mark.parametrize("name", ["normal", "layout", "class_object_100"])
def test_a_name_that_the_tensor_knows_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match=f"has a task '{name}': choose another --name"):
        extended(load_affinity("taskonomy-16k"), found(name))
