"""What the shell offers when TAB is pressed."""

from __future__ import annotations

from collections.abc import Iterator


def complete_tasks(incomplete: str) -> Iterator[str]:
    """Task names of the default tensor, for the last name of a list with commas."""
    from taxsolver.store import load_affinity

    before, comma, last = incomplete.rpartition(",")
    named = set(before.split(","))
    for task in load_affinity().tasks:
        if task.startswith(last) and task not in named:
            yield f"{before}{comma}{task}"


def complete_affinity(incomplete: str) -> Iterator[str]:
    """Names of the shipped tensors."""
    from taxsolver.store import available_affinities

    yield from (name for name in available_affinities() if name.startswith(incomplete))
