"""Figure of the Pareto front of cost and gain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from taxsolver.errors import InvalidInputError
from taxsolver.figures.page import new_page
from taxsolver.figures.style import FAINT, INK, MUTED, house_style
from taxsolver.figures.text import readable
from taxsolver.planning.taxonomy import Taxonomy
from taxsolver.programs.choice import OPTIMAL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MEANING = {"gain": "beats training from scratch", "quality": "beats full supervision"}
_MARKED = 60  # largest number of points with a marker; more would overlap


@house_style()
def draw_front(plans: Sequence[Taxonomy]) -> Figure:
    """Draw mean gain and quality over the cost: the least cost of each level.

    Args:
        plans: what `taxsolver.front` returns.

    Raises:
        InvalidInputError: there is no plan.
        MissingExtraError: matplotlib is not installed.
    """
    if not plans:
        raise InvalidInputError("there is no plan to draw: taxsolver.front returns at least one")
    problem = plans[0].problem
    proven = sum(plan.status == OPTIMAL for plan in plans)
    words = (
        f"{readable(problem.affinity.name)}  ·  {len(problem.targets)} targets  ·  {len(plans)} plans, "
        f"{proven} proven: none costs less and has more {problem.objective}"
    )
    figure = new_page(10, 4.9, "What more labels buy, at the least cost", words)
    costs = [plan.cost for plan in plans]
    for axes, measure in zip(figure.subplots(1, 2), _MEANING, strict=True):
        values = [getattr(plan, measure) for plan in plans]
        if measure == problem.objective:  # a step function, as there is no plan between two
            axes.step([*costs, costs[-1] * 1.03], [*values, values[-1]], where="post", color=INK, lw=1.4)
        marker = "o" if len(plans) <= _MARKED else "."
        axes.plot(
            costs, values, ls="", marker=marker, ms=4, color=INK if measure == problem.objective else MUTED
        )
        axes.locator_params(axis="x", nbins=5)  # more long numbers would overlap
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
        axes.set_title(measure.capitalize())
        axes.set_xlabel(
            "label cost" if problem.unit is None else readable(f"cost ({problem.unit or 'money'})")
        )
        axes.set_ylabel(f"share of images:\n{_MEANING[measure]}")
        axes.grid(axis="y", color=FAINT, lw=0.8)
        axes.set_axisbelow(True)
    return figure
