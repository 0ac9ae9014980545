"""Figures, which need the extra `[plot]`. Every function returns a new matplotlib figure.

Names are imported on first use, so that planning needs no matplotlib.

>>> import taxsolver
>>> plan = taxsolver.solve("taskonomy-16k", targets="normals,depth", budget=1)
>>> figure = taxsolver.figures.draw_taxonomy(plan)
>>> taxsolver.figures.save_figure(figure, "plan.png").name
'plan.png'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taxsolver.figures.front import draw_front
    from taxsolver.figures.grouping import (
        draw_budget_curves,
        draw_grouping,
        draw_pair_matrix,
        draw_task_count,
    )
    from taxsolver.figures.matrix import draw_affinity, draw_ahp
    from taxsolver.figures.style import save_figure
    from taxsolver.figures.sweep import draw_significance, draw_sweep
    from taxsolver.figures.task_map import draw_task_map
    from taxsolver.figures.taxonomy import draw_taxonomy
    from taxsolver.figures.tree import draw_tree

_HOMES = {
    "draw_affinity": "matrix",
    "draw_ahp": "matrix",
    "draw_budget_curves": "grouping",
    "draw_front": "front",
    "draw_grouping": "grouping",
    "draw_pair_matrix": "grouping",
    "draw_significance": "sweep",
    "draw_sweep": "sweep",
    "draw_task_count": "grouping",
    "draw_task_map": "task_map",
    "draw_taxonomy": "taxonomy",
    "draw_tree": "tree",
    "save_figure": "style",
}

__all__ = [
    "draw_affinity",
    "draw_ahp",
    "draw_budget_curves",
    "draw_front",
    "draw_grouping",
    "draw_pair_matrix",
    "draw_significance",
    "draw_sweep",
    "draw_task_count",
    "draw_task_map",
    "draw_taxonomy",
    "draw_tree",
    "save_figure",
]


def __getattr__(name: str) -> object:
    """Import the module of a function on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'taxsolver.figures' has no attribute {name!r}")
    return getattr(import_module(f"taxsolver.figures.{_HOMES[name]}"), name)
