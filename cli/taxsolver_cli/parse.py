"""What people write behind an option, as values of the library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from taxsolver_cli.errors import usage_error
from taxsolver_cli.options import DEFAULT_AFFINITY

MOST_NUMBERS = 10_000


def parse_weights(text: str, option: str) -> dict[str, float]:
    """`normal=2,depth=0.5` as a dictionary."""
    weights: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = part.partition("=")
        try:
            value = float(number)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise usage_error(
                f"{option}: cannot read {part!r}, expected TASK=NUMBER, as in normal=2,depth=0.5"
            )
        if name.strip() in weights:
            raise usage_error(f"{option}: {name.strip()!r} stands twice")
        weights[name.strip()] = value
    return weights


def parse_whole_numbers(text: str, option: str) -> list[int]:
    """`1-5` or `1,2,8-10` as a list."""
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
            raise usage_error(f"{option}: {part.strip()!r} is no range: write the smaller number first")
        if last - first >= MOST_NUMBERS:
            raise usage_error(f"{option}: {part.strip()!r} has more than {MOST_NUMBERS:,} numbers")
        numbers.extend(range(first, last + 1))
    return numbers


def parse_numbers(text: str, option: str) -> list[float]:
    """`1-5`, `1,2,8-10` or `0.5,1,1.5` as a list; whole numbers stay whole."""
    numbers: list[float] = []
    for part in text.split(","):
        try:
            value = float(part)
            numbers.append(int(value) if value.is_integer() else value)
        except (ValueError, OverflowError):
            numbers += parse_whole_numbers(part, option)
    return numbers


def joined(parts: list[str] | None, default: str = "") -> str:
    """The list that an option names, with commas between: written at once or over several options."""
    return ",".join(parts) if parts else default


def tensor(parts: list[str] | None) -> str | list[str]:
    """The tensor that `--affinity` names, as the library takes it: one, or several files of one."""
    named = [
        name.strip()
        for part in parts or [DEFAULT_AFFINITY]
        for name in ([part] if Path(part).exists() else part.split(","))
    ]
    return named[0] if len(named) == 1 else named


def problem_options(
    sources: list[str] | None,
    exclude: list[str] | None,
    require: list[str] | None,
    supervise_targets: list[str] | None,
    objective: str,
    importance: list[str] | None,
    label_cost: list[str] | None,
) -> dict[str, Any]:
    """What describes a problem, as parameters of the library."""
    return {
        "sources": joined(sources) if sources else None,
        "exclude": joined(exclude),
        "require": joined(require),
        "supervise_targets": joined(supervise_targets, "all"),
        "objective": objective,
        "importance": parse_weights(joined(importance), "--importance"),
        "label_cost": parse_weights(joined(label_cost), "--label-cost"),
    }
