"""The command `python -m training check`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from training.stages.publishing.check import Checked


PicturesOption = Annotated[
    Path | None,
    typer.Option(
        "--pictures",
        metavar="DIR",
        help="Folder of at least two photographs, on which all networks are run.",
        show_default="the demo's examples",
        exists=True,
        file_okay=False,
    ),
]
FaultyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--faulty",
        metavar="A,B,..",
        help="Networks that may be dead, constant or no better than the best constant (tasks, transfers as "
        "`a+b -> c`, or `all`); their faults are warnings.",
        show_default="none",
    ),
]


def checked_bank(
    folder: Path, max_megabytes: float, pictures: Path | None, faulty: Iterable[str] | None
) -> Checked:
    """Check a bank with these options, and print its warnings.

    Raises:
        UnfitBankError: the bank is not fit; the message lists every reason.
        UnknownTaskError: a name in `faulty` is not a task.
    """
    from taskbank.tasks.registry import find_task
    from training.stages.publishing.check import ANY, EXAMPLES, check_bank

    names = [name.strip() for name in ",".join(faulty or ()).split(",") if name.strip()]
    checked = check_bank(
        folder,
        max_megabytes=max_megabytes,
        pictures=pictures or EXAMPLES,
        faulty=[name if name == ANY or "->" in name else find_task(name).name for name in names],
    )
    for warning in checked.warnings:
        typer.echo(f"warning: {warning}", err=True)
    return checked


def check(
    bank: Annotated[
        Path, typer.Argument(metavar="BANK", help="Folder of a bank.", exists=True, file_okay=False)
    ],
    max_megabytes: Annotated[
        float, typer.Option("--max-megabytes", metavar="MB", help="Largest size of the folder.")
    ] = 60.0,
    pictures: PicturesOption = None,
    faulty: FaultyOption = None,
) -> None:
    """Check a bank before it is shipped.

    A bank passes if every file has the hash in bank.json and is small enough, all weights are finite, all 25
    tasks and `random` are present, and all metrics in bank.json and on the card were measured on these
    weights. On photographs, no representation may be dead and no output constant, and every task network must
    beat the best constant. Transfers that do not, and networks without that comparison, are warnings only.

    Example: python -m training check out/rooms/published/bank
    """
    checked = checked_bank(bank, max_megabytes, pictures, faulty)
    index = checked.bank.index
    typer.echo(
        f"{index.name} is fit to be shipped: {len(index.tasks)} tasks, {len(index.transfers)} transfers, "
        f"{checked.size / 1_000_000:.1f} MB in {checked.files} files, all metrics measured on these weights"
    )
