"""`taxsolver group`: which tasks to learn together in one network."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxsolver_cli import options as opt
from taxsolver_cli import show
from taxsolver_cli.errors import usage_error
from taxsolver_cli.outputs import check_row_outputs, write_picture, write_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from taxsolver.grouping import Grouping, LossTable, PairMatrix, TaskCountRow

SHORT = "Which tasks to learn together in one network."
HELP = """
Choose trained multi-task networks so that every task is predicted within a budget of inference time.

The choice is made on validation losses and scored on test losses (Standley et al., ICML 2020).

\b
  taxsolver group --setting 1 --budget 2.5
  taxsolver group --table mine.csv --method hoa --budget 3 --json
  taxsolver group --setting 3 --show curves --plot curves.png
  taxsolver group --setting 4 --show pairs
"""

DRAWS = 10_000


class View(StrEnum):
    """What to show of a table of networks."""

    CHOICE = "choice"
    CURVES = "curves"
    PAIRS = "pairs"
    COUNTS = "counts"


def group_command(
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
            help="Your own: split, network, cost, and one column of losses for each task (empty where a "
            "network does not predict it); split is validation, test or validation_early.",
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
        View,
        typer.Option(
            "--show",
            help="One choice; the curves of all methods over budgets; what learning in pairs does to each "
            "task; or performance against the number of tasks.",
            rich_help_panel=opt.ASK,
        ),
    ] = View.CHOICE,
    budgets: Annotated[
        str,
        typer.Option("--budgets", metavar="A,B,..", help="Of the curves.", rich_help_panel=opt.ASK),
    ] = "1,1.5,2,2.5,3,3.5,4,4.5,5",
    seed: opt.Seed = 0,
    draws: Annotated[
        int,
        typer.Option(
            "--draws", metavar="N", help="Random choices that are averaged.", rich_help_panel=opt.WEIGH
        ),
    ] = DRAWS,
    json: opt.Json = False,
    save: opt.SaveRows = None,
    plot: opt.Plot = None,
) -> None:
    """Parse, choose, print."""
    check_row_outputs(save, plot)
    networks = _load(setting, table)
    if view is View.CURVES:
        _curves(networks, opt.parse_numbers(budgets, "--budgets"), seed, draws, json, save, plot)
    elif view is View.PAIRS:
        _pairs(networks, json, save, plot)
    elif view is View.COUNTS:
        _counts(networks, json, save, plot)
    else:
        if budget is None:
            raise usage_error("missing option --budget, as in  taxsolver group --setting 1 --budget 2.5")
        _choice(networks, method, budget, seed, draws, json, save, plot)


def _load(setting: int | None, table: Path | None) -> LossTable:
    from taxsolver.grouping import load_setting, load_table

    if setting is not None and table is None:
        return load_setting(setting)
    if table is not None and setting is None:
        return load_table(table)
    raise usage_error(
        "give either --setting 1..4 or --table FILE.csv, as in  taxsolver group --setting 1 ..."
    )


def _choice(
    networks: LossTable,
    method: str,
    budget: float,
    seed: int,
    draws: int,
    json: bool,
    save: Path | None,
    plot: Path | None,
) -> None:
    from taxsolver.grouping import group

    with show.working("choosing"):
        found = group(networks, method, budget, seed=seed, draws=draws)
    if json:
        show.print_json(found.to_dict())
    elif math.isnan(found.validation_loss):
        _explain(found)
    else:
        _print_choice(found)
    write_rows([found.to_dict()], save)
    write_picture(lambda: _draw_choice(found), plot)


def _explain(found: Grouping) -> None:
    """Say why there is no choice, and leave with exit status 1."""
    least = f"the least that works is {found.least_budget:g}" if found.least_budget else "no budget suffices"
    if found.status == "unsampled":
        least = "random choices hardly ever serve every task; raise the budget"
    show.note(f"error: {found.status}: no {found.method} choice within a budget of {found.budget:g}; {least}")
    raise typer.Exit(1)


def _print_choice(found: Grouping) -> None:
    title = f"[bold]{show.escape(found.table.name)}[/], {found.method}, budget {found.budget:g}"
    lines = [
        f"[bold]Loss[/] on validation {found.validation_loss:.5g}; on test "
        f"{show.number(found.test_loss, 5)}, with the assigned networks "
        f"{show.number(found.assigned_test_loss, 5)}",
        "[dim]test: each task takes its best network on test, as the authors score; assigned: the network "
        "picked on validation[/]",
    ]
    if not found.networks:
        show.print_rich(f"{title}: mean of {found.draws:,} draws", *lines)
        return
    table = show.new_table("network", "cost", "tasks it is picked for", numbers=("cost",))
    for network, place in zip(found.networks, found.chosen, strict=True):
        tasks = ", ".join(found.serves[network]) or "none: it only fills the budget"
        table.add_row(show.escape(network), f"{found.table.cost[place]:g}", show.escape(tasks))
    show.print_rich(f"{title}: cost {found.cost:g}", "", table, "", *lines)


def _curves(
    networks: LossTable,
    budgets: list[float],
    seed: int,
    draws: int,
    json: bool,
    save: Path | None,
    plot: Path | None,
) -> None:
    from taxsolver.grouping import Method, budget_curves

    methods = [
        method for method in Method if method is not Method.ESA or networks.validation_early is not None
    ]
    with show.progress(methods, len(methods), "methods") as shown:
        found = [row for one in shown for row in budget_curves(networks, budgets, [one], seed, draws=draws)]
    rows = [one.to_dict() for one in found]
    if json:
        show.print_json({"rows": rows})
    else:
        _print_curves(networks, budgets, methods, found)
    write_rows(rows, save)
    write_picture(lambda: _draw_curves(found), plot)


def _print_curves(
    networks: LossTable, budgets: list[float], methods: list[Any], found: list[Grouping]
) -> None:
    columns = [str(method) for method in methods]
    table = show.new_table("budget", *columns, numbers=["budget", *columns])
    losses = {(one.method, one.budget): one.test_loss for one in found}
    for budget in budgets:
        table.add_row(f"{budget:g}", *(show.number(losses[method, budget], 4) for method in columns))
    show.print_rich(f"[bold]{show.escape(networks.name)}[/]: total test loss", "", table)


def _pairs(networks: LossTable, json: bool, save: Path | None, plot: Path | None) -> None:
    from taxsolver.grouping import pair_matrix

    matrix = pair_matrix(networks)
    rows = [
        {"task": task, "with": other, "change_percent": None if math.isnan(value) else float(value)}
        for other, changes in zip(matrix.tasks, matrix.change, strict=True)
        for task, value in zip(matrix.tasks, changes, strict=True)
        if task != other
    ]
    if json:
        show.print_json({"tasks": list(matrix.tasks), "split": matrix.split, "rows": rows})
    else:
        _print_pairs(matrix)
    write_rows(rows, save)
    write_picture(lambda: _draw_pairs(matrix), plot)


def _print_pairs(matrix: PairMatrix) -> None:
    table = show.new_table("learned with", *matrix.tasks, numbers=matrix.tasks)
    for other, changes in zip(matrix.tasks, matrix.change, strict=True):
        table.add_row(
            show.escape(other), *("-" if math.isnan(value) else f"{value:+.1f} %" for value in changes)
        )
    show.print_rich(
        f"[bold]{show.escape(matrix.name)}[/]: change of {matrix.split} losses against learning alone",
        "",
        table,
        "",
        "[dim]+: learning the task above together with the one on the left makes it better[/]",
    )


def _counts(networks: LossTable, json: bool, save: Path | None, plot: Path | None) -> None:
    from taxsolver.grouping import task_count_rows

    counts = task_count_rows(networks)
    rows = [
        {
            "num_tasks": row.num_tasks,
            "num_networks": row.num_networks,
            "change_percent": row.change,
            "least_percent": row.least,
            "most_percent": row.most,
        }
        for row in counts
    ]
    if json:
        show.print_json({"rows": rows})
    else:
        _print_counts(networks, counts)
    write_rows(rows, save)
    write_picture(lambda: _draw_counts(counts, networks.name), plot)


def _print_counts(networks: LossTable, counts: list[TaskCountRow]) -> None:
    columns = ("tasks", "networks", "mean", "worst", "best")
    table = show.new_table(*columns, numbers=columns)
    for row in counts:
        changes = (f"{value:+.1f} %" for value in (row.change, row.least, row.most))
        table.add_row(str(row.num_tasks), str(row.num_networks), *changes)
    show.print_rich(
        f"[bold]{show.escape(networks.name)}[/]: performance against the number of tasks of a network",
        "",
        table,
        "",
        "[dim]change of the losses against single-task networks of the same cost; +: better[/]",
    )


def _draw_choice(found: Grouping) -> Figure:
    from taxsolver.figures.grouping import draw_grouping

    return draw_grouping(found)


def _draw_curves(found: list[Grouping]) -> Figure:
    from taxsolver.figures.grouping import draw_budget_curves

    return draw_budget_curves(found)


def _draw_pairs(matrix: PairMatrix) -> Figure:
    from taxsolver.figures.grouping import draw_pair_matrix

    return draw_pair_matrix(matrix)


def _draw_counts(counts: list[TaskCountRow], name: str) -> Figure:
    from taxsolver.figures.grouping import draw_task_count

    return draw_task_count(counts, name)
