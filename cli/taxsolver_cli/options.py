"""Options of the commands: one place for each help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from taxsolver_cli.completion import complete_affinity, complete_tasks

ASK, ALLOW, WEIGH, OUT = "What to plan", "What may be labelled", "What counts how much", "Output"

DEFAULT_AFFINITY = "taskonomy-16k"
DEFAULT_BUDGETS, DEFAULT_ORDERS = "1-26", "1-4"

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
        help="Supervision budget: how many tasks may be labelled in full (their total label cost).",
        rich_help_panel=ASK,
    ),
]
ProblemFile = Annotated[
    Path | None,
    typer.Option(
        "--problem",
        metavar="PLAN.json",
        help="Solve again what a plan was asked for that was saved with --save PLAN.json.",
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
        help="Order: from how many labelled tasks at once ONE target may be read out. Says nothing about "
        "how many are labelled.",
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
        help="Targets that may be labelled in full; the others are novel tasks and no sources either.  "
        "\\[default: all]",
        rich_help_panel=ALLOW,
    ),
]
Importance = Annotated[
    list[str] | None,
    typer.Option(
        "--importance",
        metavar="A=X,..",
        help="Weight of targets in the objective; 1 where not named.",
        show_default=False,
        rich_help_panel=WEIGH,
    ),
]
LabelCost = Annotated[
    list[str] | None,
    typer.Option(
        "--label-cost",
        metavar="A=X,..",
        help="What labelling a task takes of the budget; 1 where not named.",
        show_default=False,
        rich_help_panel=WEIGH,
    ),
]
ObjectiveName = Annotated[
    str,
    typer.Option(
        "--objective",
        metavar="NAME",
        help="What to maximise: affinity (the paper's), normalised-affinity (each target's best counts 1), "
        "gain or quality.",
        rich_help_panel=WEIGH,
    ),
]
ImagesFull = Annotated[
    int | None,
    typer.Option(
        "--images-full",
        metavar="N",
        help="Labelled images of a task labelled in full.  \\[default: as in the tensor]",
        rich_help_panel=WEIGH,
    ),
]
ImagesTransfer = Annotated[
    int | None,
    typer.Option(
        "--images-transfer",
        metavar="N",
        help="Labelled images of a transferred target.  \\[default: as in the tensor]",
        rich_help_panel=WEIGH,
    ),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit",
        metavar="SECONDS",
        help="Stop then with the best plan found, its bound and gap.  \\[default: none]",
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
        metavar="A-B|A,B,..",
        help="Supervision budgets: how many tasks may be labelled in full.  \\[default: 1-26]",
        rich_help_panel=ASK,
    ),
]
Orders = Annotated[
    list[str] | None,
    typer.Option(
        "--orders",
        metavar="A-B|A,B,..",
        help="Orders: from how many labelled tasks at once one target may be read out.  \\[default: 1-4]",
        rich_help_panel=ASK,
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Of the random draws.", rich_help_panel=WEIGH)]
