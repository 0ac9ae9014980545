"""The command `python -m training check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def check(
    bank: Annotated[
        Path, typer.Argument(metavar="BANK", help="Folder of a bank.", exists=True, file_okay=False)
    ],
    max_megabytes: Annotated[
        float, typer.Option("--max-megabytes", metavar="MB", help="What the whole folder may take.")
    ] = 42.0,
) -> None:
    """Check a bank before it is shipped.

    Every file is what bank.json says and small enough, all numbers are finite, all 25 tasks and `random` are
    there, and every metric, in bank.json and on the card, is of these very weights.

    Example: python -m training check out/rooms/published/bank
    """
    from training.evaluate.check import check_bank

    checked = check_bank(bank, max_megabytes=max_megabytes)
    index = checked.bank.index
    typer.echo(
        f"{index.name} is fit to be shipped: {len(index.tasks)} tasks, {len(index.transfers)} transfers, "
        f"{checked.size / 1_000_000:.1f} MB in {checked.files} files, every number of these weights"
    )
