"""The tensor as an object: what it holds, that it cannot be changed, and the parts it can be cut into."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

from taxsolver import AffinityTensor, InvalidInputError, UnknownTaskError, load_affinity, solve
from taxsolver.tensors.affinity_csv import tensor_from_csv
from toys import toy

ARRAYS = ("sources", "target", "affinity", "gain", "quality", "full_supervision")


def test_shapes_and_dtypes_are_those_of_the_docstring() -> None:
    tensor = toy()
    assert len(tensor) == 12
    kinds = {name: (getattr(tensor, name).shape, str(getattr(tensor, name).dtype)) for name in ARRAYS}
    assert kinds == {
        "sources": ((12, 4), "bool"),
        "target": ((12,), "int32"),
        "affinity": ((12,), "float64"),
        "gain": ((12,), "float64"),
        "quality": ((12,), "float64"),
        "full_supervision": ((12,), "bool"),
    }


@pytest.mark.parametrize("field", [*ARRAYS, "order", "reads_itself"])
def test_no_array_can_be_written_to(field: str) -> None:
    array = getattr(toy(), field)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = array[1]


def test_fields_cannot_be_replaced() -> None:
    tensor = toy(aliases={"first": "a"}, about={"note": "made up"})
    with pytest.raises(FrozenInstanceError):
        tensor.name = "other"  # type: ignore[misc]


def test_the_arrays_and_words_of_the_caller_stay_the_callers() -> None:
    tensor = toy()
    given: dict[str, Any] = {field: np.array(getattr(tensor, field)) for field in ARRAYS}
    aliases = {"first": "a"}
    made = AffinityTensor(name="mine", tasks=tensor.tasks, targets=tensor.targets, aliases=aliases, **given)
    given["affinity"][0] = 0.123
    aliases["first"] = "b"
    assert made.affinity[0] == 0.5
    assert made.names.find("first") == "a"


def test_order_counts_the_sources_and_the_full_network_does_not_read_itself() -> None:
    tensor = toy()
    assert tensor.order.tolist() == [1] * 10 + [2, 2]
    assert np.flatnonzero(tensor.reads_itself).tolist() == [1, 11]
    assert tensor.source_names(10) == ("a", "s")


@pytest.mark.parametrize(
    "everything", ["all", ["all"], ("all",), iter(["all"]), np.array(["all"]), ["a", "b", "c"]]
)
def test_all_stands_for_every_target_in_whatever_it_is_wrapped(everything: Iterable[str]) -> None:
    assert toy().find_targets(everything) == ("a", "b", "c")


@pytest.mark.parametrize(
    "wrap",
    [",".join, tuple, list, iter, np.array, dict.fromkeys, lambda names: (name for name in names)],
    ids=["string", "tuple", "list", "iterator", "array", "dict", "generator"],
)
def test_targets_come_in_any_iterable_and_keep_its_order(wrap: Callable[[list[str]], Iterable[str]]) -> None:
    assert toy().find_targets(wrap(["c", "a"])) == ("c", "a")
    assert solve(toy(), wrap(["c", "a"]), 2).problem.targets == ("c", "a")
    assert toy().select(targets=wrap(["c", "a"])).targets == ("a", "c")


def test_targets_are_found_by_alias_case_and_separator() -> None:
    tensor = load_affinity()
    names = "Surface Normals, depth-zbuffer ,RGB2SFNORM"
    with pytest.raises(
        InvalidInputError, match="'normal' twice .as 'Surface Normals' and 'RGB2SFNORM'.: name"
    ):
        tensor.find_targets(names)
    assert tensor.find_targets("Surface Normals, depth-zbuffer ,edges,") == (
        "normal",
        "depth_zbuffer",
        "edge_texture",
    )


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        ("", InvalidInputError, "targets is empty: name at least one task, or all"),
        ([], InvalidInputError, "targets is empty"),
        (" , ", InvalidInputError, "targets is empty"),
        ("s", InvalidInputError, "'s' is a source only in 'toy', no transfer .* targets are a, b, c"),
        ("a,d", UnknownTaskError, "unknown task 'd' in the affinity tensor 'toy': known are a, b, c, s"),
        (["all", "a"], InvalidInputError, "targets holds 'all' and names of tasks"),
        ([0, 1], InvalidInputError, "0 is not a task name"),
    ],
)
def test_targets_that_are_none_are_named(names: list[str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        toy().find_targets(names)


def test_select_by_order_keeps_small_transfers_and_all_tasks() -> None:
    small = toy().select(max_order=1)
    assert len(small) == 10
    assert small.tasks == toy().tasks
    assert set(small.order.tolist()) == {1}
    assert solve(small, budget=2, max_order=4).objective == solve(toy(), budget=2, max_order=1).objective


def test_select_by_targets_and_sources_keeps_rows_that_match_both() -> None:
    part = toy().select(targets="c,a", sources="a,s")
    assert part.targets == ("a", "c")
    rows = {(part.tasks[part.target[row]], part.source_names(row)) for row in range(len(part))}
    assert rows == {("a", ("a",)), ("a", ("s",)), ("c", ("a",)), ("c", ("s",)), ("c", ("a", "s"))}


def test_select_without_arguments_changes_nothing() -> None:
    tensor = load_affinity()
    same = tensor.select()
    for field in ARRAYS:
        np.testing.assert_array_equal(getattr(same, field), getattr(tensor, field))
    assert (same.targets, same.aliases, same.about) == (tensor.targets, tensor.aliases, tensor.about)


@pytest.mark.parametrize("options", [{"max_order": 0}, {"targets": "b", "sources": "c"}, {"sources": ""}])
def test_a_selection_that_leaves_nothing_is_refused(options: dict[str, int | str]) -> None:
    with pytest.raises(InvalidInputError, match="no transfer of 'toy' is left by this selection: widen it"):
        toy().select(**options)  # type: ignore[arg-type]


def test_a_selection_drops_targets_of_which_only_self_reading_transfers_are_left() -> None:
    tensor = tensor_from_csv("target,sources,gain\na,b,.5\nc,c|b,.5\nc,d,.5\n", name="few")
    assert tensor.select(sources="b,c").targets == ("a",)


def test_a_selection_names_unknown_sources() -> None:
    with pytest.raises(UnknownTaskError, match="unknown task 'e' in the affinity tensor 'toy'"):
        toy().select(sources="a,e")


@pytest.mark.parametrize(
    "names",
    [
        ("größe", "深度", "нормали"),
        ("a|b", "c,d", "e f"),
        ("Depth Map", "edge-3D", "x.y"),
        ("self", "pixels", "all"),
    ],
)
def test_tasks_may_be_called_anything(names: tuple[str, str, str]) -> None:
    tensor = AffinityTensor(
        name="odd",
        tasks=names,
        targets=names[:2],
        sources=np.array([[False, False, True], [True, False, False]]),
        target=np.array([0, 1], dtype=np.int32),
        affinity=np.array([0.5, 0.25]),
        gain=np.array([0.5, 0.25]),
        quality=np.array([0.5, 0.25]),
        full_supervision=np.array([False, False]),
    )
    plan = solve(tensor, [names[0]], 1)
    assert (plan.problem.targets, plan.sources) == ((names[0],), (names[2],))
    assert solve(tensor, list(names[:2]), 2).objective == 0.75


def test_one_target_from_one_source_is_a_tensor() -> None:
    tensor = tensor_from_csv("target,sources,affinity\na,b,1\n", name="least")
    plan = solve(tensor)
    assert (plan.objective, plan.sources, plan.status) == (1.0, ("b",), "optimal")


def test_zero_affinities_everywhere_make_a_plan_worth_nothing() -> None:
    lines = "".join(f"{target},{source},0\n" for target in "ab" for source in "cde")
    tensor = tensor_from_csv("target,sources,affinity\n" + lines, name="zeros")
    for objective in ("affinity", "normalised-affinity"):
        plan = solve(tensor, budget=2, objective=objective)
        assert (plan.objective, plan.bound, plan.gap, plan.status) == (0, 0, 0, "optimal")
        assert len(plan.sources) == 1


def test_a_changed_copy_is_checked_anew() -> None:
    tensor = toy()
    assert replace(tensor, name="copy").name == "copy"
    with pytest.raises(InvalidInputError, match="'toy' is not valid"):
        replace(tensor, affinity=tensor.affinity + 1)
