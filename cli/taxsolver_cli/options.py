"""Options that several commands share: one place for each help text and for the parsing of its value."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from taxsolver_cli.completion import complete_affinity, complete_tasks
from taxsolver_cli.errors import usage_error

ASK, ALLOW, WEIGH, OUT = "What to plan", "What may be labelled", "What counts how much", "Output"

DEFAULT_AFFINITY = "taskonomy-16k"

Affinity = Annotated[
    str,
    typer.Option(
        "--affinity",
        "-a",
        metavar="NAME|FILE",
        help="Affinity tensor: a shipped one (see  taxsolver affinity list)  or a .safetensors or .csv file.",
        autocompletion=complete_affinity,
        rich_help_panel=ASK,
    ),
]
Targets = Annotated[
    str,
    typer.Option(
        "--targets",
        "-t",
        metavar="A,B,..|all",
        help="Tasks to solve.",
        autocompletion=complete_tasks,
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
    str | None,
    typer.Option(
        "--sources",
        metavar="A,B,..",
        help="Only these tasks may be labelled in full.  \\[default: all but random]",
        autocompletion=complete_tasks,
        rich_help_panel=ALLOW,
    ),
]
Exclude = Annotated[
    str,
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
    str,
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
    str,
    typer.Option(
        "--supervise-targets",
        metavar="all|none|A,B,..",
        help="Targets that may be labelled in full; the others are novel tasks and no sources either.",
        rich_help_panel=ALLOW,
    ),
]
Importance = Annotated[
    str,
    typer.Option(
        "--importance",
        metavar="A=X,..",
        help="Weight of targets in the objective; 1 where not named.",
        show_default=False,
        rich_help_panel=WEIGH,
    ),
]
LabelCost = Annotated[
    str,
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
        help="Labelled images of a task labelled in full.  \\[default: as in the tensor, else 120000]",
        rich_help_panel=WEIGH,
    ),
]
ImagesTransfer = Annotated[
    int | None,
    typer.Option(
        "--images-transfer",
        metavar="N",
        help="Labelled images of a transferred target.  \\[default: as in the tensor, else 16000]",
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
Budgets = Annotated[
    str,
    typer.Option(
        "--budgets",
        metavar="A-B|A,B,..",
        help="Supervision budgets: how many tasks may be labelled in full.",
        rich_help_panel=ASK,
    ),
]
Orders = Annotated[
    str,
    typer.Option(
        "--orders",
        metavar="A-B|A,B,..",
        help="Orders: from how many labelled tasks at once one target may be read out.",
        rich_help_panel=ASK,
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Of the random draws.", rich_help_panel=WEIGH)]


def parse_weights(text: str, option: str) -> dict[str, float]:
    """`normal=2,depth=0.5` as a dictionary."""
    weights: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = part.partition("=")
        try:
            value = float(number)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise usage_error(
                f"{option}: cannot read {part!r}, expected TASK=NUMBER, as in normal=2,depth=0.5"
            )
        if name.strip() in weights:
            raise usage_error(f"{option}: {name.strip()!r} stands twice")
        weights[name.strip()] = value
    return weights


def parse_supervise_targets(text: str) -> bool | str:
    """`all` and `none` as true and false; anything else names targets."""
    return {"all": True, "none": False}.get(text.strip().casefold(), text)


def parse_whole_numbers(text: str, option: str) -> list[int]:
    """`1-5` or `1,2,8-10` as a list."""
    numbers: list[int] = []
    for part in text.split(","):
        low, dash, high = part.strip().partition("-")
        try:
            first = int(low)
            last = int(high) if dash else first
        except ValueError:
            raise usage_error(
                f"{option}: cannot read {part!r}, expected numbers as in 1-5 or 1,2,8"
            ) from None
        if last < first or last - first > 10_000:
            raise usage_error(f"{option}: {part.strip()!r} is no range: write the smaller number first")
        numbers.extend(range(first, last + 1))
    return numbers


def parse_numbers(text: str, option: str) -> list[float]:
    """`1-5`, `1,2,8-10` or `0.5,1,1.5` as a list; whole numbers stay whole."""
    numbers: list[float] = []
    for part in text.split(","):
        try:
            value = float(part)
            numbers.append(int(value) if value.is_integer() else value)
        except (ValueError, OverflowError):
            numbers += parse_whole_numbers(part, option)
    return numbers


def problem_options(
    sources: str | None,
    exclude: str,
    require: str,
    supervise_targets: str,
    objective: str,
    importance: str,
    label_cost: str,
) -> dict[str, Any]:
    """What describes a problem, as parameters of the library."""
    return {
        "sources": sources,
        "exclude": exclude,
        "require": require,
        "supervise_targets": parse_supervise_targets(supervise_targets),
        "objective": objective,
        "importance": parse_weights(importance, "--importance"),
        "label_cost": parse_weights(label_cost, "--label-cost"),
    }
