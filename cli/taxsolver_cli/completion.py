"""Completion of values in the shell."""

from __future__ import annotations

from collections.abc import Iterator

import typer


def complete_tasks(incomplete: str, ctx: typer.Context | None = None) -> Iterator[str]:
    """Complete task names for the last name of a list.

    Args:
        incomplete: the text before the cursor.
        ctx: the context of the command line (typer needs this name), whose tensor is used.
    """
    from taxsolver.errors import TaxSolverError
    from taxsolver.tensors.store import DEFAULT_AFFINITY, load_affinity
    from taxsolver_cli.parse import tensor

    params = ctx.params if ctx else {}
    given = params.get("affinity") or params.get("tensor")
    if ctx and "tensor" in params:  # positional arguments are not in `params` before the line is complete
        given = given or ctx.args[:1]
    given = given or DEFAULT_AFFINITY
    try:
        tasks = load_affinity(tensor([given] if isinstance(given, str) else list(given))).tasks
    except TaxSolverError:  # an incomplete name, or a missing file
        return
    before, comma, last = incomplete.rpartition(",")
    named = set(before.split(","))
    for task in tasks:
        if task.startswith(last) and task not in named:
            yield f"{before}{comma}{task}"


def complete_affinity(incomplete: str) -> Iterator[str]:
    """Complete names of the shipped tensors."""
    from taxsolver.tensors.store import available_affinities

    yield from (name for name in available_affinities() if name.startswith(incomplete))
