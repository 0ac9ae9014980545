"""Progress bar of stage 1, computed from the files that jobs write on any machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from taskbank.tasks.registry import Task
from training.runs.metrics import progress
from training.stages.networks.journal import metrics_path

_SECONDS = 2.0  # interval of reading the files
_TAIL = 256  # bytes, more than one row


@contextmanager
def watched(folder: Path, tasks: Sequence[Task], steps: int) -> Iterator[None]:
    """Show a progress bar of all networks' steps within the block.

    Args:
        folder: folder of the stage.
        tasks: tasks in training.
        steps: total number of steps of all networks.
    """
    stop = Event()
    with progress("task networks", steps) as advance:
        follower = Thread(target=_follow, args=(folder, tasks, advance, stop), daemon=True)
        follower.start()
        try:
            yield
        finally:
            stop.set()
            follower.join()


def _follow(folder: Path, tasks: Sequence[Task], advance: Callable[[int], None], stop: Event) -> None:
    """Update a bar from the files every two seconds until the event is set, and then once more."""
    shown, ends = 0, False
    while True:
        done = sum(steps_written(metrics_path(folder, task)) for task in tasks)
        advance(done - shown)  # negative if a run resumes before the last written step
        if ends:
            return
        shown, ends = done, stop.wait(_SECONDS)


def steps_written(path: Path) -> int:
    """Return the step of the last complete row of a metrics file; 0 if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            whole = file.read().rpartition(b"\n")[0]
    except FileNotFoundError:
        return 0
    step = whole.rpartition(b"\n")[2].partition(b",")[0]
    return int(step) if step.isdigit() else 0
