"""`taxsolver --targets A,B --budget N`: plan a taxonomy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from taxsolver_cli import options as opt
from taxsolver_cli import parse, show
from taxsolver_cli.errors import given, usage_error
from taxsolver_cli.outputs import check_picture, write_picture

if TYPE_CHECKING:
    from taxsolver.planning.solve import OneMore
    from taxsolver.planning.taxonomy import Taxonomy

HELP = """
Plan which vision tasks to label in full, and from which of them every other one is read out.

The plan is the best one within the budget, and proven optimal.
Separate lists by commas, or repeat the option.

\b
  taxsolver --targets normals,depth,reshading --budget 2
  taxsolver --targets all --budget 5 --plot plan.png --save plan.graphml
  taxsolver --targets all --budget 8 --label-cost segment_semantic=4
  taxsolver --targets all --budget 10000 --costs costs.csv --unit EUR
  taxsolver --targets all --min-quality 0.3 --unit images
  taxsolver --targets layout,matching --budget 3 --supervise-targets none
  taxsolver --problem plan.json
"""

# Options that may be given with --problem, whose file states the others.
BESIDE_PROBLEM = {"problem", "affinity", "k_best", "one_more", "time_limit", "json", "save", "plot"}


@opt.describes_problem
def plan(
    context: typer.Context,
    targets: opt.PlanTargets = None,
    budget: opt.Budget = None,
    max_order: opt.MaxOrder = 4,
    affinity: opt.Affinity = None,
    *,
    described: dict[str, Any],
    min_gain: opt.MinGain = None,
    problem: opt.ProblemFile = None,
    k_best: opt.KBest = 1,
    one_more: opt.OneMore = False,
    time_limit: opt.TimeLimit = None,
    json: opt.Json = False,
    save: opt.SavePlan = None,
    plot: opt.Plot = None,
    version: opt.Version = False,
) -> None:
    """Find the best plan, and print it; typer also calls this function before every other command."""
    if version:
        from taxsolver import __version__

        typer.echo(f"taxsolver {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is not None:
        for name in given(context):  # it would have no effect on the other command
            option, command = f"--{name.replace('_', '-')}", context.invoked_subcommand
            raise usage_error(f"write {option} after the command: taxsolver {command} ... {option} ...")
        return
    if problem is not None:
        for name in given(context):
            if name not in BESIDE_PROBLEM:
                option = f"--{name.replace('_', '-')}"
                raise usage_error(f"{option} is in the file of --problem: leave out one of the two")
        from taxsolver.planning.problem_file import load_k_best, load_problem
        from taxsolver.planning.solve import solve_problem

        asked = load_problem(problem, parse.tensor(affinity) if affinity else None)
        _check_outputs(save, plot)
        k_best = k_best if "k_best" in given(context) else load_k_best(problem)
        with show.working("planning"):
            taxonomy = solve_problem(asked, k_best=k_best, time_limit=time_limit)
        _answer(taxonomy, k_best, one_more, json, save, plot)
        return
    if budget is None and min_gain is None and described["min_quality"] is None:
        missing = "--targets" if targets is None else "--budget"
        raise usage_error(f"missing option {missing}, as in  taxsolver --targets normals,depth --budget 2")
    if targets is None:
        rest = f"--budget {budget:g}" if budget is not None else "--min-quality 0.4"
        raise usage_error(f"missing option --targets, as in  taxsolver --targets all {rest}")

    from taxsolver.planning.solve import solve

    _check_outputs(save, plot)
    with show.working("planning"):
        taxonomy = solve(
            parse.tensor(affinity),
            parse.joined(targets),
            int(budget) if budget is not None and budget.is_integer() and abs(budget) < 1e15 else budget,
            max_order=max_order,
            k_best=k_best,
            time_limit=time_limit,
            min_gain=min_gain,
            **parse.problem_options(described),
        )
    _answer(taxonomy, k_best, one_more, json, save, plot)


def _answer(
    taxonomy: Taxonomy, k_best: int, one_more: bool, json: bool, save: Path | None, plot: Path | None
) -> None:
    """Print a plan and write its files."""
    if json:
        answer = taxonomy.to_dict()
        if k_best > 1:
            answer["alternatives"] = [other.to_dict() for other in taxonomy.alternatives]
        if one_more:
            more = _one_more(taxonomy)
            answer["one_more"] = {
                "budget": more.budget,
                "objective": more.objective,
                "increase": more.increase,
                "added": list(more.added),
                "dropped": list(more.dropped),
            }
        show.print_json(answer)
    else:
        _print(taxonomy)
    if save is not None:
        from taxsolver.figures.graph import save_taxonomy

        show.note(f"plan: {save_taxonomy(taxonomy, save)}")
    if plot is not None:
        from taxsolver.figures.taxonomy import draw_taxonomy

        write_picture(draw_taxonomy(taxonomy), plot)


def _check_outputs(save: Path | None, plot: Path | None) -> None:
    """Check before planning that all outputs can be written."""
    from taxsolver.files.output import check_writable

    if save is not None:
        from taxsolver.figures.graph import check_taxonomy_path

        check_taxonomy_path(save)
        check_writable(save)
    check_picture(plot)


def _one_more(taxonomy: Taxonomy) -> OneMore:
    from taxsolver.planning.solve import one_more_unit

    return one_more_unit(taxonomy)


def _print(taxonomy: Taxonomy) -> None:
    from taxsolver.figures.headline import budget_words

    problem = taxonomy.problem
    table = show.new_table(
        "target", "read out from", "affinity", "gain", "quality", numbers=("affinity", "gain", "quality")
    )
    for transfer in taxonomy.transfers:
        sources = show.escape(" + ".join(transfer.sources))
        table.add_row(
            show.escape(transfer.target),
            "[bold]its own labels[/]" if transfer.full_supervision else sources,
            show.affinity(transfer.affinity),
            show.number(transfer.gain),
            show.number(transfer.quality),
        )
    targets = "1 target" if len(problem.targets) == 1 else f"{len(problem.targets)} targets"
    bought = [] if problem.unit is None else [_purchases(taxonomy), ""]
    show.print_rich(
        f"[bold]{show.escape(problem.affinity.name)}[/]: {targets}, "
        f"{show.escape(budget_words(problem))}, order at most {problem.max_order}",
        f"[bold]Label in full:[/] {show.escape(', '.join(taxonomy.sources)) or 'nothing'}",
        "",
        table,
        "",
        *bought,
        *_lines(taxonomy),
    )
    for place, other in enumerate(taxonomy.alternatives, start=2):
        proof = "" if other.status == "optimal" else " (not proven)"
        images = "" if other.labels is None else f"{other.labels:,} labelled images; "
        show.print_rich(
            f"[bold]Plan {place}:[/] {other.problem.objective} {other.objective:.6g}{proof}, "
            f"{images}label {show.escape(', '.join(other.sources))}"
        )


def _purchases(taxonomy: Taxonomy) -> Any:
    """Return a table of the labels to buy, task by task."""
    unit = taxonomy.problem.unit or "cost"
    priced = [] if unit == "images" else [unit]
    table = show.new_table("to label", "for", "images", *priced, numbers=("images", *priced))
    for bought in taxonomy.purchases:
        use = "a large transfer" if bought.task in taxonomy.large else "a transfer"
        use = "all uses" if bought.full else use
        images = "-" if bought.images is None else show.amount(bought.images)
        table.add_row(show.escape(bought.task), use, images, *([show.amount(bought.cost)] if priced else []))
    return table


def _lines(taxonomy: Taxonomy) -> list[str]:
    """Return the lines below the table."""
    problem = taxonomy.problem
    objective = f"{taxonomy.problem.objective} {taxonomy.objective:.6g}"
    if taxonomy.status == "optimal" and taxonomy.problem.budget is None:
        milliseconds = f"({taxonomy.seconds * 1000:.0f} ms)"
        proof = f"[green]Proven the cheapest[/]: {objective} is the most at that cost {milliseconds}"
    elif taxonomy.status == "optimal":
        proof = f"[green]Proven optimal[/]: {objective}, no plan has more ({taxonomy.seconds * 1000:.0f} ms)"
    else:
        why = "Time limit" if taxonomy.status == "time_limit" else "Not proven"
        proof = f"[yellow]{why}[/]: {objective}, at most {taxonomy.bound:.6g} (gap {taxonomy.gap:.2%})"
    lines = [proof]
    if problem.unit is not None or problem.budget is None:  # it counts money or images, or was minimised
        of = "" if problem.budget is None else f" of {problem.written(problem.budget)}"
        lines.append(f"[bold]Cost:[/] {show.escape(problem.written(taxonomy.cost) + of)}")
    labels, in_full, saved = taxonomy.labels, taxonomy.labels_in_full, taxonomy.labels_saved
    if labels is not None and in_full is not None and saved is not None:
        share = f"{saved:.0%} saved" if saved >= 0 else f"{-saved:.0%} more"
        lines.append(f"[bold]Labels:[/] {labels:,} labelled images instead of {in_full:,}: {share}")
    no_choice = {*problem.require, *problem.affinity.untrained}
    chosen = [task for task in taxonomy.sources if task not in no_choice]
    if len(chosen) > len(problem.targets):
        lines.append(
            f"[yellow]Note:[/] the plan labels {len(chosen)} tasks, more than the "
            f"{len(problem.targets)} asked for: the budget allows it, and some targets are read "
            "out better so. A smaller budget saves labels."
        )
    if taxonomy.status == "optimal" and problem.budget is not None:
        lines.append(_next(taxonomy))
    lines.append(
        "[dim]gain: share of images won against training from scratch; "
        "quality: against full supervision (0.5 = parity)[/]"
    )
    return lines


def _next(taxonomy: Taxonomy) -> str:
    more, problem = _one_more(taxonomy), taxonomy.problem
    unit = "One more unit of budget"
    if problem.unit is not None and problem.budget is not None:
        from taxsolver.programs.costs import exact_sum

        unit = show.escape(f"{problem.written(float(exact_sum([more.budget, -problem.budget])))} more")
    if not more.increase > 0 or not more.added:
        return f"[bold]{unit}[/] buys nothing"
    dropped = f" in place of {', '.join(more.dropped)}" if more.dropped else ""
    labelled = show.escape(f"{', '.join(more.added)}{dropped}")
    return f"[bold]{unit}[/] adds {more.increase:,.4g}: label {labelled}"
