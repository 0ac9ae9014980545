"""Folders that the jobs of stage 2 read and write, and the three parts of a target's data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from taskbank.bank.entries import ForeignEntry
from taskbank.learning.parts import Part
from taskbank.nets.encoder import CODE_CHANNELS
from taskbank.tasks.registry import Task, find_task
from training.data.frames import FrameStore
from training.learning.class_weights import semantic_weights
from training.stages.networks.finished import load_network, trained_size
from training.stages.transfers.config import TransfersConfig
from training.stages.transfers.divide import Division, divide
from training.stages.transfers.reading import Reading

_COUNTED = 1000  # approximate number of frames for counting semantic classes


class TargetParts(Protocol):
    """Data of one target in three parts."""

    task: Task
    device: torch.device

    @property
    def size(self) -> int:
        """Side of maps in px."""

    @property
    def learned(self) -> Part:
        """The training samples of transfers."""

    @property
    def held_out(self) -> Part:
        """The samples for ranking sources."""

    @property
    def test(self) -> Part:
        """The test samples."""

    def full_supervision(self) -> tuple[nn.Module, int]:
        """Load the target's own network, trained on all its labels, and the side in px of its inputs.

        Raises:
            DataError: there is no such network.
        """


class TargetPlaces(Protocol):
    """Access to the data of targets, and the folder of the trained transfers."""

    @property
    def out(self) -> Path:
        """The folder of transfers, by target."""

    def channels(self, source: str) -> int:
        """Return the channels of a source's representation."""

    def data_of(self, target: str, config: TransfersConfig, device: torch.device) -> TargetParts:
        """Return the data of one target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Folders of stage 2.

    Attributes:
        val: store for training transfers.
        test: store for testing transfers.
        networks: folder of stage 1.
        codes: folder of representations, by split.
        out: folder of transfers, by target.
        foreign: third-party encoders that are sources beside tasks.
    """

    val: Path
    test: Path
    networks: Path
    codes: Path
    out: Path
    foreign: tuple[ForeignEntry, ...] = ()

    def sources(self, config: TransfersConfig) -> tuple[str, ...]:
        """Return the names of all sources: tasks, then third-party encoders."""
        return (*config.sources, *(one.name for one in self.foreign))

    def channels(self, source: str) -> int:
        """Return the channels of a source's representation."""
        return next((one.channels for one in self.foreign if one.name == source), CODE_CHANNELS)

    def data_of(self, target: str, config: TransfersConfig, device: torch.device) -> TargetParts:
        """Return the data of one target."""
        return TargetData(target, self, config, device)


class TargetData:
    """Training, held-out and test samples of one target.

    Attributes:
        class_weights: float (classes,), class weights of the loss of semantic maps; None for other targets.
    """

    def __init__(self, target: str, places: Places, config: TransfersConfig, device: torch.device) -> None:
        self.task: Task = find_task(target)
        self.places = places
        self.config = config
        self.device = device
        self._val = FrameStore.open(places.val)
        self._test = FrameStore.open(places.test)
        self._division: Division = divide(self._val, config)
        learned = np.flatnonzero(self._division.learned)
        counted = learned[:: max(1, len(learned) // _COUNTED)]  # fewer than 2,000 frames
        self.class_weights = semantic_weights(self.task, self._val, counted)

    @property
    def size(self) -> int:
        """Side of maps in px."""
        return self.config.size or self._val.size

    @cached_property
    def learned(self) -> Reading:
        """The data of the training rooms of transfers."""
        return self._reading(self._val, "val", self._division.learned)

    @cached_property
    def held_out(self) -> Reading:
        """The data of the rooms for ranking sources."""
        return self._reading(self._val, "val", self._division.held_out)

    @cached_property
    def test(self) -> Reading:
        """The data of the test rooms."""
        return self._reading(self._test, "test", None)

    def full_supervision(self) -> tuple[nn.Module, int]:
        """Load the network of stage 1 and the side in px of its inputs.

        Raises:
            DataError: the network or its record is missing.
        """
        network = load_network(self.places.networks, self.task, self.config.architecture)
        return network, trained_size(self.places.networks, [self.task.name])

    def _reading(self, store: FrameStore, split: str, among: NDArray[np.bool_] | None) -> Reading:
        return Reading(
            self.task,
            store,
            self.places.codes / split,
            self.config,
            self.device,
            among=among,
            weights=self.class_weights,
        )
