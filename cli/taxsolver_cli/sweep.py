"""`taxsolver sweep`: the best plan of every budget and order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxsolver_cli import options as opt
from taxsolver_cli import parse, show
from taxsolver_cli.outputs import check_row_outputs, write_picture, write_rows

if TYPE_CHECKING:
    from taxsolver.planning.sweep import SweepRow

_NO_PLAN = {"infeasible": "no plan fits", "time_limit": "none found in time"}

SHORT = "The best plan of every budget and order."
HELP = """
Find the best plan of every budget and order, with its mean gain and quality.

\b
  taxsolver sweep
  taxsolver sweep --targets normals,depth,layout --budgets 1-6 --orders 1-3
  taxsolver sweep --budgets 1000:10000:500 --costs costs.csv --unit EUR --orders 4
  taxsolver sweep --save sweep.csv --plot sweep.png --band
"""


@opt.describes_problem
def sweep_command(
    targets: opt.Targets = None,
    budgets: opt.Budgets = None,
    orders: opt.Orders = None,
    affinity: opt.Affinity = None,
    *,
    described: dict[str, Any],
    time_limit: opt.TimeLimit = None,
    json: opt.Json = False,
    save: opt.SaveRows = None,
    plot: opt.Plot = None,
    band: Annotated[
        bool,
        typer.Option(
            "--band",
            help="With --plot: also the band of random plans of the largest order.",
            rich_help_panel=opt.OUT,
        ),
    ] = False,
) -> None:
    """Find the best plan of every budget and order, and print them."""
    from taxsolver.planning.sweep import BUDGETS, sweep

    check_row_outputs(save, plot)
    with show.working("sweeping"):
        rows = sweep(
            parse.tensor(affinity),
            parse.parse_numbers(parse.joined(budgets), "--budgets") if budgets else BUDGETS,
            parse.parse_whole_numbers(parse.joined(orders, opt.DEFAULT_ORDERS), "--orders"),
            targets=parse.joined(targets, "all"),
            time_limit=time_limit,
            **parse.problem_options(described),
        )
    listed = [row.to_dict() for row in rows]
    if json:
        show.print_json({"rows": listed})
    else:
        _print(rows)
    write_rows(listed, save)
    if plot is None:
        return
    from taxsolver.analysis.significance import compare_with_random
    from taxsolver.figures.sweep import draw_sweep

    random = None
    if band:
        largest = [row for row in rows if row.max_order == max(row.max_order for row in rows)]
        with show.progress(largest, len(largest), "random plans") as shown:
            random = list(compare_with_random(shown))
    write_picture(draw_sweep(rows, random), plot)


def _print(rows: list[SweepRow]) -> None:
    counted = rows[0].unit is not None  # then the cost column shows the cost of labels
    numbers = ("budget", "order", "objective", "gain", "quality", "cost" if counted else "labels")
    table = show.new_table(*numbers, "label in full", numbers=numbers)
    earlier: tuple[str, ...] = ()
    for row in rows:
        cost = "-"
        if row.taxonomy is not None:
            cost = show.amount(row.taxonomy.cost) if counted else show.count(row.taxonomy.labels)
        table.add_row(
            show.amount(row.budget),
            str(row.max_order),
            show.number(row.objective, 4) + show.mark(row.status) * bool(row.taxonomy),
            show.number(row.gain),
            show.number(row.quality),
            cost,
            changes(earlier, row.sources) if row.taxonomy else _NO_PLAN[row.status],
        )
        earlier = row.sources
    show.print_rich(
        table,
        "",
        "[dim]gain and quality: mean over the targets; label in full: all at first, then what is new (+) and "
        "what is dropped (-) against the row above[/]",
        *([f"[dim]budget and cost in {show.escape(rows[0].unit)}[/]"] if rows[0].unit else []),
        *show.not_proven(row.status for row in rows if row.taxonomy),
    )


def changes(earlier: tuple[str, ...], sources: tuple[str, ...]) -> str:
    """Write the changes of sources from the row above, or all sources if there is none or most changed."""
    added = [f"+{task}" for task in sources if task not in earlier]
    dropped = [f"-{task}" for task in earlier if task not in sources]
    if not earlier or len(added) + len(dropped) > len(sources):
        return show.escape(", ".join(sources))
    return show.escape(" ".join(added + dropped)) or "the same"
