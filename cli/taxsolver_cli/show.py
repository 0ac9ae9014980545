"""Output of results to a terminal of 80 columns."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

T = TypeVar("T")

_NOT_PROVEN = {
    "time_limit": "the time limit cut in",
    "unproven": "the solver ended without a proof",
}


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on stdout."""
    typer.echo(json.dumps(value, indent=2))


def print_rich(*parts: RenderableType) -> None:
    """Tables and lines on stdout; colours only where it is a terminal."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=False)
    for part in parts:
        console.print(part)


def new_table(*columns: str, numbers: Iterable[str] = ()) -> Table:
    """An empty table; columns named in `numbers` are aligned to the right and never broken."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    right = set(numbers)
    for column in columns:
        if column in right:
            table.add_column(column, justify="right", no_wrap=True)
        else:
            table.add_column(column, overflow="fold")
    return table


def number(value: float, digits: int = 3) -> str:
    """A measure, or a dash where there is none."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def mark(status: str) -> str:
    """A question mark behind the figure of a plan that is not proven the best."""
    return "?" if status in _NOT_PROVEN else ""


def not_proven(statuses: Iterable[str]) -> list[str]:
    """A line about the plans that are not proven the best; none where there is no such plan."""
    counted = Counter(status for status in statuses if status in _NOT_PROVEN)
    reasons = " and ".join(f"{count} because {_NOT_PROVEN[status]}" for status, count in counted.items())
    return [f"[yellow]Not proven[/] are the plans marked ?: {reasons}"] if counted else []


def affinity(value: float) -> str:
    """An affinity: they span four orders of magnitude."""
    return "-" if math.isnan(value) else f"{value:.3g}"


def count(value: int | None) -> str:
    """A whole number with thousands apart, or a dash where it is not known."""
    return "-" if value is None else f"{value:,}"


def amount(value: float) -> str:
    """A budget or cost in full."""
    from taxsolver.planning.amounts import amount as in_full

    return in_full(value)


def escape(text: str) -> str:
    """Text that rich prints as it is, and that terminals do not obey."""
    from rich.markup import escape as rich_escape

    from taxsolver.plain_text import printable

    return rich_escape(printable(text))


def note(text: str) -> None:
    """A line on stderr: where a file went, what is worth knowing."""
    from taxsolver.plain_text import printable

    typer.echo(printable(text), err=True)


@contextmanager
def working(what: str) -> Iterator[None]:
    """A sign of life on stderr where that is a terminal; gone when done."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


@contextmanager
def progress(items: Iterable[T], total: int, what: str) -> Iterator[Iterable[T]]:
    """Show a progress bar for these items on stderr, if that is a terminal; it is removed at the end."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        yield bar.track(items, total=total, description=what)
