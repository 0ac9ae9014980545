"""Trainer of one network of stage 1: batches, monitoring, checkpoints and final output."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from taskbank.learning.target import Target
from training.learning.batches import BatchReader
from training.stages.networks.config import TaskNetworksConfig
from training.stages.networks.examine import examine, faults_of
from training.stages.networks.feed import AnyBatch, stream_of
from training.stages.networks.finished import load_network
from training.stages.networks.folder import NetworksFolder
from training.stages.networks.held_out import HeldOut
from training.stages.networks.journal import Journal
from training.stages.networks.learner import Learner
from training.stages.networks.pictures import is_painted, write_strip

log = logging.getLogger(__name__)

_STRIP = 4  # number of samples in a sample picture


class TaskTrainer:
    """Trainer of one network, resumed from its last checkpoint, independent of other networks.

    Args:
        learner: learner with initial weights.
        reader: reader of the training store.
        folder: folder of all outputs.
        config: settings of the stage.
        held_out: samples for monitoring and the final evaluation; None if there are none.
        learned: training samples for computing the best constant.

    Raises:
        DataError: the network to start from is missing, or is of another architecture.

    Attributes:
        learner: the network and its optimiser.
        step: number of finished steps.
    """

    def __init__(
        self,
        learner: Learner,
        reader: BatchReader,
        folder: NetworksFolder,
        config: TaskNetworksConfig,
        *,
        held_out: HeldOut | None,
        learned: HeldOut | None,
    ) -> None:
        self.learner = learner
        self._held_out = held_out
        self._learned = learned
        self._reader = reader
        self._folder = folder
        self._config = config
        self.step, self._seconds_before = folder.restore(learner)
        if self.step == 0 and (config.start is not None or config.encoder_of is not None):
            donor = config.begun_from(learner.task)
            began = load_network(config.start or folder.root, donor, config.architecture).state_dict()
            begin = learner.begin_from if config.encoder_of is None else learner.begin_with_encoder
            begin(began)
        self._journal = Journal(folder.root, learner.task, config, self.step)
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds of all runs so far, including those of networks trained in the same process."""
        return self._seconds_before + time.monotonic() - self._began

    def pair(self, batches: Mapping[str, AnyBatch]) -> tuple[Tensor, Target]:
        """Return the network's input in the next step, and its target.

        Args:
            batches: batches of that step, by stream.
        """
        task = self.learner.task
        batch, shared = batches[stream_of(task)], self.learner.shared
        shown, target = batch.pair(task, self.learner.weights)
        return (shown if shared is None else batch.features(task, shown, shared)), target

    def note(self, loss: Tensor) -> None:
        """Count a finished step, and store its loss for the metrics."""
        self._journal.note(loss)
        self.step += 1

    def write(self, *, looks: bool) -> None:
        """Write the losses since the last call.

        Args:
            looks: True to measure held-out rooms, too.

        Raises:
            DivergedError: a loss is not finite.
        """
        self._journal.write(self._look() if looks else None)

    def _look(self) -> float | None:
        """Measure the loss on held-out rooms, and write a sample picture of them."""
        if self._held_out is None:
            return None
        task = self.learner.task
        if is_painted(task):
            batch = self._held_out.batch(self._reader, self._held_out.index[:_STRIP], self._config)
            shown, target = batch.pair(task, self.learner.weights)
            path = self._folder.picture_path(task, self.step)
            write_strip(path, task, shown, target, self.learner.show(shown))
        return self._held_out.loss(self.learner, self._reader, self._config)

    def save(self) -> None:
        """Write a checkpoint.

        Raises:
            StorageError: the file cannot be written.
        """
        self._folder.save(self.learner, self.step, self.seconds)

    @contextmanager
    def recalibration(self) -> Iterator[Callable[[Mapping[str, AnyBatch]], None]]:
        """Measure the averaged network's norm statistics, see `Learner.recalibration`.

        Yields:
            a function that adds the batches of one step, by stream.
        """
        task = self.learner.task
        with self.learner.recalibration() as take_in:
            yield lambda batches: take_in(batches[stream_of(task)].pair(task, self.learner.weights)[0])

    def finish(self, *, beside: int) -> None:
        """Evaluate the network on held-out samples, write it, and delete its checkpoint.

        Faults are logged as warnings and recorded in its JSON with the metrics.

        Args:
            beside: number of networks that were trained in the same process.

        Raises:
            StorageError: a file cannot be written.
        """
        metrics: dict[str, float] = {}
        if self._held_out is not None and self._learned is not None:
            metrics = examine(self.learner, self._held_out, self._learned, self._reader, self._config)
        faults = faults_of(self.learner.task.name, metrics)
        for finding in faults:
            log.warning("%s", finding)
        device = self._reader.device
        facts = {
            "metrics": metrics,
            "faults": {finding.fault: finding.measured for finding in faults},
            "parameters": sum(parameter.numel() for parameter in self.learner.network.parameters()),
            "seconds": round(self.seconds, 1),
            "trained_beside": beside,
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        }
        if self.learner.weights is not None:
            facts["class_weights"] = self.learner.weights.tolist()
        self._folder.write(self.learner, facts)
        self._folder.forget(self.learner.task)
