"""The outcome for one item: raw outputs of networks, or an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from torch import Tensor

from taskbank.bank.bank import Bank
from taskbank.constants import class_names
from taskbank.errors import TaskBankError
from taskbank.images.reading import ImageInput
from taskbank.inference.decode import Reading, decode
from taskbank.inference.preprocess import Preprocessed
from taskbank.inference.results import Prediction

Item: TypeAlias = ImageInput | tuple[ImageInput, ...]
"""The input of one prediction: an image, or a tuple of them for tasks that take several."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Outcome:
    """Raw outputs of all networks for one item, or the error that prevented them.

    Attributes:
        sources: names of the item's images.
        error: reason why the item could not be used; None if it could.
        inputs: the preprocessed images; `Preprocessed.for_task` returns the form that a task saw.
        raw: canonical task name -> output of its network, float32 on the CPU, without batch axis.
        bank: the bank of the networks.
        read_from: tasks whose representations a transfer network read; empty for the task's own network.
        origins: canonical task name -> further facts about its origin, JSON-ready: the third-party model that
            served it, and whether it is averaged with the mirrored image.
    """

    sources: tuple[str, ...]
    error: TaskBankError | None = None
    inputs: tuple[Preprocessed, ...] = ()
    raw: Mapping[str, Tensor] = field(default_factory=dict)
    bank: Bank
    read_from: tuple[str, ...] = ()
    origins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def prediction(self, task: str, reading: Reading | None = None) -> Prediction:
        """Decode the prediction of one of the tasks.

        Args:
            task: canonical name.
            reading: form of the prediction.

        Raises:
            TaskBankError: the item's own error.
        """
        if self.error is not None:
            raise self.error
        found = self.bank.find_target(task)
        bank, digest = (self.bank.name, self.bank.digest) if self.read_from else self.bank.holder(task)
        decoded = decode(found, self.raw[task], self.inputs, reading or Reading())
        return Prediction(
            task=task,
            kind=found.output,
            array=decoded.array,
            unit=found.unit,
            value_range=decoded.value_range,
            convention=decoded.convention,
            frame=decoded.frame,
            views=tuple(one.for_task(found).view for one in self.inputs),
            sources=self.sources,
            bank=bank,
            bank_digest=digest,
            read_from=self.read_from,
            classes=self._classes(task),
            details={**decoded.details, **self.origins.get(task, {})},
        )

    def _classes(self, task: str) -> tuple[str, ...] | None:
        """Return the names of a task's channels: the bank's own, or the dataset's."""
        if self.read_from:
            return self.bank.transfer_entry(self.read_from, task).classes or class_names(task)
        return self.bank.entry(task).classes or class_names(task)
