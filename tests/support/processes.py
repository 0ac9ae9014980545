"""Processes of tests, which end with the test however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    """Let the kernel kill this process when pytest is killed, which runs no clean-up, and heed signals.

    Programs started by nohup or in the background of a script ignore some, and so would their children.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    if _LIBC is not None:
        _LIBC.prctl(_DIE_WITH_PARENT, signal.SIGKILL)


@contextmanager
def child_process(words: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a process; when the block ends, also by a failed assertion, it and its children are killed.

    Args:
        words: of the command.
        options: of `subprocess.Popen`.
    """
    process = subprocess.Popen(
        words,
        start_new_session=True,
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - the child only calls prctl and signal
        **options,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):  # all of them have ended
            os.killpg(process.pid, signal.SIGKILL)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        process.wait()
