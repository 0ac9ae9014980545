"""Jobs, which are independent parts of a stage's work, and the engine that runs them on this machine."""

from __future__ import annotations

import importlib
import logging
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from taskbank.errors import TaskBankError
from training.errors import ConfigError, JobsFailedError, TrainingError
from training.runs.logs import begin_logging
from training.runs.metrics import leave_bars, progress
from training.runs.worker_processes import worker_pool

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A unit of work that produces one file or folder.

    Attributes:
        key: name in log and errors, unique in a run.
        function: `module:name` of a function, or a module-level function. It is called as `function(output,
            **arguments)` and writes the output atomically.
        arguments: immutable values that can be pickled: numbers, strings, paths, frozen dataclasses.
        output: the file or folder; a job is finished if it exists. On a cluster, it must be in a shared
            folder.
    """

    key: str
    function: str | Callable[..., object]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    output: Path


class Engine(Protocol):
    """Interface for running jobs."""

    def run(self, jobs: Sequence[Job]) -> None:
        """Run the jobs whose outputs are missing; afterwards, all outputs exist.

        Raises:
            ConfigError: two jobs have the same key or output.
            JobsFailedError: some jobs failed; all others are finished.
        """


def perform(job: Job, threads: int | None = None) -> str | None:
    """Run one job in this process.

    Args:
        job: the job.
        threads: number of torch threads; sums are equal to the last bit only for equal numbers of threads.

    Returns:
        the error as text; None for success. Exceptions are not passed on, because some cannot be pickled.
    """
    if job.output.exists():
        return None
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    try:
        _function(job.function)(job.output, **job.arguments)
    except (TrainingError, TaskBankError) as error:
        reason = f"{type(error).__name__}: {error}"
    except Exception as error:
        log.debug("%s failed", job.key, exc_info=True)
        place = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__}: {error} ({Path(place.filename).name}, line {place.lineno})"
    else:
        return None
    log.warning("%s failed, others continue: %s", job.key, reason)
    return reason


def unfinished(jobs: Sequence[Job]) -> list[Job]:
    """List the jobs whose output is missing.

    Raises:
        ConfigError: two jobs have the same key or output.
    """
    for what, counts in (
        ("key", Counter(job.key for job in jobs)),
        ("output", Counter(str(job.output) for job in jobs)),
    ):
        value, count = counts.most_common(1)[0] if counts else ("", 0)
        if count > 1:
            raise ConfigError(f"jobs must differ in their {what}: {value!r} is there {count} times")
    return [job for job in jobs if not job.output.exists()]


def check_all_done(jobs: Sequence[Job], reasons: Mapping[str, str]) -> None:
    """Report failures together, in the order of the jobs.

    Args:
        jobs: all jobs of a run.
        reasons: key of a failed job -> error.

    Raises:
        JobsFailedError: a job failed, or an output is missing.
    """
    failed = {}
    for job in jobs:
        if job.key in reasons:
            failed[job.key] = reasons[job.key]
        elif not job.output.exists():
            failed[job.key] = (
                f"{job.output} was not written, or not where this machine sees it: on a cluster --out must "
                "lie in a folder that all machines share"
            )
    if failed:
        raise JobsFailedError(failed, len(jobs))


def _function(named: str | Callable[..., object]) -> Callable[..., object]:
    """Return the function, imported by name if necessary.

    Raises:
        ConfigError: there is no function of that name.
    """
    if callable(named):
        return named
    module, _, name = named.partition(":")
    try:
        found: Callable[..., object] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"no function {named!r}: {error}; Python looks in {sys.path[:3]}") from error
    return found


class LocalEngine:
    """Runs jobs on this machine.

    Args:
        workers: number of processes; with 1, jobs run in this process.
        threads: number of torch threads in each job; None for the present number. Results are equal to the
            last bit for equal numbers of threads.
        retries: number of restarts of a job whose process was killed, for lack of memory for example.
    """

    def __init__(self, *, workers: int = 1, threads: int | None = None, retries: int = 2) -> None:
        if workers < 1:
            raise ConfigError(f"workers {workers} must be 1 or more")
        self.workers = workers
        self.threads = threads
        self.retries = retries

    def run(self, jobs: Sequence[Job]) -> None:
        """Run the jobs whose outputs are missing, see `Engine`."""
        todo = unfinished(jobs)
        run = self._run_here if self.workers == 1 else self._run_side_by_side
        check_all_done(jobs, run(todo))

    def _run_here(self, todo: Sequence[Job]) -> dict[str, str]:
        """Run jobs in this process; return the errors by key."""
        reasons = {}
        with progress("jobs", len(todo)) as advance:
            for job in todo:
                reason = perform(job, self.threads)
                if reason is not None:
                    reasons[job.key] = reason
                advance(1)
        return reasons

    def _run_side_by_side(self, todo: Sequence[Job]) -> dict[str, str]:
        """Run jobs in several processes and replace lost ones; return the errors by key."""
        reasons: dict[str, str] = {}
        for _ in range(self.retries + 1):
            todo = self._one_pool(todo, reasons)
            if not todo:
                return reasons
            log.warning("a worker process was lost with %d unfinished job(s)", len(todo))
        return reasons | {job.key: f"its process was lost {self.retries + 1} times" for job in todo}

    def _one_pool(self, todo: Sequence[Job], reasons: dict[str, str]) -> list[Job]:
        """Run jobs in one process pool.

        Args:
            todo: the jobs.
            reasons: key -> error; new errors are added.

        Returns:
            jobs that were lost with a process.
        """
        count = min(self.workers, max(len(todo), 1))
        level = logging.getLogger().level
        lost = []
        with (
            worker_pool(count, partial(_begin_worker, level)) as pool,
            progress("jobs", len(todo)) as advance,
        ):
            pending = {_submit(pool, job, self.threads): job for job in todo}
            for done in as_completed(pending):
                try:
                    reason = done.result()
                except BrokenProcessPool:
                    lost.append(pending[done])
                    continue
                advance(1)
                if reason is not None:
                    reasons[pending[done].key] = reason
        return [job for job in lost if not job.output.exists()]


def _submit(pool: ProcessPoolExecutor, job: Job, threads: int | None) -> Future[str | None]:
    """Submit a job to the pool, which may be broken already."""
    try:
        return pool.submit(perform, job, threads)
    except BrokenProcessPool as error:
        failed: Future[str | None] = Future()
        failed.set_exception(error)
        return failed


def _begin_worker(level: int) -> None:
    """Set up logging in a worker process as in its parent, and switch off progress bars."""
    begin_logging(level)
    leave_bars()
