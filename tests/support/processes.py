"""Processes of tests, which end with the test however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
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


def wait_while_computing(
    processes: Iterable[int], condition: Callable[[], bool], *, idle: float = 120.0, most: float = 600.0
) -> None:
    """Wait until a condition holds, as long as some process computes. Linux only.

    Seconds of a clock would fail tests on busy machines, where a few seconds of work take minutes; processes that
    wait for each other take no CPU time at all.

    Args:
        processes: ids; their children count as well.
        condition: is asked fifty times a second.
        idle: most seconds in which no process takes CPU time.
        most: most seconds of CPU time altogether.

    Raises:
        AssertionError: the condition does not come to hold.
    """
    watched = list(processes)
    begun = last = _cpu_seconds(watched)
    still = time.monotonic()
    while not condition():
        time.sleep(0.02)
        now = _cpu_seconds(watched)
        if now != last:
            last, still = now, time.monotonic()
        assert time.monotonic() - still < idle, f"{watched} have taken no CPU time for {idle:g} s"
        assert now - begun < most, f"{watched} have taken {most:g} s of CPU time"


def children(process: int) -> list[int]:
    """List the ids of a process's children; empty if it has ended. Linux only."""
    try:
        return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def is_alive(process: int) -> bool:
    """Tell whether a process runs; a zombie does not. Linux only."""
    return (_stat(process) or ["Z"])[0] != "Z"


def _cpu_seconds(processes: Iterable[int]) -> float:
    """Sum the CPU time of processes and of their children, also of those that have ended."""
    ticks = 0
    for process in processes:
        for number in (process, *children(process)):
            ticks += sum(map(int, _stat(number)[11:15]))  # own and ended children's, user and system
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(process: int) -> list[str]:
    """Read a process's state and the numbers behind it in /proc/PID/stat; empty if it has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
