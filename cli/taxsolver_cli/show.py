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
    """Print one JSON object on stdout."""
    typer.echo(json.dumps(value, indent=2))


def print_rich(*parts: RenderableType) -> None:
    """Print tables and lines on stdout, with colours only on a terminal."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=False)
    for part in parts:
        console.print(part)


def new_table(*columns: str, numbers: Iterable[str] = ()) -> Table:
    """Make an empty table; columns named in `numbers` are aligned to the right and never wrapped."""
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
    """Write a measure, or a dash if there is none."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def mark(status: str) -> str:
    """Return a question mark for a plan that is not proven the best, else nothing."""
    return "?" if status in _NOT_PROVEN else ""


def not_proven(statuses: Iterable[str]) -> list[str]:
    """Return a line on plans that are not proven the best; empty without such plans."""
    counted = Counter(status for status in statuses if status in _NOT_PROVEN)
    reasons = " and ".join(f"{count} because {_NOT_PROVEN[status]}" for status, count in counted.items())
    return [f"[yellow]Not proven[/] are the plans marked ?: {reasons}"] if counted else []


def affinity(value: float) -> str:
    """Write an affinity; affinities span four orders of magnitude."""
    return "-" if math.isnan(value) else f"{value:.3g}"


def count(value: int | None) -> str:
    """Write a whole number with separated thousands, or a dash if it is unknown."""
    return "-" if value is None else f"{value:,}"


def amount(value: float) -> str:
    """Write a budget or cost without rounding."""
    from taxsolver.planning.amounts import amount as in_full

    return in_full(value)


def escape(text: str) -> str:
    """Escape markup of rich and control characters of terminals."""
    from rich.markup import escape as rich_escape

    from taxsolver.plain_text import printable

    return rich_escape(printable(text))


def note(text: str) -> None:
    """Print a line on stderr."""
    from taxsolver.plain_text import printable

    typer.echo(printable(text), err=True)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show a spinner on stderr, if that is a terminal; it is removed at the end."""
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
