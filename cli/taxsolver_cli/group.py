"""`taxsolver group`: choose tasks to train together in one network."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from taxsolver_cli import options as opt
from taxsolver_cli import parse
from taxsolver_cli.errors import given, usage_error
from taxsolver_cli.group_views import show_choice, show_counts, show_curves, show_losses, show_pairs
from taxsolver_cli.outputs import check_row_outputs

if TYPE_CHECKING:
    from taxsolver.grouping import LossTable, PredictedGroups

SHORT = "Choose the tasks to learn together in one network."
HELP = """
Choose trained multi-task networks so that every task is predicted within a budget of inference time.

The choice is made on validation losses and scored on test losses (Standley et al., ICML 2020).
If nothing fits the budget, the status is infeasible: exit status 1, but 0 with --json.

With --measured, untrained networks are predicted from effects of pairs, and marked with a star.

\b
  taxsolver group --setting 1 --budget 2.5
  taxsolver group --setting 1 --budget 2.5 --weights normal=3
  taxsolver group --table mine.csv --method hoa --budget 3 --json
  taxsolver group --setting 3 --show curves --plot curves.png
  taxsolver group --setting 4 --show pairs
  taxsolver group --pairwise affinity.csv --measured few.csv --budget 2.5
"""

DRAWS, BUDGETS = 10_000, "1,1.5,2,2.5,3,3.5,4,4.5,5"


class TableView(StrEnum):
    """Kind of table of networks."""

    CHOICE = "choice"
    CURVES = "curves"
    PAIRS = "pairs"
    COUNTS = "counts"
    LOSSES = "losses"


UNTRAINED = {"pairwise", "measured", "group_size"}
# Options that each view uses, besides the table and the outputs.
READS = {
    TableView.CHOICE: {"budget", "method", "seed", "draws", "time_limit", *UNTRAINED},
    TableView.CURVES: {"budgets", "seed", "draws", "time_limit"},
    TableView.PAIRS: set(),
    TableView.COUNTS: set(),
    TableView.LOSSES: UNTRAINED,
}


def group_command(
    context: typer.Context,
    setting: Annotated[
        int | None,
        typer.Option(
            "--setting", metavar="1..4", help="A published table of networks.", rich_help_panel=opt.ASK
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "--table",
            metavar="FILE.csv",
            help="Your own table: split, network, cost, and one column of losses for each task (empty if a "
            "network does not predict it); split is validation, test or validation_early.",
            rich_help_panel=opt.ASK,
        ),
    ] = None,
    measured: Annotated[
        Path | None,
        typer.Option(
            "--measured",
            metavar="FILE.csv",
            help="The few networks that you have trained, in the form of --table: one for each task alone, "
            "and some groups. All other groups are predicted.",
            rich_help_panel=opt.ASK,
        ),
    ] = None,
    pairwise: Annotated[
        Path | None,
        typer.Option(
            "--pairwise",
            metavar="FILE.csv",
            help="With --measured: the effect of each task (down) on each other one (across) in any unit, "
            "as gradient affinities; or what --show pairs saves.  \\[default: the trained pairs]",
            rich_help_panel=opt.ASK,
        ),
    ] = None,
    group_size: Annotated[
        int | None,
        typer.Option(
            "--group-size",
            metavar="N",
            help="With --measured: most tasks of a predicted network.  \\[default: all]",
            rich_help_panel=opt.ASK,
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            "--budget",
            "-b",
            metavar="N",
            help="Inference budget: largest total cost of the networks, in standard networks.",
            rich_help_panel=opt.ASK,
        ),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="NAME",
            help="optimal, hoa (larger groups predicted from pairs), esa (losses early in training), "
            "all-in-one, independent, random or worst.",
            rich_help_panel=opt.ASK,
        ),
    ] = "optimal",
    view: Annotated[
        TableView,
        typer.Option(
            "--show",
            help="One choice; the curves of all methods over budgets; what learning in pairs does to each "
            "task; performance against the number of tasks; or the losses of all networks.",
            rich_help_panel=opt.ASK,
        ),
    ] = TableView.CHOICE,
    budgets: Annotated[
        list[str] | None,
        typer.Option(
            "--budgets",
            metavar="A-B|A,B,..",
            help=f"Budgets of the curves.  \\[default: {BUDGETS}]",
            rich_help_panel=opt.ASK,
        ),
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            "--weights",
            metavar="A=X,..",
            help="Weights of the losses of tasks; 1 for others.",
            show_default=False,
            rich_help_panel=opt.WEIGH,
        ),
    ] = None,
    seed: opt.Seed = 0,
    draws: Annotated[
        int,
        typer.Option(
            "--draws", metavar="N", help="Random choices that are averaged.", rich_help_panel=opt.WEIGH
        ),
    ] = DRAWS,
    time_limit: opt.TimeLimit = None,
    json: opt.Json = False,
    save: opt.SaveRows = None,
    plot: opt.Plot = None,
) -> None:
    """Choose networks from a table, and print them or another view of the table."""
    for name in given(context):
        if name in set().union(*READS.values()) - READS[view]:
            raise usage_error(f"--{name.replace('_', '-')} has no meaning with --show {view}: leave it out")
    check_row_outputs(save, plot)
    weighed = parse.parse_weights(parse.joined(weights), "--weights")
    networks, predicted = _networks(setting, table, measured, pairwise, group_size, method, weighed)
    if view is TableView.CURVES:
        listed = parse.parse_numbers(parse.joined(budgets, BUDGETS), "--budgets")
        show_curves(networks, listed, seed, draws, time_limit, json, save, plot)
    elif view is TableView.LOSSES:
        show_losses(networks, predicted, json, save, plot)
    elif view is TableView.PAIRS:
        show_pairs(networks, json, save, plot)
    elif view is TableView.COUNTS:
        show_counts(networks, json, save, plot)
    else:
        if budget is None:
            raise usage_error("missing option --budget, as in  taxsolver group --setting 1 --budget 2.5")
        show_choice(networks, method, budget, seed, draws, time_limit, predicted, json, save, plot)


def _networks(
    setting: int | None,
    table: Path | None,
    measured: Path | None,
    pairwise: Path | None,
    group_size: int | None,
    method: str,
    weights: dict[str, float],
) -> tuple[LossTable, PredictedGroups | None]:
    """Load a table of networks, with `measured` of trained ones, to which predicted ones are added."""
    from taxsolver.grouping import load_setting, load_table, predict_groups, read_pairwise

    if measured is None:
        if pairwise is not None or group_size is not None:
            raise usage_error("--pairwise and --group-size go with --measured FILE.csv, the trained networks")
        if setting is not None and table is None:
            return load_setting(setting).weighted(weights), None
        if table is not None and setting is None:
            return load_table(table).weighted(weights), None
        raise usage_error(
            "give either --setting 1..4 or --table FILE.csv, as in  taxsolver group --setting 1 ..."
        )
    if setting is not None or table is not None:
        raise usage_error("--measured is a table of its own: leave out --setting and --table")
    if method != "optimal":
        raise usage_error("--method has no meaning with --measured, which chooses the best: leave it out")
    trained = load_table(measured)
    effects = None if pairwise is None else read_pairwise(pairwise, trained.tasks)
    predicted = predict_groups(trained, effects, weights=weights, largest=group_size)
    return predicted.table, predicted
