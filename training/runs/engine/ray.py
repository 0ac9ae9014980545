"""Engine for a Ray cluster. It needs the extra `ray`, which is imported when jobs run."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from training.errors import ConfigError
from training.runs.engine.jobs import Job, check_all_done, perform, unfinished
from training.runs.metrics import progress

log = logging.getLogger(__name__)

_STORE_BYTES = 80 * 2**20  # small, as jobs pass paths and numbers, and their results are files
_SOURCES = Path(__file__).parents[3]


class RayEngine:
    """Runs jobs on the cluster that Ray is connected to, else on the one at `address`, else on this machine.

    Every machine needs this checkout at the same path and access to the folder of the outputs.

    Args:
        address: address of a cluster, such as `auto` or `ray://host:10001`; None for RAY_ADDRESS, or if that
            is not set, for a temporary small cluster on this machine.
        cpus: CPUs per job.
        gpus: GPUs per job; with 0.25 four jobs share one.
        threads: number of torch threads in each job; None for `cpus`.
        retries: number of restarts of a job whose worker or machine was lost.
    """

    def __init__(
        self,
        *,
        address: str | None = None,
        cpus: float = 1.0,
        gpus: float = 0.0,
        threads: int | None = None,
        retries: int = 3,
    ) -> None:
        if cpus < 0 or gpus < 0 or cpus + gpus == 0:
            raise ConfigError(f"a job takes cpus {cpus} and gpus {gpus}: neither below 0, and not both 0")
        if gpus > 1 and gpus != int(gpus):
            raise ConfigError(f"gpus {gpus} of a job must be below 1, or whole")
        self.address = address
        self.cpus = cpus
        self.gpus = gpus
        self.threads = max(1, int(cpus)) if threads is None else threads
        self.retries = retries

    def run(self, jobs: Sequence[Job]) -> None:
        """Run the jobs whose outputs are missing, see `training.runs.engine.Engine`.

        Raises:
            ConfigError: Ray is not installed, or there is no cluster at the address.
        """
        todo = unfinished(jobs)
        reasons: dict[str, str] = {}
        if todo:
            with self._connected() as ray:
                reasons = self._run(ray, todo)
        check_all_done(jobs, reasons)

    def _run(self, ray: Any, todo: Sequence[Job]) -> dict[str, str]:
        """Run jobs on Ray; return the errors by key."""
        remote = ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=self.retries)(perform)
        pending = {remote.remote(job, self.threads): job for job in todo}
        reasons = {}
        with progress("jobs", len(todo)) as advance:
            while pending:
                (done,), _ = ray.wait(list(pending), num_returns=1)
                job = pending.pop(done)
                try:
                    reason = ray.get(done)
                except ray.exceptions.RayError as error:
                    reason = f"lost {self.retries + 1} times: {str(error).splitlines()[0]}"
                if reason is not None:
                    reasons[job.key] = reason
                advance(1)
        return reasons

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Connect to a cluster, or start one that ends with the block.

        Raises:
            ConfigError: Ray is not installed, or there is no cluster at the address.
        """
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault(
            "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0"
        )  # jobs without GPUs keep CUDA_VISIBLE_DEVICES
        try:
            import ray
        except ImportError as error:
            raise ConfigError("--engine ray needs Ray: pip install 'taskbank[ray]'") from error
        if ray.is_initialized():
            yield ray
            return
        try:
            ray.init(**self._options())
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise ConfigError(f"cannot connect to Ray at {self.address!r}: {error}") from error
        try:
            yield ray
        finally:
            ray.shutdown()

    def _cluster_address(self) -> str | None:
        """Return the address of the cluster; None if no address is given."""
        return self.address or os.environ.get("RAY_ADDRESS")

    def _options(self) -> dict[str, Any]:
        """Return the arguments of `ray.init`, to start Ray here or to connect to a cluster."""
        # Workers find modules in this checkout, and in this process's own PYTHONPATH.
        given = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
        search_path = os.pathsep.join(dict.fromkeys([str(_SOURCES), *map(os.path.abspath, given)]))
        shared = {
            "runtime_env": {"env_vars": {"PYTHONPATH": search_path}},
            "logging_level": logging.ERROR,
        }
        address = self._cluster_address()
        if address:
            return shared | {"address": address}
        own = {"include_dashboard": False, "object_store_memory": _STORE_BYTES}
        return shared | own | {"_node_ip_address": "127.0.0.1"}
