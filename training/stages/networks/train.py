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
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from taskbank.tasks.registry import DecoderForm, Task, find_task
from taskbank.tasks.table import ALL_TASKS
from training.data.frames import FrameStore
from training.errors import DataError
from training.learning.batches import BatchReader
from training.learning.class_weights import evenly, semantic_weights
from training.learning.draws import seeds_of
from training.learning.output_units import OutputUnits, has_units, measured_rows, measured_units
from training.learning.samples import Samples, samples_of
from training.runs.checkpoint import Every
from training.runs.metrics import progress
from training.stages.networks.config import TaskNetworksConfig
from training.stages.networks.distil import DistilledLearner, is_distilled
from training.stages.networks.feed import FRAMES, Batch, Feed, read_ahead, stream_of
from training.stages.networks.folder import NetworksFolder
from training.stages.networks.held_out import HeldOut, learned_from
from training.stages.networks.learner import Learner
from training.stages.networks.trainer import TaskTrainer

log = logging.getLogger(__name__)

TRAIN = "train"
REAL = "real"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of stage 1.

    Attributes:
        steps: done by the network that is furthest behind: among all when finished, else among those that
            are trained together now.
        finished: whether all networks are written.
        seconds: of all runs so far together, for networks that were not finished before.
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
    A network's weights do not depend on which others are trained beside it, so several processes may share
    the work: each with tasks of its own, all with one `out`, in other shares the next time.

    Args:
        config: how.
        stores: by split; `train` is learned from, and `real` beside it where `config.real` is not 0.
        out: gets `TASK.safetensors` (averaged weights, float32, `encoder.*` and `decoder.*`), `TASK.json`,
            `TASK.metrics.csv` and `pictures/`.
        device: where networks learn.
        tasks: any names; None for all 25.
        resume: whether to resume unfinished networks in `out`; otherwise training starts from scratch.
        max_seconds: after so long a checkpoint is written and the function returns.

    Raises:
        DataError: there is no such store, or it lacks labels of a task.
        ConfigError: `out` holds networks that were begun with another configuration.
        DivergedError: a loss is no number; the checkpoint before it is kept.
        StorageError: something cannot be written.
    """
    if TRAIN not in stores:
        held = ", ".join(stores) or "nothing"
        raise DataError(f"task networks learn from {TRAIN!r}, but there is only {held}")
    if config.real and REAL not in stores:
        raise DataError(
            f"real is {config.real}, but there is no store of real frames: give one, or set it to 0"
        )
    wanted = chosen_tasks(tasks)
    folder = NetworksFolder(out, config, stores[TRAIN], stores.get(REAL))
    left = [task for task in wanted if not (resume and folder.is_finished(task))]
    for task in wanted:
        if not resume or task not in left:
            folder.forget(task)
    began, seconds = time.monotonic(), 0.0
    for own, alike in sorted(config.alike(left), key=lambda pair: pair[0].encoder_of is not None):
        rest = math.inf if max_seconds is None else max_seconds - (time.monotonic() - began)
        together = _Together(own, stores, folder, torch.device(device), alike)
        together.learn(rest)
        seconds += together.seconds
        if together.step < own.steps:
            return Progress(steps=together.step, finished=False, seconds=seconds)
        together.finish()
    least = min((config.of(task).steps for task in wanted), default=config.steps)
    return Progress(steps=least, finished=True, seconds=seconds)


def train_group(
    output: Path,
    *,
    config: TaskNetworksConfig,
    frames: Path,
    out: Path,
    tasks: Iterable[str],
    device: str,
    real: Path | None = None,
) -> None:
    """Train some networks in this process, as engines call it.

    Args:
        output: the file that is written last; it follows from `out` and `tasks`.
        config: of the stage.
        frames: the store that is learned from.
        out: folder of the stage.
        tasks: their names.
        device: where they learn.
        real: store of real frames; None for none.

    Raises:
        TrainingError: as `train_task_networks` says.
    """
    log.debug("%s ends the group %s", output, ", ".join(tasks))
    stores = {TRAIN: FrameStore.open(frames)}
    if real is not None:
        stores[REAL] = FrameStore.open(real)
    train_task_networks(config, stores, out, device, tasks)


def chosen_tasks(names: Iterable[str] | None) -> list[Task]:
    """The tasks of those names, or all that can be trained."""
    if names is None:
        return [task for task in ALL_TASKS if task.decoder is not DecoderForm.NONE]
    return list(dict.fromkeys(find_task(name) for name in names))


class _Together:
    """Networks that share all settings, each from its last checkpoint on, and what they learn from.

    Attributes:
        trainers: one a network.
        step: steps that are done by the one that is furthest behind.
    """

    def __init__(
        self,
        config: TaskNetworksConfig,
        stores: Mapping[str, FrameStore],
        folder: NetworksFolder,
        device: torch.device,
        tasks: Sequence[Task],
    ) -> None:
        self._config = config
        store = stores[TRAIN]
        self._reader = BatchReader(store, device, resident=config.resident)
        among = learned_from(store, config)
        real = BatchReader(stores[REAL], device, resident=config.resident) if config.real else None
        self._feeds = list(_feeds(self._reader, real, tasks, among, config))
        counted = evenly(len(store))  # frames in which semantic classes are counted
        self.trainers = [
            TaskTrainer(
                (DistilledLearner if is_distilled(task, config) else Learner)(
                    task,
                    config,
                    device,
                    semantic_weights(task, store, counted),
                    _units(task, self._reader, among, config),
                ),
                self._reader,
                folder,
                config,
                held_out=HeldOut.of(task, store, ~among, config),
                learned=HeldOut.of(task, store, among, config),
            )
            for task in tasks
        ]
        self.step = min(trainer.step for trainer in self.trainers)

    @property
    def seconds(self) -> float:
        """Seconds of all runs so far."""
        return max(trainer.seconds for trainer in self.trainers)

    def learn(self, max_seconds: float) -> None:
        """Take the steps that are left, or as many as there is time for."""
        config, began = self._config, time.monotonic()
        due = Every(config.checkpoint_seconds)
        log.debug("%d task networks from step %d of %d", len(self.trainers), self.step, config.steps)
        with (
            read_ahead(self._feeds, self.step, config.readers) as batches,
            progress("task networks", config.steps, done=self.step) as advance,
        ):
            while self.step < config.steps:
                batch = next(batches)
                # Those that were saved later than others, by another set of jobs or in a run that died among
                # its checkpoints, wait until the others have caught up.
                taught = [trainer for trainer in self.trainers if trainer.step == self.step]
                for trainer in taught:
                    given, target = trainer.pair(batch)
                    trainer.note(trainer.learner.learn(given, target, self.step))
                self.step += 1
                advance(1)
                late = time.monotonic() - began > max_seconds
                ends = late or self.step == config.steps
                looks = self.step % config.check_every == 0 or self.step == config.steps
                saves = due.due() or ends
                if looks or saves or self.step % config.log_every == 0:
                    for trainer in taught:
                        trainer.write(looks=looks)
                if saves:
                    for trainer in taught:
                        trainer.save()
                if late:
                    return

    def finish(self) -> None:
        """Measure the averages' norms, if anything was learned, and write all networks."""
        if self._config.steps:
            with ExitStack() as stack:
                # All averages are shown the batches after the last step.
                take_in = [stack.enter_context(trainer.recalibration()) for trainer in self.trainers]
                batches = stack.enter_context(
                    read_ahead(self._feeds, self._config.steps, self._config.readers)
                )
                for _ in range(self._config.recalibration):
                    batch = next(batches)
                    for take in take_in:
                        take(batch)
        for trainer in self.trainers:
            trainer.finish(beside=len(self.trainers) - 1)


