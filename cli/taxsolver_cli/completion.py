"""Completion of values in the shell."""

from __future__ import annotations

from collections.abc import Iterator

import typer


def complete_tasks(incomplete: str, ctx: typer.Context | None = None) -> Iterator[str]:
    """Task names for the last name of a list.

    Args:
        incomplete: what is written so far.
        ctx: what stands before it; typer knows it by this name. The tensor given there counts.
    """
    from taxsolver.errors import TaxSolverError
    from taxsolver.tensors.store import DEFAULT_AFFINITY, load_affinity
    from taxsolver_cli.parse import tensor

    params = ctx.params if ctx else {}
    given = params.get("affinity") or params.get("tensor")
    if ctx and "tensor" in params:  # words that are no options are not handed out before the line is whole
        given = given or ctx.args[:1]
    given = given or DEFAULT_AFFINITY
    try:
        tasks = load_affinity(tensor([given] if isinstance(given, str) else list(given))).tasks
    except TaxSolverError:  # half a name, or a file that is not there yet
        return
    before, comma, last = incomplete.rpartition(",")
    named = set(before.split(","))
    for task in tasks:
        if task.startswith(last) and task not in named:
            yield f"{before}{comma}{task}"


def complete_affinity(incomplete: str) -> Iterator[str]:
    """Names of the shipped tensors."""
    from taxsolver.tensors.store import available_affinities

    yield from (name for name in available_affinities() if name.startswith(incomplete))
