"""Options and texts that the commands about banks share."""

from __future__ import annotations

from typing import Annotated

import typer

_MEGABYTE = 1_000_000

BankArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[BANK]",
        help="A folder, `rooms` or hf://owner/name\\[@revision]. Without it: what TASKBANK_BANK names, else "
        "`rooms`.",
        show_default=False,
    ),
]
TaskNames = Annotated[
    list[str] | None,
    typer.Option(
        "--tasks", "-t", metavar="A,B,..", help="Only these, by any of their names.", show_default="all"
    ),
]


def split_names(names: list[str] | None) -> list[str] | None:
    """Split lists of names, separated by commas or given over several options; None without names."""
    parts = [name.strip() for name in ",".join(names or ()).split(",")]
    return [name for name in parts if name] or None


def megabytes(size: int) -> str:
    """Write a number of bytes in megabytes, with one decimal."""
    return f"{size / _MEGABYTE:.1f}"
