"""Arguments as people give them: checked, and refused in words that say what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any, TypeVar

import numpy as np

from taxsolver.errors import InvalidInputError

T = TypeVar("T")


def check_type(value: object, kind: type[T], what: str, hint: str) -> T:
    """The value, if it is of a kind.

    Args:
        value: what was given.
        kind: the class it must have.
        what: the parameter, for messages.
        hint: where to get such a thing.

    Raises:
        InvalidInputError: it is of another class.
    """
    if isinstance(value, kind):
        return value
    raise InvalidInputError(f"{what} is {shown(value)}, expected a {kind.__name__}: {hint}")


def check_flag(value: object, what: str) -> bool:
    """A truth value, NumPy's too.

    Raises:
        InvalidInputError: it is something else.
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise InvalidInputError(f"{what} is {shown(value)}, expected True or False")


def number_list(values: object, what: str) -> list[Any]:
    """The numbers of a list, array or Series; a single number as a list of one. Their size is not checked.

    Raises:
        InvalidInputError: it is neither a number nor a list.
    """
    if isinstance(values, np.ndarray) and values.ndim == 0:
        values = values.item()
    if isinstance(values, Real) and not isinstance(values, bool):
        return [values]
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise InvalidInputError(f"{what} is {shown(values)}, expected a list of numbers, as in [1, 2, 3]")
    return list(values)


def name_tuple(values: object, what: str) -> tuple[str, ...]:
    """The names of a list, as they are.

    Raises:
        InvalidInputError: it is no list, or holds something else than text.
    """
    single = isinstance(values, str | bytes) or (isinstance(values, np.ndarray) and values.ndim == 0)
    if single or not isinstance(values, Iterable):
        raise InvalidInputError(f"{what} is {shown(values)}, expected a list of names")
    names = tuple(values)
    for name in names:
        if not isinstance(name, str):
            raise InvalidInputError(f"{what} holds {shown(name)}, expected names as text")
    return names


def shown(value: object) -> str:
    """A value as messages show it: text and numbers in full, everything else by its class."""
    if isinstance(value, str | bytes | int | float | type(None)):
        return repr(value)
    shape = getattr(value, "shape", None)
    return f"a {type(value).__name__}" + (f" of shape {tuple(shape)}" if isinstance(shape, tuple) else "")
