"""The one place where errors become messages and exit codes: 0 done, 1 known error, 2 wrong usage."""

from __future__ import annotations

import errno
import os
import signal
import sys
import warnings
from contextlib import suppress
from typing import Any

import typer
from typer.core import TyperGroup

from taskbank.errors import TaskBankError
from taskbank_cli.once import refuse_repeats
from taskbank_cli.printing import printable

DEBUG_VARIABLE = "TASKBANK_DEBUG"
"""Environment variable that brings the traceback of a known error back."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # what a full disk says


def _end(number: int, _frame: object) -> None:
    """End as after an error, so that what is half written is removed."""
    signal.signal(number, signal.SIG_IGN)  # what is being cleaned up is not interrupted again
    raise SystemExit(128 + number)


class ErrorBoundary(TyperGroup):
    """A group of commands whose known errors are one line on stderr and exit code 1; others pass."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program; a disk that is full where it prints to is a known error.

        Raises:
            SystemExit: with code 1, after the error was printed; with 128 and the signal's number, when this
                process is told to end, after half-written files were removed.
        """
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is signal.SIG_DFL:
                signal.signal(getattr(signal, name), _end)
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            with suppress(OSError, ValueError):  # what is left would be printed again when the program ends
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            typer.echo(f"error: cannot print: {error.strerror}. Make room, or print elsewhere", err=True)
            raise SystemExit(1) from error

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words in front of a command; what takes one value stands once."""
        refuse_repeats(self, ctx, args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises:
            typer.Exit: with code 1, after a known error was printed.
        """
        # Pillow warns of photos that half fill its limit, and raises an error beyond it.
        warnings.filterwarnings("ignore", message="Image size .* could be decompression bomb")
        try:
            done = super().invoke(ctx)
            sys.stdout.flush()  # here, so that a full disk is told as other errors are
        except TaskBankError as error:
            if os.environ.get(DEBUG_VARIABLE):
                raise
            typer.echo(printable(f"error: {error}"), err=True)
            raise typer.Exit(1) from error
        return done
