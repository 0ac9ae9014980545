"""Options of the commands: one place for each help text."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from taxsolver_cli.completion import complete_affinity, complete_tasks

ASK, ALLOW, WEIGH, OUT = "What to plan", "What may be labelled", "What counts how much", "Output"
COST = "What labels cost"

DEFAULT_AFFINITY = "taskonomy-16k"
DEFAULT_ORDERS = "1-4"

Affinity = Annotated[
    list[str] | None,
    typer.Option(
        "--affinity",
        "-a",
        metavar="NAME|FILE",
        help="Affinity tensor: a shipped one (see  taxsolver affinity list), a .safetensors or .csv file, or "
        f"a folder of these; several files make one tensor.  \\[default: {DEFAULT_AFFINITY}]",
        autocompletion=complete_affinity,
        rich_help_panel=ASK,
    ),
]
Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--targets",
        "-t",
        metavar="A,B,..|all",
        help="Tasks to solve.  \\[default: all]",
        autocompletion=complete_tasks,
        rich_help_panel=ASK,
    ),
]
PlanTargets = Annotated[
    list[str] | None,
    typer.Option(
        "--targets",
        "-t",
        metavar="A,B,..|all",
        help="Tasks to solve.",
        autocompletion=complete_tasks,
        rich_help_panel=ASK,
    ),
]
Budget = Annotated[
    float | None,
    typer.Option(
        "--budget",
        "-b",
        metavar="N",
        help="Supervision budget: how many tasks may be labelled in full (their total label cost); with "
        "--costs or --unit how much money or how many images.",
        rich_help_panel=ASK,
    ),
]
ProblemFile = Annotated[
    Path | None,
    typer.Option(
        "--problem",
        metavar="PLAN.json",
        help="Solve the problem of a plan that was saved with --save PLAN.json.",
        rich_help_panel=ASK,
    ),
]
KBest = Annotated[
    int,
    typer.Option(
        "--k-best",
        metavar="K",
        help="Also find the next best plans, each with other labelled tasks; not those that only label more.",
        rich_help_panel=ASK,
    ),
]
MaxOrder = Annotated[
    int,
    typer.Option(
        "--max-order",
        "-k",
        metavar="N",
        help="Order: largest number of labelled tasks from which ONE target is read out. It does not "
        "limit how many tasks are labelled.",
        rich_help_panel=ASK,
    ),
]
Sources = Annotated[
    list[str] | None,
    typer.Option(
        "--sources",
        metavar="A,B,..",
        help="Only these tasks may be labelled in full.  \\[default: all but random]",
        autocompletion=complete_tasks,
        rich_help_panel=ALLOW,
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="A,B,..",
        help="These tasks may not be labelled in full.",
        autocompletion=complete_tasks,
        show_default=False,
        rich_help_panel=ALLOW,
    ),
]
Require = Annotated[
    list[str] | None,
    typer.Option(
        "--require",
        metavar="A,B,..",
        help="These tasks are labelled in full in any case.",
        autocompletion=complete_tasks,
        show_default=False,
        rich_help_panel=ALLOW,
    ),
]
SuperviseTargets = Annotated[
    list[str] | None,
    typer.Option(
        "--supervise-targets",
        metavar="all|none|A,B,..",
        help="Targets that may be labelled in full; the others are novel tasks, which cannot be sources.  "
        "\\[default: all]",
        rich_help_panel=ALLOW,
    ),
]
Importance = Annotated[
    list[str] | None,
    typer.Option(
        "--importance",
        metavar="A=X,..",
        help="Weights of targets in the objective; 1 for others.",
        show_default=False,
        rich_help_panel=WEIGH,
    ),
]
LabelCost = Annotated[
    list[str] | None,
    typer.Option(
        "--label-cost",
        metavar="A=X,..",
        help="Costs of labelling tasks, in units of the budget; 1 for others.",
        show_default=False,
        rich_help_panel=COST,
    ),
]
ObjectiveName = Annotated[
    str,
    typer.Option(
        "--objective",
        metavar="NAME",
        help="What to maximise: affinity (the paper's), normalised-affinity (each target's best counts 1), "
        "gain or quality.  \\[default: affinity; gain with --min-gain]",
        show_default=False,
        rich_help_panel=WEIGH,
    ),
]
ImagesFull = Annotated[
    int | None,
    typer.Option(
        "--images-full",
        metavar="N",
        help="Labelled images of a task labelled in full.  \\[default: as in the tensor]",
        rich_help_panel=COST,
    ),
]
ImagesTransfer = Annotated[
    int | None,
    typer.Option(
        "--images-transfer",
        metavar="N",
        help="Labelled images of a transferred target.  \\[default: as in the tensor]",
        rich_help_panel=COST,
    ),
]
Costs = Annotated[
    Path | None,
    typer.Option(
        "--costs",
        metavar="FILE",
        help="CSV with the column task (* for every other one) and any of price (of one image), images_full, "
        "images_transfer and owned (share in 0-1): the budget then counts money, or images without prices.",
        rich_help_panel=COST,
    ),
]
Larger = Annotated[
    str | None,
    typer.Option(
        "--larger",
        metavar="NAME|FILE",
        help="Tensor of the same tasks with transfers of more images, as in  -a taskonomy-1k --larger "
        "taskonomy-16k : each target may buy the small or the large size. Needs --unit or --costs.",
        autocompletion=complete_affinity,
        rich_help_panel=COST,
    ),
]
Unit = Annotated[
    str | None,
    typer.Option(
        "--unit",
        metavar="EUR|images",
        help="Unit of the budget: images, whatever their price, or the name of a currency.",
        rich_help_panel=COST,
    ),
]
Owned = Annotated[
    list[str] | None,
    typer.Option(
        "--owned",
        metavar="A,B=X,..",
        help="Tasks whose labels exist already: all of them, or a share in 0-1. They cost nothing.",
        show_default=False,
        rich_help_panel=COST,
    ),
]
Together = Annotated[
    list[str] | None,
    typer.Option(
        "--together",
        metavar="A,B,..",
        help="Label all or none of these tasks in full; repeat for each group.",
        autocompletion=complete_tasks,
        show_default=False,
        rich_help_panel=ALLOW,
    ),
]
Apart = Annotated[
    list[str] | None,
    typer.Option(
        "--apart",
        metavar="A,B,..",
        help="Label at most one of these tasks in full; repeat for each group.",
        autocompletion=complete_tasks,
        show_default=False,
        rich_help_panel=ALLOW,
    ),
]
AtMost = Annotated[
    list[str] | None,
    typer.Option(
        "--at-most",
        metavar="N:A,B,..",
        help="Label at most N of these tasks in full; repeat for each group.",
        show_default=False,
        rich_help_panel=ALLOW,
    ),
]
MinGain = Annotated[
    float | None,
    typer.Option(
        "--min-gain",
        metavar="X",
        help="In place of --budget: the cheapest plan whose mean gain is at least X.",
        rich_help_panel=ASK,
    ),
]
MinQuality = Annotated[
    float | None,
    typer.Option(
        "--min-quality",
        metavar="X",
        help="Every target has a quality of at least X; without --budget, the cheapest such plan.",
        rich_help_panel=ASK,
    ),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit",
        metavar="SECONDS",
        help="Stop after this time with the best plan found, its bound and gap.  \\[default: none]",
        rich_help_panel=WEIGH,
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object and nothing else.", rich_help_panel=OUT)
]
Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar="FILE",
        help="Draw a picture: .png, .svg or .pdf (needs the extra \\[plot]).",
        rich_help_panel=OUT,
    ),
]
SaveRows = Annotated[
    Path | None,
    typer.Option("--save", metavar="FILE", help="Write the rows: .csv or .json.", rich_help_panel=OUT),
]
SavePlan = Annotated[
    Path | None,
    typer.Option(
        "--save",
        metavar="FILE",
        help="Write the best plan: .json (with all that was asked, for --problem), .csv, .dot or .graphml.",
        rich_help_panel=OUT,
    ),
]
OneMore = Annotated[
    bool,
    typer.Option(
        "--one-more", help="With --json: also what one more unit of budget buys.", rich_help_panel=OUT
    ),
]
Version = Annotated[bool, typer.Option("--version", help="Print the version.", rich_help_panel=OUT)]
Budgets = Annotated[
    list[str] | None,
    typer.Option(
        "--budgets",
        metavar="A-B|A,B,..|A:B:STEP",
        help="Supervision budgets: how many tasks may be labelled in full; with --costs or --unit money or "
        "images, as in 1000:10000:500.  \\[default: 1-26]",
        rich_help_panel=ASK,
    ),
]
Orders = Annotated[
    list[str] | None,
    typer.Option(
        "--orders",
        metavar="A-B|A,B,..",
        help="Orders: largest numbers of labelled tasks from which one target is read out.  \\[default: 1-4]",
        rich_help_panel=ASK,
    ),
]
Seed = Annotated[
    int, typer.Option("--seed", metavar="N", help="Seed of the random draws.", rich_help_panel=WEIGH)
]

# Options that describe a problem, for every command that plans: names as in `taxsolver.Problem.of`.
_DESCRIBING: Mapping[str, Any] = {
    "sources": Sources,
    "exclude": Exclude,
    "require": Require,
    "together": Together,
    "apart": Apart,
    "at_most": AtMost,
    "supervise_targets": SuperviseTargets,
    "min_quality": MinQuality,
    "objective": ObjectiveName,
    "importance": Importance,
    "label_cost": LabelCost,
    "larger": Larger,
    "costs": Costs,
    "unit": Unit,
    "owned": Owned,
    "images_full": ImagesFull,
    "images_transfer": ImagesTransfer,
}


def describes_problem(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that describe a problem.

    Args:
        command: gets the values of these options, by name, as its parameter `described`.
    """
    own = inspect.signature(command, eval_str=True).parameters

    def run(**written: Any) -> None:
        command(described={name: written.pop(name) for name in _DESCRIBING}, **written)

    parameters = []
    for name, parameter in own.items():
        if name == "described":
            kind = inspect.Parameter.KEYWORD_ONLY
            parameters += [
                inspect.Parameter(
                    option, kind, default="default" if option == "objective" else None, annotation=annotation
                )
                for option, annotation in _DESCRIBING.items()
            ]
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # typer reads it
    return run
