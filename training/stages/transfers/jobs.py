"""Jobs of stage 2: self-contained, picklable, each with one output file.

A job is finished if its file exists, so an interrupted stage continues with the missing files. Jobs share no
memory: they may run in any order within their round, on any machine with access to the folders.
"""

from __future__ import annotations

import logging
import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch

from taskbank.nets.build import ScratchNetwork, build_readout, build_scratch
from taskbank.nets.initialise import initialise
from taskbank.tasks.registry import SCRATCH
from training.data.frames import FrameStore
from training.learning.best_constant import CONSTANT_STEPS, Constant, best_constant
from training.learning.output_units import OutputUnits, has_units, measured_rows, measured_units
from training.runs.engine import Job
from training.stages.transfers.choose import SourceSet
from training.stages.transfers.codes import codes_path, write_codes
from training.stages.transfers.config import TransfersConfig
from training.stages.transfers.fit import Single, fit
from training.stages.transfers.loss_files import HELD_OUT, TEST, losses_path, save_losses, transfer_name
from training.stages.transfers.measure import measure
from training.stages.transfers.parts import Part, TargetParts
from training.stages.transfers.places import Places, TargetPlaces
from training.stages.transfers.readouts import save_readouts, save_scratch
from training.stages.transfers.stack import ReadoutStack, members_at_once

log = logging.getLogger(__name__)

AVERAGE, FULL = "average", "full_supervision"
CONTROLS = (SCRATCH, AVERAGE, FULL)


class Work(Protocol):
    """The work of one job of this stage: frozen, picklable, and finished if its output exists."""

    @property
    def output(self) -> Path:
        """The output file."""

    def run(self) -> None:
        """Run the work."""


def as_jobs(works: Iterable[Work], root: Path) -> list[Job]:
    """Return the jobs for an engine, each with the path of its output under `root` as its key."""
    return [
        Job(
            key=work.output.relative_to(root).as_posix(),
            function=f"{__name__}:do",
            arguments={"work": work},
            output=work.output,
        )
        for work in works
    ]


