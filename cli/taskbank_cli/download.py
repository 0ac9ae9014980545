"""`taskbank download`: a bank's files onto this machine."""

from __future__ import annotations

import typer

from taskbank_cli.banks import BankArgument, TaskNames, megabytes, split_names
from taskbank_cli.printing import printable


def download(bank: BankArgument = None, tasks: TaskNames = None) -> None:
    """Fetch a bank's files into the Hub's cache and check them, for later use without a connection.

    Example: taskbank download hf://owner/name --tasks normals,depth
    """
    from taskbank.bank.download import download_bank

    done = download_bank(bank, split_names(tasks))
    where = done.bank.files.where
    typer.echo(printable(f"{len(done.files)} files, {megabytes(done.size)} MB, checked: {done.folder}"))
    if where != str(done.folder):
        typer.echo(printable(f"open them again with {where}"))
