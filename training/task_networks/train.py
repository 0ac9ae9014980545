"""Stage 1: all task networks side by side, a step each in turn, on batches that are read once.

Measured on one core of a cloud CPU, torch 2.15, `compact`. Reading, varying and coding 8 frames of 256 px for
20 tasks takes 0.6 s together and 3.0 s one after another; a step takes 0.25 (classes) to 1.0 s (segments).
Four networks stepped in turn, channels last: 148 ms at 64 px and 244 ms at 128 px; the same four stacked with
`torch.vmap`: 207 and 359 ms. So networks are stepped in turn.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskbank.task_table import ALL_TASKS
from taskbank.tasks import DecoderForm, Task, find_task
from training.batches import BatchReader
from training.checkpoint import Every
from training.data.frames import FrameStore
from training.errors import DataError
from training.metrics import progress
from training.samples import Samples, samples_of
from training.targets import measured_weights
from training.task_networks.config import TaskNetworksConfig
from training.task_networks.feed import FRAMES, Batch, Feed, read_ahead, stream_of
from training.task_networks.folder import NetworksFolder
from training.task_networks.held_out import HeldOut, learned_from
from training.task_networks.journal import Journal
from training.task_networks.learner import Learner
from training.task_networks.pictures import is_painted, write_strip

log = logging.getLogger(__name__)

TRAIN = "train"
_STRIP = 4  # samples on a sample picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far stage 1 got.

    Attributes:
        steps: that are done.
        finished: whether all networks are written.
        seconds: of all runs so far together.
    """

    steps: int
    finished: bool
    seconds: float


def train_task_networks(  # noqa: PLR0917 - the first four belong together
    config: TaskNetworksConfig,
    stores: Mapping[str, FrameStore],
    out: Path,
    device: torch.device | str = "cpu",
    tasks: Iterable[str] | None = None,
    resume: bool = True,
    max_seconds: float | None = None,
) -> Progress:
    """Train one network a task.

    Killed at any moment and called again with the same arguments, it goes on and ends with the same weights:
    to the bit on a CPU, to rounding on a GPU, whose libraries add gradients up in any order.
    A network's weights do not depend on which others are trained beside it.

    Args:
        config: how.
        stores: by split; `train` is learned from.
        out: gets `TASK.safetensors` (averaged weights, float32, `encoder.*` and `decoder.*`), `TASK.json`,
            `TASK.metrics.csv` and `pictures/`.
        device: where networks learn.
        tasks: any names; None for all 25.
        resume: whether to go on with what is in `out`; otherwise it is begun anew.
        max_seconds: after so long a checkpoint is written and the function returns.

    Raises:
        DataError: there is no such store, or it lacks labels of a task.
        ConfigError: what is in `out` was begun with another configuration.
        DivergedError: a loss is no number; the checkpoint before it is kept.
        StorageError: something cannot be written.
    """
    if TRAIN not in stores:
        held = ", ".join(stores) or "nothing"
        raise DataError(f"task networks learn from {TRAIN!r}, but there is only {held}")
    wanted = _chosen(tasks)
    folder = NetworksFolder(out, config, stores[TRAIN], wanted)
    if not resume:
        folder.forget()
    left = [task for task in wanted if not (resume and folder.is_finished(task))]
    if not left:
        return Progress(steps=config.steps, finished=True, seconds=0.0)
    run = _Run(config, stores[TRAIN], folder, torch.device(device), left)
    run.learn(math.inf if max_seconds is None else max_seconds)
    if run.step == config.steps:
        run.finish()
        folder.forget()
    return Progress(steps=run.step, finished=run.step == config.steps, seconds=run.seconds)


def _chosen(names: Iterable[str] | None) -> list[Task]:
    """The tasks of those names, or all that can be trained."""
    if names is None:
        return [task for task in ALL_TASKS if task.decoder is not DecoderForm.NONE]
    return list(dict.fromkeys(find_task(name) for name in names))


