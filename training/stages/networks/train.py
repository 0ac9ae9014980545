"""Stage 1: interleaved training of all task networks on shared batches.

Measured on one core of a cloud CPU, torch 2.15, `compact`: reading, augmenting and coding 8 frames of 256 px
for 20 tasks takes 0.6 s together and 3.0 s separately; a step takes 0.25 (classes) to 1.0 s (segments). Four
networks stepped in turn, channels last, take 148 ms at 64 px and 244 ms at 128 px; the same four stacked with
`torch.vmap` take 207 and 359 ms. So networks are stepped in turn.
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

from taskbank.learning.output_units import OutputUnits, has_units, measured_rows, measured_units
from taskbank.tasks.registry import DecoderForm, Task, find_task
from taskbank.tasks.table import ALL_TASKS
from training.data.frames import FrameStore
from training.errors import ConfigError, DataError
from training.learning.batches import BatchReader
from training.learning.class_weights import evenly, semantic_weights
from training.learning.draws import seeds_of
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
ADDITIONAL = "additional"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of stage 1.

    Attributes:
        steps: finished steps of the slowest network, of all when finished, else of those that are trained
            together now.
        finished: True if all networks are written.
        seconds: total seconds of all runs, for networks that were not finished before.
    """

    steps: int
    finished: bool
    seconds: float


def train_task_networks(  # noqa: PLR0917 - the first four arguments belong together
    config: TaskNetworksConfig,
    stores: Mapping[str, FrameStore],
    out: Path,
    device: torch.device | str = "cpu",
    tasks: Iterable[str] | None = None,
    resume: bool = True,
    max_seconds: float | None = None,
) -> Progress:
    """Train one network per task.

    If it is killed and called again with the same arguments, training resumes and gives the same weights:
    equal to the bit on a CPU, up to rounding on a GPU, whose libraries sum gradients in any order. A
    network's weights do not depend on the other networks, so several processes may share the work in one
    `out`, each with its own tasks, and with another division in the next run.

    Args:
        config: settings of the training.
        stores: stores by split; `train` holds the training frames, `real` real ones if `config.real` is not
            0, and `additional` those of additional rooms if `config.additional` is not 0 for a task.
        out: folder of `TASK.safetensors` (averaged weights, float32, `encoder.*` and `decoder.*`),
            `TASK.json`, `TASK.metrics.csv` and `pictures/`.
        device: device for training.
        tasks: task names or aliases; None for all 25.
        resume: True resumes unfinished networks in `out`; False starts from scratch.
        max_seconds: time after which a checkpoint is written and the function returns.

    Raises:
        DataError: a store is missing, or lacks labels of a task.
        ConfigError: `out` holds networks of another configuration, or the settings have a course before.
        DivergedError: a loss is not finite; the checkpoint before it is kept.
        StorageError: a file cannot be written.
    """
    if TRAIN not in stores:
        held = ", ".join(stores) or "nothing"
        raise DataError(f"task networks learn from {TRAIN!r}, but there is only {held}")
    if config.before is not None:
        raise ConfigError(
            "train_task_networks trains one course: run the one before first, and start from it"
        )
    wanted = chosen_tasks(tasks)
    for task in wanted:
        own = config.of(task)
        if own.real and REAL not in stores:
            raise DataError(
                f"real is {own.real} for {task.name}, but there is no store of real frames: give one, or set "
                "it to 0"
            )
        if own.additional and ADDITIONAL not in stores:
            raise DataError(
                f"additional is {own.additional} for {task.name}, but there is no store of additional rooms: "
                "set additional in [rooms] and make frames, or set it to 0 here"
            )
    folder = NetworksFolder(out, config, stores[TRAIN], stores.get(REAL), stores.get(ADDITIONAL))
    left = [task for task in wanted if not (resume and folder.is_finished(task))]
    for task in wanted:
        if not resume or task not in left:
            folder.forget(task)
    began, seconds = time.monotonic(), 0.0
    for own, alike in sorted(config.alike(left), key=lambda pair: pair[0].waits):
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
    additional: Path | None = None,
) -> None:
    """Train some networks in this process, as engines call it.

    Args:
        output: the file that is written last; determined by `out` and `tasks`.
        config: settings of the stage.
        frames: store of training frames.
        out: folder of the stage.
        tasks: names of the tasks.
        device: device for training.
        real: store of real frames; None for none.
        additional: store of frames of additional rooms; None for none.

    Raises:
        TrainingError: as for `train_task_networks`.
    """
    log.debug("%s ends the group %s", output, ", ".join(tasks))
    stores = {TRAIN: FrameStore.open(frames)}
    if real is not None:
        stores[REAL] = FrameStore.open(real)
    if additional is not None:
        stores[ADDITIONAL] = FrameStore.open(additional)
    train_task_networks(config, stores, out, device, tasks)


