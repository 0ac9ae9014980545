"""`taxsolver significance`: the best plans compared with random ones."""

from __future__ import annotations

import math
from typing import Annotated, Any

import typer

from taxsolver_cli import options as opt
from taxsolver_cli import parse, show
from taxsolver_cli.outputs import check_row_outputs, write_picture, write_rows

SHORT = "The best plans compared with random ones."
HELP = """
Compare the best plans with random ones that use the whole budget: 5th, 50th and 95th percentile.

\b
  taxsolver significance --budgets 1-10 --orders 4
  taxsolver significance --targets normals,depth,layout --budgets 1-3 --samples 5000 --plot band.png
"""


@opt.describes_problem
def significance_command(
    targets: opt.Targets = None,
    budgets: opt.Budgets = None,
    orders: opt.Orders = None,
    affinity: opt.Affinity = None,
    *,
    described: dict[str, Any],
    samples: Annotated[
        int,
        typer.Option(
            "--samples", metavar="N", help="Random plans of each budget and order.", rich_help_panel=opt.WEIGH
        ),
    ] = 1000,
    seed: opt.Seed = 0,
    json: opt.Json = False,
    save: opt.SaveRows = None,
    plot: opt.Plot = None,
) -> None:
    """Compare the best plans with random ones, and print both."""
    from taxsolver.analysis.significance import compare_with_random
    from taxsolver.planning.sweep import BUDGETS, sweep

    check_row_outputs(save, plot)
    plans = sweep(
        parse.tensor(affinity),
        parse.parse_numbers(parse.joined(budgets), "--budgets") if budgets else BUDGETS,
        parse.parse_whole_numbers(parse.joined(orders, opt.DEFAULT_ORDERS), "--orders"),
        targets=parse.joined(targets, "all"),
        **parse.problem_options(described),
    )
    with show.progress(plans, len(plans), "random plans") as shown:
        rows = list(compare_with_random(shown, samples=samples, seed=seed))
    listed = [row.to_dict() for row in rows]
    if json:
        show.print_json({"samples": samples, "seed": seed, "rows": listed})
    else:
        columns = ("budget", "order", "gain", "random gain", "quality", "random quality")
        table = show.new_table(*columns, numbers=columns)
        for row in rows:
            table.add_row(
                show.amount(row.budget),
                str(row.max_order),
                show.number(row.gain) + show.mark(row.status) * (not math.isnan(row.gain)),
                " ".join(show.number(value) for value in row.random_gain),
                show.number(row.quality),
                " ".join(show.number(value) for value in row.random_quality),
            )
        show.print_rich(
            table,
            "",
            "[dim]means over the targets; random: 5th, 50th and 95th percentile[/]",
            *show.not_proven(row.status for row in rows if not math.isnan(row.gain)),
        )
    write_rows(listed, save)
    if plot is not None:
        from taxsolver.figures.sweep import draw_significance

        write_picture(draw_significance(rows), plot)
