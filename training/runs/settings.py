"""Configurations as frozen dataclasses: construction from TOML tables, and conversion to JSON.

The dataclass's annotations define the allowed settings, so a new field is available in presets and on the
command line without further code.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from taskbank.errors import InvalidInputError
from training.errors import ConfigError

Settings = TypeVar("Settings")

IF_SET: Mapping[str, Any] = {"if_set": True}
"""Metadata of a field that `settings_of` leaves out at its default, so that earlier records stay the same."""

_UNIONS = (Union, types.UnionType)
_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", Path: "a path"}


def settings_from(kind: type[Settings], table: Mapping[str, Any], where: str) -> Settings:
    """Construct a configuration from a table, such as a section of a TOML file.

    Args:
        kind: a dataclass of bool, int, float, str, `Path`, `Literal`, enumerations, optional ones, tuples,
            mappings by strings, and nested dataclasses. If a setting may be one of several dataclasses, the
            table's `name`, or a string in place of the table, selects the class whose variable `name` it is.
            The string "none" stands for None.
        table: the settings; missing ones have the dataclass's defaults.
        where: name of the table in errors.

    Raises:
        ConfigError: a setting is not known (the message has the nearest name), has another type or is
            missing, or the dataclass rejects the values.
    """
    hints = get_type_hints(kind)
    known = {one.name: one for one in fields(kind) if one.init}  # type: ignore[arg-type] # a dataclass
    for name in table:
        if name not in known:
            raise ConfigError(f"{where} has no setting {name!r}: {nearest(name, known)}")
    for name, one in known.items():
        if name not in table and one.default is MISSING and one.default_factory is MISSING:
            raise ConfigError(f"{where} lacks {name!r}, which has no default")
    values = {name: _value(hints[name], value, f"{where} {name}") for name, value in table.items()}
    try:
        return kind(**values)
    except (ConfigError, InvalidInputError) as error:
        raise ConfigError(f"{where}: {error}") from error


def settings_of(config: object, *, only_compared: bool = False) -> dict[str, Any]:
    """Convert a configuration to JSON.

    Fields with the metadata `IF_SET` are left out if they have their default.

    Args:
        config: a dataclass as from `settings_from`.
        only_compared: leave out fields made with `field(compare=False)`, which do not change results, such as
            the device.

    Raises:
        ConfigError: the argument is not a dataclass, or has a field of another type.
    """
    if not is_dataclass(config) or isinstance(config, type):
        raise ConfigError(f"a stage's configuration is a dataclass, this is {type(config).__name__}")
    own_name = getattr(type(config), "name", None)
    named = {"name": own_name} if isinstance(own_name, str) else {}
    kept = [
        one.name
        for one in fields(config)
        if (one.compare or not only_compared)
        and (one.metadata != IF_SET or getattr(config, one.name) != one.default)
    ]
    return named | {name: _as_json(getattr(config, name), name, only_compared) for name in kept}


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested settings to dotted names."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def nearest(name: str, known: Mapping[str, object] | Sequence[str]) -> str:
    """Return a hint with similar names, or else with all names."""
    close = get_close_matches(name, list(known), n=2)
    return f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(known)}"


def _value(hint: Any, value: Any, where: str) -> Any:
    """Convert a value to the type of a setting's annotation.

    Raises:
        ConfigError: the value has another type.
    """
    origin, parts = get_origin(hint), get_args(hint)
    if origin in _UNIONS:
        return _one_of(parts, value, where)
    if origin is tuple:
        _check(isinstance(value, list | tuple), value, "a list", where)
        if parts[-1] is Ellipsis:
            parts = (parts[0],) * len(value)
        _check(len(value) == len(parts), value, f"a list of {len(parts)}", where)
        pairs = enumerate(zip(parts, value, strict=True))
        return tuple(_value(part, one, f"{where}[{place}]") for place, (part, one) in pairs)
    if origin not in (None, Literal):  # a mapping by strings
        _check(isinstance(value, Mapping), value, "a table", where)
        return {name: _value(parts[1], one, f"{where}.{name}") for name, one in value.items()}
    if is_dataclass(hint) and isinstance(hint, type):
        _check(isinstance(value, Mapping), value, "a table", where)
        # The `name` that selects the class is not one of its settings.
        told = value.get("name") == getattr(hint, "name", None)
        table = {key: one for key, one in value.items() if not (told and key == "name")}
        return settings_from(hint, table, where)
    return _single(hint, value, where)


def _single(hint: Any, value: Any, where: str) -> Any:
    """Convert a number, a string, a path, or a value of a fixed list."""
    is_enum = isinstance(hint, type) and issubclass(hint, Enum)
    if is_enum or get_origin(hint) is Literal:
        allowed = [one.value for one in hint] if is_enum else get_args(hint)
        _check(value in allowed, value, f"one of {', '.join(map(repr, allowed))}", where)
        return hint(value) if is_enum else value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    fits = isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
    _check(fits, value, _NAMES.get(hint, hint.__name__), where)
    return value


def _one_of(hints: tuple[Any, ...], value: Any, where: str) -> Any:
    """Convert a value to the one of several types that fits; dataclasses are selected by name."""
    named = {hint.name: hint for hint in hints if is_dataclass(hint) and hasattr(hint, "name")}
    if named and value is not None:
        table = {"name": value} if isinstance(value, str) else value
        _check(isinstance(table, Mapping), value, "a table or a name", where)
        chosen = table.get("name")
        _check(chosen in named, chosen, f"named one of {', '.join(named)}", where)
        return _value(named[chosen], table, where)
    if value is None or value == "none":
        _check(type(None) in hints, value, "a value", where)
        return None
    rest = [hint for hint in hints if hint is not type(None)]
    for hint in rest[:-1]:
        try:
            return _value(hint, value, where)
        except ConfigError:
            continue
    return _value(rest[-1], value, where)


def _check(fits: bool, value: Any, wanted: str, where: str) -> None:
    """Raise if a value has the wrong type.

    Raises:
        ConfigError: the message states the value and the expected type.
    """
    if not fits:
        raise ConfigError(f"{where} = {value!r} must be {wanted}")


def _as_json(value: object, where: str, only_compared: bool) -> Any:
    """Convert one setting to JSON.

    Raises:
        ConfigError: its type has no JSON form.
    """
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value):
        return settings_of(value, only_compared=only_compared)
    if isinstance(value, Mapping):
        return {str(name): _as_json(one, f"{where}.{name}", only_compared) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [_as_json(one, where, only_compared) for one in value]
    raise ConfigError(f"setting {where!r} is {type(value).__name__}, which cannot be written down as JSON")
