"""`taxsolver rank`: the best transfer for each target, order by order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from taxsolver_cli import options as opt
from taxsolver_cli import parse, show
from taxsolver_cli.completion import complete_tasks
from taxsolver_cli.outputs import check_row_outputs, write_rows

if TYPE_CHECKING:
    from taxsolver.analysis.rank import RankRow

SHORT = "The best transfer for each target, order by order."
HELP = """
Find the transfer of largest affinity for each target and each largest order.

Targets are treated as novel tasks, without labels of their own.

\b
  taxsolver rank --targets normals,layout
  taxsolver rank --max-order 2 --allow-random --json
"""


def rank_command(
    targets: opt.Targets = None,
    max_order: opt.MaxOrder = 4,
    affinity: opt.Affinity = None,
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--sources",
            metavar="A,B,..",
            help="Read out from these tasks only.  \\[default: all but random]",
            autocompletion=complete_tasks,
            rich_help_panel=opt.ALLOW,
        ),
    ] = None,
    allow_random: Annotated[
        bool,
        typer.Option(
            "--allow-random",
            help="Allow random projections as a source, as in the paper.",
            rich_help_panel=opt.ALLOW,
        ),
    ] = False,
    json: opt.Json = False,
    save: opt.SaveRows = None,
) -> None:
    """Rank the transfers of each target, and print the best of each order."""
    from taxsolver.analysis.rank import rank

    check_row_outputs(save, None)
    rows = rank(
        parse.tensor(affinity),
        targets=parse.joined(targets, "all"),
        max_order=max_order,
        sources=parse.joined(sources) if sources else None,
        allow_random=allow_random,
    )
    listed = [row.to_dict() for row in rows]
    if json:
        show.print_json({"rows": listed})
    else:
        _print(rows)
    write_rows(listed, save)


def _print(rows: list[RankRow]) -> None:
    table = show.new_table(
        "target",
        "order",
        "read out from",
        "affinity",
        "gain",
        "quality",
        numbers=("order", "affinity", "gain", "quality"),
    )
    earlier = None
    for row in rows:
        if earlier not in (None, row.target):
            table.add_section()
        table.add_row(
            "" if earlier == row.target else show.escape(row.target),
            str(row.order),
            show.escape(" + ".join(row.sources)) or "[dim]not measured[/]",
            show.affinity(row.affinity),
            show.number(row.gain),
            show.number(row.quality),
        )
        earlier = row.target
    show.print_rich(
        table, "", "[dim]order: at most so many sources; gain and quality as in  taxsolver --help[/]"
    )
