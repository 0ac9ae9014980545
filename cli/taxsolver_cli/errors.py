"""The one boundary between errors and the terminal: a message on stderr, exit 1; unknown ones pass."""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from taxsolver_cli.once import refuse_repeats


class Boundary(TyperGroup):
    """A group of commands whose known errors become one message and exit status 1."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words in front of a command; what takes one value stands once."""
        refuse_repeats(self, ctx, args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if not _is_known(error):
                raise
            typer.echo(f"error: {_printable(str(error))}", err=True)
            raise typer.Exit(1) from None


def usage_error(message: str) -> typer.Exit:
    """An error in the words of the command line itself: a message on stderr, exit status 2."""
    typer.echo(f"error: {_printable(message)}", err=True)
    return typer.Exit(2)


def _printable(message: str) -> str:
    """A message whose lines hold nothing that terminals obey."""
    from taxsolver.plain_text import printable

    return "\n".join(map(printable, message.split("\n")))


def given(context: typer.Context) -> list[str]:
    """Names of the parameters that were written on the command line."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]


def _is_known(error: Exception) -> bool:
    """Tell whether it is an error that taxsolver raised on purpose; False if taxsolver was not loaded."""
    errors = sys.modules.get("taxsolver.errors")
    return errors is not None and isinstance(error, errors.TaxSolverError)
