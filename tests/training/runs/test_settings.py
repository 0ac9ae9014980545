"""Settings out of tables and into JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training.errors import ConfigError
from training.runs.settings import IF_SET, flatten, settings_from, settings_of


class Kind(StrEnum):
    """A setting out of a list."""

    GOOD = "good"
    BETTER = "better"


@dataclass(frozen=True, kw_only=True, slots=True)
class Inner:
    """A section in a section."""

    kind: Kind = Kind.GOOD
    shown: bool = field(default=True, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """One of two shapes."""

    name: ClassVar[str] = "round"
    radius: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Square:
    """The other one."""

    name: ClassVar[str] = "square"
    side: float = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Outer:
    """Every kind of setting."""

    steps: int
    rate: float = 0.1
    title: str = "a"
    path: Path = Path("a/b")
    mode: Literal["fast", "slow"] = "fast"
    limit: int | None = None
    share: int | float = 1
    sizes: tuple[int, ...] = (1, 2)
    pair: tuple[float, str] = (0.5, "x")
    weights: Mapping[str, float] = field(default_factory=lambda: {"x": 0.5})
    inner: Inner = field(default_factory=Inner)
    shape: Round | Square = field(default_factory=Round)
    odd: object = 1

    def __post_init__(self) -> None:
        """Refuse a rate below zero."""
        if self.rate < 0:
            raise ConfigError(f"rate {self.rate} must not be negative")


def made(**table: Any) -> Outer:
    return settings_from(Outer, {"steps": 3, **table}, "preset toy [networks]")


def test_what_a_table_leaves_out_has_the_default() -> None:
    assert made() == Outer(steps=3)


@pytest.mark.parametrize(
    ("name", "written", "expected"),
    [
        ("rate", 1, 1.0),
        ("path", "x/y", Path("x/y")),
        ("mode", "slow", "slow"),
        ("limit", 5, 5),
        ("limit", "none", None),
        ("share", 0.5, 0.5),
        ("sizes", [3, 4, 5], (3, 4, 5)),
        ("sizes", [], ()),
        ("pair", [1, "y"], (1.0, "y")),
        ("weights", {"a": 1, "b": 0.5}, {"a": 1.0, "b": 0.5}),
        ("inner", {"kind": "better"}, Inner(kind=Kind.BETTER)),
        ("shape", "square", Square()),
        ("shape", {"name": "square", "side": 3}, Square(side=3.0)),
    ],
)
def test_values_become_what_the_annotation_says(name: str, written: object, expected: object) -> None:
    found = getattr(made(**{name: written}), name)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("name", "written", "message"),
    [
        ("stepz", 1, "has no setting 'stepz': did you mean steps?"),
        ("zzz", 1, "has no setting 'zzz': there are steps, rate, title"),
        ("steps", 1.5, "steps = 1.5 must be a whole number"),
        ("steps", True, "steps = True must be a whole number"),
        ("rate", "fast", "rate = 'fast' must be a number"),
        ("rate", -1, ": rate -1.0 must not be negative"),
        ("title", 1, "title = 1 must be a text"),
        ("path", 1, "path = 1 must be a path"),
        ("mode", "medium", "mode = 'medium' must be one of 'fast', 'slow'"),
        ("limit", "many", "limit = 'many' must be a whole number"),
        ("sizes", 3, "sizes = 3 must be a list"),
        ("sizes", [1, "a"], "sizes[1] = 'a' must be a whole number"),
        ("pair", [1], "pair = [1] must be a list of 2"),
        ("weights", [1], "weights = [1] must be a table"),
        ("weights", {"a": "b"}, "weights.a = 'b' must be a number"),
        ("inner", 3, "inner = 3 must be a table"),
        ("inner", {"knd": "x"}, "inner has no setting 'knd': did you mean kind?"),
        ("inner", {"kind": "bad"}, "inner kind = 'bad' must be one of 'good', 'better'"),
        ("inner", {"shown": 1}, "inner shown = 1 must be true or false"),
        ("shape", "oval", "shape = 'oval' must be named one of round, square"),
        ("shape", 3, "shape = 3 must be a table or a name"),
        ("shape", {"name": "square", "radius": 1}, "shape has no setting 'radius'"),
    ],
)
def test_what_cannot_be_is_refused_with_name_and_value(name: str, written: object, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made(**{name: written})
    assert str(caught.value).startswith("preset toy [networks]")
    assert message in str(caught.value)


def test_a_setting_without_a_default_is_asked_for() -> None:
    with pytest.raises(ConfigError, match=r"preset toy \[networks\] lacks 'steps', which has no default"):
        settings_from(Outer, {}, "preset toy [networks]")


def test_settings_become_json() -> None:
    assert settings_of(Outer(steps=3)) == {
        "steps": 3,
        "rate": 0.1,
        "title": "a",
        "path": "a/b",
        "mode": "fast",
        "limit": None,
        "share": 1,
        "sizes": [1, 2],
        "pair": [0.5, "x"],
        "weights": {"x": 0.5},
        "inner": {"kind": "good", "shown": True},
        "shape": {"name": "round", "radius": 1.0},
        "odd": 1,
    }


@given(
    rate=st.floats(0, 10),
    sizes=st.lists(st.integers(), max_size=4),
    limit=st.none() | st.integers(),
    shape=st.builds(Round, radius=st.floats(0, 9)) | st.builds(Square, side=st.floats(0, 9)),
)
def test_json_makes_the_same_settings_again(
    rate: float, sizes: list[int], limit: int | None, shape: Round | Square
) -> None:
    first = Outer(steps=1, rate=rate, sizes=tuple(sizes), limit=limit, shape=shape)
    written = {name: value for name, value in settings_of(first).items() if name != "odd"}
    assert settings_from(Outer, written, "again") == first


def test_settings_that_are_not_compared_can_be_left_out_at_any_depth() -> None:
    assert settings_of(Outer(steps=3), only_compared=True)["inner"] == {"kind": "good"}


def test_a_setting_that_came_later_is_written_if_it_is_set() -> None:
    """Records of runs without it stay as they were."""

    @dataclass(frozen=True, kw_only=True, slots=True)
    class Grown:
        steps: int = 1
        names: tuple[str, ...] = field(default=(), metadata=IF_SET)

    assert settings_of(Grown()) == settings_of(Grown(), only_compared=True) == {"steps": 1}
    assert settings_of(Grown(names=("a",))) == {"steps": 1, "names": ["a"]}


def test_a_setting_without_a_json_form_is_named() -> None:
    with pytest.raises(ConfigError, match=r"setting 'odd' is set, which cannot be written down as JSON"):
        settings_of(Outer(steps=3, odd={1}))


def test_nested_settings_get_dotted_names() -> None:
    assert flatten({"a": {"b": {"c": 1}}, "d": [2]}) == {"a.b.c": 1, "d": [2]}
