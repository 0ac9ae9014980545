"""`taskbank convert`: convert the original networks to a bank."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from taskbank_cli.banks import TaskNames, megabytes, split_names
from taskbank_cli.printing import printable


def convert(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SRC",
            help="Folder of files TASK_encoder-SHA256.pth and TASK_decoder-SHA256.pth, or `visualpriors`: "
            "the published ones (about 3.4 GB for all tasks; needs pip install visualpriors).",
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the bank, which is created.")],
    tasks: TaskNames = None,
    storage: Annotated[
        Literal["fp32", "fp16", "int8"], typer.Option(help="Form of the weights; fp32 keeps every bit.")
    ] = "fp32",
    name: Annotated[str, typer.Option(help="Name of the bank.")] = "taskonomy",
) -> None:
    """Make a bank from the original PyTorch checkpoints. Their hashes are checked; no code in them is run.

    Example: taskbank convert visualpriors my-bank --tasks normals,depth
    """
    from taskbank.bank.quantise import Storage
    from taskbank.original.convert import convert as convert_checkpoints

    made = convert_checkpoints(
        source,
        out,
        tasks=split_names(tasks),
        name=name,
        storage=Storage(storage),
        report=lambda text: typer.echo(printable(text), err=True),
    )
    for task, reason in made.left_out.items():
        typer.echo(printable(f"left out: {task}: {reason}"), err=True)
    if made.ignored:
        typer.echo(printable(f"not a checkpoint: {', '.join(made.ignored)}"), err=True)
    bank = made.bank
    typer.echo(printable(f"{len(bank.tasks)} tasks, {megabytes(bank.size)} MB: {bank.where}"))
