"""Interface of prediction engines: networks of tasks, and transfers that read tasks out from others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from taskbank.bank.bank import Bank
from taskbank.inference.outcome import Item, Outcome
from taskbank.inference.settings import Settings
from taskbank.tasks.registry import Task


class PredictionEngine(Protocol):
    """Loaded networks that predict some tasks together; for example `Engine` and `TransferEngine`."""

    @property
    def bank(self) -> Bank:
        """Source of the networks."""

    @property
    def settings(self) -> Settings:
        """Settings that the networks are run with."""

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Tasks that are predicted; all take the same number of images."""

    @property
    def num_images(self) -> int:
        """Number of images of one prediction."""

    def run(self, items: Iterable[Item]) -> Iterator[Outcome]:
        """Yield one outcome per item, in order; an item that cannot be read gives an outcome with an error.

        Args:
            items: images, or tuples of `num_images` images.
        """
