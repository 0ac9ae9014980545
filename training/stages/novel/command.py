"""The command `python -m training novel`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from training.stages.novel.kinds import LabelKind

BUDGET = 3  # budget of the proposed plan
ORDERS = "1,2,3,4"


def novel(  # noqa: PLR0917 - a command has as many options as it needs
    images: Annotated[Path, typer.Option("--images", help="Folder of photographs.", exists=True)],
    labels: Annotated[
        Path,
        typer.Option(
            "--labels",
            help="Folder of maps (image), folder with one for each class (classes), or CSV file with a "
            "column `file`, labels, and maybe `group` (classes, numbers).",
            exists=True,
        ),
    ],
    kind: Annotated[LabelKind, typer.Option("--kind", help="Kind of the labels.")],
    bank: Annotated[
        str, typer.Option("--bank", metavar="FOLDER|hf://..", help="Bank whose encoders are the sources.")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", file_okay=False, help="Folder of results; a repeated run resumes.")
    ],
    name: Annotated[str, typer.Option("--name", help="Name of the task.")] = "mytask",
    unit: Annotated[str, typer.Option("--unit", help="Unit of maps and numbers; 1 for none.")] = "1",
    sources: Annotated[
        list[str] | None,
        typer.Option("--sources", metavar="A,B,..", help="Only these encoders.", show_default="all"),
    ] = None,
    affinity: Annotated[
        str | None,
        typer.Option(
            "--affinity",
            metavar="NAME|FILE",
            help="Tensor to extend by the task.",
            show_default="a new one",
        ),
    ] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Number of steps of every transfer.")] = 600,
    orders: Annotated[
        list[str] | None,
        typer.Option(
            "--orders", metavar="A,B,..", help="Numbers of sources, including 1.", show_default=ORDERS
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            "--size", help="Side in px of the resized photographs.", show_default="that of the bank"
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of division, weights and batches.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Delete outputs of other settings.")] = False,
) -> None:
    """Read your own task out of a bank's encoders: a ranking of sources, a tensor to plan with, a bank.

    Example: python -m training novel --images photos --labels light.csv --kind numbers --bank BANK --out OUT
    """
    from taskbank.bank.bank import Bank
    from taskbank.inference.device import choose_device
    from training.runs.engine import LocalEngine
    from training.stages.novel.conclude import TABLE, read_report
    from training.stages.novel.config import NovelConfig
    from training.stages.novel.stage import run_novel

    config = NovelConfig(
        kind=kind,
        name=name,
        unit=unit,
        steps=steps,
        orders=_numbers(",".join(orders or [ORDERS])),
        size=size or Bank.open(bank).index.image_size,
        seed=seed,
    )
    done = run_novel(
        config,
        images=images,
        labels=labels,
        bank=bank,
        out=out,
        sources=[name.strip() for name in ",".join(sources).split(",")] if sources else None,
        affinity=affinity,
        device=str(choose_device(device)),
        engine=LocalEngine(workers=workers),
        overwrite=overwrite,
    )
    report = read_report(done)
    typer.echo((done / TABLE).read_text(encoding="utf-8"))
    if unreadable := report["unreadable"]:
        typer.echo(
            f"left out: {len(unreadable)} photograph(s) that cannot be read: {', '.join(unreadable)}\n"
        )
    typer.echo(_next_steps(done, config.name, report["best"], extends=affinity is not None))


def _numbers(text: str) -> tuple[int, ...]:
    """Parse whole numbers separated by commas.

    Raises:
        BadParameter: the text has another form.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"--orders {text!r} are no whole numbers between commas") from error


def _next_steps(out: Path, name: str, best: list[str], *, extends: bool) -> str:
    """Return the commands for planning with the task and for predicting it.

    In an extended tensor, targets have different numbers of transfers, whose affinities sum to one for each
    target; so the plan uses affinities divided by the target's best.
    """
    plan = f"taxsolver --affinity {_quoted(out / 'affinity.safetensors')} --targets all --budget {BUDGET}"
    plan += " --objective normalised-affinity" if extends else ""
    sources = ",".join(best)
    predict = f"taskbank transfer PHOTO --sources {sources} --target {name} --bank {_quoted(out / 'bank')}"
    return f"plan:    {plan}\npredict: {predict}"


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
