"""Parsing of options into values of the library."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from taxsolver_cli.errors import usage_error
from taxsolver_cli.options import DEFAULT_AFFINITY

MOST_NUMBERS = 10_000


def parse_weights(text: str, option: str, alone: float | None = None) -> dict[str, float]:
    """Parse `normal=2,depth=0.5` to a dictionary; a name without a number gets the value `alone`."""
    weights: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = part.partition("=")
        if alone is not None and not equals:
            equals, number = "=", str(alone)
        try:
            value = float(number)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise usage_error(
                f"{option}: cannot read {part!r}, expected TASK=NUMBER, as in normal=2,depth=0.5"
            )
        if name.strip() in weights:
            raise usage_error(f"{option}: {name.strip()!r} is given twice")
        weights[name.strip()] = value
    return weights


def parse_whole_numbers(text: str, option: str) -> list[int]:
    """Parse `1-5` or `1,2,8-10` to a list."""
    numbers: list[int] = []
    for part in text.split(","):
        low, dash, high = part.strip().partition("-")
        try:
            first = int(low)
            last = int(high) if dash else first
        except ValueError:
            raise usage_error(
                f"{option}: cannot read {part!r}, expected numbers as in 1-5 or 1,2,8"
            ) from None
        if last < first:
            raise usage_error(f"{option}: {part.strip()!r} is not a range: write the smaller number first")
        if last - first >= MOST_NUMBERS:
            raise usage_error(f"{option}: {part.strip()!r} has more than {MOST_NUMBERS:,} numbers")
        numbers.extend(range(first, last + 1))
    return numbers


def parse_numbers(text: str, option: str) -> list[float]:
    """Parse `1-5`, `1,2,8-10`, `0.5,1,1.5` or `1000:10000:500` to a list; whole numbers stay whole."""
    numbers: list[float] = []
    for part in text.split(","):
        if ":" in part:
            numbers += _steps(part.strip(), option)
            continue
        try:
            value = float(part)
            numbers.append(int(value) if value.is_integer() else value)
        except (ValueError, OverflowError):
            numbers += parse_whole_numbers(part, option)
    return numbers


def _steps(text: str, option: str) -> list[float]:
    """Parse `1000:10000:500` to a list: from, to and step, in decimal arithmetic, with the end."""
    try:
        first, last, step = (Decimal(number.strip()) for number in text.split(":"))
        count = int((last - first) / step)
    except (ValueError, ArithmeticError):
        raise usage_error(
            f"{option}: cannot read {text!r}, expected FROM:TO:STEP, as in 1000:10000:500"
        ) from None
    if last < first or step <= 0:
        raise usage_error(
            f"{option}: {text!r} is not a range: write the smaller number first and a step above 0"
        )
    if count >= MOST_NUMBERS:
        raise usage_error(f"{option}: {text!r} has more than {MOST_NUMBERS:,} numbers")
    steps = [first + step * place for place in range(count + 1)]
    return [int(number) if number == number.to_integral_value() else float(number) for number in steps]


def joined(parts: list[str] | None, default: str = "") -> str:
    """Join the values of an option, given once or several times, with commas."""
    return ",".join(parts) if parts else default


def tensor(parts: list[str] | None) -> str | list[str]:
    """Return the argument of the library for `--affinity`: one tensor, or several files of one."""
    named = [
        name.strip()
        for part in parts or [DEFAULT_AFFINITY]
        for name in ([part] if Path(part).exists() else part.split(","))
    ]
    return named[0] if len(named) == 1 else named


def problem_options(described: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the options that describe a problem to arguments of the library."""
    lists = {name: joined(described[name]) for name in ("exclude", "require")}
    weights = {
        name: parse_weights(joined(described[name]), f"--{name.replace('_', '-')}")
        for name in ("importance", "label_cost")
    }
    groups = {name: described[name] or () for name in ("together", "apart")}
    return {
        **described,
        **lists,
        **weights,
        **groups,
        "sources": joined(described["sources"]) if described["sources"] else None,
        "supervise_targets": joined(described["supervise_targets"], "all"),
        "owned": parse_weights(joined(described["owned"]), "--owned", alone=1.0),
        "at_most": [_at_most(text) for text in described["at_most"] or ()],
    }


def _at_most(text: str) -> tuple[int, str]:
    """Parse `2:normal,depth,layout` to a number and names."""
    number, colon, names = text.partition(":")
    try:
        return int(number), names if colon else ""
    except ValueError:
        raise usage_error(
            f"--at-most: cannot read {text!r}, expected N:A,B,.., as in 2:normal,depth,layout"
        ) from None
