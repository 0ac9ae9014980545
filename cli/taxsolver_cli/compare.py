"""`taxsolver compare`: agreement of two tensors."""

from __future__ import annotations

from typing import Annotated

import typer

from taxsolver_cli import options as opt
from taxsolver_cli import show
from taxsolver_cli.completion import complete_affinity

SHORT = "Agreement of two affinity tensors."
HELP = """
Compute the rank correlation of two affinity tensors (Spearman), by target and overall (extra \\[plot]).

\b
  taxsolver compare taskonomy-16k taskonomy-1k
  taxsolver compare taskonomy-16k mine.csv --max-order 1
"""

Tensor = Annotated[
    str, typer.Argument(metavar="NAME|FILE", help="Affinity tensor.", autocompletion=complete_affinity)
]


def compare_command(
    first: Tensor,
    second: Tensor,
    max_order: Annotated[
        int | None,
        typer.Option("--max-order", "-k", metavar="N", help="Only transfers of at most that many sources."),
    ] = None,
    json: opt.Json = False,
) -> None:
    """Compare two tensors, and print their agreement."""
    from taxsolver.analysis.compare import compare

    agreement = compare(first, second, max_order=max_order)
    if json:
        show.print_json(agreement.to_dict())
        return
    table = show.new_table("target", "Spearman", "transfers", numbers=("Spearman", "transfers"))
    for target, (rho, shared) in agreement.targets.items():
        table.add_row(show.escape(target), show.number(rho), str(shared))
    show.print_rich(
        table,
        "",
        f"[bold]Mean over targets[/] {show.number(agreement.mean)}; [bold]overall[/] "
        f"{show.number(agreement.overall)} over {agreement.transfers:,} shared transfers of "
        f"{show.escape(agreement.first)} and {show.escape(agreement.second)}",
    )
