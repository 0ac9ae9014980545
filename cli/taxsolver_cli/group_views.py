"""Views of a table of networks for `taxsolver group --show`: one choice, curves, pairs, counts and losses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from taxsolver_cli import show
from taxsolver_cli.errors import usage_error
from taxsolver_cli.outputs import write_picture, write_rows

if TYPE_CHECKING:
    from taxsolver.grouping import Grouping, LossTable, NextGroup, PredictedGroups


def show_choice(
    networks: LossTable,
    method: str,
    budget: float,
    seed: int,
    draws: int,
    time_limit: float | None,
    predicted: PredictedGroups | None,
    json: bool,
    save: Path | None,
    plot: Path | None,
) -> None:
    """Show the networks to run for one method and budget."""
    from taxsolver.grouping import group, next_group

    with show.working("choosing"):
        found = group(networks, method, budget, seed=seed, draws=draws, time_limit=time_limit)
        train = None if predicted is None else next_group(predicted, budget, time_limit=time_limit)
    if json:
        beside = {} if predicted is None else {"prediction": predicted.to_dict()}
        if predicted is not None:
            beside["next"] = {} if train is None else train.to_dict()
        show.print_json({**found.to_dict(), **beside})
    elif math.isnan(found.validation_loss):
        if found.status == "unsampled":
            least = "random choices hardly ever serve every task; raise the budget"
        elif found.least_budget:
            least = f"the least that works is {show.amount(found.least_budget)}"
        else:
            least = "no budget suffices"
        within = f"within a budget of {show.amount(found.budget)}"
        show.note(f"error: {found.status}: no {found.method} choice {within}; {least}")
        raise typer.Exit(1)
    else:
        _print_choice(found, predicted, train)
    write_rows([found.to_dict()], save)
    if plot is not None:
        from taxsolver.figures.grouping import draw_grouping

        write_picture(draw_grouping(found), plot)


def _print_choice(found: Grouping, predicted: PredictedGroups | None, train: NextGroup | None) -> None:
    title = f"[bold]{show.escape(found.table.name)}[/], {found.method}, budget {show.amount(found.budget)}"
    lines = [
        f"[bold]Loss[/] on validation {found.validation_loss:.5g}; on test "
        f"{show.number(found.test_loss, 5)}, with the assigned networks "
        f"{show.number(found.assigned_test_loss, 5)}",
        "[dim]test: each task takes its best network on test, as the authors score; assigned: the network "
        "picked on validation[/]",
    ]
    if predicted is not None:
        lines = [f"[bold]Loss[/] on validation, with what is predicted, {found.validation_loss:.5g}"]
        lines += prediction_lines(predicted)
        if train is None:
            lines.append(
                "Train next: nothing; no group would change the choice if it were better by that error"
            )
        else:
            compared = f" ({train.looked_at} of {train.of} groups compared)"
            lines.append(
                f"[bold]Train next:[/] {show.escape(train.network)}; knowing it is expected to lower the "
                f"loss by {train.expected:.3g}{'' if train.looked_at == train.of else compared}"
            )
    if found.status == "time_limit":
        lines.append(
            f"[yellow]Not proven[/]: the time limit cut in; no choice is better than {found.bound:.5g}"
        )
    if not found.networks:
        show.print_rich(f"{title}: mean of {found.draws:,} draws", *lines)
        return
    table = show.new_table("network", "cost", "tasks it is picked for", numbers=("cost",))
    for network, place in zip(found.networks, found.chosen, strict=True):
        tasks = ", ".join(found.serves[network]) or "none: it only fills the budget"
        star = "*" if network in found.table.untrained else ""
        table.add_row(show.escape(network) + star, show.amount(found.table.cost[place]), show.escape(tasks))
    show.print_rich(f"{title}: cost {show.amount(found.cost)}", "", table, "", *lines)


def show_curves(
    networks: LossTable,
    budgets: list[float],
    seed: int,
    draws: int,
    time_limit: float | None,
    json: bool,
    save: Path | None,
    plot: Path | None,
) -> None:
    """Show the loss of every method and budget."""
    from taxsolver.grouping import Method, budget_curves

    methods = [
        method for method in Method if method is not Method.ESA or networks.validation_early is not None
    ]
    with show.progress(methods, len(methods), "methods") as shown:
        found = [
            row
            for one in shown
            for row in budget_curves(networks, budgets, [one], seed, draws=draws, time_limit=time_limit)
        ]
    rows = [one.to_dict() for one in found]
    if json:
        show.print_json({"rows": rows})
    else:
        columns = [str(method) for method in methods]
        table = show.new_table("budget", *columns, numbers=["budget", *columns])
        split = "validation" if networks.test is None else "test"
        cells = {
            (one.method, one.budget): show.number(getattr(one, f"{split}_loss"), 4) + show.mark(one.status)
            for one in found
        }
        for budget in budgets:
            table.add_row(show.amount(budget), *(cells[method, budget] for method in columns))
        lines = show.not_proven(one.status for one in found)
        show.print_rich(f"[bold]{show.escape(networks.name)}[/]: total {split} loss", "", table, *lines)
    write_rows(rows, save)
    if plot is not None:
        from taxsolver.figures.grouping import draw_budget_curves

        write_picture(draw_budget_curves(found), plot)


def show_pairs(networks: LossTable, json: bool, save: Path | None, plot: Path | None) -> None:
    """Show the change of each task's loss when it is learned together with each other task."""
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
        table = show.new_table("learned with", *matrix.tasks, numbers=matrix.tasks)
        for other, changes in zip(matrix.tasks, matrix.change, strict=True):
            cells = ("-" if math.isnan(value) else f"{value:+.1f} %" for value in changes)
            table.add_row(show.escape(other), *cells)
        show.print_rich(
            f"[bold]{show.escape(matrix.name)}[/]: change of {matrix.split} losses against learning alone",
            "",
            table,
            "",
            "[dim]+: learning the task above together with the one on the left makes it better[/]",
        )
    write_rows(rows, save)
    if plot is not None:
        from taxsolver.figures.grouping import draw_pair_matrix

        write_picture(draw_pair_matrix(matrix), plot)


