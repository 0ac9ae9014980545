"""Tensors that are not well formed: every fault is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from taxsolver import AffinityTensor, InvalidInputError


def made(**changes: Any) -> AffinityTensor:
    """Two targets a, b and a source s; four transfers; fields can be replaced."""
    fields: dict[str, Any] = {
        "name": "made",
        "tasks": ("a", "b", "s"),
        "targets": ("a", "b"),
        "sources": np.array([[1, 0, 0], [0, 0, 1], [0, 0, 1], [1, 0, 1]], dtype=bool),
        "target": np.array([0, 0, 1, 1], dtype=np.int32),
        "affinity": np.array([0.4, 0.6, 0.3, 0.7]),
        "gain": np.array([0.4, 0.6, 0.3, 0.7]),
        "quality": np.array([0.5, 0.6, 0.3, np.nan]),
        "full_supervision": np.array([True, False, False, False]),
    }
    return AffinityTensor(**{**fields, **changes})


def faults(**changes: Any) -> list[str]:
    """The faults listed for the tensor with these fields."""
    with pytest.raises(InvalidInputError) as caught:
        made(**changes)
    first, *listed = str(caught.value).split("\n  - ")
    assert first == "affinity tensor 'made' is not valid:"
    return listed


def test_the_tensor_of_these_tests_is_valid() -> None:
    assert len(made()) == 4
    assert made(affinity=np.array([0, 1, np.nan, 0.5])).affinity[1] == 1


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"tasks": ("a", "b", "a")}, "tasks holds a more than once"),
        ({"targets": ("a", "c", "d")}, "targets names c, d, unknown among the tasks"),
        ({"targets": ("a", "b", "a")}, "targets holds a more than once"),
        ({"untrained": ("noise",)}, "untrained names noise, unknown among the tasks"),
        ({"images_full": 0}, "images_full is 0, a positive number of images is needed"),
        ({"images_transfer": -5}, "images_transfer is -5, a positive number of images is needed"),
        ({"target": np.array([0, 0, 1, 1])}, "target is int64, expected int32"),
        ({"affinity": np.zeros(4, np.float32)}, "affinity is float32, expected float64"),
        ({"gain": np.zeros(3)}, "gain has shape (3,), expected (4,)"),
        ({"quality": np.zeros((4, 1))}, "quality has shape (4, 1), expected (4,)"),
        ({"sources": np.ones((4, 2), bool)}, "sources has shape (4, 2), expected (4, 3)"),
        ({"sources": np.ones((4, 3))}, "sources is float64, expected bool"),
        ({"full_supervision": np.zeros(4, int)}, "full_supervision is int64, expected bool"),
        ({"target": np.array([0, 0, 1, 3], np.int32)}, "target of row 3 is not an index of the 3 tasks"),
        ({"target": np.array([-1, 0, 1, -1], np.int32)}, "target of rows 0, 3 is not an index of the 3 tasks"),
        (
            {"affinity": np.array([0.1, 1.5, 0.2, 0.3])},
            "affinity of row 1 is outside [0, 1] (the first is 1.5)",
        ),
        ({"gain": np.array([0.1, np.inf, 0.2, -1])}, "gain of rows 1, 3 is outside [0, 1] (the first is inf)"),
        ({"quality": np.full(4, -0.5)}, "quality of rows 0, 1, 2 and 1 more is outside [0, 1] (the first is -0.5)"),
        ({"targets": ("a",)}, "b has transfers but is not among the targets"),
        ({"targets": ("a", "b", "s")}, "target s has no transfer"),
    ],
)  # fmt: skip
def test_a_fault_is_named(changes: dict[str, Any], fault: str) -> None:
    assert fault in faults(**changes)


def test_a_transfer_that_was_not_measured_at_all_is_named() -> None:
    nothing = np.array([0.1, np.nan, 0.2, 0.3])
    assert len(faults(affinity=nothing, gain=nothing, quality=nothing)) == 1
    assert faults(affinity=nothing, gain=nothing, quality=nothing)[0].startswith(
        "row 1 is NaN in affinity, gain"
    )


def test_a_transfer_without_sources_is_named() -> None:
    sources = np.array(made().sources)
    sources[2] = False
    assert faults(sources=sources) == ["row 2 has no source"]


def test_full_supervision_by_another_task_is_named() -> None:
    listed = faults(full_supervision=np.array([True, True, False, False]))
    assert listed == ["row 1 is full supervision, but its only source is not the target itself"]


def test_a_duplicate_names_the_row_it_repeats_and_the_transfer() -> None:
    sources = np.array(made().sources)
    sources[3] = sources[2]
    assert faults(sources=sources) == ["row 3 is a duplicate of row 2: s -> b"]


def test_many_duplicates_are_counted() -> None:
    rows = 9
    listed = faults(
        sources=np.tile([False, False, True], (rows, 1)),
        target=np.array([0, 1] + [1] * (rows - 2), dtype=np.int32),
        affinity=np.zeros(rows),
        gain=np.zeros(rows),
        quality=np.zeros(rows),
        full_supervision=np.zeros(rows, dtype=bool),
    )
    assert listed[0] == "row 2 is a duplicate of row 1: s -> b"
    assert listed[-1] == "and 4 more duplicates"
    assert len(listed) == 4


def test_the_full_network_and_the_targets_own_representation_are_two_transfers() -> None:
    full = np.array([True, False, False, False])
    sources = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1], [1, 0, 1]], dtype=bool)
    extra = np.array([[0, 0, 1]], dtype=bool)
    tensor = made(
        sources=np.vstack([sources, extra]),
        target=np.array([0, 0, 1, 1, 0], dtype=np.int32),
        full_supervision=np.append(full, False),
        affinity=np.full(5, 0.5),
        gain=np.full(5, 0.5),
        quality=np.full(5, 0.5),
    )
    assert tensor.reads_itself.tolist() == [False, True, False, False, False]


def test_a_target_that_only_reads_itself_has_no_transfer() -> None:
    sources = np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1]], dtype=bool)
    assert faults(sources=sources)[0].startswith("target b has no transfer")


def test_several_faults_of_shapes_and_names_come_together() -> None:
    listed = faults(
        tasks=("a", "b", "b"),
        targets=("x",),
        gain=np.zeros(3),
        affinity=np.zeros(4, dtype=np.float32),
        images_full=0,
    )
    assert len(listed) == 5


def test_several_faults_of_values_come_together() -> None:
    sources = np.array(made().sources)
    sources[2] = False
    listed = faults(
        affinity=np.array([2, 0.5, 0.5, 0.5]),
        gain=np.array([0.5, -2, 0.5, 0.5]),
        sources=sources,
        targets=("a", "b", "s"),
    )
    assert [fault.split()[0] for fault in listed] == ["affinity", "gain", "row", "target"]


def test_a_wrong_target_index_hides_no_fault_of_the_measures() -> None:
    listed = faults(target=np.array([0, 0, 1, 9], np.int32), affinity=np.array([2, 0.5, 0.5, 0.5]))
    assert len(listed) == 2


def test_no_transfer_at_all_is_a_fault() -> None:
    nothing = np.zeros(0)
    listed = faults(
        sources=np.zeros((0, 3), dtype=bool),
        target=np.zeros(0, dtype=np.int32),
        affinity=nothing,
        gain=nothing,
        quality=nothing,
        full_supervision=np.zeros(0, dtype=bool),
    )
    assert listed == ["there is no transfer"]
    assert "tasks is empty" in faults(tasks=(), targets=())


@pytest.mark.parametrize("wrap", [list, tuple, np.ndarray.tolist])
def test_plain_lists_in_place_of_arrays_are_refused_in_words(wrap: Callable[[np.ndarray], Any]) -> None:
    assert any("affinity" in fault for fault in faults(affinity=wrap(made().affinity)))
    assert any("target" in fault for fault in faults(target=wrap(made().target)))
