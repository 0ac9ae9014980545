"""Jobs of stage 2: self-contained, picklable, each with one output file.

A job is finished if its file exists, so an interrupted stage continues with the missing files. Jobs share no
memory: they may run in any order within their round, on any machine with access to the folders.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

import torch

from taskbank.bank.entries import ForeignEntry
from taskbank.learning.fit import Single
from taskbank.learning.measure import measure
from taskbank.learning.train import train_constant, train_readouts, train_scratch
from taskbank.tasks.registry import SCRATCH
from training.data.frames import FrameStore
from training.runs.engine import Job
from training.stages.transfers.choose import SourceSet
from training.stages.transfers.codes import codes_path, write_codes
from training.stages.transfers.config import TransfersConfig
from training.stages.transfers.loss_files import (
    HELD_OUT,
    TEST,
    LossArray,
    SampleLosses,
    losses_path,
    save_losses,
    transfer_name,
)
from training.stages.transfers.places import Places, TargetPlaces
from training.stages.transfers.readouts import save_readouts, save_scratch

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
    """Run one piece of work; engines call this function. `output` equals `work.output`."""
    log.debug("%s", output)
    work.run()


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesJob:
    """Job for the representations of one source on one split."""

    places: Places
    config: TransfersConfig
    device: str
    source: str | ForeignEntry
    split: Literal["val", "test"]
    noisy: bool = False

    @property
    def output(self) -> Path:
        """The file of representations."""
        name = self.source if isinstance(self.source, str) else self.source.name
        return codes_path(self.places.codes / self.split, name, noisy=self.noisy)

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

    They start from the same weights and use the same batches, so they differ in their sources only. Those
    whose sources have equal channels are trained side by side.

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
        alike: dict[tuple[int, ...], list[SourceSet]] = {}
        for sources in self.sets:
            alike.setdefault(tuple(map(self.places.channels, sources)), []).append(sources)
        stacks = [
            train_readouts(
                data.learned,
                sets,
                self.config,
                size=data.size,
                at_once=self.config.at_once,
                channels=channels,
            )
            for channels, sets in alike.items()
        ]
        parts = {TEST: data.test, HELD_OUT: data.held_out} if self.order == 1 else {TEST: data.test}
        splits = {}
        for split, reading in parts.items():
            by_name: dict[str, LossArray] = {}
            for stack in stacks:
                names = [transfer_name(sources) for sources in stack.sets]
                code_batch = partial(reading.code_batch, stack.sets)
                by_name |= measure(stack, names, reading, code_batch).by_name
            splits[split] = SampleLosses(rooms=reading.rooms, by_name=by_name)
        save_readouts(self.places.out, self.target, self.order, stacks)
        save_losses(self.output, splits)
        log.info("%s: %d transfers of order %d", self.target, len(self.sets), self.order)


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
            learner = Single(train_constant(data.learned, self.config, data.size), data.device)
            found = measure(learner, [AVERAGE], data.test, data.test.blind_batch)
        elif self.control == FULL:
            # A network trained at 256 px may fail at 128 px: the classifier of ImageNet falls to 5 %.
            supervised, size = data.full_supervision()
            learner = Single(supervised, data.device)
            found = measure(learner, [FULL], data.test, partial(data.test.picture_batch, size=size))
        else:
            network = train_scratch(data.learned, self.config)
            learner = Single(network, data.device)
            found = measure(learner, [self.control], data.test, data.test.picture_batch)
            save_scratch(self.places.out, network)
        save_losses(self.output, {TEST: found})
        log.info("%s: %s", self.target, self.control)