def show_counts(networks: LossTable, json: bool, save: Path | None, plot: Path | None) -> None:
    """Show the performance against the number of tasks of a network."""
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
    write_rows(rows, save)
    if plot is not None:
        from taxsolver.figures.grouping import draw_task_count

        write_picture(draw_task_count(counts, networks.name), plot)


def show_losses(
    networks: LossTable,
    predicted: PredictedGroups | None,
    json: bool,
    save: Path | None,
    plot: Path | None,
) -> None:
    """Show the validation losses of all networks; predicted ones are marked with a star."""
    if plot is not None:
        raise usage_error("--plot has no meaning with --show losses: leave it out")
    rows: list[dict[str, Any]] = [
        {
            "network": name,
            "untrained": name in networks.untrained,
            "cost": float(cost),
            **{
                task: None if math.isnan(loss) else float(loss)
                for task, loss in zip(networks.tasks, losses, strict=True)
            },
        }
        for name, cost, losses in zip(networks.networks, networks.cost, networks.validation, strict=True)
    ]
    if json:
        beside = {} if predicted is None else {"prediction": predicted.to_dict()}
        show.print_json({"tasks": list(networks.tasks), **beside, "rows": rows})
    else:
        table = show.new_table("network", "cost", "losses", numbers=("cost",))
        for row in rows:
            losses = ", ".join(f"{task} {row[task]:.4g}" for task in networks.tasks if row[task] is not None)
            star = "*" if row["untrained"] else ""
            table.add_row(show.escape(row["network"]) + star, show.amount(row["cost"]), show.escape(losses))
        lines = [] if predicted is None else ["", *prediction_lines(predicted)]
        show.print_rich(f"[bold]{show.escape(networks.name)}[/]: validation losses", "", table, *lines)
    write_rows(rows, save)


def prediction_lines(predicted: PredictedGroups) -> list[str]:
    """Describe how many networks are predicted, and with which error."""
    count = len(predicted.table.untrained)
    lines = [f"[dim]*: predicted; {count} network{' is' if count == 1 else 's are'} untrained[/]"]
    if predicted.held_out:
        left_out = (
            f"one of {predicted.held_out} trained groups" if predicted.held_out > 1 else "a trained group"
        )
        lines.append(
            f"Error of a predicted loss, leaving out {left_out}: "
            f"{100 * predicted.error:.1f} % of the task's loss alone "
            f"({100 * predicted.error_alone:.1f} % if groups did as well as alone)"
        )
    else:
        lines.append(
            "Error of a predicted loss: not known, as pairs cannot be left out of what they tell; train a "
            "larger group"
        )
    return lines
