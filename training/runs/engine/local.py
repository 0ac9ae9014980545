"""Jobs on this machine: one after another in this process, or side by side in several."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from training.errors import ConfigError
from training.runs.engine.jobs import Job, check_all_done, perform, unfinished
from training.runs.logs import begin_logging
from training.runs.metrics import leave_bars, progress
from training.runs.worker_processes import worker_pool

log = logging.getLogger(__name__)


class LocalEngine:
    """Runs jobs on this machine.

    Args:
        workers: processes; with 1 jobs run in this one.
        threads: that torch may use in each job; None leaves it as it is. Results are the same to the last bit
            with the same number of threads.
        retries: how often jobs are begun again whose process was killed, by a lack of memory for example.
    """

    def __init__(self, *, workers: int = 1, threads: int | None = None, retries: int = 2) -> None:
        if workers < 1:
            raise ConfigError(f"workers {workers} must be 1 or more")
        self.workers = workers
        self.threads = threads
        self.retries = retries

    def run(self, jobs: Sequence[Job]) -> None:
        """Run the jobs whose outputs are missing, see `training.runs.engine.Engine`."""
        todo = unfinished(jobs)
        run = self._run_here if self.workers == 1 else self._run_side_by_side
        check_all_done(jobs, run(todo))

    def _run_here(self, todo: Sequence[Job]) -> dict[str, str]:
        """Run jobs in this process; return why jobs failed, by key."""
        reasons = {}
        with progress("jobs", len(todo)) as advance:
            for job in todo:
                reason = perform(job, self.threads)
                if reason is not None:
                    reasons[job.key] = reason
                advance(1)
        return reasons

    def _run_side_by_side(self, todo: Sequence[Job]) -> dict[str, str]:
        """Run jobs in several processes and replace lost ones; return why jobs failed, by key."""
        reasons: dict[str, str] = {}
        for _ in range(self.retries + 1):
            todo = self._one_pool(todo, reasons)
            if not todo:
                return reasons
            log.warning("a worker process was lost with %d unfinished job(s)", len(todo))
        return reasons | {job.key: f"its process was lost {self.retries + 1} times" for job in todo}

    def _one_pool(self, todo: Sequence[Job], reasons: dict[str, str]) -> list[Job]:
        """Run jobs in one set of processes.

        Args:
            todo: the jobs.
            reasons: what went wrong, by key; added to.

        Returns:
            jobs that were lost with a process.
        """
        count = min(self.workers, max(len(todo), 1))
        level = logging.getLogger().level
        lost = []
        with (
            worker_pool(count, partial(_begin, level)) as pool,
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
    """Hand a job to the processes, one of which may be lost already."""
    try:
        return pool.submit(perform, job, threads)
    except BrokenProcessPool as error:
        failed: Future[str | None] = Future()
        failed.set_exception(error)
        return failed


def _begin(level: int) -> None:
    """Make a worker process log as its parent does, and leave progress bars to the parent."""
    begin_logging(level)
    leave_bars()
