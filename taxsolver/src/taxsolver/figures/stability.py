"""Figure of a stability analysis: the share of draws that label each task, and the regret of three plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxsolver.analysis.stability import Stability
from taxsolver.arguments import check_type
from taxsolver.figures.page import new_page
from taxsolver.figures.style import FAINT, INK, MUTED, house_style
from taxsolver.figures.text import readable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMES = {"estimate": "of the estimate", "mean": "best in the mean", "worst": "best in the worst draws"}


@house_style()
def draw_stability(found: Stability) -> Figure:
    """Draw the share of draws in which each task is labelled, dark if the estimate's plan labels it too.

    To the right is the regret of three plans in every draw, from the smallest to the largest.

    Args:
        found: what `taxsolver.stability` returns.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    check_type(found, Stability, "found", "taxsolver.stability returns one")
    problem = found.plans[0].taxonomy.problem
    origin = f"noise {found.noise:g}" if found.noise is not None else f"{found.origin} of the tensor"
    own = found.plans[0].taxonomy.sources
    shares = sorted((dict.fromkeys(own, 0.0) | found.frequency).items(), key=lambda one: one[1])
    words = f"{readable(problem.affinity.name)}  ·  {found.draws} draws ({origin})  ·  {problem.objective}"
    figure = new_page(10, max(4.0, 2.0 + 0.22 * len(shares)), "How far the plan can be trusted", words)
    left, right = figure.subplots(1, 2)
    places = range(len(shares))
    colours = [INK if task in own else MUTED for task, _ in shares]
    left.barh(places, [share for _, share in shares], color=colours, height=0.7)
    left.set_yticks(places, [readable(task) for task, _ in shares])
    left.set_xlim(0, 1)
    left.set_title("Labelled in full")
    left.set_xlabel("share of draws; dark: in the plan of the estimate")
    for plan, style in zip(found.plans, ("-", "--", ":"), strict=True):
        label = f"{_NAMES[plan.name]}, mean {plan.regret.mean():.3g}"
        right.plot(range(1, found.draws + 1), sorted(plan.regret), color=INK, ls=style, lw=1.5, label=label)
    right.set_title("Regret")
    right.set_xlabel("draws, from the smallest regret to the largest")
    right.set_ylabel(f"{problem.objective} lost\nagainst the best of the draw")
    right.legend(frameon=False, fontsize=9, loc="upper left")
    for axes in (left, right):
        axes.grid(axis="x" if axes is left else "y", color=FAINT, lw=0.8)
        axes.set_axisbelow(True)
    return figure
