"""Report on the losses of stage 6: groupings, effects of tasks on each other, and their predictors."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from taxsolver import load_affinity
from taxsolver.analysis.similarity import first_order_matrix
from taxsolver.grouping import budget_curves, load_table, pair_matrix, task_count_rows

FloatArray = NDArray[np.float64]

_FEWEST = 3  # least number of pairs for a rank correlation


def report(
    table: Path, tag_table: Path, tag: FloatArray, affinity: Path | None
) -> tuple[dict[str, Any], str]:
    """Return the report as JSON-ready facts, and as text.

    Args:
        table: CSV of measured losses.
        tag_table: CSV of losses that inter-task affinity predicts.
        tag: float64 (tasks, tasks), inter-task affinity: [i, j] is the effect of i on j.
        affinity: tensor of stage 3; None for no comparison.

    Returns:
        a JSON object and a text of 100 columns at most.
    """
    losses, predicted = load_table(table), load_table(tag_table)
    pairs = np.asarray(pair_matrix(losses).change, dtype=np.float64)
    # Groupings of all methods at all budgets; `tag` chooses by predicted losses, scored by measured ones.
    budgets = np.arange(1, len(losses.tasks) + 0.5, 0.5).tolist()
    measured = budget_curves(losses, budgets, draws=1000)
    by_tag = budget_curves(predicted, budgets, ["optimal"])
    facts = {
        "tasks": list(losses.tasks),
        "groupings": [
            *(found.to_dict() for found in measured),
            *(found.to_dict() | {"method": "tag"} for found in by_tag),
        ],
        "by_number_of_tasks": [
            {"tasks": row.num_tasks, "networks": row.num_networks, "change": row.change}
            for row in task_count_rows(losses)
        ],
        "pairs": _rows(pairs),
        "inter_task_affinity": _rows(tag),
        "spearman": {
            "pairs and inter-task affinity": correlation(pairs, tag),
            "pairs and transfer affinity": None
            if affinity is None
            else correlation(pairs, transfer_matrix(affinity, losses.tasks)),
        },
    }
    return facts, _text(facts)


def transfer_matrix(affinity: Path, tasks: tuple[str, ...]) -> FloatArray:
    """Read order-1 affinities among some tasks, each column divided by its maximum.

    Args:
        affinity: file of a tensor.
        tasks: names, some of which the tensor may lack.

    Returns:
        float64 (tasks, tasks): [i, j] from i to j; NaN where not measured.
    """
    tensor = load_affinity(affinity)
    matrix = first_order_matrix(tensor)
    found = np.full((len(tasks), len(tasks)), math.nan)
    for i, source in enumerate(tasks):
        for j, target in enumerate(tasks):
            if source in tensor.tasks and target in tensor.targets:
                found[i, j] = matrix[tensor.tasks.index(source), tensor.targets.index(target)]
    with np.errstate(invalid="ignore"):
        shares: FloatArray = found / np.fmax.reduce(found, axis=0)
    return shares


def correlation(first: FloatArray, second: FloatArray) -> float | None:
    """Compute Spearman's rho over pairs of different tasks; None for fewer than three known, or all equal."""
    known = np.isfinite(first) & np.isfinite(second) & ~np.eye(len(first), dtype=bool)
    one, other = first[known], second[known]
    if len(one) < _FEWEST or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(spearmanr(one, other).statistic)


def _rows(matrix: FloatArray) -> list[list[float | None]]:
    """Convert a matrix for JSON."""
    return [[None if math.isnan(value) else float(value) for value in row] for row in matrix]


def _text(facts: dict[str, Any]) -> str:
    """Format the report as text."""
    # Total test loss, a row per method and a column per budget.
    budgets = sorted({found["budget"] for found in facts["groupings"]})
    by_method: dict[str, dict[float, float | None]] = {}
    for found in facts["groupings"]:
        by_method.setdefault(found["method"], {})[found["budget"]] = found["test_loss"]
    totals = ["total test loss by budget", f"{'':13}" + "".join(f"{budget:9g}" for budget in budgets)]
    for method, by_budget in by_method.items():
        cells = ("-" if by_budget[budget] is None else f"{by_budget[budget]:.4f}" for budget in budgets)
        totals.append(f"{method:13}" + "".join(f"{cell:>9}" for cell in cells))

    counts = ["tasks  networks  change against single-task networks of the same cost, %"]
    counts += [
        f"{row['tasks']:5}  {row['networks']:8}  {row['change']:+.2f}" for row in facts["by_number_of_tasks"]
    ]
    blocks = [totals, counts]

    tasks = facts["tasks"]
    width = max(10, *(len(task) + 2 for task in tasks))
    for name, words in (
        ("pairs", "change of the column's task by learning it together with the row's, %"),
        ("inter_task_affinity", "inter-task affinity: the row's step lowers the column's loss by, %"),
    ):
        scale = 1 if name == "pairs" else 100
        matrix = [words, " " * width + "".join(f"{task:>{width}}" for task in tasks)]
        for task, row in zip(tasks, facts[name], strict=True):
            cells = ("-" if value is None else f"{value * scale:+.3f}" for value in row)
            matrix.append(f"{task:{width}}" + "".join(f"{cell:>{width}}" for cell in cells))
        blocks.append(matrix)
    blocks.append(
        [
            f"Spearman, {name}: {'not known' if rho is None else f'{rho:.2f}'}"
            for name, rho in facts["spearman"].items()
        ]
    )
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"
