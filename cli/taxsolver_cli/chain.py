"""`taxsolver chain`: plans over several years, each of which keeps all labelled tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxsolver_cli import options as opt
from taxsolver_cli import parse, show
from taxsolver_cli.errors import usage_error
from taxsolver_cli.outputs import check_row_outputs, write_picture, write_rows
from taxsolver_cli.sweep import changes

if TYPE_CHECKING:
    from taxsolver.planning.chain import Chain
    from taxsolver.planning.taxonomy import Taxonomy

SHORT = "Plans over years: nothing bought twice or dropped."
HELP = """
The best plans for budgets that rise from year to year, each of which keeps everything that is labelled.

The chain is proven the best over all years. It is compared with the best plan of each year in turn, and
with the best plan of each budget by itself. Each budget is the total up to the end of that year.

\b
  taxsolver chain --budgets 2,4,6
  taxsolver chain --targets all --budgets 10000,15000,25000 --costs costs.csv --unit EUR --plot years.png
"""


@opt.describes_problem
def chain_command(
    targets: opt.Targets = None,
    budgets: Annotated[
        list[str] | None,
        typer.Option(
            "--budgets",
            metavar="A,B,..|A:B:STEP",
            help="Total budget up to the end of each year, rising.",
            rich_help_panel=opt.ASK,
        ),
    ] = None,
    max_order: opt.MaxOrder = 4,
    affinity: opt.Affinity = None,
    *,
    described: dict[str, Any],
    time_limit: opt.TimeLimit = None,
    json: opt.Json = False,
    save: opt.SaveRows = None,
    plot: opt.Plot = None,
) -> None:
    """Find the best plans for rising budgets, and print them."""
    from taxsolver.planning.chain import chain

    if not budgets:
        raise usage_error("missing option --budgets, as in  taxsolver chain --budgets 2,4,6")
    check_row_outputs(save, plot)
    with show.working("planning"):
        found = chain(
            parse.tensor(affinity),
            parse.parse_numbers(parse.joined(budgets), "--budgets"),
            targets=parse.joined(targets, "all"),
            max_order=max_order,
            time_limit=time_limit,
            **parse.problem_options(described),
        )
    if json:
        show.print_json(found.to_dict())
    else:
        _print(found)
    write_rows(
        [
            {
                "budget": period["budget"],
                "way": way,
                **{name: period[way][name] for name in ("cost", "objective", "gain", "quality", "sources")},
            }
            for period in found.to_dict()["periods"]
            for way in ("best", "greedy", "free")
        ],
        save,
    )
    if plot is not None:
        from taxsolver.figures.chain import draw_chain

        write_picture(draw_chain(found), plot)


def _print(found: Chain) -> None:
    problem = found.best[0].problem
    numbers = ("budget", "cost", "gain", "quality")
    table = show.new_table(*numbers, "label in full", numbers=numbers)
    earlier: tuple[str, ...] = ()
    for plan in found.best:
        table.add_row(
            show.amount(plan.problem.budget or 0.0),
            show.amount(plan.cost),
            show.number(plan.gain),
            show.number(plan.quality),
            changes(earlier, plan.sources),
        )
        earlier = plan.sources
    proof = "[green]Proven the best chain[/]" if found.status == "optimal" else "[yellow]Not proven[/]"
    bound = "" if found.status == "optimal" else f", at most {found.bound:.6g}"
    ways = (
        ("Year by year", found.greedy_objective, found.greedy),
        ("Each budget by itself", found.free_objective, found.free),
    )
    show.print_rich(
        table,
        "",
        f"{proof}: {problem.objective} {found.objective:.6g} over all years{bound}",
        *(f"[bold]{name}:[/] {value:.6g}{_unproven(plans)}" for name, value, plans in ways),
        f"[bold]Keeping everything costs[/] {found.nesting_costs:.4g}{_unproven((*found.best, *found.free))}",
        *([f"[dim]budget and cost in {show.escape(problem.unit)}[/]"] if problem.unit else []),
    )


def _unproven(plans: Sequence[Taxonomy]) -> str:
    return "" if all(plan.status == "optimal" for plan in plans) else ", not proven"
