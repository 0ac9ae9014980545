"""`taskbank tasks`: list the 26 tasks."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from taskbank.tasks.registry import TASKS

_COUNTS = ("images", "channels")
_NOTES = (
    "* source only: its labels come free with every image\n"
    "other names (normals, depth, edges, rgb2sfnorm, ...), ranges, losses: --json"
)


def tasks(
    as_json: Annotated[bool, typer.Option("--json", help="Print every field, as JSON.")] = False,
) -> None:
    """List all tasks: name, group, images per prediction, output, channels and unit."""
    if as_json:
        typer.echo(json.dumps([asdict(task) for task in TASKS.values()], indent=2))
        return
    table = Table(box=None, pad_edge=False, caption=_NOTES)  # 80 columns wide at most
    table.caption_justify = "left"
    for heading in ("task", "group", "images", "output", "channels", "unit"):
        table.add_column(heading, no_wrap=True, justify="right" if heading in _COUNTS else "left")
    for task in TASKS.values():
        name = f"{task.name}*" if task.source_only else task.name
        unit = "" if task.unit == "1" else task.unit
        table.add_row(name, task.group, str(task.num_images), task.output, str(task.channels), unit)
    Console().print(table)