def do(output: Path, work: Work) -> None:
    """Run one piece of work; called by engines. `output` equals the work's own output."""
    log.debug("%s", output)
    work.run()


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesJob:
    """Job for the representations of one source on one split."""

    places: Places
    config: TransfersConfig
    device: str
    source: str
    split: Literal["val", "test"]
    noisy: bool = False

    @property
    def output(self) -> Path:
        """The file of representations."""
        return codes_path(self.places.codes / self.split, self.source, noisy=self.noisy)

    def run(self) -> None:
        """Write the representations."""
        write_codes(
            self.source,
            FrameStore.open(self.places.val if self.split == "val" else self.places.test),
            self.places.codes / self.split,
            networks=self.places.networks,
            config=self.config,
            noisy=self.noisy,
            device=torch.device(self.device),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferJob:
    """Job for all transfers of one target and one order.

    They start from the same weights and use the same batches, so they differ in their sources only.

    Attributes:
        sets: the sources of each transfer.
    """

    places: TargetPlaces
    config: TransfersConfig
    device: str
    target: str
    order: int
    sets: tuple[SourceSet, ...]

    @property
    def output(self) -> Path:
        """The file of losses."""
        return losses_path(self.places.out, self.target, f"order_{self.order}")

    def run(self) -> None:
        """Train the transfers, and save their weights and then their losses.

        Raises:
            DivergedError: a loss is not finite.
        """
        data = self.places.data_of(self.target, self.config, torch.device(self.device))
        stack = self._trained(data, self.config.at_once)
        names = [transfer_name(sources) for sources in self.sets]
        parts = {TEST: data.test, HELD_OUT: data.held_out} if self.order == 1 else {TEST: data.test}
        splits = {
            split: measure(stack, names, reading, partial(reading.code_batch, self.sets))
            for split, reading in parts.items()
        }
        save_readouts(self.places.out, self.target, self.order, stack)
        save_losses(self.output, splits)
        log.info("%s: %d transfers of order %d", self.target, len(self.sets), self.order)

    def _trained(self, data: TargetParts, at_once: int | None) -> ReadoutStack:
        """Train the stack, with fewer members in one pass if GPU memory is too small."""
        seed = seed_of(self.config, self.target, self.order)
        start = build_readout(data.task, self.config.architecture, self.sets[0])
        initialise(start, seed)
        at_once = at_once or members_at_once(start, data.task, self.config.batch, data.size, data.device)
        stack = ReadoutStack(
            start, self.sets, device=data.device, at_once=at_once, precision=self.config.precision
        )
        decay = self.config.weight_decay if self.order == 1 else self.config.weight_decay_higher
        batches = (
            data.learned.code_batch(self.sets, rows, turn)
            for turn, rows in enumerate(data.learned.drawn(self.config.steps), start=1)
        )
        try:
            fit(
                stack,
                batches,
                self.config,
                weight_decay=decay,
                seed=seed,
                what=f"transfers to {self.target}",
                units=_units(data, self.config),
            )
        except torch.OutOfMemoryError:
            tried = at_once or len(self.sets)
            if tried == 1:
                raise
            log.info("%s: %d transfers at once do not fit, trying half", self.target, tried)
        else:
            return stack
        torch.cuda.empty_cache()
        return self._trained(data, -(-tried // 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlJob:
    """Job for a control with which transfers to one target are compared.

    Attributes:
        control: `scratch`, the target's whole network trained on the samples of transfers; `average`, the
            best constant for these samples; `full_supervision`, the network of stage 1, shown pictures of the
            size that it was trained on.
    """

    places: TargetPlaces
    config: TransfersConfig
    device: str
    target: str
    control: str

    @property
    def output(self) -> Path:
        """The file of the control's losses."""
        return losses_path(self.places.out, self.target, self.control)

    def run(self) -> None:
        """Train or load the control, and save its losses, and the weights of a network from scratch.

        Raises:
            DivergedError: a loss is not finite.
            DataError: the network of stage 1 is missing.
        """
        data = self.places.data_of(self.target, self.config, torch.device(self.device))
        if self.control == AVERAGE:
            learner = Single(average_estimator(data.learned, self.config, data.size), data.device)
            found = measure(learner, [AVERAGE], data.test, data.test.blind_batch)
        elif self.control == FULL:
            # A network trained at 256 px may fail at 128 px: the classifier of ImageNet falls to 5 %.
            supervised, size = data.full_supervision()
            learner = Single(supervised, data.device)
            found = measure(learner, [FULL], data.test, partial(data.test.picture_batch, size=size))
        else:
            network = self._from_scratch(data)
            learner = Single(network, data.device)
            found = measure(learner, [self.control], data.test, data.test.picture_batch)
            save_scratch(self.places.out, network)
        save_losses(self.output, {TEST: found})
        log.info("%s: %s", self.target, self.control)

    def _from_scratch(self, data: TargetParts) -> ScratchNetwork:
        """Train the target's whole network on the samples of transfers."""
        network = build_scratch(data.task, self.config.architecture)
        seed = seed_of(self.config, self.target, 0)
        initialise(network, seed)
        learned = data.learned
        batches = (
            learned.picture_batch(rows, turn)
            for turn, rows in enumerate(learned.drawn(self.config.steps), start=1)
        )
        learner = Single(network, data.device, self.config.precision)
        fit(
            learner,
            batches,
            self.config,
            weight_decay=self.config.weight_decay,
            seed=seed,
            what=f"{self.target} from scratch",
            units=_units(data, self.config),
        )
        return network


def average_estimator(part: Part, config: TransfersConfig, size: int) -> Constant:
    """Compute the best constant for the training samples of transfers.

    Args:
        part: these samples, of which `config.average_samples` are used.
        config: numbers of samples and steps.
        size: side of the target's maps in px.
    """
    draw = np.random.default_rng([config.seed, len(part)])
    rows = np.sort(draw.permutation(len(part))[: config.average_samples])
    steps = min(CONSTANT_STEPS, config.steps)
    return best_constant(
        part.task,
        (part.target(some) for some in np.array_split(rows, -(-len(rows) // config.batch))),
        (part.target(some, turn) for turn, some in enumerate(part.drawn(steps), start=1)),
        size=size,
        steps=steps,
        drop=math.ceil(config.drop_at * steps),
    )


def _units(data: TargetParts, config: TransfersConfig) -> OutputUnits:
    """Measure the output units of a target on some of the training samples."""
    if not has_units(data.task, config.architecture):
        return OutputUnits()
    rows = measured_rows(len(data.learned), config.batch)
    return measured_units(data.task, map(data.learned.target, rows))


def seed_of(config: TransfersConfig, target: str, order: int) -> int:
    """Return the seed of a job's weights and of its dropout; order 0 is training from scratch."""
    return zlib.crc32(f"{config.seed} {target} {order}".encode())
