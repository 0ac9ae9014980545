"""Conversion of errors to messages and exit codes: 0 done, 1 known error, 2 wrong usage."""

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
from taskbank_cli.once import escaped_usage, refuse_repeats
from taskbank_cli.printing import printable

DEBUG_VARIABLE = "TASKBANK_DEBUG"
"""Environment variable that enables tracebacks of known errors."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # errors of a full disk


def _end(number: int, _frame: object) -> None:
    """Exit as after an error, so that partial files are removed."""
    signal.signal(number, signal.SIG_IGN)  # a second signal must not interrupt the clean-up
    raise SystemExit(128 + number)


class ErrorBoundary(TyperGroup):
    """A group of commands whose known errors become one line on stderr and exit code 1; others are raised."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program; failure to print, for example on a full disk, is a known error.

        Raises:
            SystemExit: with code 1, after the error was printed; with 128 and the signal's number, when this
                process is terminated, after partial files were removed.
        """
        known = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
        ended_by = [number for number in known if signal.getsignal(number) is signal.SIG_DFL]
        for number in ended_by:
            signal.signal(number, _end)
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            with suppress(OSError, ValueError):  # buffered text would be printed again at exit
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            typer.echo(f"error: cannot print: {error.strerror}. Make room, or print elsewhere", err=True)
            raise SystemExit(1) from error
        finally:
            # Everything is written: an exception while the interpreter exits would only print a traceback.
            for number in ended_by:
                signal.signal(number, signal.SIG_DFL)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments before a command; reject repeated single-value options."""
        with escaped_usage():
            refuse_repeats(self, ctx, args)
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises:
            typer.Exit: with code 1, after a known error was printed.
        """
        # Pillow warns of photos above half of its limit, and raises an error above the limit.
        warnings.filterwarnings("ignore", message="Image size .* could be decompression bomb")
        try:
            done = super().invoke(ctx)
            sys.stdout.flush()  # here, so that a full disk is reported as other errors are
        except TaskBankError as error:
            if os.environ.get(DEBUG_VARIABLE):
                raise
            typer.echo(printable(f"error: {error}"), err=True)
            raise typer.Exit(1) from error
        except OSError as error:
            # Those that name a file concern the file, not the program: names that are too long, links in
            # circles, folders that may not be searched.
            if error.filename is None or error.errno in _NO_ROOM or os.environ.get(DEBUG_VARIABLE):
                raise
            name = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else error.filename
            typer.echo(printable(f"error: cannot use {name}: {error.strerror}"), err=True)
            raise typer.Exit(1) from error
        return done
