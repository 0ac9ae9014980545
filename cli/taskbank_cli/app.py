"""The `taskbank` command, assembled from one file per subcommand."""

from __future__ import annotations

from typing import Annotated

import typer

import taskbank
from taskbank_cli.convert import convert
from taskbank_cli.demo import demo
from taskbank_cli.download import download
from taskbank_cli.encode import encode
from taskbank_cli.errors import ErrorBoundary
from taskbank_cli.export import export
from taskbank_cli.info import info
from taskbank_cli.learn import learn
from taskbank_cli.models import models
from taskbank_cli.once import Command
from taskbank_cli.predict import predict
from taskbank_cli.probe import probe
from taskbank_cli.push import push
from taskbank_cli.score import score
from taskbank_cli.tasks import tasks
from taskbank_cli.transfer import transfer

app = typer.Typer(
    cls=ErrorBoundary,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=Command)(tasks)
app.command(cls=Command)(predict)
app.command(cls=Command)(transfer)
app.command(cls=Command)(encode)
app.command(cls=Command)(probe)
app.command(cls=Command)(learn)
app.command(cls=Command)(score)
app.command(cls=Command)(export)
app.command(cls=Command)(info)
app.command(cls=Command)(models)
app.command(cls=Command)(download)
app.command(cls=Command)(push)
app.command(cls=Command)(convert)
app.command(cls=Command)(demo)


def _print_version(wanted: bool) -> None:
    """Print the version and exit, if `--version` was given."""
    if wanted:
        typer.echo(f"taskbank {taskbank.__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Twenty-five vision tasks behind one command."""