class _Run:
    """Learners and what they learn from, from the last checkpoint on.

    Attributes:
        step: steps that are done.
        seconds: of all runs so far together.
    """

    def __init__(
        self,
        config: TaskNetworksConfig,
        store: FrameStore,
        folder: NetworksFolder,
        device: torch.device,
        tasks: Sequence[Task],
    ) -> None:
        self._config = config
        self._folder = folder
        self._device = device
        self._reader = BatchReader(store, device, resident=config.resident)
        among = learned_from(store, config)
        self._feeds = list(_feeds(self._reader, tasks, among, config))
        weights = None
        if any(task.name == "segment_semantic" for task in tasks):
            weights = measured_weights(store, find_task("segment_semantic").channels).to(device)
        self._learners = [Learner(task, config, device, weights) for task in tasks]
        held_out = (HeldOut.of(task, store, ~among, config) for task in tasks)
        self._held_out = {found.task.name: found for found in held_out if found is not None}
        self.step, self.seconds = folder.restore(self._learners)

    def learn(self, max_seconds: float) -> None:
        """Take the steps that are left, or as many as there is time for."""
        config, began, before = self._config, time.monotonic(), self.seconds
        journal = Journal(self._folder.root, [one.task for one in self._learners], config, self.step)
        due = Every(config.checkpoint_seconds)
        log.info("task networks: %d from step %d of %d", len(self._learners), self.step, config.steps)
        with (
            read_ahead(self._feeds, self.step, config.readers) as batches,
            progress("task networks", config.steps, done=self.step) as advance,
        ):
            while self.step < config.steps:
                batch = next(batches)
                journal.note([self._teach(learner, batch) for learner in self._learners])
                self.step += 1
                self.seconds = before + time.monotonic() - began
                advance(1)
                late = time.monotonic() - began > max_seconds
                ends = late or self.step == config.steps
                looks = self.step % config.check_every == 0 or self.step == config.steps
                saves = due.due() or ends
                if looks or saves or self.step % config.log_every == 0:
                    journal.write(self._look() if looks else None)
                if saves:
                    self._folder.save(self._learners, self.step, self.seconds)
                if late:
                    return

    def _teach(self, learner: Learner, batches: Mapping[str, Batch]) -> Tensor:
        """One step of one network; its loss, on the device."""
        shown, target = batches[stream_of(learner.task)].pair(learner.task, learner.weights)
        return learner.learn(shown, target, self.step)

    def _look(self) -> dict[str, float]:
        """Losses on held-out rooms, and sample pictures of them."""
        found = {}
        for learner in self._learners:
            held_out = self._held_out.get(learner.task.name)
            if held_out is None:
                continue
            found[learner.task.name] = held_out.loss(learner, self._reader, self._config)
            if is_painted(learner.task):
                batch = held_out.batch(self._reader, held_out.index[:_STRIP], self._config)
                shown, target = batch.pair(learner.task, learner.weights)
                path = self._folder.picture_path(learner.task, self.step)
                write_strip(path, learner.task, shown, target, learner.show(shown))
        return found

    def finish(self) -> None:
        """Measure the averages' norms and write all networks."""
        self._recalibrate()
        for learner in self._learners:
            held_out = self._held_out.get(learner.task.name)
            loss = None if held_out is None else held_out.loss(learner, self._reader, self._config)
            weights = sum(parameter.numel() for parameter in learner.network.parameters())
            self._folder.write(
                learner,
                {
                    "metrics": {} if loss is None else {"held_out_loss": loss},
                    "parameters": weights,
                    "seconds": round(self.seconds, 1),
                    "trained_beside": len(self._learners) - 1,
                    "device": _device_name(self._device),
                },
            )

    def _recalibrate(self) -> None:
        """Show all averages the batches after the last step."""
        first = self._config.steps
        with ExitStack() as stack:
            take_in = [stack.enter_context(learner.recalibration()) for learner in self._learners]
            batches = stack.enter_context(read_ahead(self._feeds, first, self._config.readers))
            for _ in range(self._config.recalibration):
                batch = next(batches)
                for learner, take in zip(self._learners, take_in, strict=True):
                    take(batch[stream_of(learner.task)].pair(learner.task, learner.weights)[0])


def _feeds(
    reader: BatchReader, tasks: Sequence[Task], among: NDArray[np.bool_], config: TaskNetworksConfig
) -> Iterator[Feed]:
    """One feed a stream."""
    for stream in dict.fromkeys(map(stream_of, tasks)):
        members = [task for task in tasks if stream_of(task) == stream]
        # Asked for each task, as one without a single known label must be told of.
        found = [samples_of(task, reader.store, config.seed, among=among) for task in members]
        if stream == FRAMES:
            found[0] = Samples(task=FRAMES, frames=np.flatnonzero(among))
        yield Feed(reader, members, found[0], config)


def _device_name(device: torch.device) -> str:
    """What a device is called."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