def chosen_tasks(names: Iterable[str] | None) -> list[Task]:
    """Return the tasks of these names, or all trainable tasks."""
    if names is None:
        return [task for task in ALL_TASKS if task.decoder is not DecoderForm.NONE]
    return list(dict.fromkeys(find_task(name) for name in names))


class _Together:
    """Networks of equal settings with their data, each resumed from its last checkpoint.

    Attributes:
        trainers: one trainer per network.
        step: finished steps of the slowest network.
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
        others = {
            BatchReader(stores[name], device, resident=config.resident): share
            for name, share in ((REAL, config.real), (ADDITIONAL, config.additional))
            if share
        }
        self._feeds = list(_feeds(self._reader, others, tasks, among, config))
        counted = evenly(len(store))  # frames for counting semantic classes
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
        """Take the remaining steps, or as many as fit into `max_seconds`."""
        config, began = self._config, time.monotonic()
        due = Every(config.checkpoint_seconds)
        log.debug("%d task networks from step %d of %d", len(self.trainers), self.step, config.steps)
        with (
            read_ahead(self._feeds, self.step, config.readers) as batches,
            progress("task networks", config.steps, done=self.step) as advance,
        ):
            while self.step < config.steps:
                batch = next(batches)
                # Networks with later checkpoints, from other jobs or a killed run, wait until the others have
                # caught up.
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
        """Measure the norm statistics of the averages, if steps were taken, and write all networks."""
        if self._config.steps:
            with ExitStack() as stack:
                # All averages use the batches after the last step.
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
    others: Mapping[BatchReader, float],
    tasks: Sequence[Task],
    among: NDArray[np.bool_],
    config: TaskNetworksConfig,
) -> Iterator[Feed]:
    """Create one feed per stream.

    Args:
        reader: reader of the frames of rooms.
        others: readers of real frames and of additional rooms, and their shares of a batch; they are mixed
            into the batches of the tasks that have labels there.
        tasks: the tasks of all streams.
        among: bool for each frame of rooms, True for frames to learn from.
        config: settings of the tasks.
    """
    for stream in dict.fromkeys(map(stream_of, tasks)):
        members = [task for task in tasks if stream_of(task) == stream]
        # Called for each task, so that a task without any known label raises an error.
        found = [samples_of(task, reader.store, config.seed, among=among) for task in members]
        if stream == FRAMES:
            found[0] = Samples(task=FRAMES, frames=np.flatnonzero(among))
        beside, batch = [], config.batch
        for other, share in others.items():
            able = [task for task in members if _has_labels(other.store, task)]
            # A network's batches must not depend on the other networks of its job, which share its stream.
            images = max(1, round(share * config.batch)) if able or stream == FRAMES else 0
            batch -= images
            if not able:
                continue
            every = Samples(task=FRAMES, frames=np.arange(len(other.store)))
            samples = every if stream == FRAMES else samples_of(able[0], other.store, config.seed)
            # Frames of another size are shown at that of the first store's.
            size = config.size or reader.store.size
            beside.append(Feed(other, able, samples, replace(config, batch=images, size=size)))
        yield Feed(reader, members, found[0], replace(config, batch=batch), beside)


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
    """Measure the units of a task on some of its training samples."""
    if not has_units(task, config.architecture):
        return OutputUnits()
    samples = samples_of(task, reader.store, config.seed, among=among)
    batches = (
        Batch(reader.load([task], samples, part), seeds_of(torch.from_numpy(part), 0), config, varied=False)
        for part in measured_rows(len(samples), config.batch)
    )
    return measured_units(task, (batch.pair(task)[1] for batch in batches))
