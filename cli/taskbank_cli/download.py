"""`taskbank download`: download a bank's files."""

from __future__ import annotations

import typer

from taskbank_cli.banks import BankArgument, TaskNames, megabytes, split_names
from taskbank_cli.printing import printable
from taskbank_cli.running import AcceptLicence


def download(
    bank: BankArgument = None, tasks: TaskNames = None, accept_licence: AcceptLicence = None
) -> None:
    """Download a bank's files to the Hub's cache and check them, for later use offline.

    For `foundation` or a catalogue, download the third-party models that serve the tasks.

    Example: taskbank download hf://owner/name --tasks normals,depth
    """
    from taskbank.bank.catalogue import accepted, names_models
    from taskbank.bank.download import download_bank
    from taskbank.errors import InvalidInputError

    if bank is not None and names_models(bank):
        from taskbank.bank.bank import Bank
        from taskbank.foundation.files import fetch

        held = Bank.open(bank)
        models = [held.entry(task).model for task in split_names(tasks) or held.tasks]
        wanted = [model for model in dict.fromkeys(models) if model is not None]
        accepted(wanted, split_names(accept_licence) or ())
        for model in wanted:
            files = fetch(model)
            typer.echo(printable(f"{model.id}@{files.revision}: {files.folder}"))
        return
    if accept_licence:
        raise InvalidInputError(
            "--accept-licence is for third-party models: leave it out, or name --bank foundation"
        )
    done = download_bank(bank, split_names(tasks))
    where = done.bank.files.where
    typer.echo(printable(f"{len(done.files)} files, {megabytes(done.size)} MB, checked: {done.folder}"))
    if where != str(done.folder):
        typer.echo(printable(f"open them again with {where}"))
