"""Agreement of affinities with the published ones and with real frames, with and without dead encoders.

A dead encoder is the worst source of every target in every ranking, so it increases the agreement.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from taskbank.bank.health import Fault, find_faults
from taxsolver import AffinityTensor, compare
from taxsolver.errors import InvalidInputError
from training.stages.evaluation.carry_over import agreement

PUBLISHED = ("taskonomy-16k", "taskonomy-1k")


def dead_tasks(health: Mapping[str, Mapping[str, float]]) -> list[str]:
    """List the tasks whose representation is dead, from the results of `score_health`."""
    return [
        name
        for name, metrics in health.items()
        if any(finding.fault is Fault.DEAD for finding in find_faults(name, metrics))
    ]


def published_agreement(tensor: AffinityTensor, dead: Collection[str]) -> dict[str, dict[str, Any]]:
    """Compare a tensor with the published ones.

    Args:
        tensor: tensor of stage 3.
        dead: tasks whose representation is dead.

    Returns:
        published tensor -> `mean`, Spearman's rho on average over targets; `mean_alive`, the same without
        dead tasks as sources and targets; `targets`, rho of each target. None if it is not defined; tensors
        without shared transfers are left out.
    """
    targets, sources = (
        [task for task in tasks if task not in dead] for tasks in (tensor.targets, tensor.tasks)
    )
    found = {}
    for name in PUBLISHED:
        try:
            whole = compare(tensor, name)
        except InvalidInputError:
            continue
        try:
            alive = _number(compare(tensor.select(targets=targets, sources=sources), name).mean)
        except InvalidInputError:
            alive = None
        found[name] = {
            "mean": _number(whole.mean),
            "mean_alive": alive,
            "targets": {target: _number(rho) for target, (rho, _) in whole.targets.items()},
        }
    return found


def carried_over_alive(
    rows: Collection[Mapping[str, Any]], tensor: AffinityTensor, dead: Collection[str]
) -> list[dict[str, Any]]:
    """Add `spearman_alive`, which ignores dead sources, to the rows of `carry_over`."""
    found = []
    for row in rows:
        alive = {source: error for source, error in row["errors"].items() if source not in dead}
        found.append({**row, "spearman_alive": agreement(alive, tensor, row["target"])})
    return found


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
