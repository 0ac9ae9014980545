"""Figure of plans over years: objectives of three strategies, and the year each task is labelled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxsolver.arguments import check_type
from taxsolver.figures.page import new_page
from taxsolver.figures.style import FAINT, INK, MUTED, house_style
from taxsolver.figures.text import readable
from taxsolver.planning.amounts import amount
from taxsolver.planning.chain import Chain
from taxsolver.programs.choice import OPTIMAL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TICKS = 6  # largest number of budgets on the horizontal axis


@house_style()
def draw_chain(found: Chain) -> Figure:
    """Draw the objective of each period for three strategies, and to the right the tasks of the best chain.

    Args:
        found: what `taxsolver.chain` returns.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    check_type(found, Chain, "found", "taxsolver.chain returns one")
    problem = found.best[0].problem
    budgets = [plan.problem.budget or 0.0 for plan in found.best]
    tasks = list(dict.fromkeys(task for plan in found.best for task in plan.sources))
    share = found.nesting_costs / found.free_objective if found.free_objective else 0.0
    proof = "proven the best chain" if found.status == OPTIMAL else "not proven the best chain"
    alone = "" if all(plan.status == OPTIMAL for plan in found.free) else ", not proven"
    nesting = f"keeping everything costs {share:.1%} of the {problem.objective}{alone}"
    words = f"{readable(problem.affinity.name)}  ·  {proof}  ·  {nesting}"
    figure = new_page(10, max(4.2, 2.0 + 0.24 * len(tasks)), "Labels over the years", words)
    left, right = figure.subplots(1, 2)
    ways = (
        ("each budget by itself", found.free, ":", MUTED),
        ("best chain", found.best, "-", INK),
        ("year by year", found.greedy, "--", INK),
    )
    for label, plans, style, colour in ways:
        values = [plan.objective for plan in plans]
        left.plot(budgets, values, ls=style, color=colour, marker="o", ms=4, lw=1.6, label=label)
    unit = "label cost" if problem.unit is None else readable(problem.unit or "total cost")
    left.set_title(problem.objective.value.capitalize())
    left.set_xlabel(f"budget ({unit})")
    left.set_xticks(budgets if len(budgets) <= _TICKS else [budgets[0], budgets[-1]])
    left.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    left.legend(frameon=False, fontsize=9)
    places = {task: len(tasks) - 1 - place for place, task in enumerate(tasks)}
    for period, plan in enumerate(found.best):
        earlier = found.best[period - 1].sources if period else ()
        for task in plan.sources:  # dark in the period in which the labels are bought, pale afterwards
            bought = task not in earlier
            right.barh(places[task], 0.92, left=period + 0.04, height=0.7, color=INK if bought else FAINT)
    right.set_xlim(0, len(budgets))
    right.set_xticks([period + 0.5 for period in range(len(budgets))], [amount(budget) for budget in budgets])
    right.set_yticks(list(places.values()), [readable(task) for task in places])
    right.set_title("Labelled in full; dark: new")
    right.set_xlabel(f"budget ({unit})")
    left.grid(axis="y", color=FAINT, lw=0.8)
    left.set_axisbelow(True)
    return figure
