"""Conversion of known errors to a message on stderr and exit status 1; others are raised."""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from taxsolver_cli.once import escaped_usage, refuse_repeats


class Boundary(TyperGroup):
    """A group of commands whose known errors become one message and exit status 1."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments before a command; reject repeated single-value options."""
        with escaped_usage():
            refuse_repeats(self, ctx, args)
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            known = sys.modules.get("taxsolver.errors")  # none where taxsolver was not loaded
            if known is None or not isinstance(error, known.TaxSolverError):
                raise
            typer.echo(f"error: {_printable(str(error))}", err=True)
            raise typer.Exit(1) from None


def usage_error(message: str) -> typer.Exit:
    """Report an error in the command line: print a message on stderr, and return exit status 2."""
    typer.echo(f"error: {_printable(message)}", err=True)
    return typer.Exit(2)


def _printable(message: str) -> str:
    """Escape control characters in the lines of a message."""
    from taxsolver.plain_text import printable

    return "\n".join(map(printable, message.split("\n")))


def given(context: typer.Context) -> list[str]:
    """Return the names of the parameters that were given on the command line."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
