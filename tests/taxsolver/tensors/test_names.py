"""Names as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxsolver import InvalidInputError, UnknownTaskError, load_affinity
from taxsolver.tensors.names import TaskNames, normalise, split_names

NAMES = TaskNames(
    ("normal", "depth_zbuffer", "Größe"),
    {"surface_normals": "normal", "Z-Depth": "depth_zbuffer", "gone": "absent", "größe": "normal"},
    "the table",
)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("normal", "normal"),
        ("NORMAL", "normal"),
        ("Surface Normals", "normal"),
        ("surface-normals", "normal"),
        ("depth zbuffer", "depth_zbuffer"),
        (" depth.zbuffer ", "depth_zbuffer"),
        ("z_depth", "depth_zbuffer"),
        ("GRÖSSE", "Größe"),
    ],
)
def test_a_task_is_found_by_name_alias_case_and_separator(typed: str, found: str) -> None:
    assert NAMES.find(typed) == found


def test_a_canonical_name_wins_over_an_alias_spelt_alike() -> None:
    assert TaskNames(("a", "b"), {"a": "b", "B": "a"}).find("b") == "b"
    assert TaskNames(("a", "b"), {"a": "b"}).find("A") == "a"


def test_a_spelling_that_fits_two_tasks_is_refused_and_both_are_named() -> None:
    names = TaskNames(("Depth Map", "depth_map"))
    assert names.find("Depth Map") == "Depth Map"
    assert names.find("depth_map") == "depth_map"
    with pytest.raises(
        InvalidInputError, match="'depth-map' may be 'Depth Map' or 'depth_map' in the tensor"
    ):
        names.find("depth-map")


@pytest.mark.parametrize("typed", ["gone", "absent", "", "normals,depth", "noise"])
def test_what_is_no_task_is_not_found(typed: str) -> None:
    with pytest.raises(UnknownTaskError, match="unknown task '.*' in the table: "):
        NAMES.find(typed)


def test_an_unknown_name_offers_the_nearest_or_all() -> None:
    with pytest.raises(UnknownTaskError, match="did you mean normal") as caught:
        NAMES.find("Normall")
    assert (caught.value.name, caught.value.nearest[0]) == ("Normall", "normal")
    with pytest.raises(UnknownTaskError, match="known are .*depth_zbuffer.*normal") as caught:
        NAMES.find("xyz")
    assert caught.value.nearest == ()


def test_an_unknown_task_is_a_value_error_too() -> None:
    with pytest.raises(ValueError, match="unknown task 'x'"):
        NAMES.find("x")


def test_a_list_keeps_its_order_and_drops_blanks() -> None:
    assert NAMES.find_all("z-depth, ,normal,", "targets") == ("depth_zbuffer", "normal")
    assert NAMES.find_all(iter(["normal", " "]), "targets") == ("normal",)
    assert NAMES.find_all((), "targets") == ()


def test_a_task_named_twice_is_refused_with_both_spellings() -> None:
    with pytest.raises(
        InvalidInputError, match="sources names the task 'normal' twice .as 'normal' and 'Surface Normals'."
    ):
        NAMES.find_all(["normal", "z-depth", "Surface Normals"], "sources")


def test_only_strings_are_split_at_commas() -> None:
    assert split_names("a, b,,c ") == ["a", "b", "c"]
    assert split_names(["a,b", " c "]) == ["a,b", "c"]


@given(st.text())
def test_normalising_twice_is_normalising_once(name: str) -> None:
    assert normalise(normalise(name)) == normalise(name)


@pytest.mark.parametrize("name", ["taskonomy-16k", "taskonomy-1k", "taskonomy-main"])
def test_every_shipped_alias_finds_its_task_where_the_tensor_has_it(name: str) -> None:
    tensor = load_affinity(name)
    for alias, task in tensor.aliases.items():
        if task in tensor.tasks and alias not in tensor.tasks:
            assert tensor.names.find(alias) == task
