"""Rejection of repeated single-value options, of which the parser would silently keep the last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand


class Command(TyperCommand):
    """A command that rejects repeated options, except lists and flags."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments after the command.

        Raises:
            typer.Exit: with code 2, after a message that names the option.
        """
        with escaped_usage():
            refuse_repeats(self, ctx, args)
            return super().parse_args(ctx, args)


@contextmanager
def escaped_usage() -> Iterator[None]:
    """Escape control characters in the messages of usage errors, which repeat what was typed."""
    try:
        yield
    except Exception as error:
        message = getattr(error, "message", None)  # of click's errors, which typer may hold as a copy
        if isinstance(message, str):
            shown = (one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in message)
            error.message = "".join(shown)  # type: ignore[attr-defined] # see above
        raise


def refuse_repeats(command: Any, context: Any, words: list[str]) -> None:
    """Reject an option that is given more than once, unless it is a list or a flag.

    Raises:
        typer.Exit: with code 2, after a message that names the option.
    """
    if context.resilient_parsing:  # the shell asks for completions
        return
    _, _, order = command.make_parser(context).parse_args(args=list(words))
    single = [
        option.opts[0]
        for option in order
        if option.param_type_name == "option" and not (option.multiple or option.is_flag)
    ]
    for name, times in Counter(single).items():
        if times > 1:
            typer.echo(f"error: {name} is given {times} times, but takes one value: keep one", err=True)
            raise typer.Exit(2)
