"""Figures of stage 4, drawn by taxsolver."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from taxsolver import InvalidInputError
from taxsolver.figures.matrix import draw_affinity
from taxsolver.figures.style import save_figure
from taxsolver.figures.sweep import draw_significance
from taxsolver.figures.task_map import draw_task_map
from taxsolver.figures.taxonomy import draw_taxonomy
from taxsolver.figures.tree import draw_tree

if TYPE_CHECKING:
    from training.stages.taxonomy.stage import Findings

_ENDINGS = (".png", ".svg")


def draw_all(findings: Findings, folder: Path) -> tuple[Path, ...]:
    """Draw the affinities, the plan, the sweep, the tree and the map.

    Args:
        findings: findings of stage 4.
        folder: folder of the figures, which is created.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures = {
        "affinity": draw_affinity(findings.tensor),
        "taxonomy": draw_taxonomy(findings.plan),
    }
    if not all(math.isnan(row.gain) for row in findings.significance):
        figures["significance"] = draw_significance(findings.significance)
    if findings.tree is not None:
        figures["tree"] = draw_tree(findings.tree)
    with suppress(InvalidInputError):  # raised if no target is served by another task
        figures["map"] = draw_task_map(findings.tensor)
    return tuple(
        save_figure(figure, folder / f"{name}{ending}")
        for name, figure in figures.items()
        for ending in _ENDINGS
    )