def _feeds(
    reader: BatchReader,
    real: BatchReader | None,
    tasks: Sequence[Task],
    among: NDArray[np.bool_],
    config: TaskNetworksConfig,
) -> Iterator[Feed]:
    """One feed a stream; real frames are mixed into that of single frames."""
    for stream in dict.fromkeys(map(stream_of, tasks)):
        members = [task for task in tasks if stream_of(task) == stream]
        # Asked for each task, as one without a single known label must be told of.
        found = [samples_of(task, reader.store, config.seed, among=among) for task in members]
        if stream == FRAMES:
            found[0] = Samples(task=FRAMES, frames=np.flatnonzero(among))
            if real is not None and (labelled := [task for task in members if _has_labels(real.store, task)]):
                images = max(1, round(config.real * config.batch))
                every = Samples(task=FRAMES, frames=np.arange(len(real.store)))
                mixed = Feed(real, labelled, every, replace(config, batch=images))
                yield Feed(reader, members, found[0], replace(config, batch=config.batch - images), mixed)
                continue
        yield Feed(reader, members, found[0], config)


def _has_labels(store: FrameStore, task: Task) -> bool:
    """True if a store has samples of a task."""
    try:
        samples_of(task, store, 0)
    except DataError:
        return False
    return True


def _units(
    task: Task, reader: BatchReader, among: NDArray[np.bool_], config: TaskNetworksConfig
) -> OutputUnits:
    """The units that a task is learned in, from some of the samples that are learned from."""
    if not has_units(task, config.architecture):
        return OutputUnits()
    samples = samples_of(task, reader.store, config.seed, among=among)
    batches = (
        Batch(reader.load([task], samples, part), seeds_of(torch.from_numpy(part), 0), config, varied=False)
        for part in measured_rows(len(samples), config.batch)
    )
    return measured_units(task, (batch.pair(task)[1] for batch in batches))
