"""Training of one network for a set of tasks, and its losses on the validation and test splits."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from taskbank.learning.losses import losses
from taskbank.learning.target import Target
from taskbank.tasks.registry import find_task
from training.atomic_files import write_json
from training.data.frames import FrameStore
from training.errors import DivergedError
from training.learning.batches import BatchReader
from training.learning.class_weights import evenly, semantic_weights
from training.learning.draws import seeds_of
from training.learning.samples import Samples, samples_of
from training.runs.checkpoint import (
    Every,
    discard_checkpoint,
    has_checkpoint,
    load_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
)
from training.stages.grouping.config import GroupingConfig, NetworkPlan
from training.stages.grouping.inter_task import inter_task_affinity, task_losses
from training.stages.grouping.network import MultiTaskNetwork
from training.stages.networks.feed import AnyBatch, Batch, Feed

log = logging.getLogger(__name__)

VALIDATION, TEST, EARLY = "validation", "test", "validation_early"
_DRAWN = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkJob:
    """One network, from its first step to its losses.

    Attributes:
        plan: tasks and cost of the network.
        config: settings of the stage.
        train: store for training.
        val: store for choosing networks.
        test: store for scoring them.
        out: folder of the stage.
        device: device for training.
    """

    plan: NetworkPlan
    config: GroupingConfig
    train: Path
    val: Path
    test: Path
    out: Path
    device: str = "cpu"

    @property
    def path(self) -> Path:
        """Output file: losses by split and task, and inter-task affinities of all tasks."""
        return self.out / "networks" / f"{self.plan.name.replace(':', '-')}.json"


def train_network(output: Path, job: NetworkJob) -> None:
    """Train one network, measure it, and write the job's output file.

    Args:
        output: path of the job.
        job: the network to train.

    Raises:
        DivergedError: a loss is not finite.
        DataError: a store lacks labels.
        StorageError: a file cannot be written.
    """
    write_json(output, _Training(job).result())
    discard_checkpoint(output.with_suffix(".checkpoint"))


class _Training:
    """A network in training."""

    def __init__(self, job: NetworkJob) -> None:
        self._job = job
        self._config = job.config.learning
        self._device = torch.device(job.device)
        self._tasks = [find_task(name) for name in job.plan.tasks]
        store = FrameStore.open(job.train)
        # The order of frames is equal for all sets, so that networks differ in their tasks only.
        every = [find_task(name) for name in job.config.tasks]
        common, *others = [samples_of(task, store, _DRAWN).frames for task in every]
        for frames in others:  # frames that have labels of all tasks
            common = np.intersect1d(common, frames)
        samples = Samples(task=every[0].name, frames=common)
        counted = evenly(len(store))
        self._weights = {task.name: semantic_weights(task, store, counted) for task in self._tasks}
        self._feed = Feed(BatchReader(store, self._device), self._tasks, samples, self._config)
        seed = zlib.crc32(f"{self._config.seed} {job.plan.name}".encode())
        architecture = job.plan.architecture(self._config.architecture)
        self._network = MultiTaskNetwork(job.plan.tasks, architecture, seed).to(self._device)
        self._optimizer = torch.optim.AdamW(
            self._network.parameters(), lr=self._config.learning_rate, weight_decay=self._config.weight_decay
        )
        self._tag = torch.zeros(len(self._tasks), len(self._tasks), dtype=torch.float64)
        self._early: Mapping[str, float] = {}
        self._step = 0

    def result(self) -> dict[str, Any]:
        """Finish training and return the results to save."""
        checkpoint = self._job.path.with_suffix(".checkpoint")
        if has_checkpoint(checkpoint):
            self._restore(*load_checkpoint(checkpoint))
        due = Every(self._config.checkpoint_seconds)
        while self._step < self._config.steps:
            with self._dropout():
                self._learn()
            if due.due():
                save_checkpoint(checkpoint, *self._state())
        splits = {VALIDATION: self._job.val, TEST: self._job.test}
        found = {split: self._measured(FrameStore.open(place)) for split, place in splits.items()}
        shown = ", ".join(f"{name} {loss:.4g}" for name, loss in found[VALIDATION].items())
        log.info("%s: %s", self._job.plan.name, shown)
        return {
            "network": self._job.plan.name,
            "tasks": list(self._job.plan.tasks),
            "cost": self._job.plan.cost,
            "losses": {**found, EARLY: dict(self._early)},
            "inter_task_affinity": (self._tag / self._measurements).tolist() if self._measures_tag else None,
        }

    @property
    def _measures_tag(self) -> bool:
        """True for the network of all tasks, on which inter-task affinity is measured."""
        return len(self._tasks) == len(self._job.config.tasks)

    @property
    def _measurements(self) -> int:
        """The number of measurements of inter-task affinity."""
        return -(-self._config.steps // self._job.config.tag_every)

    @contextmanager
    def _dropout(self) -> Iterator[None]:
        """Seed dropout by the step, so that a resumed training gives equal results."""
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            torch.manual_seed(zlib.crc32(f"{self._config.seed} {self._job.plan.name} {self._step}".encode()))
            yield

    def _learn(self) -> None:
        """Train one step."""
        shown, targets = self._pairs(self._feed.batch(self._step))
        rate = self._config.learning_rate_at(self._step)
        self._network.train()
        if self._measures_tag and self._step % self._job.config.tag_every == 0:
            self._tag += inter_task_affinity(self._network, shown, targets, rate)
        total = torch.stack(list(task_losses(self._network, shown, targets).values())).sum()
        if not torch.isfinite(total):
            raise DivergedError(
                f"{self._job.plan.name}: the loss is {total.item()} at step {self._step}: lower "
                "grouping.learning.learning_rate"
            )
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(total)
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), self._config.clip)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._step += 1
        if self._step == self._job.config.early_step:
            self._early = self._measured(FrameStore.open(self._job.val))

    def _pairs(self, batch: AnyBatch) -> tuple[Tensor, dict[str, Target]]:
        """Return the network's input, and the targets of its tasks."""
        pairs = {task.name: batch.pair(task, self._weights[task.name]) for task in self._tasks}
        shown = next(iter(pairs.values()))[0]
        return shown, {name: target for name, (_, target) in pairs.items()}

    @torch.no_grad()
    def _measured(self, store: FrameStore) -> dict[str, float]:
        """Measure the mean loss of each task on held-out frames."""
        self._network.eval()
        reader = BatchReader(store, self._device)
        sums: dict[str, list[Tensor]] = {task.name: [] for task in self._tasks}
        for task in self._tasks:
            samples = samples_of(task, store, _DRAWN)
            drawn = np.random.default_rng(_DRAWN).permutation(len(samples))[: self._job.config.samples]
            for start in range(0, len(drawn), self._config.batch):
                rows = np.sort(drawn[start : start + self._config.batch])
                raw = reader.load([task], samples, rows)
                seeds = seeds_of(torch.from_numpy(rows).to(self._device), 0)
                shown, target = Batch(raw, seeds, self._config, varied=False).pair(
                    task, self._weights[task.name]
                )
                sums[task.name].append(losses(task, self._network(shown)[task.name], target).cpu())
        return {name: float(torch.cat(parts).mean()) for name, parts in sums.items()}

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the state for resuming training."""
        tensors = {f"network/{name}": value for name, value in self._network.state_dict().items()}
        tensors |= optimizer_tensors(self._optimizer)
        tensors["tag"] = self._tag
        return tensors, {"step": self._step, "early": dict(self._early)}

    def _restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Resume from the value of `_state`."""
        prefix = "network/"
        self._network.load_state_dict(
            {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
        )
        restore_optimizer(self._optimizer, tensors)
        self._tag = tensors["tag"]
        self._step, self._early = facts["step"], facts["early"]
