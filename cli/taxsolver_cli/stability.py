"""`taxsolver stability`: the plan under noise in the measurements."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxsolver_cli import options as opt
from taxsolver_cli import parse, show
from taxsolver_cli.errors import usage_error
from taxsolver_cli.outputs import check_row_outputs, write_picture, write_rows

if TYPE_CHECKING:
    from taxsolver.analysis.stability import Stability

SHORT = "The plan under noise in the measurements."
HELP = """
Plan for every draw of the measurements: how often each task is labelled, and the regret of the plan.

The plan of the estimate is compared with the one that is best in the mean of the draws, and the one that is
best in the mean of the worst draws. Tensors without draws or intervals need --noise.

\b
  taxsolver stability --targets normals,depth,layout --budget 2 --noise 0.05 --draws 20
  taxsolver stability --affinity mine.csv --targets all --budget 2 --noise 0.1 --draws 9 --plot draws.png
"""
_NAMES = {"estimate": "of the estimate", "mean": "best in the mean", "worst": "best in the worst"}


@opt.describes_problem
def stability_command(
    targets: opt.Targets = None,
    budget: opt.Budget = None,
    max_order: opt.MaxOrder = 4,
    affinity: opt.Affinity = None,
    *,
    described: dict[str, Any],
    draws: Annotated[
        int,
        typer.Option("--draws", metavar="N", help="Draws to plan, at most.", rich_help_panel=opt.WEIGH),
    ] = 100,
    noise: Annotated[
        float | None,
        typer.Option(
            "--noise",
            metavar="X",
            help="In place of the tensor's draws: noise of this standard deviation on every measurement "
            "(of the logarithm, for affinities).",
            rich_help_panel=opt.WEIGH,
        ),
    ] = None,
    worst: Annotated[
        float,
        typer.Option(
            "--worst",
            metavar="SHARE",
            help="Share of the draws that counts as the worst.",
            rich_help_panel=opt.WEIGH,
        ),
    ] = 0.1,
    seed: opt.Seed = 0,
    time_limit: opt.TimeLimit = None,
    json: opt.Json = False,
    save: opt.SaveRows = None,
    plot: opt.Plot = None,
) -> None:
    """Evaluate plans in draws of the measurements, and print them."""
    from taxsolver.analysis.stability import stability

    if budget is None:
        raise usage_error("missing option --budget, as in  taxsolver stability --budget 5 --noise 0.05")
    check_row_outputs(save, plot)
    with show.working("planning"):
        found = stability(
            parse.tensor(affinity),
            parse.joined(targets, "all"),
            budget,
            max_order=max_order,
            draws=draws,
            noise=noise,
            worst=worst,
            seed=seed,
            time_limit=time_limit,
            **parse.problem_options(described),
        )
    if json:
        show.print_json(found.to_dict())
    else:
        _print(found)
    labelled = {plan.name: plan.taxonomy.sources for plan in found.plans}
    write_rows(
        [
            {
                "task": task,
                "frequency": share,
                **{name: task in sources for name, sources in labelled.items()},
            }
            for task, share in found.frequency.items()
        ],
        save,
    )
    if plot is not None:
        from taxsolver.figures.stability import draw_stability

        write_picture(draw_stability(found), plot)


def _print(found: Stability) -> None:
    tasks = show.new_table("labelled in full", "of draws", *_NAMES.values(), numbers=("of draws",))
    named = {task: 0.0 for plan in found.plans for task in plan.taxonomy.sources} | found.frequency
    for task, share in sorted(named.items(), key=lambda one: -one[1]):
        marks = ["x" if task in plan.taxonomy.sources else "" for plan in found.plans]
        tasks.add_row(show.escape(task), f"{share:.0%}", *marks)
    numbers = ("mean", "worst", "mean regret", "largest")
    plans = show.new_table("plan", *numbers, numbers=numbers)
    for plan in found.plans:
        plans.add_row(
            _NAMES[plan.name] + show.mark(plan.taxonomy.status),
            *(f"{value:.4g}" for value in (plan.mean, plan.worst, plan.regret.mean(), plan.regret.max())),
        )
    origin = (
        f"noise of {show.amount(found.noise)}" if found.noise is not None else f"{found.origin} of the tensor"
    )
    last = found.plans[-1].taxonomy
    unproven = found.draws - found.proven
    late = [f"[yellow]Not proven in {unproven} draws[/]: regrets may be larger"] if unproven else []
    gap = [] if math.isnan(last.gap) or last.status == "optimal" else [f"bound of the last: {last.bound:.6g}"]
    show.print_rich(
        f"[bold]{show.escape(last.problem.affinity.name)}[/]: {found.draws} draws, {origin}; "
        f"{last.problem.objective}, worst: mean of the worst {found.worst_share:.0%}",
        "",
        tasks,
        "",
        plans,
        "",
        *late,
        *gap,
        "[dim]regret: the best plan of a draw, less this one in that draw[/]",
        *show.not_proven(plan.taxonomy.status for plan in found.plans),
    )
