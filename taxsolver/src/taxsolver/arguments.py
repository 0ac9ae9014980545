"""Checks of arguments; the errors name the value and what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Real
from operator import index
from typing import Any, TypeVar

import numpy as np

from taxsolver.errors import InvalidInputError
from taxsolver.plain_text import harmful

T = TypeVar("T")

LARGEST = 1e6  # budgets, costs and importances beyond drown the rest in rounding


def check_type(value: object, kind: type[T], what: str, hint: str) -> T:
    """Return the value if it is an instance of `kind`.

    Args:
        value: the value to check.
        kind: the class it must have.
        what: name of the parameter, for messages.
        hint: the way to get a value of this class, for messages.

    Raises:
        InvalidInputError: the value is of another class.
    """
    if isinstance(value, kind):
        return value
    raise InvalidInputError(f"{what} is {shown(value)}, expected a {kind.__name__}: {hint}")


def check_flag(value: object, what: str) -> bool:
    """Return a boolean of Python or NumPy as bool.

    Raises:
        InvalidInputError: the value is not a boolean.
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise InvalidInputError(f"{what} is {shown(value)}, expected True or False")


def number_list(values: object, what: str) -> list[Any]:
    """List the numbers of a list, array or Series, or a single number; their values are not checked.

    Raises:
        InvalidInputError: the value is neither a number nor a list.
    """
    if isinstance(values, np.ndarray) and values.ndim == 0:
        values = values.item()
    if isinstance(values, Real) and not isinstance(values, bool):
        return [values]
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise InvalidInputError(f"{what} is {shown(values)}, expected a list of numbers, as in [1, 2, 3]")
    return list(values)


def name_tuple(values: object, what: str) -> tuple[str, ...]:
    """Return the names of a list, unchanged.

    Raises:
        InvalidInputError: the value is not a list, or an entry is not text.
    """
    single = isinstance(values, str | bytes) or (isinstance(values, np.ndarray) and values.ndim == 0)
    if single or not isinstance(values, Iterable):
        raise InvalidInputError(f"{what} is {shown(values)}, expected a list of names")
    names = tuple(values)
    for name in names:
        if not isinstance(name, str):
            raise InvalidInputError(f"{what} holds {shown(name)}, expected names as text")
        if harmful(name):
            raise InvalidInputError(f"{what} holds {name!r}, with a control character: rename it")
    return names


def shown(value: object) -> str:
    """Format a value for messages: text and numbers in full, everything else by its class."""
    if isinstance(value, str | bytes | int | float | type(None)):
        return repr(value)
    shape = getattr(value, "shape", None)
    return f"a {type(value).__name__}" + (f" of shape {tuple(shape)}" if isinstance(shape, tuple) else "")


def check_number(value: object, what: str, *, zero: bool, largest: float = LARGEST) -> None:
    """Raise unless a value is a number in (0, largest], or in [0, largest] if `zero` is allowed.

    Raises:
        InvalidInputError: the message names the value and the range.
    """
    lower = "[0" if zero else "(0"
    number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if not number or not (0 <= value <= largest) or (value == 0 and not zero):  # type: ignore[operator]
        raise InvalidInputError(f"{what} is {value!r}, expected a number in {lower}, {largest:,.0f}]")


def check_count(value: object, what: str) -> None:
    """Raise unless a value is a whole number of at least 1.

    Raises:
        InvalidInputError: the message names the value.
    """
    if as_whole(value, otherwise=0) < 1:
        raise InvalidInputError(f"{what} is {value!r}, expected a whole number of at least 1")


def check_seed(seed: object) -> None:
    """Raise unless a seed is a whole number of at least 0.

    Raises:
        InvalidInputError: the message names the value.
    """
    if as_whole(seed, otherwise=-1) < 0:
        raise InvalidInputError(f"seed is {seed!r}, expected a whole number of at least 0")


def as_whole(value: object, *, otherwise: int) -> int:
    """Return a whole number of Python or NumPy as int; `otherwise` for other values.

    Booleans are other values too, although NumPy 1 takes its own as an index.
    """
    if isinstance(value, bool | np.bool_ | np.ndarray):
        return otherwise
    try:
        return index(value)  # type: ignore[arg-type]  # raises for values without `__index__`
    except TypeError:
        return otherwise
