"""Banks whose entries name third-party models, alone or in front of a bank of files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from taskbank.bank.bank import Bank
from taskbank.bank.catalogue import INVERSE, Catalogue, Model, names_catalogue, open_catalogue
from taskbank.bank.entries import TaskEntry
from taskbank.bank.files import FolderFiles
from taskbank.bank.hub import Hub
from taskbank.bank.index import BankIndex
from taskbank.errors import InvalidInputError
from taskbank.nets.architecture import Compact
from taskbank.tasks.kinds import OutputKind
from taskbank.tasks.registry import TASKS, Task

SIDE = 512
"""Shorter side in px of photographs in the network's frame, unless a bank of files states another."""


@dataclass(frozen=True, slots=True)
class ModelBank(Bank):
    """Tasks served by third-party models, and by the networks of at most one bank of files.

    Attributes:
        holders: task -> name and sha256 of the catalogue or bank that serves it.
    """

    holders: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def holder(self, task: str) -> tuple[str, str]:
        """Return name and sha256 of the catalogue or bank that serves a task."""
        return self.holders.get(task, (self.name, self.digest))

    def find_target(self, name: str) -> Task:
        """Find a task, with its model's kind of output: relative depth or depth in metres, for example."""
        task = Bank.find_target(self, name)
        entry = self.index.tasks.get(task.name)
        if entry is None or entry.output == task.output:
            return task
        return replace(task, output=OutputKind(entry.output), unit=entry.unit, value_range=entry.value_range)


def open_models(source: str | Path, hub: Hub | None = None) -> ModelBank:
    """Open a bank of models, or several banks one after another: `foundation,rooms`.

    A task is served by the first that can predict it.

    Args:
        source: names separated by commas: `foundation`, files that end in .toml, and at most one bank of
            files.
        hub: access to the Hub, for the bank of files.

    Raises:
        InvalidInputError: two banks of files.
        BankFormatError: a catalogue or the bank is damaged.
    """
    names = [part.strip() for part in str(source).split(",") if part.strip()]
    opened: list[Catalogue | Bank] = [
        open_catalogue(name) if names_catalogue(name) else Bank.open(name, hub=hub) for name in names
    ]
    banks = [one for one in opened if isinstance(one, Bank)]
    if len(banks) > 1:
        raise InvalidInputError(
            f"{source}: two banks of files cannot run together: name one beside third-party models"
        )
    entries: dict[str, TaskEntry] = {}
    holders: dict[str, tuple[str, str]] = {}
    for one in opened:
        given = (
            one.index.tasks
            if isinstance(one, Bank)
            else {task: _entry(task, model) for task, model in one.by_task.items()}
        )
        for task, entry in given.items():
            if task not in entries or (entry.predicts and not entries[task].predicts):
                entries[task], holders[task] = entry, (one.name, one.digest)
    rest = banks[0] if banks else None
    name = "+".join(one.name for one in opened)
    digests = [one.digest for one in opened]
    index = BankIndex(
        name=name,
        architecture={"name": "models of others"} if rest is None else rest.index.architecture,
        image_size=SIDE if rest is None else rest.index.image_size,
        representation=(8, SIDE // 16, SIDE // 16) if rest is None else rest.index.representation,
        licence="" if rest is None else rest.index.licence,
        tasks={task: entries[task] for task in TASKS if task in entries},
        transfers=() if rest is None else rest.index.transfers,
        shared=None if rest is None else rest.index.shared,
    )
    return ModelBank(
        index=index,
        architecture=Compact() if rest is None else rest.architecture,
        digest=digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest(),
        files=FolderFiles(Path(name)) if rest is None else rest.files,
        holders=holders,
    )


def _entry(task: str, model: Model) -> TaskEntry:
    """Make the index entry of a task that a third-party model serves."""
    known = TASKS[task]
    inverse = task == "depth_zbuffer" and model.depth == INVERSE
    return TaskEntry(
        task=task,
        encoder=model,
        decoder=None,
        output=OutputKind.INVERSE_DEPTH if inverse else known.output,
        channels=known.channels,
        unit=INVERSE if inverse else known.unit,
        value_range=None if inverse else known.value_range,
        licence=model.licence,
    )
