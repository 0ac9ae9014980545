"""`taxsolver front`: the Pareto front of cost and gain."""

from __future__ import annotations

from typing import Any

from taxsolver_cli import options as opt
from taxsolver_cli import parse, show
from taxsolver_cli.outputs import check_row_outputs, write_picture, write_rows
from taxsolver_cli.sweep import changes

SHORT = "Cost against gain: every plan that no other beats in both."
HELP = """
Find the Pareto front of cost and gain: all plans that no other plan beats in both, each proven.

\b
  taxsolver front --unit images
  taxsolver front --costs costs.csv --unit EUR --plot front.png --save front.csv
"""


@opt.describes_problem
def front_command(
    targets: opt.Targets = None,
    max_order: opt.MaxOrder = 4,
    affinity: opt.Affinity = None,
    *,
    described: dict[str, Any],
    time_limit: opt.TimeLimit = None,
    json: opt.Json = False,
    save: opt.SaveRows = None,
    plot: opt.Plot = None,
) -> None:
    """Compute the Pareto front of cost and gain, and print it."""
    from taxsolver.planning.front import front, front_row, front_to_dict

    check_row_outputs(save, plot)
    with show.working("planning"):
        plans = front(
            parse.tensor(affinity),
            parse.joined(targets, "all"),
            max_order=max_order,
            time_limit=time_limit,
            **parse.problem_options(described),
        )
    if json:
        show.print_json(front_to_dict(plans))
    else:
        numbers = ("cost", "gain", "quality", "labels")
        table = show.new_table(*numbers, "label in full", numbers=numbers)
        earlier: tuple[str, ...] = ()
        for plan in plans:
            table.add_row(
                show.amount(plan.cost),
                show.number(plan.gain) + show.mark(plan.status),
                show.number(plan.quality),
                show.count(plan.labels),
                changes(earlier, plan.sources),
            )
            earlier = plan.sources
        unit = plans[0].problem.unit
        show.print_rich(
            table,
            "",
            "[dim]gain and quality: mean over the targets; label in full: all at first, then what is new (+) "
            "and what is dropped (-) against the row above[/]",
            *([f"[dim]cost in {show.escape(unit)}[/]"] if unit else []),
            *show.not_proven(plan.status for plan in plans),
        )
    write_rows([front_row(plan) for plan in plans], save)
    if plot is not None:
        from taxsolver.figures.front import draw_front

        write_picture(draw_front(plans), plot)
